//! One server: everything that it said, and what follows from that.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::codis::topology::SlotSet;
use super::info::{Clients, Data, InfoSection, Keyspace, Process, Tasks};
use super::network::{Collision, HostNetwork, OwnAddress, Peer, Port};
use super::planned::PlannedNode;
use super::reach::Reach;
use super::reason::Reason;
use super::release::{Line, Version};
use super::replication::{Binlog, DoubleMaster, Replication};
use super::server::{Authentication, Server};
use super::unavailable::Unavailable;

/// One server, or what was found in the place of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Node {
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
    /// The release, resolved to the oldest that fits what was seen. Pika's own report is in
    /// `release.reported`.
    pub version: Option<Version>,
    /// More about the release.
    pub release: Option<Release>,
    /// The process: INFO server.
    pub process: Option<Process>,
    /// INFO clients. The limits are in `config`.
    pub clients: Option<Clients>,
    /// Long-running tasks: INFO stats.
    pub tasks: Option<Tasks>,
    /// INFO data.
    pub data: Option<Data>,
    /// INFO replication.
    pub replication: Option<Replication>,
    /// Where the binlog ends: INFO log, or the binlog lines of INFO replication. Its settings are in `config`.
    pub binlog: Option<Binlog>,
    /// INFO doublemaster. Null on releases without the double-master mode.
    pub double_master: Option<DoubleMaster>,
    /// INFO keyspace: counts of the last finished scan, not of now.
    pub keyspace: Option<Keyspace>,
    /// The slots that a server in sharding mode serves, by table: PKCLUSTER INFO SLOT. It answers for no other. Null in
    /// classic mode, and on releases without.
    #[serde(default)]
    pub slots: Option<Vec<TableSlots>>,
    /// How often each command ran since the start: INFO command_exec_count. Keys are upper case.
    pub commands: Option<BTreeMap<String, u64>>,
    /// The ports that are counted from the client port, as far as they may be touched. Null when the
    /// release is not known.
    pub ports: Option<Vec<Port>>,
    /// Ports of this server that another server of the same run needs on the same host. Set by `derive`;
    /// null when the server was not reached or its release is not known.
    pub collisions: Option<Vec<Collision>>,
    /// Addresses that this server gives for its peers, and their kinds. Set by `derive`.
    /// Null when nothing is known about its replication.
    pub peers: Option<Vec<Peer>>,
    /// The network of its host. Null unless this tool runs there and sees the process.
    pub host_network: Option<HostNetwork>,
    /// The address that it takes for its own. Follows from its host, seen from there or over ssh; set by `derive`.
    pub own_address: Option<OwnAddress>,
    /// Whether the master that it names is itself; set by `derive`. Null: INFO replication was not read.
    #[serde(default)]
    pub follows_itself: Option<bool>,
    /// The IP address that it was reached at; set by `derive`.
    pub reached_at: Option<String>,
    /// Whether that is no address of the network that it lives in: somebody translates, as for a published port of
    /// a container, or the outer address of a cloud. Set by `derive`; null where nothing shows it.
    pub translated: Option<bool>,
    /// Whether it has a master or replicas, or a link of this run ends at it. Set by `derive`; null when it did not
    /// say.
    pub replicates: Option<bool>,
    /// CONFIG GET, by the name that was asked for. Passwords are tokens.
    pub config: Option<BTreeMap<String, String>>,
    /// Every INFO section that was read, line by line as it came, by lower-case name.
    pub info: BTreeMap<String, InfoSection>,
    /// What the plan says of it. Null: it stands in no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlannedNode>,
    /// What was not sent, and why: refusals of the gate.
    pub not_sent: Vec<NotSent>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

impl Node {
    /// Whether the peer that this server names is `other`. Addresses are compared as the server compares them, as
    /// strings; a name is never the address of a peer that declares an IP address.
    pub fn names_peer(&self, other: &Self) -> Option<bool> {
        let pair = self.double_master.as_ref().filter(|pair| pair.enabled == Some(true))?;
        let host = pair.peer_host.as_deref()?;
        let own = other.own_address.as_ref().and_then(|own| own.address.as_deref());
        let known = [Some(other.address.host.as_str()), other.reached_at.as_deref(), own];
        let same_machine = self.reached_at.is_some() && self.reached_at == other.reached_at;
        let same_host = known.contains(&Some(host))
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) && same_machine;
        Some(same_host && pair.peer_port == Some(i64::from(other.address.port)))
    }
}

/// A generation of replication, by its name in `checks/knowledge/generations.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Generation(String);

/// The release of a Pika.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `pika_version` of INFO, as it came. It can be too low: 4.0.1 reports 4.0.0.
    pub reported: String,
    /// Every known release that fits what was seen, oldest first.
    pub candidates: Vec<Version>,
    /// Whether a known release fits. False for a development build or one that is newer than this tool, of which
    /// nothing is taken for known.
    pub recognised: bool,
    /// How that release is known.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// The line of releases.
    pub line: Option<Line>,
    /// The generation of replication.
    pub generation: Option<Generation>,
    /// The day on which the oldest candidate was tagged, `YYYY-MM-DD`.
    pub tagged: Option<String>,
    /// The commit that the binary was built from, as it says.
    pub git_sha: Option<String>,
    /// How the release was settled.
    pub settled_by: SettledBy,
    /// A fact that INFO shows although this release has none of the kind: `tasks.slots_cleanup`. The server is another build
    /// than it says.
    #[serde(default)]
    pub foreign_fact: Option<String>,
}

/// How what is said about a release is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// It was run, and its source was read at the tag.
    Run,
    /// Its source was read at the tag.
    #[default]
    Source,
    /// Files of its branch were read one by one. There was no tag to read, and it was not run.
    Files,
}

/// What told the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SettledBy {
    /// `pika_git_sha` is the commit of a release tag.
    GitSha,
    /// `pika_version` alone; it is known to be right for this number.
    Report,
    /// A field that only some of the releases with this `pika_version` print.
    Marker,
    /// Nothing: several releases report this number, and nothing tells them apart here.
    Nothing,
}

/// Slots of a table that a server serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TableSlots {
    /// The table, as `db0`. Codis knows this one alone.
    pub table: String,
    /// Its slots.
    pub slots: SlotSet,
}

/// A command that the gate did not let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NotSent {
    /// The command.
    pub command: String,
    /// Why it is not sent to this release.
    pub reason: Reason,
}
