//! Stages a scenario on real servers, where its faults can be brought about there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::error::LabError;
use super::fault::{LinkFault, PortFault, ServerFault};
use super::filter::Filter;
use super::look::look;
use super::pika::{Home, Pika, Start, free_ports};
use super::ports;
use super::scenario::{LinkPlan, Mode, Run, Scenario, ServerPlan};
use crate::i18n::reasons;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::limits::{LINK_REST, LINK_UP_TIMEOUT};
use crate::model::network::AddressKind;
use crate::model::unavailable::Unavailable;
use crate::pipeline::error::PipelineError;

/// A scenario on real servers, which end when it is dropped.
pub struct RealStage {
    /// The scenario.
    pub scenario: Scenario,
    /// Where each server is, or would be.
    pub addresses: BTreeMap<String, SocketAddr>,
    servers: BTreeMap<String, Pika>,
    strangers: Vec<JoinHandle<()>>,
    filters: Vec<Filter>,
    home: Home,
}

impl Drop for RealStage {
    fn drop(&mut self) {
        for stranger in &self.strangers {
            stranger.abort();
        }
    }
}

/// Whether all that is wrong in the scenario can be brought about on real servers; the error names what cannot.
pub fn can_be_staged(scenario: &Scenario) -> Result<(), LabError> {
    for fault in scenario.servers.values().flat_map(|server| &server.faults) {
        match fault {
            ServerFault::Set(_)
            | ServerFault::Release(_)
            | ServerFault::Down
            | ServerFault::Taken
            | ServerFault::Mute
            | ServerFault::ConfigSet(_)
            | ServerFault::Writes(_) => {}
            fault if takes_rsync_port(fault) => {}
            other => return Err(LabError::NotOnRealServers(other.clone())),
        }
    }
    for fault in scenario.links.iter().flat_map(|link| &link.faults) {
        match fault {
            LinkFault::NoRsync
            | LinkFault::NoRsyncOnMaster
            | LinkFault::DumpFailed
            | LinkFault::Ahead(_)
            | LinkFault::ByName(_)
            | LinkFault::GivenUp
            | LinkFault::AlreadyListed => {}
            LinkFault::Blocked(_) if Filter::is_possible() => {}
            // With a position in its slaveof, up to 3.0.16, a replica begins there.
            LinkFault::Hollow if scenario.servers.values().all(|server| is_classic(&server.release)) => {}
            // A copy that cannot be taken, because another program has the port, is one that hangs.
            LinkFault::FullSync
                if scenario.servers.values().any(|it| it.faults.iter().any(takes_rsync_port)) => {}
            other => return Err(LabError::NotBetweenRealServers(other.clone())),
        }
    }
    Ok(())
}

/// Another program has the port at which up to 3.0.16 the rsync daemon of a replica listens while it takes a copy.
fn takes_rsync_port(fault: &ServerFault) -> bool {
    let ServerFault::Ports(ports) = fault else { return false };
    ports.iter().all(|(offset, fault)| *offset == RSYNC && *fault == PortFault::Taken)
}

/// From the start of two double masters until each knows whether the other takes it.
const PAIR_REST: Duration = Duration::from_secs(15);

/// The distance of that port from the client port.
const RSYNC: u16 = 3000;

fn is_classic(tag: &str) -> bool {
    ["v2.", "v3.0."].iter().any(|line| tag.starts_with(line))
}

