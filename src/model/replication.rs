//! Facts about replication: roles, links, replicas, the binlog.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The role of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A master, or alone.
    Master,
    /// A replica without replicas of its own.
    Slave,
    /// A replica with replicas of its own.
    MasterAndSlave,
    /// One of two double masters (2.3.0 to 3.0.16).
    DoubleMaster,
}

/// A state of replication in one of Pika's vocabularies, put into one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Replication is not being attempted.
    Idle,
    /// The replica tries to reach or to convince its master.
    Connecting,
    /// The master agreed, and one of the connections is missing.
    Handshaking,
    /// The replica waits for, or receives, a full copy.
    FullSync,
    /// The server says that it replicates.
    Connected,
    /// Given up; it is not retried.
    Error,
    /// Not in any of the vocabularies.
    Unknown,
}

/// A state of replication as the server names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkState {
    /// The database it is about. Null where the release has one state for all.
    pub db: Option<String>,
    /// The word or number as it came.
    pub raw: String,
    /// The field it came in: `repl_state`, `db_repl_state`, …
    pub field: String,
    /// The same in this tool's words. Set by `derive`.
    pub stage: Stage,
}

/// INFO replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replication {
    /// The role.
    pub role: Option<Role>,
    /// The role as it came, for example `master&&slave`.
    pub role_text: Option<String>,
    /// What is said of the master. Null when this is not a replica.
    pub master: Option<Master>,
    /// The replicas that the server lists. Up to 3.0.16 one that waits for a full sync is not listed.
    pub replicas: Vec<Replica>,
    /// How many replicas it counts. Null when it does not say (a replica of a replica-less role).
    pub connected_replicas: Option<u64>,
    /// Whether it says that it refuses writes of clients as a replica.
    pub read_only: Option<bool>,
    /// `slave_priority`; printed by replicas only.
    pub priority: Option<i64>,
    /// `ReplicationID` (3.5.1 and later); empty before it first replicated.
    pub replication_id: Option<String>,
    /// `is_eligible_for_master_election` (3.5.5, 4.0.1).
    pub eligible_for_election: Option<bool>,
    /// `slave_repl_offset` (3.5.5, 4.0.1).
    pub offset: Option<u64>,
}

/// A replica's view of its master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Master {
    /// The address as given to `slaveof`, except that 127.0.0.1 is replaced by the server's own.
    pub host: Option<String>,
    /// The client port; a broken double master prints -1.
    pub port: Option<i64>,
    /// `master_link_status:up`. It proves nothing about data.
    pub link_up: Option<bool>,
    /// What is said of the state, in the vocabulary of the release.
    pub states: Vec<LinkState>,
}

impl Master {
    /// Whether it is a server at all: a double master that has given up its peer prints an empty host and port -1.
    pub fn is_address(&self) -> bool {
        self.host.as_ref().is_some_and(|host| !host.is_empty()) && self.port.is_some_and(|port| port > 0)
    }
}

/// A replica that a master lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The address that the replica declared.
    pub ip: String,
    /// The client port that it declared.
    pub port: u16,
    /// `online` or `offline` (up to 3.0.16).
    pub state: Option<String>,
    /// The session id (2.3.0 to 3.0.16).
    pub session: Option<i64>,
    /// Bytes of binlog that were not sent yet, by database (`""` where there is one for all). It does
    /// not count what was received. Null where the release has no lag.
    pub lags: Vec<Lag>,
}

/// How far a replica is behind in what was sent to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lag {
    /// The database; null where the release has one number for all.
    pub db: Option<String>,
    /// Bytes. Null when the server prints words instead.
    pub bytes: Option<u64>,
    /// The value as it came: a number, `not syncing`, `full syncing`.
    pub text: String,
    /// The number is near 2^64: the replica is ahead of the master.
    pub ahead: bool,
}

/// A place in a binlog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BinlogPosition {
    /// The database; null where there is one binlog for all.
    pub db: Option<String>,
    /// Number of the file.
    pub file: u64,
    /// Byte in the file.
    pub offset: u64,
    /// The file up to which purging is safe: `write2fileN`, `none` or `error`.
    pub safety_purge: Option<String>,
}

/// A place in a binlog, written `FILE:OFFSET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BinlogOffset {
    /// Number of the file.
    pub file: u64,
    /// Byte in the file.
    pub offset: u64,
}

impl BinlogPosition {
    /// The place alone.
    pub fn place(&self) -> BinlogOffset {
        BinlogOffset { file: self.file, offset: self.offset }
    }
}

impl fmt::Display for BinlogOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

impl Serialize for BinlogOffset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BinlogOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let place = text
            .split_once(':')
            .and_then(|(file, offset)| Some(Self { file: file.parse().ok()?, offset: offset.parse().ok()? }));
        place.ok_or_else(|| D::Error::custom(format!("`{text}` is not FILE:OFFSET")))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for BinlogOffset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BinlogOffset".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A place in a binlog: `FILE:OFFSET`."
        })
    }
}

/// The binlog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Binlog {
    /// Where it ends now, by database.
    pub positions: Vec<BinlogPosition>,
}

/// INFO doublemaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DoubleMaster {
    /// Whether the mode is on.
    pub enabled: Option<bool>,
    /// The peer's address from the configuration.
    pub peer_host: Option<String>,
    /// The peer's port from the configuration.
    pub peer_port: Option<i64>,
    /// `double-master-server-id`, which must be the peer's `server-id`.
    pub peer_server_id: Option<i64>,
    /// `repl_state`, a number on every release.
    pub state: Option<LinkState>,
    /// `double_master_recv_info`, as it came. Uninitialised on broken pairs of 2.3.
    pub received: Option<String>,
}
