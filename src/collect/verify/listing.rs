//! How the keys of one type of one database of a server are listed: in the order of their bytes, piece by piece.
//!
//! From 3.0.4 on PKSCANRANGE does it, without a memory on the server, so that it can be taken up anywhere. Before that
//! there is SCAN alone. On Pika it goes through the types one after the other, each in the order of its keys, so that it
//! comes to the same; but its cursor is lost when the server ends, and a key does not say for which type it was listed.

use std::collections::VecDeque;

use redis::Value;

use crate::catalog::era;
use crate::collect::link::{Session, Trouble};
use crate::collect::pika::gate::{CANARY, CommandBatch, CommandForm};
use crate::i18n::reasons;
use crate::model::limits::VERIFY_PIECE_KEYS;
use crate::model::verification::DataType;

/// Keys of Pika's own, which differ between nodes.
const INTERNAL: &[u8] = b"_internal:";
/// The keys that one SCAN looks at. Cursors are shared by all clients of a server; an odd step does not meet those of
/// others.
const SCAN_STEP: u64 = 509;
/// The types that a name can be, with the command that tells how many elements it has as each. TYPE comes first.
const SIZES: [(DataType, &str); 4] = [
    (DataType::Hash, "hlen <key>"),
    (DataType::List, "llen <key>"),
    (DataType::Zset, "zcard <key>"),
    (DataType::Set, "scard <key>"),
];

/// The keys of one type of one database of one server.
pub struct Listing {
    way: ListingWay,
    kind: DataType,
    queue: VecDeque<Vec<u8>>,
    ended: bool,
    /// The last key that was listed; none that does not come after it is taken.
    last: Option<Vec<u8>>,
}

enum ListingWay {
    Ranges {
        form: CommandForm,
        /// The name with which the next piece begins.
        start: Vec<u8>,
    },
    Cursor(Box<CursorListing>),
}

/// What SCAN has told and what it stands at.
struct CursorListing {
    scan: CommandForm,
    type_of: CommandForm,
    sizes: Vec<CommandForm>,
    /// The next cursor; `None` once all keys were listed.
    cursor: Option<u64>,
    /// Keys of the type that is listed now or of later ones, in their order.
    pending: VecDeque<(DataType, Vec<u8>)>,
    /// The last key, with its type.
    last: Option<(DataType, Vec<u8>)>,
}

impl Listing {
    /// The way of listing that the release of the server has, or why it has none.
    pub fn of(session: &Session<'_>) -> Result<Self, Trouble> {
        let by_cursor = session.release().is_some_and(|release| release.is_of(&era::SCAN_BY_CURSOR));
        let way = if by_cursor {
            ListingWay::Cursor(Box::new(CursorListing {
                scan: session.form("scan <cursor> count <count>")?,
                type_of: session.form("type <key>")?,
                sizes: SIZES.iter().map(|(_, pattern)| session.form(pattern)).collect::<Result<_, _>>()?,
                cursor: Some(0),
                pending: VecDeque::new(),
                last: None,
            }))
        } else {
            let form = session.form("pkscanrange <type> <start> <end> limit <count>")?;
            ListingWay::Ranges { form, start: Vec::new() }
        };
        Ok(Self { way, kind: DataType::String, queue: VecDeque::new(), ended: true, last: None })
    }

    /// From now on the keys of `kind` that come after `after` are listed. Types come in their order.
    pub fn begin(&mut self, kind: DataType, after: Option<&[u8]>) {
        self.kind = kind;
        self.last = after.map(<[u8]>::to_vec);
        self.queue.clear();
        if let ListingWay::Ranges { start, .. } = &mut self.way {
            *start = after.map_or_else(Vec::new, successor);
        }
        // No release lists streams.
        self.ended = kind == DataType::Stream;
    }

    /// From now on another database is listed.
    pub fn begin_database(&mut self) {
        if let ListingWay::Cursor(listing) = &mut self.way {
            listing.cursor = Some(0);
            listing.pending.clear();
            listing.last = None;
        }
    }

    /// Nothing of this type is there.
    pub fn end(&mut self) {
        self.queue.clear();
        self.ended = true;
    }

    /// The next key.
    pub fn head(&self) -> Option<&[u8]> {
        self.queue.front().map(Vec::as_slice)
    }

