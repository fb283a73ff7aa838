//! What is asked about a host.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::network::RouteEnd;
use crate::model::reason::Reason;
use crate::model::release::Version;

/// What is to be found out about a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The Pikas to look at.
    pub instances: Vec<InstanceSelector>,
    /// Whether every other Pika that runs on the host is looked at, too.
    pub all: bool,
    /// Whether the host itself is asked about.
    pub whole: bool,
    /// The addresses of peers, whose names are looked up.
    pub peers: Vec<IpAddr>,
    /// The servers that the host must reach.
    pub dials: Vec<Dial>,
    /// The servers to which routes are looked up.
    pub routes: Vec<RouteRequest>,
}

impl Request {
    /// The same without connections along the routes; the kernel is asked all the same.
    #[must_use]
    pub fn without_trying_routes(mut self) -> Self {
        for route in &mut self.routes {
            route.port = None;
        }
        self
    }
}

/// A server that a Pika of the host replicates with, or shall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RouteRequest {
    /// The name of the Pika. `None`: of every one that is looked at.
    pub of: Option<String>,
    /// The name of the other server.
    pub to: String,
    /// What it is to this Pika.
    pub end: RouteEnd,
    /// Its address.
    pub ip: IpAddr,
    /// Its client port. `None`: it is not dialled.
    pub port: Option<u16>,
}

/// A Pika to look at: by its process, by its port, or by its configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InstanceSelector {
    /// The name that findings use.
    pub name: Option<String>,
    /// The name of the server of the run that it is.
    pub node: Option<String>,
    /// The process.
    pub pid: Option<u32>,
    /// The client port.
    pub port: Option<u16>,
    /// The configuration of one that does not run.
    pub conf: Option<PathBuf>,
    /// The release.
    pub version: Option<Version>,
    /// The name of the server of the run whose data it shall copy.
    pub master: Option<String>,
    /// Whether it replicates, or shall. `None`: only if `master` says so.
    pub replicates: Option<bool>,
    /// Why it was not asked for its release and its replication, or did not tell them.
    pub skip_reason: Option<Reason>,
    /// Settings as the running server told them.
    pub settings: BTreeMap<String, String>,
}

/// A server that a host must reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// Its name.
    pub to: String,
    /// Its client port, at the address by which it is reached.
    pub address: SocketAddr,
    /// Its release; its ports follow from it.
    pub release: Version,
    /// What the dialling host is to it.
    pub r#as: DialAs,
}

/// What a host that dials is to the server that it dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DialAs {
    /// The host of its replica.
    Replica,
    /// The host of its master.
    Master,
}
