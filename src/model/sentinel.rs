//! What Sentinels say of the servers that they watch, and what these say of themselves.
//!
//! Each Sentinel is asked by itself; what several of them say of one name is put side by side in a
//! [`Watched`], which is what most checks look at.

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::network::AddressKind;
use super::node::NotSent;
use super::reach::{Reach, ReachState};
use super::reason::Reason;
use super::release::Version;
use super::replication::Role;
use super::server::{Authentication, Server, ServerKind};
use super::unavailable::Unavailable;

/// One Sentinel, or what was found in the place of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sentinel {
    /// The name that findings use: the address as it was given.
    pub name: String,
    /// Where it was looked for.
    pub address: Address,
    /// How the connection went.
    pub reach: Reach,
    /// What kind of server answered. Null when nothing answered.
    pub server: Option<Server>,
    /// What happened with the password.
    pub authentication: Authentication,
    /// `SENTINEL MYID` (Redis 6.2 and later): the id by which Sentinels know each other.
    pub my_id: Option<String>,
    /// Whether it is in TILT: its clock jumped or it was not scheduled, and it does not act.
    pub tilt: Option<bool>,
    /// How many master names it watches: INFO sentinel.
    pub masters_counted: Option<u64>,
    /// The master names that it watches: SENTINEL MASTERS.
    pub masters: Option<Vec<WatchedMaster>>,
    /// What was not sent, and why: refusals of the gate.
    pub not_sent: Vec<NotSent>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// A master name as one Sentinel has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WatchedMaster {
    /// The name that clients ask for.
    pub name: String,
    /// The server that it takes for the master.
    pub instance: Instance,
    /// `quorum`: how many Sentinels must find it down.
    pub quorum: Option<i64>,
    /// `failover-timeout`, in milliseconds.
    pub failover_timeout_ms: Option<i64>,
    /// `parallel-syncs`: how many replicas are re-pointed at a time.
    pub parallel_syncs: Option<i64>,
    /// `num-other-sentinels`: how many other Sentinels it knows for this name.
    pub other_sentinels_counted: Option<i64>,
    /// `num-slaves`: how many replicas it knows, those that are gone included.
    pub replicas_counted: Option<i64>,
    /// `config-epoch`: which configuration this is; grows with every failover.
    pub config_epoch: Option<i64>,
    /// `failover-state`, while a failover is in progress.
    pub failover_state: Option<String>,
    /// The answer to `SENTINEL CKQUORUM`: `OK …` or `NOQUORUM …`.
    pub quorum_reply: Option<String>,
    /// The replicas that it knows: SENTINEL SLAVES. Null when it did not say.
    pub replicas: Option<Vec<Instance>>,
    /// The other Sentinels that it knows: SENTINEL SENTINELS. Null when it did not say.
    pub others: Option<Vec<Instance>>,
}

/// A server as a Sentinel sees it: a master, a replica or another Sentinel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// `host:port`, IPv6 addresses in brackets.
    pub address: String,
    /// The address, or the host name where Sentinels announce names.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `runid`; empty where the server prints none (Pika before 3.5.0).
    pub run_id: Option<String>,
    /// `flags`: `master`, `slave`, `s_down`, `o_down`, `disconnected`, `failover_in_progress`, …
    pub flags: Vec<String>,
    /// `down-after-milliseconds`.
    pub down_after_ms: Option<i64>,
    /// How long ago INFO was last answered, in milliseconds; 0 means never.
    pub info_age_ms: Option<i64>,
    /// `role-reported`: `master` or `slave`, from its own INFO.
    pub role_reported: Option<String>,
    /// `master-link-status` of a replica: whether it is `ok`.
    pub link_up: Option<bool>,
    /// The master that a replica names.
    pub master_address: Option<String>,
    /// `slave-priority`.
    pub priority: Option<i64>,
    /// `slave-repl-offset`; 0 where the server prints none (Pika before 3.5.5).
    pub offset: Option<i64>,
}

