//! Starts a scenario, and looks at it as the program would.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::Parser;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinHandle, JoinSet};

use super::channels::{Message, Subscriptions};
use super::commands::Client;
use super::error::LabError;
use super::fault::{LinkFault, PortFault, ServerFault};
use super::links::outcome;
use super::look::look;
use super::persona::Persona;
use super::resp::next_command;
use super::scenario::{Mode, Run, Scenario, ServerPlan};
use super::world::World;
use super::{hostile, ports};
use crate::lab::state::{Join, Key, Server};
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::network::AddressKind;
use crate::pipeline::error::PipelineError;

/// A scenario whose servers run until it is dropped.
pub struct Stage {
    /// The scenario.
    pub scenario: Scenario,
    /// Where each server is.
    pub addresses: BTreeMap<String, SocketAddr>,
    world: Arc<World>,
    /// What listens, by server.
    listeners: Vec<Vec<JoinHandle<()>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        for task in self.tasks.iter().chain(self.listeners.iter().flatten()) {
            task.abort();
        }
    }
}

impl Stage {
    /// Starts the servers in a network of 127/8 in which nothing listens yet.
    pub async fn start(scenario: Scenario, knowledge: &Arc<Knowledge>) -> Result<Self, LabError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        const NETWORKS: u32 = 20_000;
        for _ in 0..64 {
            // 127.20.x to 127.99.x; another process begins elsewhere.
            let number =
                (NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id().wrapping_mul(97)) % NETWORKS;
            let network = format!("127.{}.{}.", 20 + number / 250, 1 + number % 250);
            match Self::start_in(&network, &scenario, knowledge).await {
                Ok(stage) => return Ok(stage),
                Err(LabError::Io(error)) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(LabError::NoFreeNetwork)
    }

    async fn start_in(
        network: &str,
        scenario: &Scenario,
        knowledge: &Arc<Knowledge>,
    ) -> Result<Self, LabError> {
        let world = Arc::new(World::default());
        let mut stage = Self {
            scenario: scenario.clone(),
            addresses: BTreeMap::new(),
            world: world.clone(),
            listeners: scenario.servers.iter().map(|_| Vec::new()).collect(),
            tasks: Vec::new(),
        };
        for (index, (name, plan)) in scenario.servers.iter().enumerate() {
            let host = plan.host.unwrap_or_else(|| u8::try_from(index + 1).unwrap_or(u8::MAX));
            let address = format!("{network}{host}:{}", plan.port.unwrap_or(9221));
            let address = address.parse().map_err(|_| LabError::Address(address))?;
            let server = server(name, plan, address)?;
            stage.addresses.insert(name.clone(), address);
            world.lock().servers.push(server);
        }
        stage.join(network, &world, knowledge);
        stage.afterwards(&world, knowledge);
        for (index, plan) in scenario.servers.values().enumerate() {
            stage.listen(&world, index, plan, knowledge).await?;
        }
        Ok(stage)
    }

    /// Sends each `slaveof`, as it were; masters first, so that a chain gets its data from the top.
    fn join(&self, network: &str, world: &World, knowledge: &Knowledge) {
        let mut state = world.lock();
        let place = |state: &super::state::State, name: &str| {
            state.servers.iter().position(|server| server.name == name)
        };
        for plan in &self.scenario.links {
            if !plan.joined.unwrap_or(self.scenario.run == Run::Check) {
                continue;
            }
            let (Some(replica), Some(master)) = (place(&state, &plan.replica), place(&state, &plan.master))
            else {
                continue;
            };
            let double = plan.mode == Mode::DoubleMaster;
            let ways =
                if double { vec![(replica, master), (master, replica)] } else { vec![(replica, master)] };
            for (replica, master) in ways {
                let address = state.servers[master].address;
                let other = plan.faults.iter().find_map(|fault| match fault {
                    LinkFault::SecondAddress(host) => Some(format!("{network}{host}")),
                    _ => None,
                });
                let host = other.unwrap_or_else(|| address.ip().to_string());
                let outcome = outcome(knowledge, &state.servers[replica], &state.servers[master], plan.force);
                let mut join = Join::new(replica, master, (host, address.port()), outcome);
                join.double = double;
                join.full = plan.force;
                join.faults.clone_from(&plan.faults);
                state.join(join);
            }
        }
    }

    async fn listen(
        &mut self,
        world: &Arc<World>,
        index: usize,
        plan: &ServerPlan,
        knowledge: &Arc<Knowledge>,
    ) -> io::Result<()> {
        let (address, version) = {
            let state = world.lock();
            let server = &state.servers[index];
            if !server.running {
                return Ok(());
            }
            (server.address, server.persona.version)
        };
        let faults: Vec<(u16, PortFault)> = plan
            .faults
            .iter()
            .filter_map(|fault| if let ServerFault::Ports(ports) = fault { Some(ports) } else { None })
            .flat_map(|ports| ports.iter().map(|(offset, fault)| (*offset, *fault)))
            .collect();
        let generation = knowledge.generations.iter().find(|entry| entry.releases.contains(version));
        for address in std::iter::once(address).chain(self.second_addresses(index, address)) {
            let listener = TcpListener::bind(address).await?;
            let hostility = plan.faults.iter().find_map(|fault| match fault {
                ServerFault::Hostile(hostility) => Some(*hostility),
                _ => None,
            });
            let (here, knows) = (world.clone(), knowledge.clone());
            let listener = if plan.faults.contains(&ServerFault::Taken) {
                ports::taken(listener)
            } else if plan.faults.contains(&ServerFault::Mute) {
                ports::mute(listener)
            } else {
                tokio::spawn(async move {
                    // Connections end with the server.
                    let mut clients = JoinSet::new();
                    while let Ok((stream, _)) = listener.accept().await {
                        while clients.try_join_next().is_some() {}
                        let client = Client::new(&here, index, &knows);
                        match hostility {
                            Some(hostility) => clients.spawn(hostile::converse(stream, client, hostility)),
                            None => clients.spawn(converse(stream, client)),
                        };
                    }
                })
            };
            self.listeners[index].push(listener);
            if let Some(generation) = generation {
                let place = ports::Place { world, server: index, address };
                ports::open(place, generation, &faults, &mut self.listeners[index]).await?;
            }
        }
        Ok(())
    }

    /// Addresses beside its own by which replicas were told to find this master.
    fn second_addresses(&self, index: usize, address: SocketAddr) -> Vec<SocketAddr> {
        let name = self.scenario.servers.keys().nth(index);
        let of_links = self.scenario.links.iter().filter(|link| Some(&link.master) == name);
        let hosts = of_links.flat_map(|link| &link.faults).filter_map(|fault| match fault {
            LinkFault::SecondAddress(host) => Some(*host),
            _ => None,
        });
        let mut addresses: Vec<SocketAddr> = hosts
            .filter_map(|host| match address.ip() {
                IpAddr::V4(ip) => {
                    let [a, b, c, _] = ip.octets();
                    Some(SocketAddr::new([a, b, c, host].into(), address.port()))
                }
                IpAddr::V6(_) => None,
            })
            .collect();
        addresses.dedup();
        addresses
    }

    /// What was done once the links stood, and what is still going to happen.
    fn afterwards(&mut self, world: &Arc<World>, knowledge: &Arc<Knowledge>) {
        for (index, plan) in self.scenario.servers.values().enumerate() {
            for fault in &plan.faults {
                match fault {
                    ServerFault::ConfigSet(set) => world.lock().servers[index].settings.extend(set.clone()),
                    ServerFault::Writes(count) => {
                        let mut client = Client::new(world, index, knowledge);
                        for number in 0..*count {
                            client.reply(&["set".into(), format!("own:{number}"), "value".into()]);
                        }
                    }
                    _ => {}
                }
            }
        }
        let joins: Vec<(usize, u64)> = (world.lock().joins.iter())
            .filter_map(|join| {
                let long = join.faults.iter().find_map(|fault| match fault {
                    LinkFault::FullSyncFor(milliseconds) => Some(*milliseconds),
                    _ => None,
                });
                Some((join.replica, long?))
            })
            .collect();
        for (replica, milliseconds) in joins {
            let world = world.clone();
            self.tasks.push(tokio::spawn(async move {
                // Nobody has seen a copy that was over before the first look, however long that takes on a busy machine.
                while !world.lock().servers[replica].is_looked_at {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                world.lock().finish_full_sync(replica);
            }));
        }
    }

    /// Makes a line of INFO of a server say something else from now on.
    pub fn make_say(&self, name: &str, line: &str, value: &str) {
        let mut state = self.world.lock();
        if let Some(server) = state.servers.iter_mut().find(|server| server.name == name) {
            server.says.insert(line.to_owned(), value.to_owned());
        }
    }

    /// Stops a server: nothing of it listens any more.
    pub fn stop(&mut self, name: &str) {
        let Some(index) = self.place(name) else { return };
        for listener in self.listeners[index].drain(..) {
            listener.abort();
        }
        self.world.lock().servers[index].running = false;
    }

    /// Starts a server that was stopped, with the settings of its file.
    pub async fn start_again(
        &mut self,
        name: &str,
        settings: BTreeMap<String, String>,
        knowledge: &Arc<Knowledge>,
    ) -> io::Result<()> {
        let Some(index) = self.place(name) else { return Ok(()) };
        self.world.lock().begin_again(index, settings, knowledge);
        let (world, plan) = (self.world.clone(), self.scenario.servers[name].clone());
        // The sockets of what listened before are closed when its tasks have ended.
        for _ in 0..50 {
            match self.listen(&world, index, &plan, knowledge).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    for listener in self.listeners[index].drain(..) {
                        listener.abort();
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => return result,
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// What stands between the hosts, or is wrong on one of them, is mended: ports, programs, disks.
    pub async fn mend_surroundings(&mut self, knowledge: &Arc<Knowledge>) -> io::Result<()> {
        let is_around = |fault: &ServerFault| {
            use ServerFault::{Announces, Down, Mute, Ports, Taken};
            matches!(fault, Ports(_) | Down | Taken | Mute | Announces(_))
        };
        for (name, plan) in self.scenario.servers.clone() {
            if plan.faults.iter().any(is_around) {
                self.scenario.servers.entry(name.clone()).and_modify(|plan| {
                    plan.faults.retain(|fault| !is_around(fault));
                });
                let settings = self.settings(&name);
                self.stop(&name);
                self.start_again(&name, settings, knowledge).await?;
            }
        }
        self.world.lock().mend_surroundings();
        Ok(())
    }

    /// Every full copy that runs ends.
    pub fn end_copies(&self) {
        self.world.lock().end_copies();
    }

    /// The settings of a server that are not the stock ones.
    pub fn settings(&self, name: &str) -> BTreeMap<String, String> {
        self.place(name).map_or_else(BTreeMap::new, |index| self.world.lock().servers[index].settings.clone())
    }

    /// The names of the keys of a server, with their databases.
    pub fn keys(&self, name: &str) -> BTreeSet<(u64, String)> {
        let keys = |index: usize| self.world.lock().servers[index].keys.keys().cloned().collect();
        self.place(name).map_or_else(BTreeSet::new, keys)
    }

    /// The place of a server among those of the scenario.
    fn place(&self, name: &str) -> Option<usize> {
        self.scenario.servers.keys().position(|known| known == name)
    }

    /// Looks at the servers and links of the scenario with the functions of `check` and `forecast`.
    pub async fn collect(
        &self,
        catalogue: &Catalogue,
        canary_wait: Duration,
    ) -> Result<Facts, PipelineError> {
        let mut facts = look(&self.scenario, &self.addresses, catalogue, canary_wait).await?;
        // A real replica would have a reason to avoid 127.x; that it is one here says nothing about the scenario.
        for address in facts.links.iter_mut().filter_map(|link| link.address.as_mut()) {
            if address.kind == AddressKind::Loopback && address.host != "127.0.0.1" {
                address.kind = AddressKind::Private;
            }
        }
        Ok(facts)
    }
}

fn server(name: &str, plan: &ServerPlan, address: SocketAddr) -> Result<Server, LabError> {
    let mut release = plan.release.clone();
    let mut settings = plan.settings.clone();
    let mut says = BTreeMap::new();
    let mut running = true;
    let mut announces = None;
    let mut used = BTreeMap::new();
    for fault in &plan.faults {
        match fault {
            ServerFault::Set(set) => settings.extend(set.clone()),
            ServerFault::Release(other) => release.clone_from(other),
            ServerFault::Says(said) => says.extend(said.clone()),
            ServerFault::Down => running = false,
            ServerFault::Used(commands) => used.extend(commands.clone()),
            ServerFault::Announces(address) => announces = Some(address.clone()),
            ServerFault::Ports(_)
            | ServerFault::Taken
            | ServerFault::Mute
            | ServerFault::ConfigSet(_)
            | ServerFault::Writes(_)
            | ServerFault::Hostile(_) => {}
        }
    }
    let keys = (0..plan.keys).map(|number| {
        let (kind, length) =
            [("string", 5), ("hash", 2), ("list", 30), ("set", 4), ("zset", 3)][number as usize % 5];
        let value = if kind == "string" { "value".to_owned() } else { String::new() };
        ((0, format!("{kind}:{number}")), Key { kind, value, length, ends: None })
    });
    let replication_id = settings.get("replication-id").cloned().unwrap_or_default();
    Ok(Server {
        name: name.to_owned(),
        persona: Persona::of(&release)?,
        address,
        settings,
        says,
        running,
        keys: keys.collect(),
        offset: u64::from(plan.keys) * 99,
        grows: None,
        touches: 0,
        used,
        is_looked_at: false,
        announces,
        run_id: format!("{:040x}", u128::from(u32::from(host_number(address)) * 7919)),
        replication_id,
    })
}

/// The last number of an address.
fn host_number(address: SocketAddr) -> u8 {
    match address.ip() {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(_) => 0,
    }
}

/// Answers one connection as the server should.
async fn converse(stream: TcpStream, mut client: Client) {
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(Mutex::new(writer));
    let mut parser = Parser::new();
    // Ends with the connection.
    let mut messages = JoinSet::new();
    while let Some(words) = next_command(&mut parser, &mut reader).await {
        let reply = client.reply(&words);
        if messages.is_empty() && !client.subscriptions.is_empty() {
            let heard = client.world.channels.listen(client.server);
            messages.spawn(pass_on(heard, client.subscriptions.clone(), writer.clone()));
        }
        if writer.lock().await.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Writes to a connection what is published on the channels that it subscribed to.
async fn pass_on(
    mut heard: Receiver<Message>,
    subscriptions: Subscriptions,
    writer: Arc<Mutex<OwnedWriteHalf>>,
) {
    loop {
        match heard.recv().await {
            Ok(message) => {
                let bytes = subscriptions.of_message(&message);
                if writer.lock().await.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
