//! Two servers: what is known about replication from one to the other, and about a double master.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::network::{AddressKind, PeerRoute, Port};
use super::planned::PlannedLink;
use super::reason::Reason;
use super::release::Version;
use super::replication::{BinlogOffset, BinlogPosition, Lag};
use super::unavailable::Unavailable;

/// A replication link, whether it stands already or is only meant to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// `REPLICA <- MASTER`, the name that findings use.
    pub name: String,
    /// The name of the master's node.
    pub master: String,
    /// The name of the replica's node.
    pub replica: String,
    /// What kind of link it is.
    pub mode: LinkMode,
    /// Whom the replica follows now. Set by `derive`.
    pub relation: Option<Relation>,
    /// The line that the master has for the replica: its index among the master's replicas. Null: not listed.
    pub listed: Option<usize>,
    /// The address by which the replica knows its master, or would if `slaveof` were sent as it stands in
    /// the forecast.
    pub address: Option<MasterAddress>,
    /// What was measured of the two releases. Set by `derive`; null when a release is not known.
    pub dialect: Option<Dialect>,
    /// Whether the master would let the replica in. Set by `derive`.
    pub auth: Option<LinkAuth>,
    /// What `slaveof` would do. Set by `derive`.
    pub forecast: Option<Forecast>,
    /// The way from the replica to its master, as the replica's host would choose it. Null: that host was not seen. Set by
    /// `derive`.
    #[serde(default)]
    pub replica_route: Option<PeerRoute>,
    /// The way from the master to the replica. Null: the master's host was not seen. Set by `derive`.
    #[serde(default)]
    pub master_route: Option<PeerRoute>,
    /// The address that a full copy for this replica carries, and from which its binlog comes: up to 3.0.1 the one that the
    /// master takes for its own, from 3.0.2 to 3.4.1 the one from which it connects to the replica. Set by `derive`.
    #[serde(default)]
    pub sent_address: Option<String>,
    /// How far a full copy is that the replica waits for. Null: it waits for none, or its host was not seen. Set by `derive`.
    #[serde(default)]
    pub copy: Option<CopyProgress>,
    /// Ports of the master, dialled at the very address that the replica uses.
    pub ports: Option<Vec<DialledPort>>,
    /// The positions of both binlogs, read at the same time; twice.
    pub readings: Vec<Reading>,
    /// What follows from the readings, by database. Set by `derive`; null without two readings.
    pub flow: Option<Vec<Flow>>,
    /// A key that was written on the master and looked for on the replica, by database.
    pub canary: Option<Vec<Canary>>,
    /// Keys of the master that must be on the replica.
    pub sample: Option<Sample>,
    /// What the plan says of it. Null: it stands in no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlannedLink>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// What kind of link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LinkMode {
    /// A replica and its master.
    #[default]
    Replica,
    /// One direction of a double master.
    DoubleMaster,
}

/// Whom a replica follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// This master.
    Follows,
    /// Another address. It can still be this master, behind a name or an address that is not known to be its own.
    Elsewhere,
    /// Nobody.
    Nobody,
}

/// The address of the master in the replica's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MasterAddress {
    /// A host name or an IP address.
    pub host: String,
    /// The client port.
    pub port: i64,
    /// Its kind.
    pub kind: AddressKind,
    /// The IP addresses that it has where this tool runs.
    pub resolved: Vec<String>,
}

/// What two releases do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Old data and later writes arrive.
    Works,
    /// The link says up, and nothing ever arrives.
    Silent,
    /// The full copy arrives; later writes never do.
    Stale,
    /// Later writes arrive; the old data is gone.
    Hollow,
    /// The replica ends in an error and does not try again.
    Refused,
    /// The replica tries again for ever.
    Retries,
    /// The full copy never arrives.
    Waits,
    /// The replica's process ends.
    Dies,
}

/// How an outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// These two releases were run with each other.
    Measured,
    /// Two releases that speak as these do were run with each other.
    SameProtocol,
    /// It follows from the code of the tags; nobody ran it.
    Code,
}

/// What is known about replication between two releases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// What happens when the replica goes on from its own position.
    pub incremental: Outcome,
    /// What happens when the replica needs a full copy.
    pub full: Outcome,
    /// How it is known.
    pub basis: Basis,
    /// The release that stands for the master in the measurement.
    pub measured_master: Option<Version>,
    /// The release that stands for the replica in the measurement.
    pub measured_replica: Option<Version>,
}

/// What a replica shows its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Nothing.
    Nothing,
    /// Its masterauth.
    Masterauth,
    /// Its own requirepass (up to 2.3.2).
    Requirepass,
}

