//! `pikadoctor host`

use std::net::IpAddr;
use std::path::PathBuf;

use super::connection::{Connecting, Side};
use super::options::{Printing, catalogue_with};
use super::{Failure, Outcome};
use crate::collect::host::{Roots, Wanted, pikas};
use crate::judge::evaluate::Parameters;
use crate::model::facts::{Address, Facts};
use crate::model::knowledge::Knowledge;
use crate::model::link::LinkMode;
use crate::model::release::Version;
use crate::plan::values::parse_address;
use crate::{HereRequest, LinkRequest, Trial, examine_links, examine_this_host};

/// Look at this machine: is it fit for the Pikas on it, and for replication
///
/// Every Pika that runs here is found by its process and asked for its release; --conf judges one that does not run
/// yet, as the user who calls this would start it. What the rights of that user do not allow to see is left out
/// with the reason; no sudo is used.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only the Pika of this process
    #[arg(long, value_name = "PID", conflicts_with_all = ["port", "conf"])]
    pid: Option<u32>,

    /// Only the Pika with this client port
    #[arg(long, value_name = "PORT", conflicts_with = "conf")]
    port: Option<u16>,

    /// A Pika that does not run: its configuration
    #[arg(long, value_name = "FILE", requires = "pika_version")]
    conf: Option<PathBuf>,

    /// The release of the Pika that does not run
    #[arg(long, value_name = "VERSION", requires = "conf")]
    pika_version: Option<Version>,

    /// The master that the Pikas here replicate from, or shall
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address)]
    master: Option<Address>,

    /// A peer whose name the resolver of this host must find without delay
    #[arg(long, value_name = "ADDRESS")]
    peer: Vec<IpAddr>,

    #[command(flatten)]
    connecting: Connecting,

    #[command(flatten)]
    printing: Printing,
}

/// Pikas that run here.
#[derive(Default)]
struct Running {
    /// Process and client port.
    by_port: Vec<(u32, u16)>,
    /// Processes whose port cannot be seen.
    unseen: Vec<u32>,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.printing.validate()?;
    let mut catalogue = catalogue_with(&[])?;
    // What the servers are like otherwise is for `check`.
    catalogue.checks.retain(|check| check.file.target.is_about_hosts());
    let running = arguments.running()?;
    let facts = arguments.look(running, &catalogue.knowledge)?;
    arguments.printing.outcome(facts, &catalogue, &Parameters::new())
}

impl Arguments {
    /// The Pikas of this host that are asked about.
    fn running(&self) -> Result<Running, Failure> {
        if self.conf.is_some() {
            return Ok(Running::default());
        }
        let mut running = Running::default();
        for (pid, port) in pikas(&Roots::default()) {
            if self.pid.is_some_and(|asked| asked != pid)
                || self.port.is_some_and(|asked| Some(asked) != port)
            {
                continue;
            }
            match port {
                Some(port) => running.by_port.push((pid, port)),
                None => running.unseen.push(pid),
            }
        }
        let found = running.by_port.len() + running.unseen.len() > 0;
        match (self.pid, self.port) {
            (Some(pid), _) if !found => {
                Err(Failure(format!("process {pid} is not a Pika that is to be seen on this host")))
            }
            (_, Some(port)) if !found => {
                Err(Failure(format!("no Pika with port {port} is to be seen on this host")))
            }
            _ => Ok(running),
        }
    }

    fn look(&self, running: Running, knowledge: &Knowledge) -> Result<Facts, Failure> {
        // 127.0.0.1 is always among the addresses of a Pika, whatever network-interface says.
        let address = |port| Address { host: "127.0.0.1".into(), port };
        let addresses: Vec<Address> = running.by_port.iter().map(|(_, port)| address(*port)).collect();
        let mut named: Vec<(Side, &Address)> = addresses.iter().map(|one| (Side::Server, one)).collect();
        named.extend(self.master.iter().map(|master| (Side::Master, master)));
        let targets = self.connecting.targets(&named)?;
        let request = |replica: &Address, master: &Address| LinkRequest {
            replica: replica.to_string(),
            master: master.to_string(),
            mode: LinkMode::Replica,
        };
        let links: Vec<LinkRequest> = self
            .master
            .iter()
            .flat_map(|master| addresses.iter().map(move |replica| request(replica, master)))
            .collect();
        let here = HereRequest {
            running: running.by_port.iter().map(|(pid, port)| (address(*port).to_string(), *pid)).collect(),
            planned: self.conf.as_ref().map(|conf| Wanted {
                name: Some(conf.display().to_string()),
                conf: Some(conf.clone()),
                version: self.pika_version,
                master: self.master.as_ref().map(ToString::to_string),
                ..Wanted::default()
            }),
            unasked: running.unseen,
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
}
