//! Whether two servers hold the same data: what was compared, what differs, and what follows from how much was
//! looked at.

use serde::{Deserialize, Serialize};

use super::reason::Reason;
use super::unavailable::Unavailable;

/// How much of a key is compared. Each level contains those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CompareLevel {
    /// Whether it is there on both, and of which type.
    Exists,
    /// The length of a string, the number of elements of the others.
    #[default]
    Length,
    /// The contents, with scores and order.
    Value,
}

impl CompareLevel {
    /// The word for it in options and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Length => "length",
            Self::Value => "value",
        }
    }
}

/// The type of a key. The order is that in which Pika 2.x lists its keys, and in which all are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// A string.
    String,
    /// A hash.
    Hash,
    /// A list.
    List,
    /// A sorted set.
    Zset,
    /// A set.
    Set,
    /// A stream.
    Stream,
}

impl DataType {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [Self::String, Self::Hash, Self::List, Self::Zset, Self::Set, Self::Stream];

    /// The word for it, as TYPE says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Zset => "zset",
            Self::Set => "set",
            Self::Stream => "stream",
        }
    }
}

/// In what a key differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// It is on the source and not on the target.
    Missing,
    /// It is on the target and not on the source.
    OnlyThere,
    /// It is on both, under another type.
    Type,
    /// It has another length.
    Length,
    /// It has the same length and other contents.
    Value,
    /// It has another remaining life, or one has an end and the other has none.
    Life,
}

impl DifferenceKind {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Missing, Self::OnlyThere, Self::Type, Self::Length, Self::Value, Self::Life];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::OnlyThere => "only-there",
            Self::Type => "type",
            Self::Length => "length",
            Self::Value => "value",
            Self::Life => "life",
        }
    }
}

/// A comparison of the data of servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// `TARGET <- SOURCE`, the name that findings use; several servers of one side are joined by commas.
    pub name: String,
    /// Where the data should be complete.
    pub sources: Vec<ComparedServer>,
    /// What is held against it.
    pub targets: Vec<ComparedServer>,
    /// How much of each key was compared.
    pub level: CompareLevel,
    /// By how many seconds lives may differ; null where lives were not compared.
    pub life_tolerance_seconds: Option<u64>,
    /// When the first part of the run began, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended or was stopped.
    pub ended_at: String,
    /// How long was compared, in milliseconds, over all parts of the run.
    pub took_ms: u64,
    /// How often it was taken up again.
    pub resumed: u64,
    /// Whether every key that was to be looked at was looked at, and every difference looked at again.
    pub is_complete: bool,
    /// Why it ended before that.
    pub stopped: Option<Reason>,
    /// What was counted, by database and type. Only pairs of which something was listed, or was to be listed, are here.
    pub counts: Vec<TypeCounts>,
    /// How many keys differ, of all databases and types.
    pub different: u64,
    /// By slot of Codis, where that was asked for: slots with differences only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<SlotCounts>,
    /// The prefixes that most differences share, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<SharedPrefix>,
    /// Some of the differences.
    pub examples: Vec<KeyDifference>,
    /// The sample, where not all keys were looked at.
    pub sample: Option<SampledKeys>,
    /// The part of the key space, where that is not all of it.
    pub shard: Option<Shard>,
    /// How often what differed was looked at again.
    pub rounds: u64,
    /// The pace that was kept.
    pub pace: Pace,
    /// What was left out: a type that cannot be listed on a release, a server that could not be asked.
    pub unavailable: Vec<Unavailable>,
}

impl Verification {
    /// How many keys were compared, in all.
    pub fn compared(&self) -> u64 {
        self.counts.iter().map(|counts| counts.compared).sum()
    }
}

/// A server whose data was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ComparedServer {
    /// The name of its node.
    pub name: String,
    /// Its release.
    pub release: String,
    /// The id of its process, where the release has one (3.5 and later).
    pub run_id: Option<String>,
}

