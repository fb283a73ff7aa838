//! Hashes of contents, read in pieces of bounded size.
//!
//! What has an order is hashed in its order. Fields of a hash and members of a set have none that all releases share:
//! each is hashed by itself, and the hashes are added up, so that it does not matter in which order they come.

use redis::Value;
use ring::digest::{Context, SHA256, digest};

use super::listing::bytes;
use crate::collect::link::{Session, Trouble};
use crate::collect::pika::gate::{CommandBatch, CommandForm};
use crate::i18n::reasons;
use crate::model::limits::{
    MAX_STEPPED_ELEMENTS, MAX_STEPPED_LIST_ELEMENTS, VERIFY_BATCH_BYTES, VERIFY_PIECE_BYTES,
    VERIFY_PIECE_ELEMENTS,
};
use crate::model::verification::DataType;

/// A hash of the contents of a key.
pub type ContentHash = [u8; 32];

/// Reads contents from one server.
pub struct ContentReader {
    string: Option<CommandForm>,
    /// The fields of a hash by range; else by cursor.
    fields: Option<CommandForm>,
    fields_by_cursor: Option<CommandForm>,
    list: Option<CommandForm>,
    /// The members of a sorted set with their scores, by cursor; where scores are rounded, one by one.
    zset: Option<CommandForm>,
    members: Option<CommandForm>,
    score: Option<CommandForm>,
    set: Option<CommandForm>,
    stream: Option<CommandForm>,
}

/// What was read of a key so far.
struct Reading<'n> {
    name: &'n [u8],
    place: PiecePlace,
    hash: RunningHash,
    /// What is read at a time.
    done: bool,
}

/// Where the next piece begins.
enum PiecePlace {
    /// At the byte or element of this number.
    Index(usize),
    /// At this field or id.
    From(Vec<u8>),
    /// At this cursor.
    Cursor(u64),
}

/// A hash that grows.
enum RunningHash {
    InOrder(Box<Context>),
    InAnyOrder([u64; 4], u64),
}

impl ContentReader {
    /// For the release of the server.
    pub fn of(session: &Session<'_>) -> Self {
        let form = |pattern| session.form(pattern).ok();
        Self {
            string: form("getrange <key> <start> <stop>"),
            fields: form("pkhscanrange <key> <start> <end> limit <count>"),
            fields_by_cursor: form("hscan <key> <cursor> count <count>"),
            list: form("lrange <key> <start> <stop>"),
            zset: form("zscan <key> <cursor> count <count>"),
            members: form("zrange <key> <start> <stop>"),
            score: form("zscore <key> <member>"),
            set: form("sscan <key> <cursor> count <count>"),
            stream: form("xrange <key> <start> <end> count <count>"),
        }
    }

    /// Hashes of the contents of several keys. `None`: it cannot be read on this release without harm.
    pub async fn hashes(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[&[u8]],
        lengths: &[Option<i64>],
    ) -> Result<Vec<Option<ContentHash>>, Trouble> {
        let mut hashes = vec![None; names.len()];
        let mut index = 0;
        while index < names.len() {
            // As many keys as fit into one answer by their lengths, and one at least.
            let begin = index;
            let (mut weight, most) = (0, most_at_once(kind));
            while index < names.len() {
                let length = lengths.get(index).copied().flatten().unwrap_or(0);
                weight += usize::try_from(length.max(1)).unwrap_or(0).min(most);
                if index > begin && weight > most {
                    break;
                }
                index += 1;
            }
            let mut readings: Vec<Reading<'_>> = Vec::new();
            let mut places = Vec::new();
            for (at, name) in names.iter().enumerate().take(index).skip(begin) {
                if self.can_read(kind, lengths.get(at).copied().flatten()) {
                    readings.push(Reading::new(kind, name, self.is_of_2()));
                    places.push(at);
                }
            }
            while readings.iter().any(|reading| !reading.done) {
                self.read_pieces(session, kind, &mut readings).await?;
            }
            for (at, reading) in places.into_iter().zip(readings) {
                hashes[at] = Some(reading.hash.finish());
            }
        }
        Ok(hashes)
    }

    /// Whether the release has neither ranges of fields nor scores that are not rounded.
    fn is_of_2(&self) -> bool {
        self.zset.is_none()
    }

