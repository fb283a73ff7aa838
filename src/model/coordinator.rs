//! What a coordinator of Codis holds: ZooKeeper, the v2 API of etcd, or a directory.
//!
//! The layout is that of Codis 3.0 to 3.2 and of Pika's fork (`/codis3/PRODUCT`), and as far as clients look at
//! it that of Codis 2.0 (`/zk/codis/db_PRODUCT`). Proxies announce themselves to clients ("jodis") below
//! `/jodis/PRODUCT`, or below `/zk/codis/db_PRODUCT/proxy` where `jodis_compatible` is set.

use serde::{Deserialize, Serialize};

use super::absence::Absence;
use super::network::AddressKind;
use super::reach::{Attempt, ReachState};

/// A coordinator, and what was found in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Coordinator {
    /// The name that findings use: the kind, and where it is.
    pub name: String,
    /// What it is.
    pub kind: CoordinatorKind,
    /// Where it is, as it was given: hosts with a chroot, a URL, or a directory.
    pub place: String,
    /// How reaching it ended.
    pub state: CoordinatorState,
    /// What was said, where that says more than the state.
    pub detail: Option<String>,
    /// The members of the ensemble that were named, in order. Empty for a directory.
    pub members: Vec<Member>,
    /// The member that was asked, or the directory.
    pub asked: Option<String>,
    /// Whether `asked` is on this very host: a loopback address or a directory.
    pub local: bool,
    /// The release of the server. etcd only; ZooKeeper does not tell it in its protocol.
    pub version: Option<String>,
    /// Whether the v2 API is there. Null unless it is an etcd that answered.
    pub v2: Option<bool>,
    /// Whether the session is a read-only one: this ZooKeeper has lost its majority. Null elsewhere.
    pub read_only: Option<bool>,
    /// Whether credentials were given.
    pub credentials: bool,
    /// The product that was asked for. Null: every one.
    pub wanted: Option<String>,
    /// The names of all products that are registered, whether they were looked at or not.
    pub registered: Option<Vec<String>>,
    /// The products that were looked at.
    pub products: Option<Vec<Product>>,
    /// Facts that could not be had.
    pub errors: Vec<Absence>,
}

/// What a coordinator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CoordinatorKind {
    /// ZooKeeper.
    #[default]
    Zookeeper,
    /// etcd, by its v2 API.
    Etcd,
    /// A directory, the default of Codis 3.2.
    Filesystem,
}

/// How reaching a coordinator ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CoordinatorState {
    /// It answered, and its tree could be asked for.
    Answered,
    /// Its v2 API is off or gone (etcd 3.4 and later): Codis cannot use it.
    NoV2,
    /// It refuses the credentials, or wants some.
    Refused,
    /// Something answered that is no such coordinator, or broke off.
    Wrong,
    /// No member answered; `members` say how each attempt ended.
    #[default]
    Unreached,
}

/// A member of an ensemble.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The name that was given: `HOST:PORT`.
    pub name: String,
    /// How connecting ended.
    pub state: ReachState,
    /// What the operating system or the server said.
    pub detail: Option<String>,
    /// Every address that was tried.
    pub attempts: Vec<Attempt>,
}