impl RealStage {
    /// Starts the servers, joins them, and waits until it is seen what comes of it.
    pub async fn start(home: &Home, scenario: Scenario) -> Result<Self, LabError> {
        can_be_staged(&scenario)?;
        let ports = free_ports(scenario.servers.len())?;
        let addresses: BTreeMap<String, SocketAddr> = (scenario.servers.keys().zip(ports))
            .map(|(name, port)| (name.clone(), SocketAddr::from(([127, 0, 0, 1], port))))
            .collect();
        let (servers, home) = (BTreeMap::new(), home.clone());
        let (strangers, filters) = (Vec::new(), Vec::new());
        let mut stage = Self { scenario, addresses, servers, strangers, filters, home };
        for (name, plan) in stage.scenario.servers.clone() {
            stage.start_one(&name, &plan).await?;
        }
        for (name, server) in &stage.servers {
            fill(server, stage.scenario.servers[name].keys).await?;
        }
        for link in stage.scenario.links.clone() {
            stage.block(&link)?;
            stage.join(&link).await?;
            if link.faults.contains(&LinkFault::GivenUp) {
                stage.give_up(&link).await?;
            }
        }
        stage.afterwards().await?;
        Ok(stage)
    }

    async fn start_one(&mut self, name: &str, plan: &ServerPlan) -> Result<(), LabError> {
        if plan.faults.contains(&ServerFault::Down) {
            return Ok(());
        }
        if plan.faults.contains(&ServerFault::Taken) {
            let listener = TcpListener::bind(self.addresses[name]).await?;
            self.strangers.push(ports::taken(listener));
            return Ok(());
        }
        if plan.faults.iter().any(takes_rsync_port) {
            let address = self.addresses[name];
            let listener = TcpListener::bind((address.ip(), address.port() + RSYNC)).await?;
            self.strangers.push(ports::taken(listener));
        }
        let mut settings = plan.settings.clone();
        for fault in &plan.faults {
            if let ServerFault::Set(set) = fault {
                settings.extend(set.clone());
            }
        }
        let links = &self.scenario.links;
        let peer = links.iter().filter(|link| link.mode == Mode::DoubleMaster).find_map(|link| {
            let other = [(&link.replica, &link.master), (&link.master, &link.replica)];
            other.into_iter().find(|(own, _)| *own == name).map(|(_, other)| self.addresses[other])
        });
        if let Some(peer) = peer {
            // A scenario can have half of it otherwise.
            for (key, value) in [("ip", peer.ip().to_string()), ("port", peer.port().to_string())] {
                settings.entry(format!("double-master-{key}")).or_insert(value);
            }
        }
        for (other, address) in &self.addresses {
            for value in settings.values_mut() {
                *value = value.replace(&format!("<{other}>"), &address.to_string());
            }
        }
        let has = |of_replica: bool, wanted: &LinkFault| {
            let own = |link: &&LinkPlan| name == if of_replica { &link.replica } else { &link.master };
            links.iter().filter(own).any(|link| link.faults.contains(wanted))
        };
        let start = Start {
            binary: self.home.binary(plan.played_release().trim_start_matches('v'))?,
            port: self.addresses[name].port(),
            settings,
            rsync: !has(true, &LinkFault::NoRsync) && !has(false, &LinkFault::NoRsyncOnMaster),
            dumps: !has(false, &LinkFault::DumpFailed),
            password: plan.password.clone(),
        };
        self.servers.insert(name.to_owned(), Pika::start(&start).await?);
        Ok(())
    }

    /// Drops what would be sent to a port that is blocked: that of the replica where its master dials it.
    fn block(&mut self, link: &LinkPlan) -> Result<(), LabError> {
        for fault in &link.faults {
            if let LinkFault::Blocked(offset) = fault {
                let dialled = if *offset == 1000 { &link.replica } else { &link.master };
                self.filters.push(Filter::new(self.addresses[dialled].port() + offset)?);
            }
        }
        Ok(())
    }

