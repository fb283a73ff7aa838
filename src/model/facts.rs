//! What was seen: the tree that checks look at, that bundles carry and that `--format json` prints.
//!
//! Three rules hold everywhere in it:
//!
//! * A fact is what a server said or did, or what follows from it without an opinion. Opinions are
//!   findings.
//! * `null` means that there is nothing (a master has no master), unless an entry of `errors` names
//!   the fact or something above it: then it could not be had, and the entry says why.
//! * Secrets are not in it. A password is a token: equal tokens within one run mean equal passwords,
//!   the empty string means that none is set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codis::Codis;
use super::companion::CompanionFile;
use super::conf::ConfFile;
use super::coordinator::Coordinator;
use super::drift::ConfDrift;
use super::host::Host;
use super::link::{Link, Pair};
use super::logs::LogView;
use super::network::{Collision, HostNetwork, OwnAddress, Peer, Port};
use super::planned::PlannedNode;
use super::release::{Line, Version};
use super::replication::{Binlog, DoubleMaster, Replication};
use super::sentinel::{Sentinel, Watched};

/// The version of this tree, in `Facts::schema`.
pub const SCHEMA: &str = "pikadoctor.facts/1";

/// Everything that was seen in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always `pikadoctor.facts/1`.
    pub schema: String,
    /// When collecting began, RFC 3339, UTC.
    pub collected_at: String,
    /// The servers, in the order in which they were named.
    pub nodes: Vec<Node>,
    /// The replication links that were asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The double masters that were asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// The configuration files, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conf_files: Vec<ConfFile>,
    /// The hosts that were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// The coordinators of Codis that were looked at, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordinators: Vec<Coordinator>,
    /// Every Codis that was asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codis: Vec<Codis>,
    /// Configuration files of the programs around Pika, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companion_files: Vec<CompanionFile>,
    /// The Sentinels that were asked, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<Sentinel>,
    /// The master names that the Sentinels watch. Set by `derive`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Watched>,
    /// The logs that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogView>,
    /// Configuration files beside the running values of their servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conf_drifts: Vec<ConfDrift>,
}

impl Facts {
    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

/// One server, or what was found in the place of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    pub errors: Vec<Absence>,
}

/// A host and a port as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// The client port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How connecting to the client port ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReachState {
    /// A connection was made and something answered.
    Answered,
    /// A connection was made, and nothing came before the deadline.
    Silent,
    /// A connection was made and closed or reset by the other side before any answer.
    Closed,
    /// A connection was made, part of the answer came, and then nothing more before the deadline.
    Stalled,
    /// Connection refused: the host is there, nobody listens on the port (or a filter rejects).
    Refused,
    /// No answer to the connection attempt: a packet filter drops it, or the host is down.
    Filtered,
    /// No route to the host or network.
    Unreachable,
    /// The host name has no address.
    Unresolved,
    /// Anything else that the operating system says; see `detail`.
    Failed,
    /// The deadline of the whole run came first.
    #[default]
    NotTried,
}

/// The way to the client port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// How it ended.
    pub state: ReachState,
    /// What the operating system said, where that says more than the state.
    pub detail: Option<String>,
    /// Every address that was tried, in order.
    pub attempts: Vec<Attempt>,
    /// The address and port that the connection was made to.
    pub peer: Option<String>,
    /// The address that the connection was made from.
    pub local: Option<String>,
    /// Time until the connection was made, in seconds.
    pub connect_seconds: Option<f64>,
    /// How many times something was sent and its answer awaited.
    pub round_trips: u32,
}

/// One address that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// IP address and port.
    pub address: String,
    /// How it ended.
    pub state: ReachState,
    /// What the operating system said.
    pub detail: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// A Pika.
    Pika,
    /// It answers like a Pika but lets nobody in without a password.
    PikaLocked,
    /// It wants a password before it says what it is: a Redis, or a Pika of 3.5.3 and later.
    Locked,
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
    /// Another server that speaks Redis' protocol and names itself (KeyDB, Dragonfly, Kvrocks, …).
    RedisLike,
    /// A sentinel.
    Sentinel,
    /// A Codis proxy.
    CodisProxy,
    /// It speaks Redis' protocol and does not say what it is.
    UnknownRedisProtocol,
    /// An `rsync --daemon`: perhaps a derived port of Pika was named in place of its client port.
    RsyncDaemon,
    /// A web server.
    Http,
    /// A port that expects TLS.
    Tls,
    /// An SSH server.
    Ssh,
    /// Something that sends what is not Redis' protocol.
    Garbage,
}

/// What answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its kind.
    pub kind: ServerKind,
    /// Product and version as it names itself, for example `Redis 7.0.15`.
    pub product: Option<String>,
    /// The line or bytes that gave it away.
    pub evidence: String,
}

/// What the password that was given did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthOutcome {
    /// No password was given.
    #[default]
    NotGiven,
    /// AUTH answered OK.
    Accepted,
    /// AUTH refused the password.
    Refused,
    /// The server has no password to compare with.
    NoneSet,
    /// AUTH was not answered in one of the known ways.
    Unclear,
}