    /// Whether the contents can be had without harm: a release that goes to the place of a piece step by step is not
    /// asked for what is large.
    fn can_read(&self, kind: DataType, length: Option<i64>) -> bool {
        let is_small = length.is_none_or(|length| length <= MAX_STEPPED_ELEMENTS);
        let old = self.fields.is_none();
        match kind {
            DataType::String => self.string.is_some(),
            DataType::Hash => self.fields.is_some() || self.fields_by_cursor.is_some() && is_small,
            DataType::List => {
                let is_short = length.is_none_or(|length| length <= MAX_STEPPED_LIST_ELEMENTS);
                self.list.is_some() && (!old || is_short)
            }
            DataType::Zset => {
                self.zset.is_some() || self.members.is_some() && self.score.is_some() && is_small
            }
            DataType::Set => self.set.is_some(),
            DataType::Stream => self.stream.is_some(),
        }
    }

    /// Reads the next piece of each key that is not done.
    async fn read_pieces(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        readings: &mut [Reading<'_>],
    ) -> Result<(), Trouble> {
        let mut batch = CommandBatch::default();
        for reading in readings.iter().filter(|reading| !reading.done) {
            self.ask(kind, reading, &mut batch);
        }
        let mut answers = session.ask_values(&batch).await?;
        if kind == DataType::Zset && self.is_of_2() {
            for (reading, answer) in readings.iter().filter(|reading| !reading.done).zip(&mut answers) {
                self.add_scores(session, reading.name, answer).await?;
            }
        }
        for (reading, answer) in readings.iter_mut().filter(|reading| !reading.done).zip(answers) {
            reading.take(kind, answer)?;
        }
        Ok(())
    }

    /// Puts the score behind each member: 2.x rounds those of ZRANGE and ZSCAN to five digits, and that of ZSCORE not.
    async fn add_scores(
        &self,
        session: &mut Session<'_>,
        name: &[u8],
        answer: &mut Value,
    ) -> Result<(), Trouble> {
        let (Value::Array(members), Some(score)) = (&mut *answer, &self.score) else { return Ok(()) };
        let members: Vec<Value> = std::mem::take(members);
        let mut batch = CommandBatch::default();
        let mut with_scores = Vec::with_capacity(members.len() * 2);
        for member in &members {
            if let Value::BulkString(member) = member {
                score.add(&mut batch, &[name, member]);
            }
        }
        for (member, score) in members.into_iter().zip(session.ask_values(&batch).await?) {
            with_scores.push(member);
            // One that was taken out meanwhile; the key is looked at again.
            with_scores.push(if score == Value::Nil { Value::BulkString(b"nan".to_vec()) } else { score });
        }
        *answer = Value::Array(with_scores);
        Ok(())
    }

    fn ask(&self, kind: DataType, reading: &Reading<'_>, batch: &mut CommandBatch) {
        let name = reading.name;
        let count = VERIFY_PIECE_ELEMENTS.to_string();
        match &reading.place {
            PiecePlace::Index(at) => {
                let piece = if kind == DataType::String { VERIFY_PIECE_BYTES } else { VERIFY_PIECE_ELEMENTS };
                let (start, stop) = (at.to_string(), (at + piece - 1).to_string());
                let form = match kind {
                    DataType::String => &self.string,
                    DataType::List => &self.list,
                    _ => &self.members,
                };
                if let Some(form) = form {
                    form.add(batch, &[name, start.as_bytes(), stop.as_bytes()]);
                }
            }
            PiecePlace::From(from) if kind == DataType::Stream => {
                if let Some(form) = &self.stream {
                    form.add(batch, &[name, from, b"+", count.as_bytes()]);
                }
            }
            PiecePlace::From(from) => {
                if let Some(form) = &self.fields {
                    form.add(batch, &[name, from, b"", count.as_bytes()]);
                }
            }
            PiecePlace::Cursor(cursor) => {
                let form = match kind {
                    DataType::Hash => &self.fields_by_cursor,
                    DataType::Zset => &self.zset,
                    _ => &self.set,
                };
                if let Some(form) = form {
                    form.add(batch, &[name, cursor.to_string().as_bytes(), count.as_bytes()]);
                }
            }
        }
    }
}

impl<'n> Reading<'n> {
    fn new(kind: DataType, name: &'n [u8], of_2: bool) -> Self {
        let in_order = || RunningHash::InOrder(Box::new(Context::new(&SHA256)));
        let in_any_order = || RunningHash::InAnyOrder([0; 4], 0);
        let (place, hash) = match kind {
            DataType::String | DataType::List => (PiecePlace::Index(0), in_order()),
            // Their order follows from their scores and names, so that it need not be seen: releases that list by a cursor
            // list them by name.
            DataType::Zset if of_2 => (PiecePlace::Index(0), in_any_order()),
            DataType::Hash if !of_2 => (PiecePlace::From(Vec::new()), in_any_order()),
            DataType::Zset | DataType::Hash | DataType::Set => (PiecePlace::Cursor(0), in_any_order()),
            DataType::Stream => (PiecePlace::From(b"-".to_vec()), in_order()),
        };
        Self { name, place, hash, done: false }
    }