/// A product: one Codis cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// Whether there is a tree of Codis 3 (`/codis3/PRODUCT`).
    pub codis3: bool,
    /// Whether there is a tree of Codis 2.0 (slots or servers below `/zk/codis/db_PRODUCT`).
    pub codis2: bool,
    /// The lock of the dashboard (`topom`). Null: no dashboard holds it.
    pub dashboard: Option<Dashboard>,
    /// Where else in the same run a dashboard with another token is at work for this product: other coordinators, and
    /// URLs of dashboards.
    pub other_dashboards: Vec<String>,
    /// Other products of the same coordinator whose lock names the same dashboard.
    pub same_dashboard: Vec<String>,
    /// The proxies that the dashboard knows.
    pub proxies: Option<Vec<Proxy>>,
    /// What proxies have announced to clients.
    pub jodis: Option<Vec<JodisEntry>>,
    /// The directories in which there are such entries, as clients take them (`zkProxyDir`).
    pub jodis_paths: Vec<String>,
    /// The coordinator of this run in which proxies of this product are announced: this one, or another that
    /// `jodis_addr` names. Null: none of them.
    pub announced_in: Option<String>,
    /// The proxies as the two lists and the dashboard show them. Null while one of the two lists is not known.
    pub comparison: Option<Vec<ProxyPresence>>,
    /// The groups of servers.
    pub groups: Option<Vec<Group>>,
    /// Slots, as runs of slots that are alike.
    pub slots: Option<Vec<SlotRange>>,
    /// The number of slots that stand in it. A slot is written when it is first assigned.
    pub slot_count: u32,
    /// Servers that are in two groups, of this or of another product of the run.
    pub shared_servers: Vec<SharedServer>,
    /// The addresses of the dashboard and of proxies, and those announced to clients.
    pub addresses: Vec<Registered>,
    /// The addresses of servers.
    pub server_addresses: Vec<Registered>,
    /// Whether all of these addresses and the coordinator itself are on this very host.
    pub on_one_host: bool,
    /// Who may read and write what. Null where the coordinator does not tell.
    pub access: Option<Vec<Access>>,
    /// What stands in it and cannot be understood.
    pub oddities: Vec<Oddity>,
    /// Facts that could not be had.
    pub errors: Vec<Absence>,
}

/// The lock that a dashboard holds on its product: persistent, so it outlives a dashboard that was killed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The random name of this run of the dashboard.
    pub token: Option<String>,
    /// Where it can be reached, as it registered itself.
    pub admin_addr: Option<String>,
    /// When it started, as it wrote it.
    pub start_time: Option<String>,
    /// Its process id.
    pub pid: Option<i64>,
    /// Who answers at `admin_addr`. Null: nobody was asked.
    pub answer: Option<DashboardAnswer>,
    /// What was said there instead.
    pub answer_detail: Option<String>,
}

/// Who answers at the address in a dashboard's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DashboardAnswer {
    /// The dashboard that wrote the lock.
    Owner,
    /// A dashboard, and another one than wrote the lock.
    Another,
    /// Something that is no dashboard.
    NoDashboard,
    /// The host is there, and nobody listens.
    Refused,
    /// The name has no address here.
    Unresolved,
    /// It cannot be reached from here; it may be reached from elsewhere.
    Unreached,
}

/// A proxy that the dashboard knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its number.
    pub id: Option<i64>,
    /// The random name of this run of the proxy.
    pub token: String,
    /// Where the dashboard reaches it.
    pub admin_addr: Option<String>,
    /// Where clients reach it.
    pub proxy_addr: Option<String>,
    /// Where it announces itself. Null: it does not (`jodis_name` is empty).
    pub jodis_path: Option<String>,
    /// The product that it was started for.
    pub product_name: Option<String>,
}

/// The shape of a path below which proxies announce themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JodisFlavour {
    /// `/jodis/PRODUCT/proxy-TOKEN`: Codis 3.1 and later.
    Jodis,
    /// `/zk/codis/db_PRODUCT/proxy/TOKEN`: `jodis_compatible`, and always Codis 3.0.
    Compatible,
    /// `/zk/codis/db_PRODUCT/proxy/ID`: Codis 2.0.
    Codis2,
}

/// A proxy as it announces itself to clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JodisEntry {
    /// Where it stands.
    pub path: String,
    /// The shape of its path.
    pub flavour: JodisFlavour,
    /// The token of the proxy, or in 2.0 its id.
    pub token: String,
    /// Where clients reach it.
    pub addr: Option<String>,
    /// Where it is administered; 3.1 and later.
    pub admin: Option<String>,
    /// `online`, or in 2.0 `offline` or `mark_offline`. Clients take those that are online.
    pub state: Option<String>,
    /// Whether it goes away with its proxy. Null where the coordinator does not tell.
    pub ephemeral: Option<bool>,
    /// Seconds until it goes away unless it is renewed: etcd.
    pub ttl_seconds: Option<i64>,
}

