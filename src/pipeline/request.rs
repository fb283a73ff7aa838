//! What a run is to collect.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::collect::codis::request;
use crate::collect::coordinator::collect::CoordinatorRequest;
use crate::collect::host::{InstanceSelector, Search};
use crate::collect::link::Live;
use crate::collect::logs::{LogRequest, Window};
use crate::collect::secret::Password;
use crate::collect::ssh::Destination;
use crate::collect::verify::{VerifyOptions, VerifyProgress};
use crate::model::address::Address;
use crate::model::companion::CompanionKind;
use crate::model::link::LinkMode;
use crate::model::release::Version;
use crate::parse::hosts::Hosts;
use crate::plan::read::Plan;

/// A server to collect facts from.
#[derive(Clone, Debug)]
pub struct ServerTarget {
    /// The name that findings use.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// The password, if there is one.
    pub password: Option<Password>,
}

/// A replication link between two of the targets.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// The name of the replica's target.
    pub replica: String,
    /// The name of the master's target.
    pub master: String,
    /// Whether the two are meant to be a double master.
    pub mode: LinkMode,
}

/// What may be done on links.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkProbeOptions {
    /// Which probes may be made. `None`: none at all, as for a forecast.
    pub live: Option<Live>,
    /// Whether the `slaveof` of the forecast says `force`.
    pub forced: bool,
}

/// A server whose host is asked, too.
#[derive(Clone, Debug)]
pub struct HostRequest {
    /// The name of the server.
    pub node: String,
    /// How its host is reached. `None`: only if it is this one.
    pub via: Option<Destination>,
}

/// The host that this program runs on, asked for its own sake.
#[derive(Clone, Debug, Default)]
pub struct LocalHostRequest {
    /// Which of the Pikas that run here are asked. `None`: none of them.
    pub search: Option<Search>,
    /// Their password.
    pub password: Option<Password>,
    /// The master that they replicate from, or shall: the name of one of the targets.
    pub master: Option<String>,
    /// The replica that they are the master of, or shall be.
    pub replica: Option<String>,
    /// Whether the host itself is asked about.
    pub whole: bool,
    /// A configuration of a Pika that does not run yet.
    pub planned: Option<InstanceSelector>,
    /// Peers whose names are looked up, beside those that follow from the links.
    pub peers: Vec<IpAddr>,
}

/// Another host, asked for its own sake over ssh.
#[derive(Clone, Debug)]
pub struct RemoteHostRequest {
    /// How it is reached.
    pub via: Destination,
    /// Which of the Pikas that run there are asked.
    pub search: Option<Search>,
    /// A configuration there of a Pika that does not run yet.
    pub planned: Option<InstanceSelector>,
    /// The target that they are to be replicas of.
    pub master: Option<String>,
    /// The target that they are to be the masters of.
    pub replica: Option<String>,
    /// Peers whose names are looked up, beside the master.
    pub peers: Vec<IpAddr>,
}

/// A Codis.
#[derive(Clone, Debug, Default)]
pub struct CodisRequest {
    /// The Codis itself.
    pub survey: request::Request,
    /// The password of the servers behind it.
    pub password: Option<Password>,
    /// Whether the servers behind it become targets.
    pub servers: bool,
}

/// Sentinels.
#[derive(Clone, Debug, Default)]
pub struct SentinelRequest {
    /// The Sentinels, each with the password of Sentinels.
    pub sentinels: Vec<ServerTarget>,
    /// Whether the servers that they monitor become targets.
    pub follow: bool,
    /// The password of these servers.
    pub password: Option<Password>,
}

/// Configuration files that are read together, without a server.
#[derive(Clone, Debug, Default)]
pub struct ConfFilesRequest {
    /// The files; `-` is the standard input.
    pub names: Vec<String>,
    /// The release that they are read for. `None`: every release.
    pub version: Option<Version>,
    /// What all of them are for; `Some(None)` is a pika.conf. `None`: what their content says.
    pub kind: Option<Option<CompanionKind>>,
}

