//! What is looked at: the servers, the links between them, and how far.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::around::Around;
use super::connection::{Connecting, Side};
use super::hosts::Hosts;
use super::local_files::LocalFiles;
use crate::cli::outcome::Failure;
use crate::collect::files::bundle::read_facts;
use crate::collect::files::text_file::read_text;
use crate::collect::link::Live;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::link::LinkMode;
use crate::parse::address::pika_address;
use crate::pipeline::files::read_conf_files;
use crate::pipeline::inquiry::Inquiry;
use crate::pipeline::servers::{LinkRequest, Trial};
use crate::plan::read::{Plan, read_plan};
use crate::plan::values::parse_duration;

/// Servers and links.
#[derive(Debug, clap::Args)]
pub struct Looking {
    /// Servers: HOST[:PORT], [IPV6]:PORT; the port is 9221 when none is named
    #[arg(required_unless_present_any = ["from", "plan", "codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"], value_name = "HOST:PORT", value_parser = pika_address)]
    targets: Vec<Address>,

    /// Look at what a plan names: its servers, links and double masters, by its thresholds and waivers
    #[arg(short = 'f', long = "file", value_name = "PLAN", conflicts_with_all = ["targets", "master", "peer", "master_password_file"])]
    plan: Option<PathBuf>,

    /// Look at no server: take what `capture` wrote, or a report of --format json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "master", "peer", "codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"])]
    from: Option<PathBuf>,

    /// Look at the replication of each server from this master, too, whether it follows it already or not
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address)]
    master: Option<Address>,

    /// Look at the double master that the server makes with this one (2.3.0 to 3.0.16)
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address, conflicts_with = "master")]
    peer: Option<Address>,

    /// Write nothing, not even a key that expires by itself
    #[arg(long)]
    read_only: bool,

    /// Time for a write to arrive on the replica, for each database
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    canary_timeout: Duration,

    #[command(flatten)]
    local_files: LocalFiles,

    #[command(flatten)]
    around: Around,

    #[command(flatten)]
    hosts: Hosts,

    #[command(flatten)]
    connecting: Connecting,
}

impl Looking {
    /// The plan, if one is named.
    pub fn plan(&self, catalogue: &Catalogue) -> Result<Option<Plan>, Failure> {
        let Some(path) = &self.plan else { return Ok(None) };
        let text = read_text(path).map_err(Failure::new)?;
        let environment = |name: &str| std::env::var(name).ok();
        read_plan(&path.to_string_lossy(), &text, catalogue, &environment).map(Some).map_err(Failure::new)
    }

    /// Whether there are servers to look at; otherwise there is a file.
    pub fn is_live(&self) -> bool {
        self.from.is_none()
    }

    /// Looks, once.
    pub fn look(&self, plan: Option<&Plan>, knowledge: &Knowledge) -> Result<Facts, Failure> {
        let Some(path) = &self.from else {
            let inquiry = self.inquiry(plan)?;
            let mut facts = self
                .connecting
                .run(inquiry.is_large(), async |scope| inquiry.look(knowledge, scope).await)?;
            self.complete(&mut facts, plan, knowledge);
            return Ok(facts);
        };
        let mut facts = read_facts(path).map_err(Failure::new)?;
        if let Some(plan) = plan {
            all_there(plan, &facts, path)?;
            plan.mark(&mut facts);
        }
        Ok(facts)
    }

    /// What to ask of whom.
    pub fn inquiry(&self, plan: Option<&Plan>) -> Result<Inquiry, Failure> {
        self.local_files.validate(plan.map_or(self.targets.len(), |plan| plan.servers.len()))?;
        let live = Live { write: !self.read_only, canary_wait: self.canary_timeout };
        let trial = Trial { live: Some(live), forced: false };
        if let Some(plan) = plan {
            let request = |link: &crate::plan::read::PlannedReplication| LinkRequest {
                replica: link.replica.to_string(),
                master: link.master.to_string(),
                mode: link.mode,
            };
            let targets = self.connecting.planned_targets(plan)?;
            let requests = plan.links.iter().map(request).collect();
            let hosts = self.hosts.planned_ways(plan)?;
            let inquiry = Inquiry { hosts, ..Inquiry::of(targets, requests, trial) };
            return self.around.with(plan)?.add(inquiry, &self.connecting);
        }
        let (other, mode) = match (&self.master, &self.peer) {
            (Some(master), _) => (Some((Side::Master, master)), LinkMode::Replica),
            (None, Some(peer)) => (Some((Side::Peer, peer)), LinkMode::DoubleMaster),
            (None, None) => (None, LinkMode::Replica),
        };
        if mode == LinkMode::DoubleMaster && self.targets.len() > 1 {
            return Err(Failure("--peer makes a pair with one server; several are named".into()));
        }
        let named: Vec<(Side, &Address)> =
            self.targets.iter().map(|address| (Side::Server, address)).chain(other).collect();
        let targets = self.connecting.targets(&named)?;
        let request = |replica: &Address, master: &Address| LinkRequest {
            replica: replica.to_string(),
            master: master.to_string(),
            mode,
        };
        let requests = other
            .iter()
            .flat_map(|(_, address)| self.targets.iter().map(|target| request(target, address)))
            .collect();
        let hosts = self.hosts.ways(&self.targets, other.map(|(_, address)| address))?;
        let inquiry = Inquiry { hosts, ..Inquiry::of(targets, requests, trial) };
        self.around.add(inquiry, &self.connecting)
    }

    /// Adds what the plan says, and the files beside the servers, to what was seen.
    pub fn complete(&self, facts: &mut Facts, plan: Option<&Plan>, knowledge: &Knowledge) {
        let mut confs = Vec::new();
        if let Some(plan) = plan {
            plan.mark(facts);
            let named = plan.servers.iter();
            confs.extend(named.filter_map(|server| Some((server.address.to_string(), server.conf.clone()?))));
        }
        for (name, path) in &confs {
            let version = facts.node(name).and_then(|node| node.version);
            let read =
                read_conf_files(&[path.to_string_lossy().into_owned()], knowledge, version, Some(None));
            facts.conf_files.extend(read.conf_files);
        }
        let first = match plan {
            Some(plan) => plan.servers.first().map(|server| server.address.to_string()),
            None => self.targets.first().map(ToString::to_string),
        };
        self.local_files.add(facts, first, confs, knowledge);
    }

    /// How servers are reached.
    pub fn connecting(&self) -> &Connecting {
        &self.connecting
    }
}

/// A server or a link that the file says nothing about must not pass for one that is ok.
fn all_there(plan: &Plan, facts: &Facts, path: &Path) -> Result<(), Failure> {
    let missing = |what: &str| {
        let (file, plan) = (path.display(), &plan.origin);
        Failure(format!("{file}: it says nothing about {what}, which {plan} names"))
    };
    for server in &plan.servers {
        let name = server.address.to_string();
        facts.node(&name).ok_or_else(|| missing(&format!("`{}` ({name})", server.planned.name)))?;
    }
    for link in &plan.links {
        let (replica, master) = (link.replica.to_string(), link.master.to_string());
        let seen = facts.links.iter().any(|seen| (&seen.replica, &seen.master) == (&replica, &master));
        if !seen {
            return Err(missing(&format!("the replication of {replica} from {master}")));
        }
    }
    Ok(())
}