/// A master name as all Sentinels of the run see it, with what its servers say of themselves. Set by `derive`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The name that clients ask for.
    pub name: String,
    /// What each Sentinel that watches it says, in the order in which they were named.
    pub views: Vec<View>,
    /// Sentinels of the run that answered and do not watch this name.
    pub unknown_to: Vec<String>,
    /// The different addresses that the Sentinels give for the master.
    pub masters: Vec<String>,
    /// The different values of `quorum`.
    pub quorums: Option<Vec<i64>>,
    /// The different values of `down-after-milliseconds`.
    pub down_after_ms: Option<Vec<i64>>,
    /// The most Sentinels that one of them counts for this name, itself included.
    pub sentinels: Option<u64>,
    /// Whether as many Sentinels answered here as one of them counts.
    pub asked_all: bool,
    /// Every server that some Sentinel has under this name, the master first. Null when one of the Sentinels did not
    /// say which replicas there are.
    pub servers: Option<Vec<WatchedServer>>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// What one Sentinel says of a master name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The Sentinel.
    pub sentinel: String,
    /// Whether it was reached at an address of its own host.
    pub on_loopback: bool,
    /// The Sentinels of this run that it does not list, although they watch the same name.
    pub misses: Vec<String>,
    /// The Sentinels of this run that have the very id of this one.
    pub same_id: Vec<String>,
    /// The other Sentinels that it finds down.
    pub others_down: Vec<String>,
    /// The replicas that other Sentinels of the run know and this one does not.
    pub misses_replicas: Vec<String>,
    /// What it says.
    pub master: WatchedMaster,
}

/// A server that Sentinels watch, and what it says of itself.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and none follows from another")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WatchedServer {
    /// `host:port` as Sentinels have it.
    pub address: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it is a master for one of the Sentinels.
    pub is_master: bool,
    /// Flags of all Sentinels together.
    pub flags: Vec<String>,
    /// `slave-priority` as Sentinels have it.
    pub priority: Option<i64>,
    /// Whether a failover may choose it: a replica that no Sentinel finds down, with a priority above 0.
    pub eligible: bool,
    /// `master-link-status` as Sentinels have it; for a replica.
    pub link_up: Option<bool>,
    /// The master that the replica names, as Sentinels have it.
    pub follows: Option<String>,
    /// The run id as Sentinels have it; empty where the server prints none.
    pub run_id: Option<String>,
    /// The kind of the address that Sentinels announce.
    pub kind: AddressKind,
    /// The name of the node of this run that was looked at there. Null when none was.
    pub node: Option<String>,
    /// Whether it is known what answers there, and which release it is where it is a Pika.
    pub examined: bool,
    /// Whether nobody wanted it to be looked at.
    pub left_out: bool,
    /// Why it was not examined. Null when it was.
    pub why_not: Option<Reason>,
    /// What kind of server answered at the address. Null when none did or none was looked for.
    pub server: Option<ServerKind>,
    /// Its release.
    pub version: Option<Version>,
    /// Every final release that fits what was seen of it.
    pub candidates: Vec<Version>,
    /// Its own role.
    pub role: Option<Role>,
    /// Whether it says that its link to its master is up. Null for a master.
    pub own_link_up: Option<bool>,
    /// What it says of the state of its link, in its own words, where that is not the connected state.
    pub not_connected: Vec<String>,
    /// Whether it is in sharding mode (3.1 to 3.4).
    pub sharding: bool,
    /// Whether it lets nobody in without a password, Sentinels included. Null when not known.
    pub wants_password: Option<bool>,
    /// Replicas that it lists and no Sentinel knows.
    pub lists_unknown: Vec<String>,
    /// Replicas that Sentinels know and it does not list, although it was examined as the master.
    pub does_not_list: Vec<String>,
    /// Other servers under the same name with the same run id.
    pub same_run_id: Vec<String>,
    /// How the connection went, in a word of `reach.state`. Null when it was not dialled.
    pub reached: Option<ReachState>,
}