    async fn join(&self, link: &LinkPlan) -> Result<(), LabError> {
        let Some(replica) = self.servers.get(&link.replica) else { return Ok(()) };
        if link.mode == Mode::DoubleMaster {
            // The two connect by themselves.
            wait_until_up(replica).await?;
            return match self.servers.get(&link.master) {
                Some(other) => wait_until_up(other).await,
                None => Ok(()),
            };
        }
        if !link.joined.unwrap_or(self.scenario.run == Run::Check) {
            return Ok(());
        }
        let master = self.addresses[&link.master];
        let name = link.faults.iter().find_map(|fault| match fault {
            LinkFault::ByName(name) => Some(name.clone()),
            _ => None,
        });
        let (host, port) = (name.unwrap_or_else(|| master.ip().to_string()), master.port().to_string());
        let mut slaveof = vec!["slaveof", &host, &port];
        if link.force {
            slaveof.push("force");
        }
        let end = match self.servers.get(&link.master) {
            Some(master) if link.faults.contains(&LinkFault::Hollow) => master.ask(&["info"]).await?,
            _ => String::new(),
        };
        let end = end.lines().find_map(|line| line.strip_prefix("binlog_offset:")).unwrap_or_default();
        slaveof.extend(end.split_whitespace());
        replica.ask(&slaveof).await?;
        wait_until_up(replica).await?;
        if link.faults.iter().any(|fault| matches!(fault, LinkFault::Ahead(_))) {
            replica.ask(&["slaveof", "no", "one"]).await?;
            self.wait_until_alone(&link.master).await?;
            write(replica, 50).await?;
            replica.ask(&slaveof).await?;
            wait_until_up(replica).await?;
        }
        if link.faults.contains(&LinkFault::AlreadyListed) {
            replica.ask(&["slaveof", "no", "one"]).await?;
            replica.ask(&slaveof).await?;
            wait_until_up(replica).await?;
        }
        Ok(())
    }

    /// Brings a half to give up the other: what it needs next of the other's binlog is removed while it is down.
    /// Measured on 2.3.6: both are in state 0 then.
    async fn give_up(&mut self, link: &LinkPlan) -> Result<(), LabError> {
        let (own, other) = (&link.replica, &link.master);
        let Some(half) = self.servers.get_mut(own) else { return Ok(()) };
        half.stop().await?;
        let Some(half) = self.servers.get_mut(other) else { return Ok(()) };
        half.fill_binlog().await?;
        half.stop().await?;
        half.remove_binlog(2)?;
        for name in [own, other] {
            if let Some(half) = self.servers.get_mut(name) {
                half.start_again().await?;
            }
        }
        sleep(PAIR_REST).await;
        if let Some(half) = self.servers.get(own) {
            write(half, 5).await?;
        }
        Ok(())
    }

