//! What changes once a scenario runs: `slaveof`, settings, restarts, and what somebody mends by hand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::fault::LinkFault;
use super::links::outcome;
use super::state::{Join, Leaving, Listed, Stage, State};
use crate::catalog::era;
use crate::model::knowledge::Knowledge;

/// How long a master lists a replica that has left: up to 30 s on real servers, where time is not simpler.
const FORGETS_AFTER: Duration = Duration::from_millis(900);

impl State {
    /// A replica was told to follow a master, which it does with whatever is still wrong between the two.
    pub fn follow(
        &mut self,
        replica: usize,
        master: usize,
        named: (String, u16),
        full: bool,
        knowledge: &Knowledge,
    ) {
        let mut faults = self.still_wrong(replica, master, full);
        let (one, other) = (&self.servers[replica], &self.servers[master]);
        let ahead = one.position().saturating_sub(other.position());
        let is_ahead = faults.iter().any(|fault| matches!(fault, LinkFault::Ahead(_)));
        if ahead > 0 && !full && !is_ahead {
            faults.push(LinkFault::Ahead(ahead));
        }
        if self.lists(master, replica) && !one.persona.is_of(&era::ALREADY_EXIST_RETRIED) {
            faults.push(LinkFault::AlreadyListed);
        }
        // Whoever has no id takes over that of the master, and its data with it.
        let is_new = one.persona.has_replication_id() && one.replication_id.is_empty();
        let full = full || (is_new && !other.replication_id.is_empty());
        let outcome = outcome(knowledge, one, other, full);
        self.joins.retain(|join| join.replica != replica);
        let mut join = Join::new(replica, master, named, outcome);
        join.full = full;
        join.faults = faults;
        self.join(join);
    }

    /// `slaveof no one`. The master lists the replica for a while.
    pub fn leave(&mut self, replica: usize) {
        let until = Instant::now() + FORGETS_AFTER;
        let (left, stay) = self.joins.drain(..).partition(|join| join.replica == replica);
        self.joins = stay;
        self.left.retain(|leaving| leaving.join.replica != replica);
        self.left.extend(Vec::into_iter(left).map(|join| Leaving { join, until }));
    }

    /// What was wrong when the replica followed the master last, and still is.
    fn still_wrong(&self, replica: usize, master: usize, full: bool) -> Vec<LinkFault> {
        let left = self.left.iter().map(|leaving| &leaving.join);
        let mut joins = self.joins.iter().chain(left);
        let last = joins.find(|join| join.replica == replica && join.master == master);
        let faults = last.map_or_else(Vec::new, |join| join.faults.clone());
        faults.into_iter().filter(|fault| lasts(fault, full)).collect()
    }

    /// Whether a master still lists a replica that has left it.
    fn lists(&self, master: usize, replica: usize) -> bool {
        let is_listed = |join: &Join| join.fate.listed != Listed::No;
        self.leaving().any(|join| join.master == master && join.replica == replica && is_listed(join))
    }

    /// Links that were given up and that their masters still list.
    pub fn leaving(&self) -> impl Iterator<Item = &Join> {
        let now = Instant::now();
        self.left.iter().filter(move |leaving| leaving.until > now).map(|leaving| &leaving.join)
    }

    /// Replicas that ask again and again find what has changed meanwhile.
    pub fn retry(&mut self) {
        self.settle_again(|join| {
            matches!(join.fate.stage, Stage::Connecting | Stage::Waiting | Stage::FullSync)
        });
    }

    /// Settles some of the links anew.
    fn settle_again(&mut self, which: impl Fn(&Join) -> bool) {
        let (again, stay) = self.joins.drain(..).partition(which);
        self.joins = stay;
        for join in Vec::into_iter(again) {
            self.join(join);
        }
    }

    /// A server begins anew, with the settings of its file. It follows whom the file names; its replicas come back.
    pub fn begin_again(&mut self, index: usize, settings: BTreeMap<String, String>, knowledge: &Knowledge) {
        let named = settings.get("slaveof").cloned();
        let server = &mut self.servers[index];
        server.settings = settings;
        server.running = true;
        server.touches = 0;
        self.left.retain(|leaving| leaving.join.master != index);
        for join in self.joins.iter_mut().filter(|join| join.master == index || join.replica == index) {
            join.faults.retain(|fault| lasts(fault, false));
        }
        let follows = self.joins.iter().any(|join| join.replica == index && !join.double);
        if follows {
            self.leave(index);
        }
        if let Some((host, port)) = named.as_deref().and_then(|named| named.rsplit_once(':')) {
            let port = port.trim().parse().unwrap_or(0);
            if let Some(master) = self.at(host.trim(), port) {
                self.follow(index, master, (host.trim().to_owned(), port), false, knowledge);
            }
        }
        self.settle_again(|join| join.master == index || (join.double && join.replica == index));
    }

    /// The server with an address.
    pub fn at(&self, host: &str, port: u16) -> Option<usize> {
        let mut servers = self.servers.iter();
        servers.position(|server| server.address.ip().to_string() == host && server.address.port() == port)
    }

    /// A half of a double master that gave up takes everything from the other one, and both go on.
    pub fn overwrite_half(&mut self, half: usize, other: usize) {
        let (keys, offset) = (self.servers[other].keys.clone(), self.servers[other].offset);
        self.servers[half].keys = keys;
        self.servers[half].offset = offset;
        let pair = [half, other];
        let of_pair = |join: &Join| join.double && pair.contains(&join.replica);
        for join in self.joins.iter_mut().filter(|join| of_pair(join)) {
            join.faults.retain(|fault| *fault != LinkFault::GivenUp);
        }
        self.settle_again(of_pair);
    }

    /// What is between the hosts, or wrong on one of them, is mended.
    pub fn mend_surroundings(&mut self) {
        let kept = |fault: &LinkFault| {
            use LinkFault::{Blocked, DumpFailed, NoRsync, NoRsyncOnMaster, Unheard};
            !matches!(fault, Blocked(_) | DumpFailed | NoRsync | NoRsyncOnMaster | Unheard)
        };
        for join in self.joins.iter_mut().chain(self.left.iter_mut().map(|leaving| &mut leaving.join)) {
            join.faults.retain(kept);
        }
        for server in &mut self.servers {
            server.announces = None;
        }
        self.retry();
    }

    /// Every full copy that runs, and only runs, ends.
    pub fn end_copies(&mut self) {
        for join in &mut self.joins {
            join.faults.retain(|fault| {
                !matches!(fault, LinkFault::FullSync | LinkFault::FullSyncFor(_) | LinkFault::Purged)
            });
        }
        self.settle_again(|join| join.fate.stage == Stage::FullSync);
    }
}

/// Whether a fault is still there when the replica begins anew with the same master.
fn lasts(fault: &LinkFault, full: bool) -> bool {
    match fault {
        // Between the hosts, or on one of them; or nobody knows why.
        LinkFault::Blocked(_)
        | LinkFault::Unheard
        | LinkFault::NoRsync
        | LinkFault::NoRsyncOnMaster
        | LinkFault::DumpFailed
        | LinkFault::FallsBehind(_)
        | LinkFault::GivenUp
        | LinkFault::Late(_)
        | LinkFault::Lost
        | LinkFault::WrongValue
        | LinkFault::KeepsDeleted => true,
        // Going on from a position brings nothing that lies before it.
        LinkFault::Hollow | LinkFault::Shorter | LinkFault::Ahead(_) => !full,
        _ => false,
    }
}
