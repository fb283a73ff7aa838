//! Groups, servers and slots: what a Codis consists of, whether a dashboard told it or its coordinator.

use serde::{Deserialize, Serialize};

use super::super::address::Address;
use super::super::network::AddressKind;
use super::super::release::Version;
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

/// A release of Codis, as far as its interfaces and the keys of its files differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum CodisRelease {
    /// 2.0.x: another layout, another API. Only its groups are read.
    #[serde(rename = "2.0")]
    V2_0,
    /// 3.0.x: no settings of Sentinel, no migration method.
    #[serde(rename = "3.0")]
    V3_0,
    /// 3.1.x: settings of Sentinel, no migration method.
    #[serde(rename = "3.1")]
    V3_1,
    /// 3.2.0: a migration method.
    #[serde(rename = "3.2.0")]
    V3_2_0,
    /// 3.2.1 and 3.2.2: `coordinator_auth`, too.
    #[serde(rename = "3.2.2")]
    V3_2_2,
    /// The fork that comes with Pika 3.5.0 and later: `max_slot_num`.
    #[serde(rename = "pika-fork")]
    PikaFork,
}

impl CodisRelease {
    /// Those whose dashboard.toml and proxy.toml are known, oldest first.
    pub const WITH_KNOWN_FILES: [Self; 5] =
        [Self::V3_0, Self::V3_1, Self::V3_2_0, Self::V3_2_2, Self::PikaFork];
}

/// The state of something that a dashboard does step by step: a slot that moves, a group that is promoted, a server
/// that is attached to its master. The words are those of `models/action.go` of Codis 3.0 to 3.2 and of Pika's fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// It was asked for.
    Pending,
    /// The proxies are told.
    Preparing,
    /// All proxies were told.
    Prepared,
    /// Keys of the slot move.
    Migrating,
    /// It is done, and not yet taken off the list.
    Finished,
    /// The server is being attached.
    Syncing,
    /// The server was attached.
    Synced,
    /// The server could not be attached, as the dashboard sees it.
    SyncedFailed,
    /// A word that none of these releases writes.
    #[serde(other)]
    Unknown,
}

impl ActionState {
    const ALL: [Self; 9] = [
        Self::Pending,
        Self::Preparing,
        Self::Prepared,
        Self::Migrating,
        Self::Finished,
        Self::Syncing,
        Self::Synced,
        Self::SyncedFailed,
        Self::Unknown,
    ];

    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Preparing => "preparing",
            Self::Prepared => "prepared",
            Self::Migrating => "migrating",
            Self::Finished => "finished",
            Self::Syncing => "syncing",
            Self::Synced => "synced",
            Self::SyncedFailed => "synced_failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state that `word` names. None: there is no action.
    pub fn of(word: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|state| state.word() == word);
        (!word.is_empty()).then(|| known.unwrap_or(Self::Unknown))
    }
}

/// A group of servers: one master and its replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its number.
    pub id: i64,
    /// Its servers; the first one is the master, whatever that server says.
    pub servers: Vec<GroupServer>,
    /// The state of a promotion that was begun and is not over. Null: there is none.
    pub promoting: Option<ActionState>,
    /// Whether the dashboard has yet to tell the proxies and Sentinel about it. True after slots were assigned, too.
    pub out_of_sync: bool,
    /// How many slots belong to it. 0 while the slots are not known.
    pub slots: u64,
    /// Which: `0-511, 600`.
    pub slot_ranges: String,
    /// How many slots are to be moved out of it.
    pub moving_out: u64,
    /// How many slots are to be moved into it.
    pub moving_in: u64,
}

impl Group {
    /// Its first server.
    pub fn master(&self) -> Option<&str> {
        self.servers.first().map(|first| first.server.as_str())
    }
}

/// A server of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupServer {
    /// Its address.
    pub server: String,
    /// The state of its last replication action. Null: there was none.
    pub action: Option<ActionState>,
}

/// Some slots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotSet {
    /// How many there are.
    pub count: u64,
    /// Which: `0-255, 300`.
    pub ranges: String,
}

/// How the slots are spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// How many there are.
    pub total: u64,
    /// Those that belong to no group.
    pub offline: SlotSet,
    /// Those that belong to a group that does not exist.
    pub lost: SlotSet,
    /// Those that are to be moved or are being moved, by what is done with them.
    pub actions: Vec<SlotActions>,
}

/// Slots with the same action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotActions {
    /// What is done with them.
    pub state: ActionState,
    /// The group that they belong to.
    pub from: i64,
    /// The group that they go to.
    pub to: i64,
    /// The slots.
    pub slots: SlotSet,
}

