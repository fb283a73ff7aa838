//! Options about hosts, and the ways to them.

use crate::cli::outcome::Failure;
use crate::collect::ssh::Destination;
use crate::model::address::Address;
use crate::pipeline::hosts::HostRequest;
use crate::plan::read::{Plan, PlannedServer};

/// The way to one host.
#[derive(Debug, Default, clap::Args)]
pub struct Way {
    /// Look at that host and not at this one: run this program there over ssh
    #[arg(long, value_name = "USER@HOST")]
    ssh: Option<String>,

    /// Where the host has no pikadoctor, copy this one to a temporary file there and remove it afterwards
    #[arg(long, requires = "ssh")]
    ssh_copy: bool,
}

impl Way {
    /// Where it leads to. `None`: here.
    pub fn destination(&self) -> Result<Option<Destination>, Failure> {
        self.ssh.as_ref().map(|name| Destination::new(name, self.ssh_copy)).transpose().map_err(Failure::new)
    }
}

/// How the hosts of servers are looked at.
///
/// Where a server runs on this very host, its host is looked at without any option.
#[derive(Debug, Default, clap::Args)]
pub struct Hosts {
    /// Look at the server's host, too: run this program there over ssh. Several servers: once for each, in
    /// their order
    #[arg(long, value_name = "USER@HOST")]
    ssh: Vec<String>,

    /// The same for the host of the master or peer
    #[arg(long, value_name = "USER@HOST")]
    master_ssh: Option<String>,

    /// Where the host has no pikadoctor, copy this one to a temporary file there and remove it afterwards
    #[arg(long)]
    ssh_copy: bool,

    /// Look at no host, not even at this one
    #[arg(long, conflicts_with_all = ["ssh", "master_ssh", "ssh_copy"])]
    no_host: bool,
}

impl Hosts {
    /// The way to the host of each server.
    pub fn ways(&self, servers: &[Address], other: Option<&Address>) -> Result<Vec<HostRequest>, Failure> {
        if self.no_host {
            return Ok(Vec::new());
        }
        if self.ssh.len() > servers.len() {
            let (ways, count) = (self.ssh.len(), servers.len());
            return Err(Failure(format!("--ssh is given {ways} times for {count} server(s)")));
        }
        if self.master_ssh.is_some() && other.is_none() {
            return Err(Failure("--master-ssh needs --master or --peer".into()));
        }
        if self.ssh_copy && self.ssh.is_empty() && self.master_ssh.is_none() {
            return Err(Failure("--ssh-copy needs --ssh or --master-ssh".into()));
        }
        let way = |name: &String| Destination::new(name, self.ssh_copy).map_err(Failure::new);
        let mut requests = Vec::new();
        for (index, server) in servers.iter().enumerate() {
            let via = self.ssh.get(index).map(way).transpose()?;
            requests.push(HostRequest { node: server.to_string(), via });
        }
        if let Some(other) = other {
            let via = self.master_ssh.as_ref().map(way).transpose()?;
            requests.push(HostRequest { node: other.to_string(), via });
        }
        Ok(requests)
    }

    /// The ways to the hosts of a plan.
    pub fn planned_ways(&self, plan: &Plan) -> Result<Vec<HostRequest>, Failure> {
        if !self.ssh.is_empty() || self.master_ssh.is_some() {
            return Err(Failure(format!("--ssh: {} says how hosts are reached, `ssh:`", plan.origin)));
        }
        if self.no_host {
            return Ok(Vec::new());
        }
        let request = |server: &PlannedServer| {
            let way = |(name, place): &(String, String)| {
                Destination::new(name, self.ssh_copy).map_err(|error| Failure(format!("{place}: {error}")))
            };
            let via = server.ssh.as_ref().map(way).transpose()?;
            Ok(HostRequest { node: server.address.to_string(), via })
        };
        plan.servers.iter().map(request).collect()
    }
}
