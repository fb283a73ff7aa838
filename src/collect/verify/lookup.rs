//! What a server has under a name as one type: whether it is there, its length, its contents, its life. Many names are
//! asked for in one write.

use redis::Value;

use super::digest::{ContentHash, ContentReader};
use super::listing::{parts, type_named};
use crate::catalog::era;
use crate::collect::link::{Session, Trouble};
use crate::collect::pika::gate::{CommandBatch, CommandForm};
use crate::i18n::reasons;
use crate::model::verification::{CompareLevel, DataType, DifferenceKind};

/// What TTL says of a key without an end.
pub const WITHOUT_END: i64 = -1;
/// What TTL says where there is no key.
const NOT_THERE: i64 = -2;

/// What one side has under a name as one type. What was not asked for is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// Whether it is there.
    pub is_there: bool,
    /// Bytes or elements.
    pub length: Option<i64>,
    /// A hash of its contents.
    pub contents: Option<ContentHash>,
    /// Seconds to live; [`WITHOUT_END`] without an end.
    pub life: Option<i64>,
}

impl KeyState {
    /// In what the target differs from this, which is what the source has. The first difference counts.
    pub fn difference(&self, target: &Self, life_tolerance: Option<i64>) -> Option<DifferenceKind> {
        match (self.is_there, target.is_there) {
            (false, false) => return None,
            (true, false) => return Some(DifferenceKind::Missing),
            (false, true) => return Some(DifferenceKind::OnlyThere),
            (true, true) => {}
        }
        let differ =
            |one: Option<i64>, other: Option<i64>| one.zip(other).is_some_and(|(one, other)| one != other);
        if differ(self.length, target.length) {
            return Some(DifferenceKind::Length);
        }
        if self.contents.zip(target.contents).is_some_and(|(one, other)| one != other) {
            return Some(DifferenceKind::Value);
        }
        let (tolerance, lives) = (life_tolerance?, self.life.zip(target.life)?);
        let apart = match lives {
            (WITHOUT_END, WITHOUT_END) => false,
            (WITHOUT_END, _) | (_, WITHOUT_END) => true,
            (one, other) => one.abs_diff(other) > tolerance.unsigned_abs(),
        };
        apart.then_some(DifferenceKind::Life)
    }

    /// Whether it stood still between this and a later look. A life that only becomes shorter is still.
    pub fn stands_still(&self, later: &Self) -> bool {
        let lives = match (self.life, later.life) {
            (Some(before), Some(after)) => {
                (before == WITHOUT_END) == (after == WITHOUT_END) && after <= before
            }
            _ => true,
        };
        lives && (self.is_there, self.length, self.contents) == (later.is_there, later.length, later.contents)
    }
}

/// Asks one server.
pub struct Lookup {
    type_of: CommandForm,
    life: CommandForm,
    lengths: Vec<(DataType, Option<CommandForm>)>,
    /// Whether a key is there as one type, where each type has a store of its own.
    range: Option<CommandForm>,
    one_type: bool,
    /// Keys with an end are asked for their life alone.
    spares_mortals: bool,
    contents: ContentReader,
}

impl Lookup {
    /// For the release of the server.
    pub fn of(session: &Session<'_>) -> Result<Self, Trouble> {
        let is_of = |era| session.release().is_some_and(|release| release.is_of(era));
        let length = |kind| {
            let pattern = match kind {
                DataType::String => "strlen <key>",
                DataType::Hash => "hlen <key>",
                DataType::List => "llen <key>",
                DataType::Zset => "zcard <key>",
                DataType::Set => "scard <key>",
                DataType::Stream => "xlen <key>",
            };
            (kind, session.form(pattern).ok())
        };
        Ok(Self {
            type_of: session.form("type <key>")?,
            life: session.form("ttl <key>")?,
            lengths: DataType::ALL.into_iter().map(length).collect(),
            range: session.form("pkscanrange <type> <start> <end> limit <count>").ok(),
            one_type: is_of(&era::ONE_TYPE_A_NAME),
            spares_mortals: is_of(&era::LENGTHS_REVIVE),
            contents: ContentReader::of(session),
        })
    }

    /// Whether lengths and contents of keys with an end are left alone.
    pub fn spares_mortals(&self) -> bool {
        self.spares_mortals
    }

    /// What the server has under names that are known to be there as `kind`.
    pub async fn states(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[Vec<u8>],
        level: CompareLevel,
        lives: bool,
    ) -> Result<Vec<KeyState>, Trouble> {
        let there = || KeyState { is_there: true, ..KeyState::default() };
        let mut states: Vec<KeyState> = names.iter().map(|_| there()).collect();
        // What reads these brings an expired key back from the cache; sets and sorted sets are not in question (measured on
        // 4.0.1).
        let revives = matches!(kind, DataType::String | DataType::Hash | DataType::List);
        let spares = self.spares_mortals && revives && level > CompareLevel::Exists;
        if lives || spares {
            for (state, life) in states.iter_mut().zip(self.lives(session, names).await?) {
                state.life = Some(life);
                state.is_there = life != NOT_THERE;
            }
        }
        if level == CompareLevel::Exists {
            return Ok(states);
        }
        let asked: Vec<usize> = (0..names.len())
            .filter(|index| states[*index].is_there)
            .filter(|index| !spares || states[*index].life == Some(WITHOUT_END))
            .collect();
        let asked_names: Vec<&[u8]> = asked.iter().map(|index| names[*index].as_slice()).collect();
        let lengths = self.lengths(session, kind, &asked_names).await?;
        if level == CompareLevel::Value {
            let hashes = self.contents.hashes(session, kind, &asked_names, &lengths).await?;
            for (index, hash) in asked.iter().zip(hashes) {
                states[*index].contents = hash;
            }
        }
        for (index, length) in asked.iter().zip(lengths) {
            states[*index].length = length;
        }
        Ok(states)
    }