/// How Codis tells keys of a slot that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// SLOTSMGRTTAGSLOT and SLOTSMGRTTAGONE.
    Sync,
    /// SLOTSMGRTTAGSLOT-ASYNC and SLOTSMGRT-EXEC-WRAPPER.
    SemiAsync,
}

/// Moving slots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The method. Before 3.2 there is one only.
    pub method: Option<Method>,
    /// `migration_method` as the dashboard shows it; null before 3.2.
    pub setting: Option<String>,
    /// Whether slots are moved now, or somebody said that they will be.
    pub expected: bool,
    /// Whether slots have an action.
    pub running: bool,
    /// Whether it was switched off (`slots-action --disabled`).
    pub disabled: bool,
    /// The last message of the executor, as it came. Null before 3.2, which has counts instead.
    pub status: Option<String>,
    /// The slot that the last message is an error about.
    pub failed_slot: Option<u64>,
    /// That error, as the source put it.
    pub error: Option<String>,
    /// 3.0 and 3.1, which have no message: whether the last step failed.
    pub failed: Option<bool>,
    /// Microseconds that it waits between steps (`slots-action --interval`).
    pub interval_micros: Option<u64>,
}

/// Where a server stands in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// The first: Codis sends everything to it.
    Master,
    /// Any other.
    Replica,
}

/// A server of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Its address as Codis has it.
    pub name: String,
    /// The same in parts. Null when it is none.
    pub address: Option<Address>,
    /// Its group.
    pub group: i64,
    /// Where it stands there.
    pub position: Position,
    /// The master by position of its group.
    pub master: String,
    /// The node of this run that it is; null when it was not looked at.
    pub node: Option<String>,
    /// What the dashboard heard of it last. Null when `stats_error` says why.
    pub stats: Option<ServerStats>,
    /// Why the dashboard heard nothing. Null together with `stats` when it has not asked yet.
    pub stats_error: Option<Reason>,
    /// Whether it did not answer the dashboard within a second.
    pub timed_out: bool,
    /// Whether it follows the master by position of its group, as far as addresses tell. Null for a master, and
    /// where one of the two is a name that was not looked up.
    pub follows: Option<bool>,
    /// The state of its last replication action. Null: there was none.
    pub action: Option<ActionState>,
    /// Whether proxies may read from it.
    pub replica_group: bool,
    /// What the fork of Pika keeps about it.
    pub fork: Option<ForkState>,
    /// The release: of the node, or as the dashboard heard it.
    pub version: Option<Version>,
    /// Slots of its group, where it is the master.
    pub slots: u64,
    /// Slots that are to be moved out, where it is the master.
    pub moving_out: u64,
    /// Slots that are to be moved in, where it is the master.
    pub moving_in: u64,
    /// Whether slots of it are being moved away, or will be.
    pub source: bool,
    /// What it knows about the slots of its keys.
    pub index: Option<SlotIndex>,
    /// Slots of its group, and those that move there, that it does not serve. Null where it is no master, and where
    /// keys are served whatever their slot: all but 3.2 to 3.4 in sharding mode.
    #[serde(default)]
    pub unserved: Option<SlotSet>,
    /// How long moving its slots would take.
    pub estimate: Option<Estimate>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// What INFO of a server says, as the dashboard passes it on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServerStats {
    /// `pika_version`. The fork of Pika asks for INFO replication only and does not hear it.
    pub pika_version: Option<String>,
    /// `redis_version`.
    pub redis_version: Option<String>,
    /// `role`, up to `&&`.
    pub role: Option<String>,
    /// Whom it follows.
    pub master: Option<String>,
    /// `master_link_status`.
    pub link: Option<String>,
    /// Whether it has a `run_id`.
    pub run_id: bool,
}

/// What the fork of Pika keeps about a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForkState {
    /// Its role when the dashboard looked last.
    pub role: Option<String>,
    /// 0 normal, 1 one dashboard takes it for dead, 2 taken out.
    pub state: Option<i64>,
    /// How often it was tried to take it back.
    pub recalls: Option<i64>,
    /// Whether it may become the master; null on releases that do not ask (3.5.0 to 3.5.4).
    pub eligible: Option<bool>,
}

