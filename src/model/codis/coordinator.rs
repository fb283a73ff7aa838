//! What a coordinator of Codis holds: ZooKeeper, the v2 API of etcd, or a directory.
//!
//! The layout is that of Codis 3.0 to 3.2 and of Pika's fork (`/codis3/PRODUCT`), and as far as clients look at
//! it that of Codis 2.0 (`/zk/codis/db_PRODUCT`). Proxies announce themselves to clients ("jodis") below
//! `/jodis/PRODUCT`, or below `/zk/codis/db_PRODUCT/proxy` where `jodis_compatible` is set.

use serde::{Deserialize, Serialize};

use super::super::reach::{Attempt, ReachState};
use super::dashboard::Dashboard;
use super::proxy::{JodisEntry, Proxy, ProxyPresence};
use super::topology::{Group, Registered, SharedServer, SlotRange};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

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
    pub detail: Option<Reason>,
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
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
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
    pub detail: Option<Reason>,
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
    /// Dashboards of the same run that are at work for this product though the lock is not there. An end of another
    /// dashboard removes it: by `--shutdown`, or by a signal that is not SIGKILL.
    pub unlocked_dashboards: Vec<String>,
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
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
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
    pub detail: Reason,
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
