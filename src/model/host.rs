//! Facts about a host: what the programs, disks, cards and limits of a machine make of the Pikas on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::network::{HostNetwork, OwnAddress, PeerRoute, Port, PortRole};
use super::release::Version;
use super::storage::{
    BinlogBound, ConfOnHost, DatabaseOnHost, DumpSpace, FullSyncSpace, LogFiles, MemoryBound, PathOnHost,
};
use super::unavailable::Unavailable;

/// From where a host was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SeenFrom {
    /// This tool ran on it.
    #[default]
    Here,
    /// This tool ran on it, called over ssh.
    Ssh,
}

/// Why a host could not be looked at over ssh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SshFailure {
    /// What went wrong.
    pub kind: SshErrorKind,
    /// The words of ssh or of the host about it, shortened.
    pub detail: Option<String>,
}

/// What can go wrong on the way over ssh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SshErrorKind {
    /// There is no ssh on the machine on which this tool was called.
    NoSsh,
    /// The name of the host has no address.
    Unresolved,
    /// Nobody listens on the port of ssh.
    Refused,
    /// No answer before the deadline.
    TimedOut,
    /// The key of the host is not among the known ones.
    HostKeyUnknown,
    /// The host shows another key than the known one.
    HostKeyChanged,
    /// The host lets nobody in by the keys that were offered.
    PermissionDenied,
    /// There is no pikadoctor in the PATH there.
    NoBinary,
    /// The program that was found or copied is for another kind of processor.
    OtherArchitecture,
    /// The program may not be run there: the temporary directory is mounted noexec.
    NotExecutable,
    /// The pikadoctor there is of another version.
    OtherVersion,
    /// What came back is no answer of pikadoctor: the shell there prints or does something else.
    Babble,
    /// More came back than an answer can have.
    TooMuch,
    /// Anything else that ssh says.
    Failed,
}

/// A host on which Pika runs or shall run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The name that findings use: the destination of ssh, or the host's own name.
    pub name: String,
    /// From where it was looked at.
    pub seen: SeenFrom,
    /// Why it could not be looked at over ssh.
    pub ssh: Option<SshFailure>,
    /// Whether the host itself was asked about, and not only some Pika that runs there.
    pub whole: bool,
    /// The names of the servers of this run that run on it.
    pub nodes: Vec<String>,
    /// Its own name (uname -n).
    pub hostname: Option<String>,
    /// Who looked.
    pub looked_as: Option<Account>,
    /// /etc/os-release.
    pub distribution: Option<Distribution>,
    /// Its clock.
    pub clock: Option<Clock>,
    /// Settings of its kernel.
    pub kernel: Option<Kernel>,
    /// Processes that the kernel killed for want of memory.
    pub out_of_memory: Option<OutOfMemory>,
    /// How much memory it has (`MemTotal`), in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Cards and default routes, as this tool sees them there. `bound` is empty.
    pub network: Option<HostNetwork>,
    /// The Pikas that run there, and those that were asked about by their configuration.
    pub instances: Vec<Instance>,
    /// The rsync daemons that a Pika has started.
    pub rsync_daemons: Option<Vec<RsyncDaemon>>,
    /// The look-ups of names for the addresses of peers.
    pub lookups: Vec<NameLookup>,
    /// Servers that this host must reach, and what it found on their ports.
    pub dialled: Vec<Dialled>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// A user of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The number.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// The name; null when /etc/passwd has none for the number.
    pub name: Option<String>,
}

/// How the distribution of a host installs programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Packages {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora, Red Hat and its kin from 8 on.
    Dnf,
    /// Red Hat and its kin up to 7.
    Yum,
    /// Alpine.
    Apk,
    /// SUSE.
    Zypper,
}

/// What /etc/os-release says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// `ID`
    pub id: String,
    /// `PRETTY_NAME`
    pub name: Option<String>,
    /// How it installs programs. Null when it is none that is known.
    pub packages: Option<Packages>,
    /// The command that installs rsync.
    pub install_rsync: Option<String>,
}

/// The clock of a host against the one of the machine on which this tool was called. Null for that machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// It is ahead by at least so many seconds; negative: behind.
    pub ahead_at_least: f64,
    /// It is ahead by at most so many seconds.
    pub ahead_at_most: f64,
    /// By how many seconds it differs for certain, whatever the way to it took.
    pub differs: f64,
}

