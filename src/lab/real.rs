//! Stages a scenario on real servers, where its faults can be brought about there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::error::LabError;
use super::fault::{LinkFault, ServerFault};
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
            other => return Err(LabError::NotOnRealServers(other.clone())),
        }
    }
    for fault in scenario.links.iter().flat_map(|link| &link.faults) {
        match fault {
            LinkFault::NoRsync | LinkFault::NoRsyncOnMaster | LinkFault::DumpFailed | LinkFault::Ahead(_) => {
            }
            other => return Err(LabError::NotBetweenRealServers(other.clone())),
        }
    }
    Ok(())
}

impl RealStage {
    /// Starts the servers, joins them, and waits until it is seen what comes of it.
    pub async fn start(home: &Home, scenario: Scenario) -> Result<Self, LabError> {
        can_be_staged(&scenario)?;
        let ports = free_ports(scenario.servers.len())?;
        let addresses: BTreeMap<String, SocketAddr> = (scenario.servers.keys().zip(ports))
            .map(|(name, port)| (name.clone(), SocketAddr::from(([127, 0, 0, 1], port))))
            .collect();
        let mut stage = Self { scenario, addresses, servers: BTreeMap::new(), strangers: Vec::new() };
        for (name, plan) in stage.scenario.servers.clone() {
            stage.start_one(home, &name, &plan).await?;
        }
        for (name, server) in &stage.servers {
            fill(server, stage.scenario.servers[name].keys).await?;
        }
        for link in stage.scenario.links.clone() {
            stage.join(&link).await?;
        }
        stage.afterwards().await?;
        Ok(stage)
    }

    async fn start_one(&mut self, home: &Home, name: &str, plan: &ServerPlan) -> Result<(), LabError> {
        if plan.faults.contains(&ServerFault::Down) {
            return Ok(());
        }
        if plan.faults.contains(&ServerFault::Taken) {
            let listener = TcpListener::bind(self.addresses[name]).await?;
            self.strangers.push(ports::taken(listener));
            return Ok(());
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
            settings.insert("double-master-ip".to_owned(), peer.ip().to_string());
            settings.insert("double-master-port".to_owned(), peer.port().to_string());
        }
        let has = |of_replica: bool, wanted: &LinkFault| {
            let own = |link: &&LinkPlan| name == if of_replica { &link.replica } else { &link.master };
            links.iter().filter(own).any(|link| link.faults.contains(wanted))
        };
        let start = Start {
            binary: home.binary(plan.played_release().trim_start_matches('v'))?,
            port: self.addresses[name].port(),
            settings,
            rsync: !has(true, &LinkFault::NoRsync) && !has(false, &LinkFault::NoRsyncOnMaster),
            dumps: !has(false, &LinkFault::DumpFailed),
            password: plan.password.clone(),
        };
        self.servers.insert(name.to_owned(), Pika::start(&start).await?);
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
        let (host, port) = (master.ip().to_string(), master.port().to_string());
        let mut slaveof = vec!["slaveof", &host, &port];
        if link.force {
            slaveof.push("force");
        }
        replica.ask(&slaveof).await?;
        wait_until_up(replica).await?;
        if link.faults.iter().any(|fault| matches!(fault, LinkFault::Ahead(_))) {
            replica.ask(&["slaveof", "no", "one"]).await?;
            self.wait_until_alone(&link.master).await?;
            write(replica, 50).await?;
            replica.ask(&slaveof).await?;
            wait_until_up(replica).await?;
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
