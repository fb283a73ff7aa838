//! What was seen of a Codis: its dashboards and proxies over HTTP, and what follows from it about the servers behind it.
//!
//! In the lists of this tree a part that could not be had is null, and a text beside it says why: a whole list must
//! not become unknown because one proxy did not answer.

use serde::{Deserialize, Serialize};

use super::absence::Absence;
use super::address::Address;
use super::http::HttpFailure;
use super::network::AddressKind;
use super::release::Version;

/// One Codis: everything of one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codis {
    /// The name that findings use: the product, or the URL where no product is known.
    pub name: String,
    /// The product's name, as the dashboard or a proxy says it.
    pub product: Option<String>,
    /// Which Codis it is.
    pub line: Option<CodisLine>,
    /// The release as it calls itself. Pika's own builds call themselves 3.2.2, too.
    pub release: Option<String>,
    /// The URLs that were asked, without passwords.
    pub sources: Vec<Source>,
    /// The dashboards that answered.
    pub dashboards: Vec<Dashboard>,
    /// The dashboard's settings.
    pub settings: Option<DashboardConfig>,
    /// How the slots are spread.
    pub slots: Option<Slots>,
    /// Moving slots: how it is done, and whether it is.
    pub migration: Option<Migration>,
    /// The groups.
    pub groups: Option<Vec<Group>>,
    /// The servers of all groups, group by group; in each the master by position first.
    pub servers: Vec<Backend>,
    /// The proxies that the dashboard knows, and those that were named.
    pub proxies: Option<Vec<Proxy>>,
    /// Sentinels that the dashboard has; the fork of Pika has none.
    pub sentinels: Option<Sentinels>,
    /// Names that the dashboard or a proxy was registered under, and where clients and others look for them.
    pub registered: Vec<Registered>,
    /// Whether somebody said that slots will be moved.
    pub before_migration: bool,
    /// Whether a product_auth was given for this run, and is not empty. Null when none was given.
    pub product_auth: Option<bool>,
    /// The most databases that a proxy connects to on each server. Null when no proxy told.
    pub databases: Option<u64>,
    /// The requirepass of the servers that were looked at: which servers have the same one.
    pub passwords: Vec<Password>,
    /// Facts that could not be had.
    pub errors: Vec<Absence>,
}

/// The lines of Codis that differ in what they show and do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum CodisLine {
    /// 2.0: another layout, another API. Only its groups are read.
    #[serde(rename = "2.0")]
    V2,
    /// 3.0: no settings of Sentinel, no migration method.
    #[serde(rename = "3.0")]
    V3_0,
    /// 3.1: settings of Sentinel, no migration method.
    #[serde(rename = "3.1")]
    V3_1,
    /// 3.2.
    #[serde(rename = "3.2")]
    V3_2,
    /// The fork that comes with Pika 3.5.0 and later.
    #[serde(rename = "pika")]
    Pika,
}

/// What kind of program answered at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A dashboard.
    Dashboard,
    /// A dashboard of Codis 2.0.
    Dashboard2,
    /// The admin port of a proxy.
    Proxy,
    /// codis-fe, which passes requests on to dashboards.
    Fe,
}

/// A URL that was asked, and how that went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The URL, without user and password.
    pub url: String,
    /// Host and port of the URL.
    pub address: Option<Address>,
    /// What answered; null when nothing did, or nothing of Codis.
    pub kind: Option<SourceKind>,
    /// The product that it answered for.
    pub product: Option<String>,
    /// Why there is no answer that could be used.
    pub failure: Option<HttpFailure>,
    /// The same in a sentence; it may repeat what the server sent.
    pub detail: Option<String>,
    /// The status, where one came that is not 200.
    pub status: Option<u16>,
    /// Seconds until the answer was complete.
    pub seconds: Option<f64>,
}

/// A dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The URL that it was asked at.
    pub url: String,
    /// A random number of its start: two of them are two dashboards.
    pub token: Option<String>,
    /// The address that it registered.
    pub admin_address: Option<String>,
    /// When it was started, as it says.
    pub started: Option<String>,
    /// Whether it is at work. A dashboard that waits for the lock of another is not.
    pub online: bool,
    /// Why it is not, as it says.
    pub cause: Option<String>,
}