/// Settings of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// kernel.osrelease
    pub release: Option<String>,
    /// kernel.pid_max
    pub pid_max: Option<u64>,
    /// vm.overcommit_memory: 0 guess, 1 always, 2 never
    pub overcommit_memory: Option<u8>,
    /// The first of net.ipv4.ip_local_port_range
    pub local_ports_from: Option<u32>,
    /// The last of net.ipv4.ip_local_port_range
    pub local_ports_to: Option<u32>,
    /// net.ipv4.ip_local_reserved_ports, as it is written there
    pub reserved_ports: Option<String>,
    /// net.ipv4.ip_unprivileged_port_start: ports below it are for root and for who has CAP_NET_BIND_SERVICE
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unprivileged_ports_from: Option<u32>,
    /// What /bin/sh is: `dash`, `bash`, `busybox`
    pub shell: Option<String>,
}

/// What the kernel killed for want of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutOfMemory {
    /// How many processes since the host was started (`oom_kill` of /proc/vmstat).
    pub kills: Option<u64>,
    /// The lines of the kernel's log about killed Pikas and rsyncs, newest last, at most ten.
    pub victims: Option<Vec<String>>,
}

/// A Pika of a host: a process, or a configuration that shall become one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The name that findings use: that of the server where it is one of this run, else the host and the port.
    pub name: String,
    /// The name of the server of this run that it is.
    pub node: Option<String>,
    /// Whether it was asked about. Others are there for the ports that they need.
    pub asked: bool,
    /// The process. Null: it does not run, and is judged as this tool's user would start it.
    pub pid: Option<u32>,
    /// The release, from the server or as it was named.
    pub version: Option<Version>,
    /// Whether it replicates, or shall: it has replicas or a master, or a link of this run ends at it.
    pub replicates: Option<bool>,
    /// The name of the server of this run whose data it copies, or shall.
    pub master: Option<String>,
    /// The program that runs.
    pub program: Option<String>,
    /// What the next start by the same command line runs. Null: it does not run.
    pub next_start: Option<NextStart>,
    /// The user of the process.
    pub account: Option<Account>,
    /// Whether the process has CAP_NET_BIND_SERVICE, the right to the ports below `unprivileged_ports_from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binds_any_port: Option<bool>,
    /// The memory that the kernel lets the process have, in bytes: that of the host, or less by a limit of its cgroups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// The memory that it holds now, in bytes. Null: it does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// The memory that its settings allow; set by `derive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryBound>,
    /// The client port.
    pub port: Option<u16>,
    /// Its configuration file.
    pub conf: Option<ConfOnHost>,
    /// The settings that this judgement needs, by name: those of the running server where it told them, else those of
    /// the file. No password is among them.
    pub settings: BTreeMap<String, String>,
    /// The rsync that it finds.
    pub rsync: Option<Rsync>,
    /// How many files it may open.
    pub open_files: Option<OpenFiles>,
    /// Its directories.
    pub paths: Option<Vec<PathOnHost>>,
    /// Who listens on ports that can be its own.
    pub listeners: Option<Vec<Listener>>,
    /// Whether it has a network of its own, as in a container: its ports are in nobody's way, and its cards and
    /// routes are not seen.
    pub own_network: bool,
    /// Its cards and routes.
    pub network: Option<HostNetwork>,
    /// The pid file of its rsync daemon. Null when there is none.
    pub rsync_pid_file: Option<PidFile>,
    /// The address that it takes for its own; set by `derive`.
    pub own_address: Option<OwnAddress>,
    /// Its ports and who has them; set by `derive`.
    pub ports: Option<Vec<PortOnHost>>,
    /// The files of its database.
    pub database: Option<DatabaseOnHost>,
    /// The space that a full copy takes; set by `derive`.
    pub full_sync: Option<FullSyncSpace>,
    /// The space that a dump takes; set by `derive`.
    pub dump: Option<DumpSpace>,
    /// What lies below log-path.
    pub log_files: Option<LogFiles>,
    /// How large its binlog can become; set by `derive`.
    pub binlog: Option<BinlogBound>,
    /// The ways to the servers that it replicates with, or shall. Null: its network could not be seen.
    #[serde(default)]
    pub routes: Option<Vec<PeerRoute>>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

impl Instance {
    /// The address that a start takes: that of the card that its settings name, else that of its sockets, else that of
    /// the default route, or with `eth0` of that card. `None`: its network is not seen, or nothing tells whether a card
    /// is named.
    pub fn address_at_start(&self, eth0: bool) -> Option<OwnAddress> {
        let network = self.network.as_ref()?;
        let named = self.settings.get("network-interface");
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return Some(network.address_of_card(name));
        }
        // A file that was read and does not name a card is as good as a server that says so.
        let was_read = self.conf.as_ref().is_some_and(|conf| conf.exists == Some(true));
        let is_told = named.is_some() || was_read || !network.bound.is_empty();
        is_told.then(|| network.own_address(eth0))
    }

    /// The address that a process took when it was started: that of its sockets, where they show it.
    pub fn address_now(&self, eth0: bool) -> Option<OwnAddress> {
        match self.network.as_ref().filter(|network| !network.bound.is_empty()) {
            Some(network) => Some(network.own_address(eth0)),
            None => self.address_at_start(eth0),
        }
    }
}

