//! The servers of a scenario and what passes between them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::channels::Channels;
use super::fault::LinkFault;
use super::state::{Change, Flow, Join, Stage, State};
use crate::catalog::era;

/// What each write adds to a binlog, in bytes.
const RECORD: u64 = 99;

/// How fast a busy master is written to, in bytes a second.
const WRITTEN: u64 = 2_000_000;

/// How fast a slow replica takes it.
const READ: u64 = 500_000;

/// What the records of a double master that go round add to its binlogs, in bytes a second.
const ECHO: u64 = 14_000;

/// All servers and links; shared by everything that listens.
#[derive(Debug, Default)]
pub struct World {
    state: Mutex<State>,
    /// What is published on each server.
    pub channels: Channels,
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
    /// Whether a server refuses the writes of clients.
    pub fn is_read_only(&self, index: usize) -> bool {
        let server = &self.servers[index];
        let set = server.setting("slave-read-only") == "yes";
        match self.joins.iter().find(|join| join.replica == index) {
            // From 3.0.5 on a connected double master takes writes whatever it says.
            Some(join) if join.double => set && server.switches_itself(),
            // From 3.1.1 on every replica is.
            Some(_) => set || !server.persona.is_of(&era::NUMBERED_LINK_STATES),
            None => set && server.switches_itself(),
        }
    }

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
        let replica = &mut self.servers[join.replica];
        if replica.switches_itself() && !join.double {
            replica.settings.insert("slave-read-only".to_owned(), "yes".to_owned());
        }
        let master = self.servers[join.master].clone();
        let replica = &mut self.servers[join.replica];
        let Flow { old, later } = join.fate.flow;
        if old {
            // A full copy puts the data of the master in the place of the replica's.
            if join.full {
                replica.keys.clear();
            }
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
                LinkFault::FallsBehind(_) => replica.grows = Some((READ, Instant::now())),
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
        for fault in &join.faults {
            if let LinkFault::FallsBehind(bytes) = fault {
                let master = &mut self.servers[join.master];
                master.offset += bytes;
                master.grows = Some((WRITTEN, Instant::now()));
            }
        }
        if join.echoes(self) {
            // Two records that go round make 12 to 16 KB a second (measured on six releases).
            for server in [join.master, join.replica] {
                self.servers[server].grows.get_or_insert((ECHO, Instant::now()));
            }
        }
        // A master makes an id when its first replica comes, and the replica takes it over.
        if join.fate.stage == Stage::Up && master.persona.has_replication_id() {
            let id = "2eaaae9194509cefc5a58abd5aa2f422ed2e76c1cd91974f49".to_owned();
            let id = if master.replication_id.is_empty() { id } else { master.replication_id.clone() };
            self.servers[join.master].replication_id.clone_from(&id);
            self.servers[join.replica].replication_id = id;
        }
        self.joins.push(join);
    }

    /// Whether the rsync daemon of a replica runs that has to take a full copy (up to 3.0.16).
    pub fn runs_rsync(&self, replica: usize) -> bool {
        self.joins.iter().any(|join| {
            let waits = join.fate.stage == Stage::FullSync && !join.faults.contains(&LinkFault::NoRsync);
            join.replica == replica && waits
        })
    }

    /// Somebody connected to the port at which a replica takes its binlog. From 2.3.3 to 3.0.5 nobody asks
    /// who that is: after the second time the server takes itself for a connected replica, for ever
    /// (measured on 2.3.6). Returns whether the connection was kept.
    pub fn touched(&mut self, server: usize) -> bool {
        let server = &mut self.servers[server];
        let kept = server.persona.is_of(&era::BINLOG_SENDER_UNCHECKED);
        server.touches += u32::from(kept);
        kept
    }

    /// Ends the full copy of a replica.
    pub fn finish_full_sync(&mut self, replica: usize) {
        let Some(place) = self.joins.iter().position(|join| join.replica == replica) else { return };
        let mut join = self.joins.remove(place);
        join.faults.retain(|fault| !matches!(fault, LinkFault::FullSyncFor(_)));
        self.join(join);
    }
}
