//! Options about hosts, and the ways to them.

use crate::cli::error::CliError;
use crate::collect::ssh::{Destination, InvalidDestination};
use crate::model::address::Address;
use crate::pipeline::request::HostRequest;
use crate::plan::read::{Plan, PlannedServer};

/// The way to one host.
#[derive(Debug, Default, clap::Args)]
pub struct SshArgs {
    /// Check that host instead of this one: run this program there over ssh
    #[arg(long, value_name = "USER@HOST")]
    ssh: Option<String>,

    /// If the host has no pikadoctor, copy this one there to a temporary file and remove it afterwards
    #[arg(long, requires = "ssh")]
    ssh_copy: bool,
}

impl SshArgs {
    /// Where it leads to. `None`: here.
    pub fn destination(&self) -> Result<Option<Destination>, InvalidDestination> {
        self.ssh.as_ref().map(|name| Destination::new(name, self.ssh_copy)).transpose()
    }
}

/// How the hosts of servers are checked.
///
/// A server that runs on this host has its host checked without any option.
#[derive(Debug, Default, clap::Args)]
pub struct HostArgs {
    /// Also check the server's host: run this program there over ssh. With several servers once for each, in their
    /// order
    #[arg(long, value_name = "USER@HOST")]
    ssh: Vec<String>,

    /// Also check the host of the master or peer, in the same way
    #[arg(long, value_name = "USER@HOST")]
    master_ssh: Option<String>,

    /// If the host has no pikadoctor, copy this one there to a temporary file and remove it afterwards
    #[arg(long)]
    ssh_copy: bool,

    /// Check no host, not even this one
    #[arg(long, conflicts_with_all = ["ssh", "master_ssh", "ssh_copy"])]
    no_host: bool,
}

impl HostArgs {
    /// The way to the host of each server.
    pub fn ways(&self, servers: &[Address], other: Option<&Address>) -> Result<Vec<HostRequest>, CliError> {
        if self.no_host {
            return Ok(Vec::new());
        }
        if self.ssh.len() > servers.len() {
            let (ways, count) = (self.ssh.len(), servers.len());
            return Err(CliError::Usage(format!("--ssh is given {ways} times for {count} server(s)")));
        }
        if self.master_ssh.is_some() && other.is_none() {
            return Err(CliError::usage("--master-ssh needs --master or --peer"));
        }
        if self.ssh_copy && self.ssh.is_empty() && self.master_ssh.is_none() {
            return Err(CliError::usage("--ssh-copy needs --ssh or --master-ssh"));
        }
        let way = |name: &String| Destination::new(name, self.ssh_copy);
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
    pub fn planned_ways(&self, plan: &Plan) -> Result<Vec<HostRequest>, CliError> {
        if !self.ssh.is_empty() || self.master_ssh.is_some() {
            return Err(CliError::Usage(format!(
                "--ssh: {} says how hosts are reached, `ssh:`",
                plan.origin
            )));
        }
        if self.no_host {
            return Ok(Vec::new());
        }
        let request = |server: &PlannedServer| {
            let way = |(name, place): &(String, String)| {
                Destination::new(name, self.ssh_copy)
                    .map_err(|source| CliError::DestinationOfPlan { place: place.clone(), source })
            };
            let via = server.ssh.as_ref().map(way).transpose()?;
            Ok(HostRequest { node: server.address.to_string(), via })
        };
        plan.servers.iter().map(request).collect()
    }
}