    fn take(&mut self, kind: DataType, answer: Value) -> Result<(), Trouble> {
        match answer {
            // A key that has become another type meanwhile; it is looked at again.
            Value::ServerError(error) if error.code() == "WRONGTYPE" => {
                self.done = true;
                return Ok(());
            }
            Value::ServerError(error) => {
                let text = format!("{} {}", error.code(), error.details().unwrap_or_default());
                return Err(Trouble::Broken(reasons::lookup_answered_with(text.trim())));
            }
            Value::Nil => {
                self.done = true;
                return Ok(());
            }
            _ => {}
        }
        match kind {
            DataType::String => self.take_string(answer),
            DataType::List => {
                let elements = texts(answer)?;
                self.advance(elements.len());
                for element in &elements {
                    self.hash.add(&[element]);
                }
                Ok(())
            }
            DataType::Zset if matches!(self.place, PiecePlace::Index(_)) => {
                let elements = texts(answer)?;
                self.advance(elements.len() / 2);
                self.add_scores(&elements)
            }
            DataType::Hash | DataType::Set | DataType::Zset => self.take_unordered(kind, answer),
            DataType::Stream => self.take_entries(answer),
        }
    }

    fn take_string(&mut self, answer: Value) -> Result<(), Trouble> {
        let piece = bytes(answer).ok_or_else(other_shape)?;
        if let PiecePlace::Index(at) = &mut self.place {
            *at += piece.len();
        }
        self.done = piece.len() < VERIFY_PIECE_BYTES;
        if let RunningHash::InOrder(context) = &mut self.hash {
            context.update(&piece);
        }
        Ok(())
    }

    fn advance(&mut self, came: usize) {
        if let PiecePlace::Index(at) = &mut self.place {
            *at += came;
        }
        self.done = came < VERIFY_PIECE_ELEMENTS;
    }

    /// Scores are compared as numbers: releases write them with more or fewer digits.
    fn add_scores(&mut self, elements: &[Vec<u8>]) -> Result<(), Trouble> {
        for pair in elements.chunks_exact(2) {
            let score: Option<f64> =
                std::str::from_utf8(&pair[1]).ok().and_then(|score| score.trim().parse().ok());
            let score = score.ok_or_else(other_shape)?;
            self.hash.add(&[&pair[0], &score.to_bits().to_be_bytes()]);
        }
        Ok(())
    }

    fn take_unordered(&mut self, kind: DataType, answer: Value) -> Result<(), Trouble> {
        let Value::Array(mut halves) = answer else { return Err(other_shape()) };
        let (Some(elements), Some(next), true) = (halves.pop(), halves.pop(), halves.is_empty()) else {
            return Err(other_shape());
        };
        let (elements, next) = (texts(elements)?, bytes(next).ok_or_else(other_shape)?);
        match &mut self.place {
            PiecePlace::Cursor(cursor) => {
                let next: u64 = std::str::from_utf8(&next)
                    .ok()
                    .and_then(|next| next.parse().ok())
                    .ok_or_else(other_shape)?;
                if next != 0 && next <= *cursor {
                    return Err(Trouble::Broken(reasons::listing_cursor_lost()));
                }
                self.done = next == 0;
                *cursor = next;
            }
            PiecePlace::From(from) => {
                if !next.is_empty() && next <= *from {
                    return Err(Trouble::Broken(reasons::listing_goes_back()));
                }
                self.done = next.is_empty();
                *from = next;
            }
            PiecePlace::Index(_) => return Err(other_shape()),
        }
        if kind == DataType::Zset {
            return self.add_scores(&elements);
        }
        let each = if kind == DataType::Hash { 2 } else { 1 };
        for element in elements.chunks_exact(each) {
            let element: Vec<&[u8]> = element.iter().map(Vec::as_slice).collect();
            self.hash.add(&element);
        }
        Ok(())
    }