/// Passwords and rights on this connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// What became of the password.
    pub outcome: AuthOutcome,
    /// The answer to AUTH, as it came.
    pub reply: Option<String>,
    /// Whether the server answers INFO on this connection.
    pub admitted: Option<bool>,
    /// The ACL user of this connection (ACL WHOAMI, 3.5.3 and later).
    pub user: Option<String>,
    /// The ACL users that are let in without a password, or with any (ACL LIST, 3.5.3 and later). Their
    /// settings can differ from what CONFIG GET userpass shows: CONFIG SET does not reach them.
    pub open_users: Option<Vec<String>>,
    /// Whether the server's requirepass and the given password are the same. Null when either is
    /// not known.
    pub matches_requirepass: Option<bool>,
    /// Whether the given password and the server's userpass are the same.
    pub matches_userpass: Option<bool>,
}

/// One of the five generations of replication.
///
/// The names follow the table of generations in `checks/knowledge/generations.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Generation {
    /// 2.0.0 to 2.0.5.
    G0,
    /// 2.1.0 to 2.2.6.
    G1,
    /// 2.3.0 to 2.3.8.
    G2,
    /// 3.0.0 to 3.0.16.
    G3,
    /// 3.1.0 to 3.4.1.
    G4,
    /// 3.5.0 and later, 4.x.
    G5,
}

/// The release of a Pika.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `pika_version` of INFO, as it came. It can be too low: 4.0.1 reports 4.0.0.
    pub reported: String,
    /// Every known release that fits what was seen, oldest first.
    pub candidates: Vec<Version>,
    /// Whether a known release fits. False for a development build or one that is newer than this tool.
    pub recognised: bool,
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
}

/// What told the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// INFO server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Process id.
    pub pid: Option<i64>,
    /// The client port, as the server knows it; differs from the address behind a port mapping.
    pub tcp_port: Option<u16>,
    /// Seconds since the start. Some releases print an uninitialised number.
    pub uptime_seconds: Option<i64>,
    /// The configuration file as named on the command line.
    pub config_file: Option<String>,
    /// `server-id`, as text: from 3.3.0 a value above 65535 becomes `PIKA_SERVER_ID_MAX`.
    pub server_id: Option<String>,
    /// `run-id`, 3.5.0 and later.
    pub run_id: Option<String>,
    /// Operating system.
    pub os: Option<String>,
}

/// Connections of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Open connections of clients, this one included.
    pub connected: Option<u64>,
}

/// A long-running task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Whether it runs now.
    pub running: bool,
    /// The value as it came: `Yes, <start>,<seconds>`, `No`, or the name of a task.
    pub text: String,
    /// For how many seconds it has run, where the release says so.
    pub seconds: Option<i64>,
}

/// The tasks that INFO stats tells of. Null where the release has none of that kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// A bgsave.
    pub bgsave: Option<Task>,
    /// A key scan (`info keyspace 1`).
    pub key_scan: Option<Task>,
    /// A compaction that was asked for.
    pub compaction: Option<Task>,
    /// SLOTSRELOAD.
    pub slots_reload: Option<Task>,
    /// SLOTSCLEANUP.
    pub slots_cleanup: Option<Task>,
    /// A slot migration (3.5.0 and later).
    pub slots_migration: Option<Task>,
}

/// INFO data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Bytes below db-path.
    pub db_size_bytes: Option<u64>,
    /// Bytes below log-path: binlogs, and logs where they share the directory.
    pub log_size_bytes: Option<u64>,
    /// Memory of memtables and table readers in bytes. Not the memory of the process.
    pub used_memory_bytes: Option<u64>,
    /// `compression`.
    pub compression: Option<String>,
    /// Whether RocksDB stopped with a background error (`db_fatal`).
    pub fatal: Option<bool>,
    /// Its text.
    pub fatal_message: Option<String>,
}

/// INFO keyspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keyspace {
    /// When the last scan was started, as it came. A server that never scanned prints 1970 or 0.
    pub scan_started: Option<String>,
    /// Whether a scan ever ran since the start of the server.
    pub scanned: bool,
    /// Counts of the last finished scan.
    pub counts: Vec<KeyCount>,
}

/// How many keys of one type a database held at the last scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyCount {
    /// The database; null where there is one for all.
    pub db: Option<String>,
    /// `strings`, `hashes`, `lists`, `sets`, `zsets`, `streams`.
    pub kind: String,
    /// Keys.
    pub keys: u64,
    /// Keys with a time to live (3.0.6 and later).
    pub expires: Option<u64>,
    /// Keys that are expired and not yet removed (3.0.6 and later).
    pub invalid: Option<u64>,
}

/// One section of INFO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoSection {
    /// The lines between this section's header and the next, without line ends. With the header they
    /// give back what the server sent.
    pub lines: Vec<String>,
    /// The header without `# `, for example `Replication(MASTER)`.
    pub header: String,
}

/// A command that the gate did not let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotSent {
    /// The command.
    pub command: String,
    /// Why it is not sent to this release.
    pub reason: String,
}

/// Why a fact is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AbsenceKind {
    /// It should be known and could not be had. A check that needs it is unknown.
    Failed,
    /// Nobody gave the access that it needs. A check that needs it is skipped.
    NoAccess,
    /// This release does not have it. A check that needs it is not applicable.
    NotInRelease,
}

/// A fact that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// The fact below the node, with dots: `data.fatal`, `config.masterauth`; `""` is the whole node.
    pub path: String,
    /// What follows from its absence.
    pub kind: AbsenceKind,
    /// Why, in words.
    pub reason: String,
}