/// What was counted of one type in one database. A key that is several types at once counts in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TypeCounts {
    /// The database: `db0` and so on.
    pub db: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: DataType,
    /// Keys that the sources listed, of the sample or shard.
    pub on_source: u64,
    /// Keys that the targets listed, of the sample or shard.
    pub on_target: u64,
    /// Keys that were held against each other, those that are on one side only included.
    pub compared: u64,
    /// Keys of them whose length or contents were left alone, on one side at least: reading them would do harm there.
    pub unread: u64,
    /// Keys that differ for good, by kind.
    pub differences: DifferenceCounts,
    /// Keys that differed, and had expired when they were looked at again.
    pub expired: u64,
    /// Keys that differed, and were the same, or on neither side, when they were looked at again.
    pub settled: u64,
    /// Keys that differed, and were changed so often that they could not be seen at rest.
    pub changed: u64,
}

/// How many keys differ, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DifferenceCounts {
    /// On the source, not on the target.
    pub missing: u64,
    /// On the target, not on the source.
    pub only_there: u64,
    /// On both, under another type. Counted under the type of the source.
    pub other_type: u64,
    /// Another length.
    pub length: u64,
    /// Other contents.
    pub value: u64,
    /// Another life.
    pub life: u64,
}

impl DifferenceCounts {
    /// All together.
    pub fn sum(&self) -> u64 {
        self.missing + self.only_there + self.other_type + self.length + self.value + self.life
    }

    /// The counter of a kind.
    pub fn of(&mut self, kind: DifferenceKind) -> &mut u64 {
        match kind {
            DifferenceKind::Missing => &mut self.missing,
            DifferenceKind::OnlyThere => &mut self.only_there,
            DifferenceKind::Type => &mut self.other_type,
            DifferenceKind::Length => &mut self.length,
            DifferenceKind::Value => &mut self.value,
            DifferenceKind::Life => &mut self.life,
        }
    }
}

/// The differences of one slot of Codis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotCounts {
    /// The slot, of 1024.
    pub slot: u32,
    /// Its keys that differ, by kind.
    pub differences: DifferenceCounts,
}

/// The beginning that names of keys have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SharedPrefix {
    /// The name up to and with its first separator, made readable.
    pub prefix: String,
    /// How many keys that differ begin so.
    pub keys: u64,
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyDifference {
    /// The database.
    pub db: String,
    /// The type on the source; that on the target where the source does not have the key.
    #[serde(rename = "type")]
    pub kind: DataType,
    /// The name, cut to a readable length; bytes that are no UTF-8 are written as `\xNN`.
    pub key: String,
    /// In what it differs.
    pub difference: DifferenceKind,
    /// What the source has: a type, a length, a hash of the contents, a life in seconds. Null where it has nothing.
    pub source: Option<String>,
    /// What the target has.
    pub target: Option<String>,
    /// The server that has the key, where there are several on its side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// A sample and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SampledKeys {
    /// How many keys were wanted.
    pub wanted: u64,
    /// How many were compared.
    pub compared: u64,
    /// About how many there are.
    pub of_about: u64,
    /// The share of keys that is chosen, from 0 to 1: those whose keyed hash is below it, on every release and side alike.
    pub share: f64,
    /// With 99 % confidence fewer than one key in so many differs: from 1 - 0.01^(1/compared). Null where a key differs
    /// or none was compared.
    pub fewer_than_one_in: Option<u64>,
}

/// A part of the key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which part, from 1 on.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// The pace of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Keys a second that it may not exceed; null where only the controller holds it.
    pub rate_limit: Option<u64>,
    /// Keys a second, over the whole run.
    pub mean: f64,
    /// Keys a second, at its slowest.
    pub slowest: Option<f64>,
    /// How often it stopped for the servers or the link.
    pub pauses: u64,
    /// For how long, in milliseconds.
    pub paused_ms: u64,
    /// The reply time of each server at rest and its worst median while keys were compared, in microseconds.
    pub reply_times: Vec<ReplyTime>,
}

/// How quickly a server answered a PING beside the comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplyTime {
    /// The name of its node.
    pub server: String,
    /// Before anything was asked, in microseconds.
    pub at_rest_us: u64,
    /// The worst while keys were compared, smoothed, in microseconds.
    pub worst_us: u64,
}