    /// Takes the next key.
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        self.queue.pop_front()
    }

    /// Whether nothing comes after what is queued.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether it is worth while to read another piece.
    pub fn wants_more(&self) -> bool {
        !self.ended && self.queue.len() < VERIFY_PIECE_KEYS
    }

    /// Reads one piece.
    pub async fn fill(&mut self, session: &mut Session<'_>) -> Result<(), Trouble> {
        match &mut self.way {
            ListingWay::Ranges { form, start } => {
                let mut batch = CommandBatch::default();
                let limit = VERIFY_PIECE_KEYS.to_string();
                form.add(&mut batch, &[self.kind.word().as_bytes(), start, b"", limit.as_bytes()]);
                let answer = session.ask_values(&batch).await?.pop();
                let (next, keys) = parts(answer)?;
                // The order is what everything rests on: a server that lies about it must not make a loop or a gap.
                let goes_back = || Trouble::Broken(reasons::listing_goes_back());
                for key in keys {
                    if key < *start || self.last.as_ref().is_some_and(|last| key <= *last) {
                        return Err(goes_back());
                    }
                    if is_users(&key) {
                        self.queue.push_back(key.clone());
                    }
                    self.last = Some(key);
                }
                if next.is_empty() {
                    self.ended = true;
                } else if next <= *start || self.last.as_ref().is_some_and(|last| next <= *last) {
                    return Err(goes_back());
                } else {
                    *start = next;
                }
                Ok(())
            }
            ListingWay::Cursor(listing) => {
                if listing.front_is_later_than(self.kind) {
                    self.ended = true;
                    return Ok(());
                }
                if listing.pending.is_empty() {
                    if listing.cursor.is_none() {
                        self.ended = true;
                        return Ok(());
                    }
                    listing.scan(session).await?;
                }
                while listing.pending.front().is_some_and(|(kind, _)| *kind <= self.kind) {
                    let Some((kind, name)) = listing.pending.pop_front() else { break };
                    let is_new = self.last.as_ref().is_none_or(|last| *last < name);
                    if kind == self.kind && is_new {
                        self.last = Some(name.clone());
                        if is_users(&name) {
                            self.queue.push_back(name);
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

impl CursorListing {
    fn front_is_later_than(&self, kind: DataType) -> bool {
        self.pending.front().is_some_and(|(front, _)| *front > kind)
    }

    /// Reads one piece, and finds out for which type each key was listed.
    async fn scan(&mut self, session: &mut Session<'_>) -> Result<(), Trouble> {
        let Some(cursor) = self.cursor else { return Ok(()) };
        let mut batch = CommandBatch::default();
        self.scan.add(&mut batch, &[cursor.to_string().as_bytes(), SCAN_STEP.to_string().as_bytes()]);
        let answer = session.ask_values(&batch).await?.pop();
        let (next, keys) = parts(answer)?;
        let next: Option<u64> = std::str::from_utf8(&next).ok().and_then(|next| next.parse().ok());
        self.cursor = match next {
            Some(0) => None,
            // A server that no longer knows a cursor begins anew, and counts from there. Where another client's cursor has
            // the next number, it takes the one after it (measured on 2.3.6).
            Some(next) if next >= cursor + SCAN_STEP => Some(next),
            _ => return Err(Trouble::Broken(reasons::listing_cursor_lost())),
        };
        let mut batch = CommandBatch::default();
        for key in &keys {
            self.type_of.add(&mut batch, &[key]);
        }
        let firsts = session.ask_values(&batch).await?;
        for (key, first) in keys.into_iter().zip(firsts) {
            let Some(first) = type_named(&first) else { continue };
            let types =
                if self.may_be(first, &key) { vec![first] } else { self.types_of(session, &key).await? };
            // The first type from where the listing stands that the name can have been listed for.
            let Some(kind) = types.into_iter().find(|kind| self.may_be(*kind, &key)) else { continue };
            self.last = Some((kind, key.clone()));
            self.pending.push_back((kind, key));
        }
        Ok(())
    }

    /// Whether the listing can have come to a name as this type.
    fn may_be(&self, kind: DataType, name: &[u8]) -> bool {
        self.last.as_ref().is_none_or(|(at, last)| kind > *at || kind == *at && name > last.as_slice())
    }

    /// All types of a name. TYPE says the first alone; whoever comes here knows that it is another one.
    async fn types_of(&self, session: &mut Session<'_>, name: &[u8]) -> Result<Vec<DataType>, Trouble> {
        let mut batch = CommandBatch::default();
        for form in &self.sizes {
            form.add(&mut batch, &[name]);
        }
        let sizes = session.ask_values(&batch).await?;
        let has = |size: &Value| matches!(size, Value::Int(size) if *size > 0);
        Ok(SIZES.iter().zip(&sizes).filter(|(_, size)| has(size)).map(|((kind, _), _)| *kind).collect())
    }
}

/// The type that an answer to TYPE names.
pub fn type_named(answer: &Value) -> Option<DataType> {
    let word: &[u8] = match answer {
        Value::SimpleString(word) => word.as_bytes(),
        Value::BulkString(word) => word,
        _ => return None,
    };
    if word == b"streams" {
        return Some(DataType::Stream);
    }
    DataType::ALL.into_iter().find(|kind| kind.word().as_bytes() == word)
}

/// The two parts of an answer: where to go on, and keys. A server that refuses to list its keys has not shown that it
/// has none.
pub fn parts(answer: Option<Value>) -> Result<(Vec<u8>, Vec<Vec<u8>>), Trouble> {
    let other = || Trouble::Broken(reasons::key_list_of_other_shape());
    match answer {
        Some(Value::ServerError(error)) => {
            let text = format!("{} {}", error.code(), error.details().unwrap_or_default());
            Err(Trouble::Broken(reasons::master_does_not_list_keys(text.trim())))
        }
        Some(Value::Array(mut parts)) if parts.len() == 2 => {
            let (Some(Value::Array(keys)), Some(next)) = (parts.pop(), parts.pop()) else {
                return Err(other());
            };
            let keys = keys.into_iter().map(|key| bytes(key).ok_or_else(other)).collect::<Result<_, _>>()?;
            Ok((bytes(next).ok_or_else(other)?, keys))
        }
        _ => Err(other()),
    }
}

/// The bytes of a text.
pub fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        Value::Okay => Some(b"OK".to_vec()),
        _ => None,
    }
}

/// The first name that comes after another one.
fn successor(name: &[u8]) -> Vec<u8> {
    [name, &[0]].concat()
}

/// Whether a key is the user's: neither Pika's own nor this tool's.
fn is_users(name: &[u8]) -> bool {
    !name.starts_with(INTERNAL) && !name.starts_with(CANARY.as_bytes())
}