/// The program to which the command line of a process leads now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NextStart {
    /// The path. Null: there is no program any more.
    pub program: Option<String>,
    /// Whether it is the very file that runs.
    pub same_file: bool,
    /// The number that another file reports (`-v`). Null when it was not run; then `unavailable` has the reason.
    pub reports: Option<Version>,
    /// Whether it is the release that runs; set by `derive`. Null: not known.
    pub same_release: Option<bool>,
}

/// The rsync that a process finds in its PATH.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rsync {
    /// The PATH that it was looked for in.
    pub search: String,
    /// Whether that is the PATH of the process itself; if not, it is that of this tool.
    pub of_process: bool,
    /// Where it is. Null: it is in none of the directories.
    pub path: Option<String>,
    /// Whether the user of the process may run it. Null when there is none.
    pub executable: Option<bool>,
    /// Its version. Null when it was not run; then `unavailable` has the reason.
    pub version: Option<String>,
    /// Whether `chmod` is in the same PATH. Null: nobody looked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chmod: Option<bool>,
}

/// Limits of a process about files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenFiles {
    /// `ulimit -Sn`; null: unlimited
    pub soft: Option<u64>,
    /// `ulimit -Hn`; null: unlimited
    pub hard: Option<u64>,
    /// How many are open now.
    pub open: Option<u64>,
}

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The address it is bound to.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The process. Null when this tool may not see whose it is.
    pub pid: Option<u32>,
    /// The name of the process.
    pub process: Option<String>,
}

/// The pid file of an rsync daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PidFile {
    /// The path.
    pub path: String,
    /// The process that it names. Null when it names none.
    pub pid: Option<u32>,
    /// Whether that process exists and is an rsync.
    pub alive: bool,
    /// The name of that process, whatever it is. Null when there is none.
    pub process: Option<String>,
}

/// A port of a Pika on its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortOnHost {
    /// The port; can be above 65535.
    pub number: u32,
    /// What is added to the client port.
    pub offset: u32,
    /// What it is for.
    pub role: PortRole,
    /// Whether it is open all the time. If not, it is open during a full sync.
    pub always: bool,
    /// Who listens there: the process itself, its rsync daemon, another one, or nobody.
    pub held_by: Holder,
    /// The process that listens there. Null for nobody, and where that may not be seen.
    pub pid: Option<u32>,
    /// Its name.
    pub process: Option<String>,
    /// The other Pika of this host that needs the same port.
    pub wanted_by: Option<String>,
    /// What the other one needs it for.
    pub wanted_for: Option<PortRole>,
    /// Whether the kernel may give it to any outgoing connection: it is in ip_local_port_range and not reserved.
    pub ephemeral: Option<bool>,
}

/// Who has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// Nobody listens there.
    Nobody,
    /// The Pika itself.
    Itself,
    /// A Pika that was started with the very configuration that is asked about, or its rsync daemon.
    Running,
    /// An rsync daemon that this Pika, or an earlier one of its directories, has started.
    ItsRsync,
    /// Another process.
    Another,
    /// Somebody; this tool may not see who.
    Unseen,
}

/// An rsync daemon that a Pika has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RsyncDaemon {
    /// The process.
    pub pid: u32,
    /// Its configuration file, below db-sync-path.
    pub config: String,
    /// db-sync-path, which follows from the place of the file.
    pub directory: String,
    /// The port from its command line.
    pub port: Option<u16>,
    /// For how many seconds it has run.
    pub age_seconds: Option<u64>,
    /// The process of the Pika that has this db-sync-path now. Null: none of them runs.
    pub pika: Option<u32>,
}

/// The look-up of the name of a peer's address. An rsync daemon makes one for each connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NameLookup {
    /// The address.
    pub address: String,
    /// Its name. Null when it has none, which is an answer, too.
    pub name: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Whether an answer came at all.
    pub answered: bool,
}

/// A server that a host must reach, dialled from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dialled {
    /// The name of the server.
    pub to: String,
    /// The client port that was dialled, with its IP address.
    pub address: String,
    /// The IP address.
    pub ip: String,
    /// What was found on the ports that this host must reach.
    pub ports: Vec<Port>,
}