    /// What the server has under names of which nothing is known, with their lives.
    pub async fn states_anew(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[Vec<u8>],
        level: CompareLevel,
    ) -> Result<Vec<KeyState>, Trouble> {
        let there = self.presence(session, kind, names).await?;
        let present: Vec<Vec<u8>> =
            names.iter().zip(&there).filter(|(_, there)| **there).map(|(name, _)| name.clone()).collect();
        let mut found = self.states(session, kind, &present, level, true).await?.into_iter();
        Ok(there
            .into_iter()
            .map(|there| if there { found.next().unwrap_or_default() } else { KeyState::default() })
            .collect())
    }

    async fn lives(&self, session: &mut Session<'_>, names: &[Vec<u8>]) -> Result<Vec<i64>, Trouble> {
        let mut batch = CommandBatch::default();
        for name in names {
            self.life.add(&mut batch, &[name]);
        }
        session.ask_values(&batch).await?.into_iter().map(|value| number(&value)).collect()
    }

    async fn lengths(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[&[u8]],
    ) -> Result<Vec<Option<i64>>, Trouble> {
        let form = self.lengths.iter().find(|(of, _)| *of == kind).and_then(|(_, form)| form.as_ref());
        let Some(form) = form else { return Ok(vec![None; names.len()]) };
        let mut batch = CommandBatch::default();
        for name in names {
            form.add(&mut batch, &[name]);
        }
        let lengths = session.ask_values(&batch).await?;
        lengths.into_iter().map(|value| number(&value).map(Some)).collect()
    }

    /// Whether each name is there as `kind`.
    async fn presence(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[Vec<u8>],
    ) -> Result<Vec<bool>, Trouble> {
        if self.one_type {
            return self.presence_of_one_type(session, kind, names).await;
        }
        if self.range.is_none() && kind == DataType::String {
            // TYPE says the first type of a name, and a string is the first of all.
            let types = self.first_types(session, names).await?;
            return Ok(types.into_iter().map(|found| found == Some(kind)).collect());
        }
        let Some(range) = &self.range else {
            // Up to 2.x a collection without elements is none.
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            let lengths = self.lengths(session, kind, &names).await?;
            return Ok(lengths.into_iter().map(|length| length.is_some_and(|length| length > 0)).collect());
        };
        let mut batch = CommandBatch::default();
        for name in names {
            range.add(&mut batch, &[kind.word().as_bytes(), name, name, b"1"]);
        }
        let answers = session.ask_values(&batch).await?;
        let mut there = Vec::with_capacity(names.len());
        for (name, answer) in names.iter().zip(answers) {
            // (An empty name asks for everything, of which the first is the empty name if it is there.)
            there.push(parts(Some(answer))?.1.first() == Some(name));
        }
        Ok(there)
    }

    /// Where a name has one type. There TYPE still names what has expired, of which TTL says that it is gone, and what has
    /// lost its last element (measured on 4.0.1).
    async fn presence_of_one_type(
        &self,
        session: &mut Session<'_>,
        kind: DataType,
        names: &[Vec<u8>],
    ) -> Result<Vec<bool>, Trouble> {
        let types = self.first_types(session, names).await?;
        let lives = self.lives(session, names).await?;
        let mut there: Vec<bool> = types
            .iter()
            .zip(&lives)
            .map(|(found, life)| *found == Some(kind) && *life != NOT_THERE)
            .collect();
        let counted: Vec<usize> = (0..names.len())
            .filter(|at| there[*at] && kind != DataType::String)
            .filter(|at| lives[*at] == WITHOUT_END || matches!(kind, DataType::Zset | DataType::Set))
            .collect();
        let asked: Vec<&[u8]> = counted.iter().map(|at| names[*at].as_slice()).collect();
        for (at, length) in counted.iter().zip(self.lengths(session, kind, &asked).await?) {
            there[*at] = length.is_none_or(|length| length > 0);
        }
        Ok(there)
    }

    async fn first_types(
        &self,
        session: &mut Session<'_>,
        names: &[Vec<u8>],
    ) -> Result<Vec<Option<DataType>>, Trouble> {
        let mut batch = CommandBatch::default();
        for name in names {
            self.type_of.add(&mut batch, &[name]);
        }
        Ok(session.ask_values(&batch).await?.iter().map(type_named).collect())
    }

    /// Whether each name is there as any type.
    pub async fn have_any(&self, session: &mut Session<'_>, names: &[Vec<u8>]) -> Result<Vec<bool>, Trouble> {
        Ok(self.first_types(session, names).await?.into_iter().map(|kind| kind.is_some()).collect())
    }

    /// Every type that a name has.
    pub async fn types(&self, session: &mut Session<'_>, name: &[u8]) -> Result<Vec<DataType>, Trouble> {
        let name = [name.to_vec()];
        let mut types = Vec::new();
        for kind in DataType::ALL.into_iter().filter(|kind| *kind != DataType::Stream) {
            if self.presence(session, kind, &name).await?[0] {
                types.push(kind);
            }
        }
        Ok(types)
    }
}

/// The number of an answer. A key that has become another type meanwhile is answered by an error; its length is none
/// that any key has, and it is looked at again.
fn number(value: &Value) -> Result<i64, Trouble> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::ServerError(error) if error.code() == "WRONGTYPE" => Ok(i64::MIN),
        Value::ServerError(error) => {
            let text = format!("{} {}", error.code(), error.details().unwrap_or_default());
            Err(Trouble::Broken(reasons::lookup_answered_with(text.trim())))
        }
        _ => Err(Trouble::Broken(reasons::lookup_of_other_shape())),
    }
}
