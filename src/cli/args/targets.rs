//! What is looked at: the servers, the links between them, and how far.

use std::path::PathBuf;
use std::time::Duration;

use super::cluster::ClusterArgs;
use super::connection::{ConnectionArgs, TargetRole};
use super::files::FileArgs;
use super::ssh::HostArgs;
use crate::cli::error::CliError;
use crate::collect::files::text_file::read_text;
use crate::collect::link::Live;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::link::LinkMode;
use crate::parse::address::pika_address;
use crate::parse::duration;
use crate::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest, ServerConfRequest};
use crate::pipeline::{CHECK, FROM_BUNDLE};
use crate::plan::read::{Plan, read_plan};

/// Servers and links.
#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// Servers: HOST[:PORT], [IPV6]:PORT; the port is 9221 when none is named
    #[arg(required_unless_present_any = ["from", "plan", "codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"], value_name = "HOST:PORT", value_parser = pika_address)]
    targets: Vec<Address>,

    /// Check the servers, links and double masters of this plan, with its thresholds and waivers
    #[arg(short = 'f', long = "file", value_name = "PLAN", conflicts_with_all = ["targets", "master", "peer", "master_password_file"])]
    plan: Option<PathBuf>,

    /// Judge a bundle of `capture` or a report of --format json instead of live servers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "master", "peer", "codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"])]
    from: Option<PathBuf>,

    /// Also check the replication of each server from this master, whether or not it replicates from it yet
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address)]
    master: Option<Address>,

    /// Also check the double master that the server forms with this one (2.3.0 to 3.0.16)
    #[arg(long, value_name = "HOST:PORT", value_parser = pika_address, conflicts_with = "master")]
    peer: Option<Address>,

    /// Write nothing, not even a test key that expires by itself
    #[arg(long)]
    read_only: bool,

    /// Timeout for a test write to arrive on the replica, per database
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::timeout)]
    canary_timeout: Duration,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    hosts: HostArgs,

    #[command(flatten)]
    connecting: ConnectionArgs,
}

impl TargetArgs {
    /// The plan, if one is named.
    pub fn plan(&self, catalogue: &Catalogue) -> Result<Option<Plan>, CliError> {
        let Some(path) = &self.plan else { return Ok(None) };
        let text = read_text(path)?;
        let environment = |name: &str| std::env::var(name).ok();
        Ok(Some(read_plan(&path.to_string_lossy(), &text, catalogue, &environment)?))
    }

    /// Whether servers are asked; otherwise there is a bundle.
    pub fn is_live(&self) -> bool {
        self.from.is_none()
    }

    /// Collects once, and says what follows.
    pub fn collect(&self, plan: Option<&Plan>, knowledge: &Knowledge) -> Result<Facts, CliError> {
        let Some(bundle) = &self.from else {
            return self.connecting.collect(&self.collection_plan(plan)?, CHECK, knowledge);
        };
        let bundle = Some(bundle.clone());
        let plan = CollectionPlan { bundle, cutover: plan.cloned(), ..CollectionPlan::default() };
        self.connecting.collect(&plan, FROM_BUNDLE, knowledge)
    }

    /// What is to be collected from servers.
    pub fn collection_plan(&self, plan: Option<&Plan>) -> Result<CollectionPlan, CliError> {
        self.files.validate(plan.map_or(self.targets.len(), |plan| plan.servers.len()))?;
        let live = Live { write: !self.read_only, canary_wait: self.canary_timeout };
        let probes = LinkProbeOptions { live: Some(live), forced: false };
        let (mut collection, cluster) = match plan {
            Some(plan) => (self.planned(plan, probes)?, &self.cluster.with(plan)?),
            None => (self.named(probes)?, &self.cluster),
        };
        collection.skip_ports = self.connecting.skips_ports();
        let first = collection.targets.first().map(|target| target.name.clone());
        self.files.add(&mut collection, first);
        cluster.add(collection, &self.connecting)
    }

    /// What a plan names.
    fn planned(&self, plan: &Plan, probes: LinkProbeOptions) -> Result<CollectionPlan, CliError> {
        let links = plan.links.iter().map(|link| LinkRequest {
            replica: link.replica.to_string(),
            master: link.master.to_string(),
            mode: link.mode,
        });
        let confs = plan.servers.iter().filter_map(|server| {
            let (server, path) = (server.address.to_string(), server.conf.clone()?);
            Some(ServerConfRequest { server, path, judged: true })
        });
        Ok(CollectionPlan {
            hosts: self.hosts.planned_ways(plan)?,
            server_confs: confs.collect(),
            cutover: Some(plan.clone()),
            ..CollectionPlan::of(self.connecting.planned_targets(plan)?, links.collect(), probes)
        })
    }

    /// What the arguments name.
    fn named(&self, probes: LinkProbeOptions) -> Result<CollectionPlan, CliError> {
        let (other, mode) = match (&self.master, &self.peer) {
            (Some(master), _) => (Some((TargetRole::Master, master)), LinkMode::Replica),
            (None, Some(peer)) => (Some((TargetRole::Peer, peer)), LinkMode::DoubleMaster),
            (None, None) => (None, LinkMode::Replica),
        };
        if mode == LinkMode::DoubleMaster && self.targets.len() > 1 {
            return Err(CliError::usage("--peer makes a pair with one server; several are named"));
        }
        let named: Vec<(TargetRole, &Address)> =
            self.targets.iter().map(|address| (TargetRole::Server, address)).chain(other).collect();
        let targets = self.connecting.targets(&named)?;
        let link = |replica: &Address, master: &Address| LinkRequest {
            replica: replica.to_string(),
            master: master.to_string(),
            mode,
        };
        let links =
            other.iter().flat_map(|(_, address)| self.targets.iter().map(|target| link(target, address)));
        let hosts = self.hosts.ways(&self.targets, other.map(|(_, address)| address))?;
        Ok(CollectionPlan { hosts, ..CollectionPlan::of(targets, links.collect(), probes) })
    }

    /// How servers are reached.
    pub fn connecting(&self) -> &ConnectionArgs {
        &self.connecting
    }
}