/// Settings of a dashboard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DashboardConfig {
    /// `zookeeper`, `etcd` or `filesystem`.
    pub coordinator_name: Option<String>,
    /// Where it is.
    pub coordinator_addr: Option<String>,
    /// Its credential as a token; `""` means that there is none. Null before 3.2.
    pub coordinator_auth: Option<String>,
    /// `admin_addr` as it is written in dashboard.toml.
    pub admin_addr: Option<String>,
    /// `max_slot_num`, of the fork of Pika only.
    pub max_slot_num: Option<u64>,
    /// `sentinel_quorum`.
    pub sentinel_quorum: Option<u64>,
    /// `sentinel_down_after`, as it is written.
    pub sentinel_down_after: Option<String>,
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
    /// `pending`, `preparing`, `prepared`, `migrating` or `finished`.
    pub state: String,
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

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its number.
    pub id: i64,
    /// How many servers it has.
    pub servers: u64,
    /// Its first server, which is the master whatever that server says.
    pub master: Option<String>,
    /// How many slots belong to it.
    pub slots: u64,
    /// Which: `0-511, 600`.
    pub slot_ranges: String,
    /// How many slots are to be moved out of it.
    pub moving_out: u64,
    /// How many slots are to be moved into it.
    pub moving_in: u64,
    /// A promotion that was begun and is not over: its state.
    pub promoting: Option<String>,
    /// Whether the dashboard has yet to tell the proxies and Sentinel about it. True after slots were assigned, too.
    pub out_of_sync: bool,
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
    /// What the dashboard heard of it last. Null when `untold` says why.
    pub told: Option<Told>,
    /// Why the dashboard heard nothing. Null together with `told` when it has not asked yet.
    pub untold: Option<String>,
    /// Whether it did not answer the dashboard within a second.
    pub timed_out: bool,
    /// Whether it follows the master by position of its group, as far as addresses tell. Null for a master, and
    /// where one of the two is a name that was not looked up.
    pub follows: Option<bool>,
    /// What became of the last replication action: `pending`, `syncing`, `synced`, `synced_failed`.
    pub action: Option<String>,
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
    /// How long moving its slots would take.
    pub estimate: Option<Estimate>,
    /// Facts that could not be had.
    pub errors: Vec<Absence>,
}

/// What INFO of a server says, as the dashboard passes it on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Told {
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
    /// Why SLOTSINFO gave nothing: its error.
    pub refusal: Option<String>,
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

/// A proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The name that findings use: where clients reach it.
    pub name: String,
    /// A random number of its start.
    pub token: Option<String>,
    /// `proxy_addr`, as it registered it.
    pub proxy_address: Option<String>,
    /// `admin_addr`, as it registered it.
    pub admin_address: Option<String>,
    /// The name of its host.
    pub hostname: Option<String>,
    /// Where clients find it; null when it registers nowhere.
    pub jodis_path: Option<String>,
    /// The directory of that path: what a client library calls zkProxyDir.
    pub jodis_dir: Option<String>,
    /// Whether the dashboard knows it.
    pub known: bool,
    /// Whether it serves clients, as the dashboard heard it.
    pub online: Option<bool>,
    /// Why the dashboard heard nothing.
    pub untold: Option<String>,
    /// Its own settings; null when `unread` says why.
    pub settings: Option<ProxyConfig>,
    /// The slots as it has them.
    pub slots: Option<ProxySlots>,
    /// Why it was not asked, or did not answer.
    pub unread: Option<String>,
    /// Whether the product_auth that was given is its own; null when none was given, or it was not asked.
    pub auth: Option<ProxyAuth>,
}

/// What a proxy says to a product_auth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyAuth {
    /// Whether it is its own. Null when the answer says neither.
    pub accepted: Option<bool>,
    /// What it answered, where it is not OK.
    pub detail: Option<String>,
}

/// Settings of a proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// `product_name`.
    pub product: Option<String>,
    /// `backend_number_databases`; null before 3.2, where every connection is to database 0.
    pub databases: Option<u64>,
    /// `backend_primary_only`.
    pub primary_only: Option<bool>,
    /// `max_slot_num`, of the fork of Pika only.
    pub max_slot_num: Option<u64>,
    /// `jodis_name`.
    pub jodis_name: Option<String>,
    /// `jodis_addr`.
    pub jodis_addr: Option<String>,
    /// `jodis_auth` as a token; `""` means that there is none.
    pub jodis_auth: Option<String>,
    /// `jodis_compatible`.
    pub jodis_compatible: Option<bool>,
}

/// The slots as a proxy has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxySlots {
    /// How many it has.
    pub total: u64,
    /// Slots without an action whose server is not the one that the dashboard means: the master by position of their
    /// group. Empty where no dashboard answered.
    pub differing: SlotSet,
    /// An example: `slot 5: 10.0.0.1:9221, not 10.0.0.2:9221`.
    pub example: Option<String>,
    /// Slots whose clients wait.
    pub locked: SlotSet,
    /// Slots that are read from replicas.
    pub read_from_replicas: SlotSet,
}

/// The sentinels that a dashboard has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sentinels {
    /// Their addresses.
    pub servers: Vec<String>,
    /// Whether the dashboard has yet to tell them about its groups.
    pub out_of_sync: bool,
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

/// An address that others find a member by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What for.
    pub role: RegisteredFor,
    /// The address, with its port.
    pub address: String,
    /// The host in it.
    pub host: String,
    /// What kind of address it is.
    pub kind: AddressKind,
    /// Where a name leads from here. Null when it is no name, or was not looked up.
    pub resolved: Option<Vec<String>>,
    /// Why a name leads nowhere.
    pub unresolved: Option<String>,
    /// A loopback address where others are not on this one host, or were asked from another.
    pub elsewhere: bool,
}
