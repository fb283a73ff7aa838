//! `pikadoctor host`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::cli::args::connection::{ConnectionArgs, TargetRole};
use crate::cli::args::output::ReportArgs;
use crate::cli::args::ssh::SshArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::collect::host::{InstanceSelector, Search};
use crate::collect::ssh::Destination;
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::policy::Parameters;
use crate::model::release::Version;
use crate::parse::address::pika_address;
use crate::pipeline::HOST;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::request::{CollectionPlan, LocalHostRequest, RemoteHostRequest};

/// Check this host, or another one over ssh: is it fit for the Pikas on it, and for replication
///
/// Every Pika that runs there is found by its process and asked for its release; --conf judges one that does not run
/// yet, as the user who calls this would start it. What the rights of that user do not allow to see is left out
/// with the reason; no sudo is used.
///
/// With --ssh all this is done on that host: its processes and files, its loopback, and the PATH and limits of the
/// user that ssh logs in as. No password is sent there: a Pika that wants one is for `check HOST:PORT --ssh`.
/// --master and --replica are asked from here, and dialled from there.
#[derive(Debug, clap::Args)]
pub struct HostCommand {
    /// Check the Pika of this process only
    #[arg(long, value_name = "PID", conflicts_with_all = ["port", "conf"])]
    pid: Option<u32>,

    /// Check the Pika with this client port only
    #[arg(long, value_name = "PORT", conflicts_with = "conf")]
    port: Option<u16>,

    /// Check a Pika that does not run yet: its configuration, which with --ssh is a file of that host
    #[arg(long, value_name = "FILE", requires = "pika_version")]
    conf: Option<PathBuf>,

    /// The release of the Pika that does not run yet
    #[arg(long, value_name = "VERSION", requires = "conf")]
    pika_version: Option<Version>,

    /// The master that the Pikas of the host replicate from, or will
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address)]
    master: Option<Address>,

    /// A replica that the Pikas of the host are the master of, or will be
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address, conflicts_with_all = ["master", "conf"])]
    replica: Option<Address>,

    /// A peer whose name the host must resolve without delay [repeatable]
    #[arg(long, value_name = "ADDRESS")]
    peer: Vec<IpAddr>,

    #[command(flatten)]
    ssh: SshArgs,

    #[command(flatten)]
    connecting: ConnectionArgs,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &HostCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    let mut catalogue = catalogue_with(&[])?;
    // What the servers are like otherwise is for `check`.
    catalogue.checks.retain(|check| check.target.is_about_hosts());
    let plan = match arguments.ssh.destination()? {
        Some(via) => arguments.remote(&via)?,
        None => arguments.local()?,
    };
    let plan = CollectionPlan { skip_ports: arguments.connecting.skips_ports(), ..plan };
    let facts = arguments.connecting.collect(&plan, HOST, &catalogue.knowledge)?;
    if let Some(remote) = &plan.remote_host {
        found_it(&facts, remote)?;
    }
    arguments.report.outcome(facts, &catalogue, &Parameters::new())
}

impl HostCommand {
    /// The Pikas that run on the host and are asked about. `None`: one that does not run.
    fn search(&self, host: &str) -> Option<Search> {
        let search = || Search {
            pid: self.pid,
            port: self.port,
            host: host.to_owned(),
            master: self.master.as_ref().map(ToString::to_string),
            replicates: self.master.is_some() || self.replica.is_some(),
        };
        self.conf.is_none().then(search)
    }

    /// The Pika that does not run.
    fn planned(&self, name: impl Fn(&Path) -> String) -> Option<InstanceSelector> {
        self.conf.as_ref().map(|conf| InstanceSelector {
            name: Some(name(conf)),
            conf: Some(conf.clone()),
            version: self.pika_version,
            master: self.master.as_ref().map(ToString::to_string),
            ..InstanceSelector::default()
        })
    }

    /// The servers that are named, and are none of the host's own.
    fn others(&self) -> impl Iterator<Item = (TargetRole, &Address)> {
        let master = self.master.iter().map(|master| (TargetRole::Master, master));
        master.chain(self.replica.iter().map(|replica| (TargetRole::Server, replica)))
    }

    /// This host, and its Pikas as servers.
    fn local(&self) -> Result<CollectionPlan, CliError> {
        let named: Vec<(TargetRole, &Address)> = self.others().collect();
        let search = self.search("");
        // Without anybody to ask nobody needs a password.
        let (targets, password) = if search.is_some() {
            self.connecting.targets_and_common(&named)?
        } else {
            (self.connecting.targets(&named)?, None)
        };
        let local_host = LocalHostRequest {
            search,
            password,
            master: self.master.as_ref().map(ToString::to_string),
            replica: self.replica.as_ref().map(ToString::to_string),
            whole: self.pid.is_none() && self.port.is_none(),
            planned: self.planned(|conf| conf.display().to_string()),
            peers: self.peer.clone(),
        };
        // Nothing is tried on links; the host is what this is about.
        Ok(CollectionPlan { targets, local_host: Some(local_host), ..CollectionPlan::default() })
    }

    /// Another host, whose Pikas are found and asked there.
    fn remote(&self, via: &Destination) -> Result<CollectionPlan, CliError> {
        if let Some(conf) = self.conf.as_ref().filter(|conf| !conf.is_absolute()) {
            return Err(CliError::Usage(format!(
                "--conf {}: with --ssh it is a file of {}; write its whole path",
                conf.display(),
                via.name()
            )));
        }
        let named: Vec<(TargetRole, &Address)> = self.others().collect();
        let targets = self.connecting.targets(&named)?;
        let remote_host = RemoteHostRequest {
            via: via.clone(),
            search: self.search(via.name()),
            planned: self.planned(|conf| format!("{}:{}", via.name(), conf.display())),
            master: self.master.as_ref().map(ToString::to_string),
            replica: self.replica.as_ref().map(ToString::to_string),
            peers: self.peer.clone(),
        };
        Ok(CollectionPlan { targets, remote_host: Some(remote_host), ..CollectionPlan::default() })
    }
}

/// The one Pika that was asked for must be there.
fn found_it(facts: &Facts, remote: &RemoteHostRequest) -> Result<(), CliError> {
    let one = remote.search.as_ref().is_some_and(Search::is_for_one);
    let missing =
        facts.hosts.iter().flat_map(|host| &host.unavailable).find(|absence| absence.path == "instances");
    match missing.filter(|_| one) {
        Some(missing) => {
            Err(CliError::NotOnHost { host: remote.via.name().to_owned(), reason: missing.reason.clone() })
        }
        None => Ok(()),
    }
}
