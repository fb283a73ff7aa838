//! The servers of a scenario and the links between them, as data.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::fault::LinkFault;
use super::persona::Persona;
use crate::catalog::era;
use crate::model::link::Outcome;

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
    /// Commands that clients have sent, and how often.
    pub used: BTreeMap<String, u64>,
    /// Whether somebody has asked for its INFO.
    pub is_looked_at: bool,
    /// How many connections to + 1000 were taken for those of a master.
    pub touches: u32,
    /// Whether it runs.
    pub running: bool,
    /// Keys by database and name.
    pub keys: BTreeMap<(u64, String), Key>,
    /// Bytes of its binlog, for each database alike, without those that come by themselves.
    pub offset: u64,
    /// Bytes a second by which its binlog grows by itself, since when.
    pub grows: Option<(u64, Instant)>,
    /// The address that it takes for its own and announces, if it is not the one that it listens on.
    pub announces: Option<String>,
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

    /// The file of the binlog and the byte in it.
    pub fn place(&self) -> (u64, u64) {
        const STOCK: u64 = 100 << 20;
        let size = self.setting("binlog-file-size").parse().unwrap_or(STOCK).max(1);
        (self.position() / size, self.position() % size)
    }

    /// Bytes of its binlog now.
    pub fn position(&self) -> u64 {
        let grown = self.grows.map_or(0, |(rate, since)| {
            rate.saturating_mul(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)) / 1000
        });
        self.offset.saturating_add(grown)
    }

    /// Up to 3.0.4 `slaveof` turns slave-read-only on, and `slaveof no one` off.
    pub fn switches_itself(&self) -> bool {
        self.persona.is_of(&era::SLAVEOF_MAKES_READ_ONLY)
    }

    /// Changes a key. Returns whether there was something to change.
    pub(super) fn apply(&mut self, db: u64, name: &str, change: &Change) -> bool {
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

/// What the lock guards.
#[derive(Debug, Default)]
pub struct State {
    /// The servers, in the order of the scenario.
    pub servers: Vec<Server>,
    /// The links that were made.
    pub joins: Vec<Join>,
    /// The links that were given up last, by replica.
    pub left: Vec<Leaving>,
}

/// A link that was given up.
#[derive(Debug)]
pub struct Leaving {
    /// The link.
    pub join: Join,
    /// Until when the master lists the replica.
    pub until: Instant,
}

/// How far a replica comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It asks its master, and is not let in or not heard.
    Connecting,
    /// It was let in and waits for the connection that carries data.
    Waiting,
    /// It waits for a full copy.
    FullSync,
    /// All is well, as far as it knows.
    Up,
    /// It was refused before any position was compared.
    Refused,
    /// Its position was refused.
    Error,
    /// A double master that gave up its peer.
    GivenUp,
}

/// How the master lists the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Not at all.
    No,
    /// As it should.
    Online,
    /// Without a heartbeat (up to 3.0) or without a stream (later).
    Offline,
    /// With a full copy on its way.
    FullSync,
    /// As online, with so many bytes that were not taken.
    Lagging,
}

/// Which data arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What the master had before.
    pub old: bool,
    /// What is written later.
    pub later: bool,
}

/// What came of a link.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// What the replica says.
    pub stage: Stage,
    /// What the master says.
    pub listed: Listed,
    /// What really happens.
    pub flow: Flow,
    /// The process of the replica ends.
    pub dies: bool,
}

impl Fate {
    /// What becomes of a link whose replica lives on.
    pub(super) fn of(stage: Stage, listed: Listed, flow: Flow) -> Self {
        Self { stage, listed, flow, dies: false }
    }
}

/// A link that was made.
#[derive(Clone, Debug)]
pub struct Join {
    /// The replica among the servers.
    pub replica: usize,
    /// The master among the servers.
    pub master: usize,
    /// Whether it is one direction of a double master.
    pub double: bool,
    /// The address of the master as the replica was told.
    pub named: (String, u16),
    /// What is wrong with it.
    pub faults: Vec<LinkFault>,
    /// Whether a full copy was asked for.
    pub full: bool,
    /// What the measured matrix says of the two releases.
    pub outcome: Outcome,
    /// What came of it.
    pub fate: Fate,
}
