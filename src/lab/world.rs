//! The servers of a scenario and what passes between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::links::{Flow, Join};
use super::persona::Persona;
use super::scenario::LinkFault;

/// What each write adds to a binlog, in bytes.
const RECORD: u64 = 99;

/// A key: what is told of it.
#[derive(Clone, Debug)]
pub struct Key {
    /// `string`, `hash`, `list`, `set` or `zset`.
    pub kind: &'static str,
    /// The text of a string; empty for other types.
    pub value: String,
    /// Bytes of a string, elements of the others.
    pub length: usize,
    /// When it ends.
    pub ends: Option<Instant>,
}

/// A change of one key, as it travels.
#[derive(Clone, Debug)]
pub enum Change {
    /// Set to a string.
    Set(String),
    /// Given an end.
    Expire(Duration),
    /// Gone.
    Delete,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name in the scenario.
    pub name: String,
    /// The release.
    pub persona: Persona,
    /// Where clients reach it.
    pub address: SocketAddr,
    /// Settings that are not the stock ones.
    pub settings: BTreeMap<String, String>,
    /// Lines of INFO that say something else than they would.
    pub says: BTreeMap<String, String>,
    /// Whether it runs.
    pub running: bool,
    /// Keys by database and name.
    pub keys: BTreeMap<(u64, String), Key>,
    /// Bytes of its binlog, for each database alike.
    pub offset: u64,
    /// The id that each process has for itself (3.5 and later).
    pub run_id: String,
    /// The id of replication of 3.5 and later.
    pub replication_id: String,
}

impl Server {
    /// A setting, whether it is shown or not.
    pub fn setting(&self, name: &str) -> String {
        self.settings.get(name).cloned().or_else(|| self.persona.setting(name)).unwrap_or_default()
    }

    /// The number of databases.
    pub fn databases(&self) -> u64 {
        if self.persona.speaks_protobuf() { self.setting("databases").parse().unwrap_or(1) } else { 1 }
    }

    /// The server-id that it expects of its peer in a double master; 0 when it is not set.
    pub fn peer_server_id(&self) -> u64 {
        self.setting("double-master-server-id").parse().unwrap_or(0)
    }

    /// Its own server-id; the stock value is 1.
    pub fn server_id(&self) -> u64 {
        self.settings.get("server-id").and_then(|id| id.parse().ok()).unwrap_or(1)
    }

    fn apply(&mut self, db: u64, name: &str, change: &Change) -> bool {
        let place = (db, name.to_owned());
        match change {
            Change::Set(value) => {
                let key = Key { kind: "string", value: value.clone(), length: value.len(), ends: None };
                self.keys.insert(place, key);
                true
            }
            Change::Expire(life) => match self.keys.get_mut(&place) {
                Some(key) => {
                    key.ends = Some(Instant::now() + *life);
                    true
                }
                None => false,
            },
            Change::Delete => self.keys.remove(&place).is_some(),
        }
    }
}

/// All servers and links; shared by everything that listens.
#[derive(Debug, Default)]
pub struct World {
    state: Mutex<State>,
}

/// What the lock guards.
#[derive(Debug, Default)]
pub struct State {
    /// The servers, in the order of the scenario.
    pub servers: Vec<Server>,
    /// The links that were made.
    pub joins: Vec<Join>,
}

impl World {
    /// The state. A panic of one connection must not end the others.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a key on a server, and lets the change travel. Returns whether there was something to change.
    pub fn write(self: &Arc<Self>, server: usize, db: u64, name: &str, change: &Change) -> bool {
        let (done, travels) = {
            let mut state = self.lock();
            let done = state.servers[server].apply(db, name, change);
            if !done {
                return false;
            }
            state.servers[server].offset += RECORD;
            (done, state.travels(server, None))
        };
        for travel in travels {
            self.deliver(travel, db, name, change);
        }
        done
    }

    fn deliver(self: &Arc<Self>, travel: Travel, db: u64, name: &str, change: &Change) {
        if travel.delay.is_zero() {
            self.arrive(travel, db, name, change);
            return;
        }
        let (world, name, change) = (self.clone(), name.to_owned(), change.clone());
        tokio::spawn(async move {
            tokio::time::sleep(travel.delay).await;
            world.arrive(travel, db, &name, &change);
        });
    }

    fn arrive(self: &Arc<Self>, travel: Travel, db: u64, name: &str, change: &Change) {
        let onward = {
            let mut state = self.lock();
            let change = match change {
                Change::Set(_) if travel.wrong => &Change::Set("another value".to_owned()),
                change => change,
            };
            let server = &mut state.servers[travel.to];
            server.offset += RECORD;
            let kept = travel.keeps && matches!(change, Change::Delete);
            if !travel.lost && !kept {
                server.apply(db, name, change);
            }
            state.travels(travel.to, Some(travel.from))
        };
        for travel in onward {
            self.deliver(travel, db, name, change);
        }
    }
}

/// The way of one record over one link.
#[derive(Clone, Copy, Debug)]
struct Travel {
    from: usize,
    to: usize,
    delay: Duration,
    lost: bool,
    wrong: bool,
    keeps: bool,
}

impl State {
    /// The ways of a record that was written on `from`, but for back to where it came from: a double
    /// master with crossed ids knows its own records.
    fn travels(&self, from: usize, not_to: Option<usize>) -> Vec<Travel> {
        let onward = |join: &&Join| join.master == from && Some(join.replica) != not_to;
        let flowing = self.joins.iter().filter(onward).filter(|join| join.fate.flow.later);
        flowing
            .map(|join| {
                let delay = join.faults.iter().find_map(|fault| match fault {
                    LinkFault::Late(milliseconds) => Some(Duration::from_millis(*milliseconds)),
                    _ => None,
                });
                Travel {
                    from,
                    to: join.replica,
                    delay: delay.unwrap_or_default(),
                    lost: join.faults.contains(&LinkFault::Lost),
                    wrong: join.faults.contains(&LinkFault::WrongValue),
                    keeps: join.faults.contains(&LinkFault::KeepsDeleted),
                }
            })
            .collect()
    }

    /// Makes a link, with what comes of it at once.
    pub fn join(&mut self, mut join: Join) {
        join.settle(self);
        let master = self.servers[join.master].clone();
        let replica = &mut self.servers[join.replica];
        let Flow { old, later } = join.fate.flow;
        if old {
            let arrived = master.keys.iter().map(|(place, key)| (place.clone(), key.clone()));
            replica.keys.extend(arrived);
        }
        if old || later {
            replica.offset = master.offset;
        }
        for fault in &join.faults {
            match fault {
                LinkFault::Ahead(bytes) => replica.offset = master.offset + bytes,
                LinkFault::Behind(bytes) => replica.offset = master.offset.saturating_sub(*bytes),
                LinkFault::Shorter => {
                    if let Some(key) = replica.keys.values_mut().find(|key| key.kind == "list") {
                        key.length = key.length.saturating_sub(1);
                    }
                }
                _ => {}
            }
        }
        if join.fate.dies {
            replica.running = false;
        }
        // A master makes an id when its first replica comes, and the replica takes it over.
        if join.fate.stage == super::links::Stage::Up && master.persona.has_replication_id() {
            let id = "2eaaae9194509cefc5a58abd5aa2f422ed2e76c1cd91974f49".to_owned();
            let id = if master.replication_id.is_empty() { id } else { master.replication_id.clone() };
            self.servers[join.master].replication_id.clone_from(&id);
            self.servers[join.replica].replication_id = id;
        }
        self.joins.push(join);
    }
}