    fn take_entries(&mut self, answer: Value) -> Result<(), Trouble> {
        let Value::Array(entries) = answer else { return Err(other_shape()) };
        self.done = entries.len() < VERIFY_PIECE_ELEMENTS;
        for entry in entries {
            let Value::Array(mut halves) = entry else { return Err(other_shape()) };
            let (Some(fields), Some(id)) = (halves.pop(), halves.pop()) else { return Err(other_shape()) };
            let (id, fields) = (bytes(id).ok_or_else(other_shape)?, texts(fields)?);
            let mut element: Vec<&[u8]> = vec![&id];
            element.extend(fields.iter().map(Vec::as_slice));
            self.hash.add(&element);
            self.place = PiecePlace::From(next_id(&id).ok_or_else(other_shape)?);
        }
        Ok(())
    }
}

impl RunningHash {
    /// Adds an element of several parts. Each carries its length, so that two ways to cut the same bytes differ.
    fn add(&mut self, element: &[&[u8]]) {
        let mut bytes = Vec::with_capacity(element.iter().map(|part| part.len() + 8).sum());
        for part in element {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        match self {
            Self::InOrder(context) => context.update(&bytes),
            Self::InAnyOrder(sum, count) => {
                *count += 1;
                let hash = digest(&SHA256, &bytes);
                for (sum, part) in sum.iter_mut().zip(hash.as_ref().chunks_exact(8)) {
                    let part = part.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
                    *sum = sum.wrapping_add(part);
                }
            }
        }
    }

    fn finish(self) -> ContentHash {
        let mut hash = [0; 32];
        match self {
            Self::InOrder(context) => hash.copy_from_slice(context.finish().as_ref()),
            Self::InAnyOrder(sum, count) => {
                let mut bytes: Vec<u8> = sum.iter().flat_map(|part| part.to_be_bytes()).collect();
                bytes.extend(count.to_be_bytes());
                hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
            }
        }
        hash
    }
}

/// How many bytes or elements are read of several keys together.
fn most_at_once(kind: DataType) -> usize {
    if kind == DataType::String { VERIFY_BATCH_BYTES } else { VERIFY_PIECE_ELEMENTS }
}

/// The first id that comes after `MILLISECONDS-NUMBER`.
fn next_id(id: &[u8]) -> Option<Vec<u8>> {
    let (time, number) = std::str::from_utf8(id).ok()?.split_once('-')?;
    let (time, number): (u64, u64) = (time.parse().ok()?, number.parse().ok()?);
    Some(match number.checked_add(1) {
        Some(number) => format!("{time}-{number}").into_bytes(),
        None => format!("{}-0", time.checked_add(1)?).into_bytes(),
    })
}

fn texts(value: Value) -> Result<Vec<Vec<u8>>, Trouble> {
    let Value::Array(values) = value else { return Err(other_shape()) };
    values.into_iter().map(|value| bytes(value).ok_or_else(other_shape)).collect()
}

fn other_shape() -> Trouble {
    Trouble::Broken(reasons::lookup_of_other_shape())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(in_order: bool, elements: &[&[&[u8]]]) -> ContentHash {
        let mut hash = if in_order {
            RunningHash::InOrder(Box::new(Context::new(&SHA256)))
        } else {
            RunningHash::InAnyOrder([0; 4], 0)
        };
        for element in elements {
            hash.add(element);
        }
        hash.finish()
    }

    #[test]
    fn order_counts_where_there_is_one_and_only_there() {
        let (a, b): (&[&[u8]], &[&[u8]]) = (&[b"a"], &[b"b"]);
        let (ab, ba) = ([a, b], [b, a]);
        assert_ne!(hash(true, &ab), hash(true, &ba));
        assert_eq!(hash(false, &ab), hash(false, &ba));
        assert_ne!(hash(false, &ab), hash(false, &ab[..1]));
        // The same bytes, cut elsewhere.
        assert_ne!(hash(false, &[&[b"ab", b"c"]]), hash(false, &[&[b"a", b"bc"]]));
        assert_ne!(hash(true, &[&[b"ab"], &[b"c"]]), hash(true, &[&[b"a"], &[b"bc"]]));
    }

    #[test]
    fn the_next_id_of_a_stream_misses_none() {
        assert_eq!(next_id(b"5-7"), Some(b"5-8".to_vec()));
        assert_eq!(next_id(b"5-18446744073709551615"), Some(b"6-0".to_vec()));
        assert_eq!(next_id(b"5"), None);
    }

    #[test]
    fn scores_are_numbers_and_every_bit_counts() {
        let scores = |text: &str| {
            let mut reading = Reading::new(DataType::Zset, b"z", true);
            let answer = [b"m".to_vec(), text.as_bytes().to_vec()].map(Value::BulkString).to_vec();
            assert!(reading.take(DataType::Zset, Value::Array(answer)).is_ok());
            reading.hash.finish()
        };
        assert_eq!(scores("1"), scores("1.000000"));
        assert_ne!(scores("0.30000000000000004"), scores("0.3"));
    }
}