    /// Waits until a master lists no replica any more, or for the time in which it forgets one.
    async fn wait_until_alone(&self, master: &str) -> Result<(), LabError> {
        let Some(master) = self.servers.get(master) else { return Ok(()) };
        let ends = Instant::now() + Duration::from_secs(35);
        while Instant::now() < ends {
            if master.ask(&["info", "replication"]).await?.contains("connected_slaves:0") {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }

    async fn afterwards(&self) -> Result<(), LabError> {
        for (name, server) in &self.servers {
            for fault in &self.scenario.servers[name].faults {
                match fault {
                    ServerFault::ConfigSet(set) => {
                        for (setting, value) in set {
                            server.ask(&["config", "set", setting, value]).await?;
                        }
                    }
                    ServerFault::Writes(count) => write(server, *count).await?,
                    ServerFault::Mute => {
                        server.freeze()?;
                        // On a busy machine its threads do not all stop at once.
                        sleep(Duration::from_secs(1)).await;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Takes the requirepass that stands in the file of each server now for the one with which it is asked.
    pub fn learn_passwords(&mut self) {
        for (name, server) in &mut self.servers {
            let own = server.setting("requirepass").filter(|password| !password.is_empty());
            if let (Some(password), Some(plan)) = (own, self.scenario.servers.get_mut(name)) {
                plan.password = Some(password.clone());
                server.use_password(password);
            }
        }
    }

    /// A server that was started. `None` when the scenario has it down.
    pub fn server(&mut self, name: &str) -> Option<&mut Pika> {
        self.servers.get_mut(name)
    }

    /// The same, to be looked at only.
    pub fn running(&self, name: &str) -> Option<&Pika> {
        self.servers.get(name)
    }

    /// What is wrong around the servers is mended: what is down runs, what is in the way is gone, rsync is found from
    /// the next start on, and dumps can be made.
    pub async fn mend_surroundings(&mut self) -> Result<(), LabError> {
        for stranger in self.strangers.drain(..) {
            stranger.abort();
        }
        self.filters.clear();
        for (name, mut plan) in self.scenario.servers.clone() {
            if let Some(server) = self.servers.get_mut(&name) {
                server.mend_surroundings()?;
                continue;
            }
            plan.faults.retain(|fault| !matches!(fault, ServerFault::Down | ServerFault::Taken));
            self.start_one(&name, &plan).await?;
        }
        Ok(())
    }

    /// The names of the keys of a server, as far as one listing goes: those of the laboratory are few.
    pub async fn keys(&self, name: &str) -> Result<BTreeSet<String>, LabError> {
        let Some(server) = self.servers.get(name) else { return Ok(BTreeSet::new()) };
        let said = server.ask(&["keys", "*"]).await?;
        // The debug form of an array: each key in quotes.
        Ok(said.split('"').skip(1).step_by(2).map(str::to_owned).collect())
    }

    /// Looks at the servers and links as at the simulated ones.
    pub async fn collect(
        &self,
        catalogue: &Catalogue,
        canary_wait: Duration,
    ) -> Result<Facts, PipelineError> {
        let mut facts = look(&self.scenario, &self.addresses, catalogue, canary_wait).await?;
        // That the servers run on the loopback card of this very host is true, and says nothing about the scenario.
        for address in facts.links.iter_mut().filter_map(|link| link.address.as_mut()) {
            address.kind = AddressKind::Private;
        }
        for node in &mut facts.nodes {
            if let Some(config) = &mut node.config
                && let Some(card) = config.get_mut("network-interface")
            {
                card.clear();
            }
            if node.host_network.take().is_some() {
                node.own_address = None;
                for path in ["host_network", "own_address"] {
                    let reason = reasons::lab_host_not_examined();
                    node.unavailable.push(Unavailable::no_access(path, reason));
                }
            }
        }
        Ok(facts)
    }
}

/// Waits until the server says that its link is up, or as long as that could take.
async fn wait_until_up(server: &Pika) -> Result<(), LabError> {
    let ends = Instant::now() + LINK_UP_TIMEOUT;
    while Instant::now() < ends {
        // Some pairs of releases end the process of the replica; that is for the look to find.
        let Ok(info) = server.ask(&["info", "replication"]).await else { return Ok(()) };
        if info.contains("master_link_status:up") {
            sleep(LINK_REST).await;
            break;
        }
        sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

/// Keys of all types, as those of the simulated servers.
async fn fill(server: &Pika, keys: u32) -> Result<(), LabError> {
    for number in 0..keys {
        let kind = ["string", "hash", "list", "set", "zset"][number as usize % 5];
        let key = format!("{kind}:{number}");
        let parts: Vec<String> = (1..=30).map(|part| part.to_string()).collect();
        let parts = |count: usize| parts[..count].iter().map(String::as_str);
        let words: Vec<&str> = match kind {
            "string" => vec!["set", &key, "value"],
            "hash" => ["hmset", &key].into_iter().chain(parts(4)).collect(),
            "list" => ["rpush", &key].into_iter().chain(parts(30)).collect(),
            "set" => ["sadd", &key].into_iter().chain(parts(4)).collect(),
            _ => ["zadd", &key].into_iter().chain(parts(6)).collect(),
        };
        server.ask(&words).await?;
    }
    Ok(())
}

async fn write(server: &Pika, count: u32) -> Result<(), LabError> {
    for number in 0..count {
        server.ask(&["set", &format!("own:{number}"), "value"]).await?;
    }
    Ok(())
}