/// What a master makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AuthVerdict {
    /// The replica is let in.
    Accepted,
    /// The master wants a password and gets none.
    Missing,
    /// The password is not the master's requirepass.
    Wrong,
    /// The password is the master's userpass, which does not suffice (up to 3.0.16).
    UserPassword,
    /// The master has no password, and up to 3.0.16 the attempt to give one is an error.
    Unwanted,
    /// The master has a userpass and no requirepass: up to 3.0.16 it lets no replica in at all.
    NobodyIsLetIn,
    /// 2.2.0 to 2.3.2 take the answer to AUTH for the answer to trysync while requirepass is empty on the replica.
    AnswersMixedUp,
}

/// The password between replica and master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkAuth {
    /// What the replica shows.
    pub sends: Credential,
    /// What the master makes of it.
    pub verdict: AuthVerdict,
    /// Whether the replica tries again when it is refused. Where it does not, only another `slaveof` helps.
    pub retries: bool,
    /// Whether the full copy would be refused although the link is let in: 3.1 to 3.4 use the passwords as
    /// secrets of rsync, and want them equal on both sides.
    pub rsync_refuses: bool,
}

/// What a `slaveof` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// The command is answered with an error, and nothing changes.
    Refused,
    /// The command is answered with OK, and nothing changes.
    Nothing,
    /// The link says up, and nothing ever arrives.
    Silent,
    /// The full copy replaces the replica's data; later writes never arrive.
    Stale,
    /// The replica's data is replaced by nothing; later writes arrive.
    Hollow,
    /// The replica's process ends.
    Dies,
    /// The replica follows itself: it refuses every write, and nothing ever arrives.
    FollowsItself,
    /// The replica tries again for ever.
    Retries,
    /// The replica ends in an error and does not try again.
    Error,
    /// The full copy never arrives.
    Waits,
    /// A full copy replaces the replica's data; after it, writes arrive.
    FullSync,
    /// The replica goes on from its position.
    Incremental,
    /// The two follow each other, and neither is a master any more.
    Circle,
    /// It cannot be said.
    Unknown,
}

/// Why a `slaveof` comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The replica connects from an address to which the master does not answer.
    ReplicaCard,
    /// The master connects from an address to which the replica does not answer.
    MasterCard,
    /// The replica listens on another address than the one that its master dials.
    ReplicaBound,
    /// A fact is missing that decides; `Forecast::missing` names it.
    MissingFact,
    /// Master and replica are the same server.
    SameServer,
    /// The master follows this very replica: the two are most likely named in the wrong order.
    MasterFollows,
    /// The replica has replicas itself (3.1.0 and later).
    HasReplicas,
    /// The replica follows a master already, and this release does not change masters (up to 2.3.0).
    FollowsAlready,
    /// The replica follows this very address already.
    SameMaster,
    /// The replica is a double master, and this is not its peer.
    NotThePeer,
    /// The replica is a double master whose link to the peer was not given up.
    PairNotIdle,
    /// The replica's instance-mode does not allow it.
    Sharding,
    /// The two releases do not fit.
    Dialect,
    /// masterauth is not what the master wants.
    Masterauth,
    /// The passwords let the link in and not the full copy (3.1 to 3.4).
    RsyncSecret,
    /// The two have different instance modes.
    InstanceMode,
    /// The two have different numbers of databases.
    Databases,
    /// The two have different numbers of slots.
    SlotNumber,
    /// The two carry the ids of different replication groups.
    ReplicationId,
    /// The master still lists a replica with this address.
    AlreadyListed,
    /// The address of the master is not the one that it has for itself.
    MasterAddress,
    /// The replica's binlog is longer than the master's.
    Ahead,
    /// The replica's position is beyond the size of the master's binlog files.
    BeyondFileSize,
    /// `force` was asked for.
    Forced,
    /// The replica has no replication-id yet (3.5.1 and later).
    NoReplicationId,
    /// 3.5.0 copies everything whenever the master's run-id is a new one.
    NewRunId,
    /// The double master recovers by a full copy from its peer.
    PairRecovery,
    /// The master has purged the file at the replica's position.
    Purged,
    /// The replica's position is in the master's binlog.
    Position,
}

/// What `slaveof` would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// The command, for the replica.
    pub command: String,
    /// Whether it says `force`.
    pub forced: bool,
    /// How it would be answered at once: `OK`, or the error. Null when that is not known.
    pub answer: Option<String>,
    /// What would come of it.
    pub prospect: Prospect,
    /// Why.
    pub cause: Cause,
    /// The fact that is missing, when the cause is `missing-fact`.
    pub missing: Option<Reason>,
    /// The value on the replica that decides.
    pub on_replica: Option<Reason>,
    /// The value on the master that decides.
    pub on_master: Option<Reason>,
    /// Whether the data of the replica would be replaced or lost.
    pub replaces_data: bool,
}

/// A port of the master, dialled at the address that the replica uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DialledPort {
    /// The address that was dialled.
    pub address: String,
    /// What was found there.
    pub port: Port,
}

