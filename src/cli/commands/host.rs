//! `pikadoctor host`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::cli::args::connection::{Connecting, Side};
use crate::cli::args::hosts::Way;
use crate::cli::args::options::Printing;
use crate::cli::outcome::{Failure, Outcome};
use crate::collect::host::{InstanceSelector, Roots, Search};
use crate::collect::ssh::Destination;
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::link::LinkMode;
use crate::model::policy::Parameters;
use crate::model::release::Version;
use crate::parse::address::pika_address;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::one_host::{HereRequest, ThereRequest, examine_that_host, examine_this_host, loopback};
use crate::pipeline::servers::{LinkRequest, Trial, examine, examine_links};

/// Look at this machine, or at another one over ssh: is it fit for the Pikas on it, and for replication
///
/// Every Pika that runs there is found by its process and asked for its release; --conf judges one that does not run
/// yet, as the user who calls this would start it. What the rights of that user do not allow to see is left out
/// with the reason; no sudo is used.
///
/// With --ssh all this is done on that host: its processes and files, its loopback, and the PATH and limits of the
/// user that ssh logs in as. No password is sent there: a Pika that wants one is for `check HOST:PORT --ssh`.
/// --master and --replica are asked from here, and dialled from there.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only the Pika of this process
    #[arg(long, value_name = "PID", conflicts_with_all = ["port", "conf"])]
    pid: Option<u32>,

    /// Only the Pika with this client port
    #[arg(long, value_name = "PORT", conflicts_with = "conf")]
    port: Option<u16>,

    /// A Pika that does not run: its configuration, which with --ssh is a file of that host
    #[arg(long, value_name = "FILE", requires = "pika_version")]
    conf: Option<PathBuf>,

    /// The release of the Pika that does not run
    #[arg(long, value_name = "VERSION", requires = "conf")]
    pika_version: Option<Version>,

    /// The master that the Pikas of the host replicate from, or shall
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address)]
    master: Option<Address>,

    /// A replica that the Pikas of the host are the master of, or shall be
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address, conflicts_with_all = ["master", "conf"])]
    replica: Option<Address>,

    /// A peer whose name the resolver of the host must find without delay
    #[arg(long, value_name = "ADDRESS")]
    peer: Vec<IpAddr>,

    #[command(flatten)]
    way: Way,

    #[command(flatten)]
    connecting: Connecting,

    #[command(flatten)]
    printing: Printing,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.printing.validate()?;
    let mut catalogue = catalogue_with(&[]).map_err(Failure::new)?;
    // What the servers are like otherwise is for `check`.
    catalogue.checks.retain(|check| check.file.target.is_about_hosts());
    let facts = match arguments.way.destination()? {
        Some(via) => arguments.look_over(&via, &catalogue.knowledge)?,
        None => arguments.look(&catalogue.knowledge)?,
    };
    arguments.printing.outcome(facts, &catalogue, &Parameters::new())
}

impl Arguments {
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
    fn others(&self) -> impl Iterator<Item = (Side, &Address)> {
        let master = self.master.iter().map(|master| (Side::Master, master));
        master.chain(self.replica.iter().map(|replica| (Side::Server, replica)))
    }

    /// Looks at this host, and at its Pikas as servers.
    fn look(&self, knowledge: &Knowledge) -> Result<Facts, Failure> {
        let search = self.search("");
        let running = search.map(|search| search.find(&Roots::default())).transpose().map_err(Failure)?;
        let running = running.unwrap_or_default();
        let addresses: Vec<Address> = running.ports().into_iter().map(loopback).collect();
        let named: Vec<(Side, &Address)> =
            addresses.iter().map(|one| (Side::Server, one)).chain(self.others()).collect();
        let targets = self.connecting.targets(&named)?;
        let request = |replica: &Address, master: &Address| LinkRequest {
            replica: replica.to_string(),
            master: master.to_string(),
            mode: LinkMode::Replica,
        };
        let mut links: Vec<LinkRequest> = Vec::new();
        for here in &addresses {
            links.extend(self.master.iter().map(|master| request(here, master)));
            links.extend(self.replica.iter().map(|replica| request(replica, here)));
        }
        let here = HereRequest {
            running,
            planned: self.planned(|conf| conf.display().to_string()),
            whole: self.pid.is_none() && self.port.is_none(),
            peers: self.peer.clone(),
        };
        self.connecting.run(!links.is_empty(), async |scope| {
            // Nothing is tried on the links; the host is what this is about.
            let trial = Trial { live: None, forced: false };
            let mut facts = examine_links(&targets, &links, knowledge, scope, trial).await;
            examine_this_host(&mut facts, here, knowledge, &scope.deadlines).await;
            facts
        })
    }

    /// Looks at another host, whose Pikas are found and asked there.
    fn look_over(&self, via: &Destination, knowledge: &Knowledge) -> Result<Facts, Failure> {
        if let Some(conf) = self.conf.as_ref().filter(|conf| !conf.is_absolute()) {
            return Err(Failure(format!(
                "--conf {}: with --ssh it is a file of {}; write its whole path",
                conf.display(),
                via.name()
            )));
        }
        let named: Vec<(Side, &Address)> = self.others().collect();
        let targets = self.connecting.targets(&named)?;
        let there = ThereRequest {
            search: self.search(via.name()),
            planned: self.planned(|conf| format!("{}:{}", via.name(), conf.display())),
            master: self.master.as_ref().map(ToString::to_string),
            replica: self.replica.as_ref().map(ToString::to_string),
            peers: self.peer.clone(),
        };
        let one = there.search.as_ref().is_some_and(Search::is_for_one);
        let facts = self.connecting.run(false, async |scope| {
            let mut facts = examine(&targets, knowledge, scope).await;
            examine_that_host(&mut facts, via, there, knowledge, &scope.deadlines).await;
            facts
        })?;
        let missing = facts.hosts.iter().flat_map(|host| &host.errors).find(|one| one.path == "instances");
        match missing.filter(|_| one) {
            Some(missing) => Err(Failure(format!("{}: {}", via.name(), missing.reason))),
            None => Ok(facts),
        }
    }
}