/// The configuration file of a server.
#[derive(Clone, Debug)]
pub struct ServerConfRequest {
    /// The name of the server's target.
    pub server: String,
    /// The file.
    pub path: PathBuf,
    /// Whether it is judged as a file, too, and not only compared with its server.
    pub judged: bool,
}

/// Logs that are judged together.
#[derive(Clone, Debug)]
pub struct LogsRequest {
    /// The name that findings use. `None`: that of the server or, where there is one, of its link.
    pub name: Option<String>,
    /// The server that they belong to. `None`: no server is asked.
    pub server: Option<String>,
    /// The logs of one server, or those of both ends of a link.
    pub logs: Vec<LogRequest>,
    /// What counts as recent.
    pub window: Window,
}

/// A comparison of data between targets.
#[derive(Clone, Debug)]
pub struct VerificationRequest {
    /// The names of the targets where the data should be complete.
    pub sources: Vec<String>,
    /// The names of those that are held against it.
    pub targets: Vec<String>,
    /// How.
    pub options: VerifyOptions,
}

/// What is done with what a comparison says on its way.
type Told = dyn Fn(&str, &VerifyProgress) + Send + Sync;

/// Whoever is told how far a comparison is. It is given what is compared, as `TARGET <- SOURCE`.
#[derive(Clone)]
pub struct VerifyListener(pub Arc<Told>);

impl fmt::Debug for VerifyListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyListener")
    }
}

/// Everything that a run is to collect. What is empty is not collected.
#[derive(Clone, Debug, Default)]
pub struct CollectionPlan {
    /// A bundle or a report to take the facts from, in place of servers.
    pub bundle: Option<PathBuf>,
    /// The servers that were named.
    pub targets: Vec<ServerTarget>,
    /// Hosts that may see passwords beside those that were named.
    pub password_to: Vec<Hosts>,
    /// The links that were named.
    pub links: Vec<LinkRequest>,
    /// What may be done on these links. On links that are found nothing is written.
    pub probes: LinkProbeOptions,
    /// Whether the ports that are counted from the client port are left alone.
    pub skip_ports: bool,
    /// The servers whose hosts are asked, too.
    pub hosts: Vec<HostRequest>,
    /// This host.
    pub local_host: Option<LocalHostRequest>,
    /// Another host.
    pub remote_host: Option<RemoteHostRequest>,
    /// A Codis.
    pub codis: Option<CodisRequest>,
    /// Coordinators of Codis, and the password of the servers that they name.
    pub coordinators: Option<(CoordinatorRequest, Option<Password>)>,
    /// Sentinels.
    pub sentinels: SentinelRequest,
    /// Configuration files without a server.
    pub conf_files: ConfFilesRequest,
    /// Configuration files of targets.
    pub server_confs: Vec<ServerConfRequest>,
    /// Logs.
    pub logs: Vec<LogsRequest>,
    /// Comparisons of data, one after the other.
    pub verifications: Vec<VerificationRequest>,
    /// Who is told how far they are.
    pub on_progress: Option<VerifyListener>,
    /// The plan of the cutover, whose expectations are noted at what it names.
    pub cutover: Option<Plan>,
}

impl CollectionPlan {
    /// Servers and links alone.
    pub fn of(targets: Vec<ServerTarget>, links: Vec<LinkRequest>, probes: LinkProbeOptions) -> Self {
        Self { targets, links, probes, ..Self::default() }
    }

    /// Whether more than servers is asked, which takes longer.
    pub fn is_large(&self) -> bool {
        let local = self.local_host.as_ref();
        !self.links.is_empty()
            || self.codis.is_some()
            || self.coordinators.is_some()
            || !self.sentinels.sentinels.is_empty()
            || local.is_some_and(|host| host.master.is_some() || host.replica.is_some())
    }
}