/// Both nodes at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Seconds after the first reading.
    pub at_seconds: f64,
    /// The ends of the master's binlogs.
    pub master: Vec<BinlogPosition>,
    /// The ends of the replica's binlogs.
    pub replica: Vec<BinlogPosition>,
    /// What the master had not sent to the replica yet. Null when it does not list it.
    pub lags: Option<Vec<Lag>>,
    /// What the master says of the replica: `online`, `offline` (up to 3.0.16).
    pub listed_as: Option<String>,
    /// What the replica says of the link.
    pub link_up: Option<bool>,
}

/// How two positions are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Equal, in the last reading at least.
    Level,
    /// The replica is behind and moves.
    CatchingUp,
    /// The replica is behind and does not move, while the link is said to stand.
    Stuck,
    /// The replica is beyond the master.
    Ahead,
    /// They differ by an amount that these two releases are known to differ by.
    Shifted,
    /// The positions say nothing: the replica writes no binlog, or files of another size.
    Incomparable,
}

/// How far a full copy is, as the host of the replica shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CopyProgress {
    /// What lies below db-sync-path of the replica.
    pub received_bytes: u64,
    /// The size of the master's data; a copy is about as large.
    pub of_bytes: u64,
}

/// Two readings of one database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The database; null where there is one binlog for all.
    pub db: Option<String>,
    /// How the positions are related.
    pub step: Step,
    /// The master's position in the last reading.
    pub master: BinlogOffset,
    /// The replica's position in the last reading.
    pub replica: BinlogOffset,
    /// The master's binlog grew between the readings.
    pub master_moved: bool,
    /// The replica's binlog grew between the readings.
    pub replica_moved: bool,
    /// How far the replica was behind in the last reading, in bytes. Null when the size of the files is
    /// not known or differs, or the replica is ahead.
    pub behind_bytes: Option<u64>,
    /// Seconds between the readings.
    pub seconds: f64,
}

/// How a canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CanaryOutcome {
    /// It was read on the replica with its value, and its deletion was seen there.
    Arrived,
    /// It was read on the replica, and its deletion did not arrive in time.
    NotDeleted,
    /// It did not arrive in time.
    Lost,
    /// Another value arrived.
    WrongValue,
    /// The master refuses writes.
    MasterReadOnly,
    /// The password or user may not write on the master.
    WriteNotPermitted,
    /// The master answered the write with another error.
    WriteFailed,
    /// The password or user may not read on the replica.
    ReadNotPermitted,
    /// The replica answered the read with another error.
    ReadFailed,
    /// The database does not exist on one of the two.
    NoDatabase,
    /// A connection broke.
    Broken,
}

/// A key that was written on the master, read on the replica and deleted again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The database; null where there is only one.
    pub db: Option<String>,
    /// How it ended.
    pub outcome: CanaryOutcome,
    /// The key.
    pub key: String,
    /// What a server said instead of what was expected.
    pub reply: Option<Reason>,
    /// Time from the answer to the write until the read, in seconds.
    pub arrived_seconds: Option<f64>,
    /// Time from the answer to the deletion until it was seen, in seconds.
    pub deleted_seconds: Option<f64>,
    /// How long was waited at most, in seconds.
    pub waited_seconds: f64,
}

/// Keys of the master that must be on the replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// How many keys were compared.
    pub compared: u64,
    /// How many of each type.
    pub types: BTreeMap<String, u64>,
    /// Keys that are not on the replica, after a second look.
    pub missing: u64,
    /// Keys that have another type or length there, after a second look.
    pub different: u64,
    /// Keys that were gone from the master at the second look, or had changed on it.
    pub changed: u64,
    /// Some of those that are missing or different.
    pub examples: Vec<SampleDifference>,
    /// Why there is nothing to compare, or less than there could be.
    pub note: Option<String>,
}

/// A key that is not the same on both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SampleDifference {
    /// The database; null where there is only one.
    pub db: Option<String>,
    /// The key, cut to a readable length.
    pub key: String,
    /// `TYPE of LENGTH` on the master.
    pub master: String,
    /// The same on the replica, or `none`.
    pub replica: String,
}

/// A double master: two servers that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// `A <-> B`, the name that findings use.
    pub name: String,
    /// The name of one node.
    pub a: String,
    /// The name of the other.
    pub b: String,
    /// Whether the peer that `a` names is `b`. Null when `a` names none.
    pub a_names_b: Option<bool>,
    /// Whether the peer that `b` names is `a`.
    pub b_names_a: Option<bool>,
    /// What became of writes after they had arrived.
    pub echo: Option<Echo>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// Whether writes of a double master come to rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// The canary was there again after it had been deleted on both.
    pub reappeared: bool,
    /// Bytes by which the binlogs grew while they were watched, `a` and `b` together.
    pub grown_bytes: u64,
    /// How long they were watched, in seconds.
    pub seconds: f64,
    /// Both binlogs stood still at the end.
    pub at_rest: bool,
}