/// What a Pika knows about the slots of its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotIndex {
    /// Keys in its lists: the sum of SLOTSINFO. Keys that have expired may be among them.
    pub indexed: Option<u64>,
    /// Slots with keys.
    pub slots_with_keys: Option<u64>,
    /// Keys in the lists of slots that are to be moved away.
    pub indexed_moving: Option<u64>,
    /// Slots with keys in their lists that belong to another group, and how many keys. Null for a replica, and where
    /// nothing is known of the slots.
    pub elsewhere: Option<StraySlots>,
    /// Some keys, and whether the lists have them. Null where none were asked for.
    pub sample: Option<ListSample>,
    /// Why SLOTSINFO gave nothing: its error.
    pub refusal: Option<Reason>,
    /// The slot of the key `{user1}:a` by its own reckoning. Codis reckons with `user1` and comes to 341.
    pub tagged_slot: Option<i64>,
    /// Keys that the last key scan counted and that are surely no lists of slots or tags: all but sets and streams.
    /// Null without a scan.
    pub counted_at_least: Option<u64>,
    /// The same with the sets that can be keys of users.
    pub counted_at_most: Option<u64>,
    /// Streams that the last key scan counted. Null where the release does not count them.
    pub streams: Option<u64>,
    /// When that scan was started, as it came.
    pub counted_at: Option<String>,
    /// Seconds for a question and its answer from here: the shortest of several.
    pub round_trip_seconds: Option<f64>,
}

/// Slots that a server has keys of, though they belong to another group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StraySlots {
    /// The slots.
    pub slots: SlotSet,
    /// The keys in their lists.
    pub keys: u64,
}

/// Keys of a server that were looked up in the lists of their slots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListSample {
    /// How many were looked up: the first ones of each type, as far as the release lists them without harm.
    pub looked: u64,
    /// How many of them are in no list, in slots of the server's own group.
    pub unlisted: u64,
    /// How many of them are in slots that belong to another group, listed or not.
    pub elsewhere: u64,
}

/// Servers with the same requirepass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password as a token; `""` means that there is none.
    pub token: String,
    /// The servers.
    pub servers: Vec<String>,
}

/// How long moving slots away from a server would take, at least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Keys to move: of the slots with an action, or all where none has one.
    pub keys: u64,
    /// Round trips for each key.
    pub round_trips: u64,
    /// Seconds for one, as measured from here.
    pub round_trip_seconds: f64,
    /// All of it, in seconds: keys x round trips x seconds for one.
    pub seconds: f64,
}

/// Slots from `first` to `last` that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotRange {
    /// The first slot.
    pub first: u64,
    /// The last slot.
    pub last: u64,
    /// Its group; 0: none, clients get an error.
    pub group: i64,
    /// The state of its migration. Null: there is none.
    pub action: Option<ActionState>,
    /// The group that it migrates to.
    pub target: Option<i64>,
    /// Whether there is such a group. Null while the groups are not known.
    pub group_exists: Option<bool>,
}

/// What an address was registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RegisteredFor {
    /// The dashboard's admin_addr: codis-fe and codis-admin look for it.
    Dashboard,
    /// A proxy's admin_addr: the dashboard looks for it.
    ProxyAdmin,
    /// A proxy's proxy_addr: clients look for it.
    Proxy,
    /// A server of a group: proxies and other servers look for it.
    Server,
}

/// The member of Codis' JSON that an address stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RegisteredIn {
    /// `admin_addr` of a dashboard or a proxy.
    AdminAddr,
    /// `proxy_addr` of a proxy.
    ProxyAddr,
    /// `addr` of what a proxy announces to clients.
    Addr,
    /// `admin` of what a proxy announces to clients.
    Admin,
    /// `server` of a group.
    Server,
}

/// An address that others find a member by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What for.
    pub role: RegisteredFor,
    /// Whose it is: `dashboard`, `proxy 1`, `/jodis/…`, `group 1`.
    pub owner: String,
    /// Where it stands.
    pub what: RegisteredIn,
    /// The address as it stands there.
    pub address: String,
    /// The host in it. Null: it is no address that anybody could dial.
    pub host: Option<String>,
    /// The kind of the host. Set by `derive`.
    pub kind: Option<AddressKind>,
    /// Where a name leads from here; empty when it leads nowhere. Null when it is no name, was not looked up, or the
    /// resolver said nothing.
    pub resolved: Option<Vec<String>>,
    /// Why nothing is known of where a name leads, or why it leads nowhere.
    pub resolve_error: Option<Reason>,
    /// The kind of what it comes to: that of the host, or of a name's first address. Set by `derive`.
    pub reach_kind: Option<AddressKind>,
    /// A loopback address where others are not on this one host, or were asked from another. Set by `derive` for what
    /// a dashboard told.
    pub elsewhere: bool,
}

/// A server that is in two groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SharedServer {
    /// Its address.
    pub server: String,
    /// The group that it is in here.
    pub group: i64,
    /// Where it is, too: `group 2`, or `group 1 of OTHER-PRODUCT`.
    pub elsewhere: String,
}