/// Where one proxy is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyPresence {
    /// Its token.
    pub token: String,
    /// Where clients reach it.
    pub addr: Option<String>,
    /// Whether it announces itself at all.
    pub announces: bool,
    /// Whether the dashboard's tree in the coordinator has it.
    pub registered: bool,
    /// Whether the dashboard itself has it, which keeps everything in memory. Null unless a dashboard of this product
    /// was looked at in the same run, and is at work.
    pub in_dashboard: Option<bool>,
    /// Whether it is announced to clients.
    pub announced: bool,
    /// Whether the two name the same address for clients. Null unless both have it.
    pub same_addr: Option<bool>,
}

/// A group of servers: one master and its replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its number.
    pub id: i64,
    /// Its servers; the first one is the master, whatever INFO says.
    pub servers: Vec<GroupServer>,
    /// `promoting`, as it stands there: `preparing`, `prepared`, `finished`, or empty.
    pub promoting: String,
    /// Whether the dashboard has yet to tell Sentinel or the proxies. Normal after slots were assigned.
    pub out_of_sync: bool,
    /// How many slots name it.
    pub slots: u32,
}

/// A server of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupServer {
    /// Its address.
    pub server: String,
    /// Its replication action: `pending`, `syncing`, `synced`, `synced_failed`, or empty.
    pub action: String,
}

/// Slots from `first` to `last` that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotRange {
    /// The first slot.
    pub first: u32,
    /// The last slot.
    pub last: u32,
    /// Its group; 0: none, clients get an error.
    pub group: i64,
    /// The state of its migration: `pending`, `preparing`, `prepared`, `migrating`, `finished`, or empty.
    pub action: String,
    /// The group that it migrates to.
    pub target: Option<i64>,
    /// Whether there is such a group. Null while the groups are not known.
    pub group_exists: Option<bool>,
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

/// An address that somebody registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Whose it is: `dashboard`, `proxy 1`, `jodis /jodis/…`, `group 1`.
    pub owner: String,
    /// What it is: `admin_addr`, `proxy_addr`, `addr`, `admin`, `server`.
    pub what: String,
    /// The address as it stands there.
    pub text: String,
    /// Its host. Null: it is no address.
    pub host: Option<String>,
    /// The kind of the host.
    pub kind: Option<AddressKind>,
    /// For a name: the addresses that it has here; none when it has none. Null: nobody asked.
    pub resolved: Option<Vec<String>>,
    /// The kind of what it comes to: that of the host, or of a name's first address.
    pub reach_kind: Option<AddressKind>,
}

/// Who may do what with a part of the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// One of the nodes that it holds for.
    pub example: String,
    /// How many nodes it holds for.
    pub nodes: u32,
    /// Whether anyone may read.
    pub anyone_reads: bool,
    /// Whether anyone may write, create or delete.
    pub anyone_writes: bool,
    /// The schemes that protect it: `digest`, `ip`, `sasl`, `auth`.
    pub schemes: Vec<String>,
    /// Tokens of the password hashes that were shown.
    pub digests: Vec<String>,
    /// Whether these hashes were shown to somebody who gave no credentials.
    pub digests_open: bool,
}

/// Something in the tree that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Oddity {
    /// Where it stands.
    pub path: String,
    /// What is odd.
    pub what: OddityKind,
    /// More about it; never what stands there.
    pub detail: String,
}

/// Why a node cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OddityKind {
    /// Not JSON, or not the JSON that belongs there.
    Malformed,
    /// Larger than any node of Codis.
    TooLarge,
    /// It has more children than any directory of Codis.
    TooMany,
    /// Its content names another proxy, group, slot or product than its path.
    Misplaced,
}
