//! Configuration files of the programs around Pika: dashboard.toml and proxy.toml of Codis, sentinel.conf.
//!
//! The text itself is not kept: it holds passwords.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codis::topology::CodisRelease;
use super::conf::Place;
use super::network::AddressKind;
use super::reason::Reason;
use super::release::Version;
use super::unavailable::Unavailable;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CompanionKind {
    /// dashboard.toml of Codis.
    Dashboard,
    /// proxy.toml of Codis.
    Proxy,
    /// sentinel.conf of Redis.
    Sentinel,
}

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ValueType {
    /// A text in quotes.
    Text,
    /// A whole number without quotes.
    Number,
    /// `true` or `false` without quotes.
    Switch,
    /// A time or a size, which both a text and a number can say.
    Quantity,
}

/// A key of one of the files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CompanionKey {
    /// The file.
    pub file: CompanionKind,
    /// The name. Of sentinel.conf the word behind `sentinel`.
    pub name: String,
    /// What its value has to be.
    pub value: ValueType,
    /// The releases of Codis that read it; of sentinel.conf none.
    #[serde(default)]
    pub releases: Vec<CodisRelease>,
    /// Whether it is a password.
    #[serde(default)]
    pub secret: bool,
    /// What a file without it means, by release, where that matters.
    #[serde(default)]
    pub defaults: BTreeMap<CodisRelease, Value>,
    /// With which values Codis does not start.
    #[serde(default)]
    pub start: Option<StartRule>,
    /// How many words follow the name in sentinel.conf, where that is fixed.
    #[serde(default)]
    pub arguments: Option<usize>,
}

/// What a value has to be for Codis to start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StartRule {
    /// The smallest number, time or size.
    pub least: Option<i64>,
    /// Whether an empty text ends the start.
    pub filled: bool,
    /// The words that are known, where others end the start.
    pub words: Vec<String>,
    /// Whether it holds for 3.0, too, which validates nothing else.
    pub also_3_0: bool,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CompanionFile {
    /// The file as it was named; `-` is the standard input.
    pub name: String,
    /// What it is for.
    pub kind: Option<CompanionKind>,
    /// The release of Pika that it is meant for, where one was named.
    pub version: Option<Version>,
    /// What is in it. Null when it could not be read.
    pub content: Option<CompanionContent>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CompanionContent {
    /// The releases of Codis that read the most of its keys: those it is most likely for.
    pub likely: Vec<CodisRelease>,
    /// Places that cannot be read. The program does not start with them.
    pub syntax: Vec<Fault>,
    /// Values that are not of the type that they have to be.
    pub types: Vec<WrongType>,
    /// Values with which the program ends at its start.
    pub refused: Vec<RefusedValue>,
    /// Keys that are not read.
    pub unknown: Vec<UnknownKey>,
    /// The values that count, those that follow from a missing key included. Passwords are tokens.
    pub values: Vec<Effective>,
    /// The master names of a sentinel.conf.
    pub masters: Vec<ConfMaster>,
    /// What another file of the run says of the same thing.
    pub pairings: Vec<Pairing>,
}

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What is wrong.
    pub message: Reason,
    /// Where.
    pub place: Place,
}

/// A value of a wrong type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WrongType {
    /// The key.
    pub key: String,
    /// What it has to be.
    pub expected: ValueType,
    /// What it is, in a word of TOML.
    pub found: String,
    /// Where.
    pub place: Place,
}

/// A value with which Codis ends at its start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefusedValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The smallest number, time or size that is taken. Null where it is no number.
    pub least: Option<i64>,
    /// The words that are taken; none: every text that is not empty.
    pub words: Vec<String>,
    /// The releases that end, of those that the file can be for.
    pub releases: Vec<CodisRelease>,
    /// Where.
    pub place: Place,
}

/// A key that is not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnknownKey {
    /// The key.
    pub key: String,
    /// The nearest one that is read.
    pub nearest: Option<String>,
    /// The other file that it belongs to.
    pub belongs_to: Option<CompanionKind>,
    /// The releases that read it, where it is one of other releases.
    pub releases: Vec<CodisRelease>,
    /// Where.
    pub place: Place,
}

/// A value that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Effective {
    /// The key.
    pub key: String,
    /// The value as text. A password is a token; empty when none is set.
    pub value: String,
    /// The value as a number, where it is one.
    pub number: Option<i64>,
    /// Whether the file says so; otherwise it is what a missing key means.
    pub stated: bool,
    /// The releases for which it counts.
    pub releases: Vec<CodisRelease>,
    /// The kind of the host of an address `HOST:PORT`. Null for other values.
    pub address: Option<AddressKind>,
    /// Where. Null when the key is missing.
    pub place: Option<Place>,
}

/// A master name of a sentinel.conf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfMaster {
    /// The name.
    pub name: String,
    /// The host.
    pub host: String,
    /// The kind of the host.
    pub address: AddressKind,
    /// The port.
    pub port: Option<u16>,
    /// The quorum.
    pub quorum: Option<i64>,
    /// `down-after-milliseconds`; 30000 when the file does not say.
    pub down_after_ms: i64,
    /// `parallel-syncs`; 1 when the file does not say.
    pub parallel_syncs: i64,
    /// `auth-pass`, a token; empty when none is set.
    pub auth_pass: String,
    /// How many other Sentinels the file remembers.
    pub known_sentinels: usize,
    /// Where the line `sentinel monitor` stands.
    pub place: Place,
}

/// What two files say of the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// The product name of dashboard and proxy.
    ProductName,
    /// The product_auth of dashboard and proxy.
    ProductAuth,
    /// product_auth and the requirepass of a Pika.
    Requirepass,
    /// The number of slots of dashboard and proxy.
    SlotNumber,
    /// max_slot_num and default-slot-num of a Pika.
    PikaSlotNumber,
    /// backend_number_databases and the databases of a Pika.
    Databases,
    /// slotmigrate of a Pika beside a dashboard.
    Slotmigrate,
    /// A master name of a sentinel.conf and the product name of a dashboard.
    MasterName,
    /// auth-pass and requirepass of the Pika on that port.
    AuthPass,
    /// A master of a sentinel.conf and a Pika that is one half of a double master.
    DoubleMaster,
    /// The id of two Sentinels.
    MyId,
    /// The quorum of two Sentinels for one name.
    Quorum,
}

/// The same thing in two files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pairing {
    /// What it is about.
    pub what: Matter,
    /// Whether the two fit.
    pub fits: bool,
    /// The key here.
    pub key: String,
    /// The value here; `(hidden)` for a password, empty when it is empty.
    pub value: String,
    /// The other file.
    pub other: String,
    /// The key there.
    pub other_key: String,
    /// The value there; `(hidden)` for a password, empty when it is empty.
    pub other_value: String,
    /// Where it stands here. Null when the key is missing.
    pub place: Option<Place>,
}
