//! What is done on a link, in which order, and what is left alone.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::canary::{Flight, Key};
use super::session::{Party, Session, Trouble};
use super::{echo, reading, sample};
use crate::catalog::era;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::resolve::resolve_host;
use crate::collect::pika::gate::{Alone, Gate};
use crate::collect::pika::ports;
use crate::i18n::{of_knowledge, reasons};
use crate::model::knowledge::Knowledge;
use crate::model::limits::{
    MAX_CANARY_DATABASES, MAX_SAMPLE_KEYS, MAX_SCANNED_DATABASE_BYTES, READING_INTERVAL,
};
use crate::model::link::{CanaryOutcome, DialledPort, Link, LinkMode, MasterAddress, Pair, Relation, Sample};
use crate::model::network::AddressKind;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::release::Era;
use crate::model::replication::Role;
use crate::model::unavailable::Unavailable;

/// What may be done on a link.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// Whether a canary may be written.
    pub write: bool,
    /// How long a canary may take.
    pub canary_wait: Duration,
}

/// Looks at links.
pub struct Prober<'a> {
    /// What may be sent, and what to whom.
    pub knowledge: &'a Knowledge,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// Whether ports may be dialled.
    pub ports: bool,
    /// What may be done.
    pub live: Live,
}

impl Prober<'_> {
    /// Finds out which address the replica uses for its master, or would use.
    pub async fn find_address(&self, link: &mut Link, master: &Node, replica: &Node) {
        let named = replica.replication.as_ref().and_then(|replication| replication.master.as_ref());
        let named = named.filter(|named| named.is_address());
        let named = named.and_then(|named| Some((named.host.clone()?, named.port?)));
        let (host, port) =
            named.unwrap_or_else(|| (master.address.host.clone(), i64::from(master.address.port)));
        let mut resolved = resolve_host(&host, &self.deadlines).await.unwrap_or_default();
        resolved.sort();
        link.address = Some(MasterAddress { kind: AddressKind::of(&host), host, port, resolved });
    }

    /// Dials the ports of the master at the address that the replica uses, where it is another one than
    /// the one at which the master was examined.
    pub async fn dial_ports(&self, link: &mut Link, master: &Node) {
        let (Some(address), Some(release)) = (&link.address, master.version) else {
            link.unavailable
                .push(Unavailable::failed("ports", reasons::master_address_or_release_not_known()));
            return;
        };
        let foreign = master.release.as_ref().and_then(|release| release.foreign_fact.as_ref());
        if let Some(fact) = foreign {
            link.unavailable.push(Unavailable::failed("ports", reasons::ports_of_other_build(release, fact)));
            return;
        }
        let examined = master
            .ports
            .as_ref()
            .filter(|_| master.reached_at.as_ref().is_some_and(|reached| address.resolved.contains(reached)));
        let ports = if let Some(ports) = examined {
            ports.clone()
        } else if !self.ports {
            link.unavailable.push(Unavailable::no_access("ports", reasons::ports_not_wanted()));
            return;
        } else {
            let generation = self.knowledge.generations.iter().find(|entry| entry.releases.contains(release));
            let target =
                address.resolved.first().and_then(|ip| ip.parse().ok()).zip(u16::try_from(address.port).ok());
            let (Some(generation), Some((ip, port))) = (generation, target) else {
                link.unavailable
                    .push(Unavailable::failed("ports", reasons::replica_address_without_meaning()));
                return;
            };
            let mut gate = Gate::new(&self.knowledge.commands);
            gate.settle(Some(release), false);
            ports::probe_ports(
                generation,
                SocketAddr::new(ip, port),
                &gate,
                Alone::default(),
                &self.deadlines,
            )
            .await
        };
        let host = address.host.clone();
        let dialled = |port| DialledPort { address: host.clone(), port };
        link.ports = Some(ports.into_iter().map(dialled).collect());
    }

    /// Says that nothing was tried on the link.
    pub fn leave_alone(&self, link: &mut Link) {
        for path in ["canary", "sample", "readings"] {
            link.unavailable.push(Unavailable::no_access(path, reasons::forecast_tries_nothing()));
        }
    }

    /// Reads positions twice and, in between, writes a canary and compares a sample. Returns the keys of the
    /// canaries.
    pub async fn try_out(&self, link: &mut Link, master: Party<'_>, replica: Party<'_>) -> Vec<String> {
        let mut keys = Vec::new();
        if link.relation.is_none() {
            for path in ["canary", "sample", "readings"] {
                link.unavailable
                    .push(Unavailable::failed(path, reasons::info_replication_of_replica_not_read()));
            }
            return keys;
        }
        if link.relation == Some(Relation::Nobody) {
            // Nothing flows, and nothing is expected to.
            for path in ["canary", "sample", "readings"] {
                link.unavailable.push(Unavailable::not_in_release(path, reasons::replica_follows_nobody()));
            }
            return keys;
        }
        if master.node.version.is_none() || replica.node.version.is_none() {
            for path in ["canary", "sample", "readings"] {
                link.unavailable.push(Unavailable::failed(path, reasons::release_of_one_not_known()));
            }
            return keys;
        }
        let why_not = self.why_no_canary(link, master.node, replica.node);
        let write = why_not.is_none();
        if let Some(absence) = why_not {
            link.unavailable.push(absence);
        }
        let rules = &self.knowledge.commands;
        let opened = tokio::join!(
            Session::open(master, rules, &self.deadlines, write),
            Session::open(replica, rules, &self.deadlines, false),
        );
        let (mut there, mut here) = match opened {
            (Ok(there), Ok(here)) => (there, here),
            (Err(trouble), _) | (_, Err(trouble)) => {
                for path in ["canary", "sample", "readings"] {
                    link.unavailable.push(Unavailable::failed(path, trouble.reason().clone()));
                }
                return keys;
            }
        };
        let first = Instant::now();
        self.take_reading(link, &mut there, &mut here, first).await;
        let dbs = databases(master.node, replica.node);
        if write {
            let mut canaries = Vec::new();
            for db in &dbs {
                let flight = Flight {
                    db: *db,
                    key: Key::new(),
                    wait: self.live.canary_wait,
                    run_ends: self.deadlines.run,
                };
                let flown = flight.fly(&mut there, &mut here).await;
                let goes_on = !matches!(
                    flown.outcome,
                    CanaryOutcome::Broken | CanaryOutcome::MasterReadOnly | CanaryOutcome::WriteNotPermitted
                );
                // One that did not arrive cannot come back.
                if matches!(flown.outcome, CanaryOutcome::Arrived | CanaryOutcome::NotDeleted) {
                    keys.push(flight.key.name);
                }
                canaries.push(flown);
                if !goes_on {
                    break;
                }
            }
            link.canary = Some(canaries);
        }
        self.take_sample(link, master.node, (&mut there, &mut here), &dbs).await;
        self.pause_since(first).await;
        if link.readings.len() == 1 {
            self.take_reading(link, &mut there, &mut here, first).await;
        }
        // What the canary wrote must have moved the replica; if it did not arrive, look once more.
        let lost = link.canary.iter().flatten().any(|canary| canary.outcome == CanaryOutcome::Lost);
        if lost && link.readings.len() == 2 {
            self.pause_since(Instant::now()).await;
            self.take_reading(link, &mut there, &mut here, first).await;
        }
        keys
    }

    /// Waits until a reading that was taken at `then` is old enough for another one, if there is time.
    async fn pause_since(&self, then: Instant) {
        let wait = READING_INTERVAL.saturating_sub(then.elapsed());
        if Instant::now() + wait < self.deadlines.run {
            sleep(wait).await;
        }
    }

    async fn take_reading(
        &self,
        link: &mut Link,
        there: &mut Session<'_>,
        here: &mut Session<'_>,
        first: Instant,
    ) {
        match reading::read(there, here, link.listed, first).await {
            Ok(reading) => link.readings.push(reading),
            Err(trouble) => link.unavailable.push(Unavailable::failed("readings", trouble.reason().clone())),
        }
    }

    async fn take_sample<'s>(
        &self,
        link: &mut Link,
        master: &Node,
        sessions: (&mut Session<'s>, &mut Session<'s>),
        dbs: &[Option<u64>],
    ) {
        let (there, here) = sessions;
        if let Some(reason) = why_no_sample(master) {
            link.unavailable.push(Unavailable::no_access("sample", reason));
            return;
        }
        let mut sample = Sample::default();
        let each = (MAX_SAMPLE_KEYS / dbs.len().max(1)).max(1);
        for db in dbs {
            match self.sample_database(there, here, *db, each, &mut sample).await {
                Ok(()) => {}
                Err(trouble) => {
                    link.unavailable.push(Unavailable::failed("sample", trouble.reason().clone()));
                    return;
                }
            }
        }
        link.sample = Some(sample);
    }

    async fn sample_database<'s>(
        &self,
        there: &mut Session<'s>,
        here: &mut Session<'s>,
        db: Option<u64>,
        most: usize,
        sample: &mut Sample,
    ) -> Result<(), Trouble> {
        let name = db.map(|db| format!("db{db}"));
        if let Some(db) = db {
            let index = db.to_string();
            for session in [&mut *there, &mut *here] {
                session.ask_one(&["select", &index]).await?;
            }
        }
        sample::compare(there, here, name.as_deref(), most, self.deadlines.run, sample).await
    }

    /// Why no canary is written on this link.
    fn why_no_canary(&self, link: &Link, master: &Node, replica: &Node) -> Option<Unavailable> {
        let no_access = |reason| Unavailable::no_access("canary", reason);
        if !self.live.write {
            return Some(no_access(reasons::nothing_to_be_written_read_only()));
        }
        let (of_master, of_replica) = (master.version?, replica.version?);
        let harmful = self
            .knowledge
            .dialects
            .no_canary
            .iter()
            .find(|rule| rule.master.contains(of_master) && rule.replica.contains(of_replica));
        if let Some(rule) = harmful {
            return Some(no_access(of_knowledge(&rule.why)));
        }
        let setting =
            |node: &Node, name: &str| node.config.as_ref().and_then(|config| config.get(name).cloned());
        if setting(master, "write-binlog").as_deref() == Some("no") {
            return Some(no_access(reasons::master_writes_no_binlog()));
        }
        if [master, replica].iter().any(|node| setting(node, "instance-mode").as_deref() == Some("sharding"))
        {
            return Some(no_access(reasons::sharding_follows_slots()));
        }
        // What is written on a replica stays there, and moves its position past that of its own master.
        let role = master.replication.as_ref().and_then(|replication| replication.role);
        if matches!(role, Some(Role::Slave | Role::MasterAndSlave)) {
            return Some(no_access(reasons::master_is_replica()));
        }
        // Whatever was asked for: a write on one half of a double master goes to its peer, and must not come back.
        let is_half = |node: &Node| node.double_master.as_ref().and_then(|pair| pair.enabled) == Some(true);
        let of_pair = link.mode == LinkMode::DoubleMaster || is_half(master);
        if of_pair && !proven_crossed(master, replica) {
            return Some(no_access(reasons::master_is_unproven_half()));
        }
        None
    }

    /// Watches a double master after canaries were written in both directions.
    pub async fn watch_echo(&self, pair: &mut Pair, a: Party<'_>, b: Party<'_>, keys: &[String]) {
        if keys.is_empty() {
            pair.unavailable.push(Unavailable::no_access("echo", reasons::no_canary_to_return()));
            return;
        }
        let rules = &self.knowledge.commands;
        let opened = tokio::join!(
            Session::open(a, rules, &self.deadlines, false),
            Session::open(b, rules, &self.deadlines, false),
        );
        let watched = match opened {
            (Ok(mut a), Ok(mut b)) => echo::watch(&mut a, &mut b, keys, self.deadlines.run).await,
            (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
        };
        match watched {
            Ok(echo) => pair.echo = Some(echo),
            Err(trouble) => pair.unavailable.push(Unavailable::failed("echo", trouble.reason().clone())),
        }
    }
}

/// Why the keys of a master are not looked for.
fn why_no_sample(master: &Node) -> Option<Reason> {
    let within = |era: &Era| master.version.is_some_and(|version| version.is_of(era));
    let sharding = master
        .config
        .as_ref()
        .is_some_and(|config| config.get("instance-mode").is_some_and(|mode| mode == "sharding"));
    let size = master.data.as_ref().and_then(|data| data.db_size_bytes);
    if sharding {
        Some(reasons::sharding_lists_no_keys())
    } else if within(&era::SCAN_NEVER_RETURNS) {
        Some(reasons::scan_never_returns())
    } else if within(&era::SCAN_READS_EVERYTHING) && size.is_none_or(|size| size > MAX_SCANNED_DATABASE_BYTES)
    {
        Some(reasons::scan_reads_all_keys())
    } else {
        None
    }
}

/// Whether each of a double master takes the records of the other for what they are: the server-id of each is
/// the double-master-server-id of the other, the two differ, and each names the other by an IP address.
fn proven_crossed(a: &Node, b: &Node) -> bool {
    let own = |node: &Node| node.process.as_ref()?.server_id.as_ref()?.trim().parse::<i64>().ok();
    let peer =
        |node: &Node| node.double_master.as_ref().filter(|pair| pair.enabled == Some(true))?.peer_server_id;
    let by_address = |node: &Node| {
        let host = node.double_master.as_ref().and_then(|pair| pair.peer_host.as_deref());
        host.is_some_and(|host| host.parse::<std::net::IpAddr>().is_ok())
    };
    let (Some(a_id), Some(b_id)) = (own(a), own(b)) else { return false };
    let crossed = peer(a) == Some(b_id) && peer(b) == Some(a_id) && a_id != b_id;
    let named = a.names_peer(b) == Some(true) && b.names_peer(a) == Some(true);
    crossed && named && by_address(a) && by_address(b)
}

/// The databases that both have: `None` where there is only one.
fn databases(master: &Node, replica: &Node) -> Vec<Option<u64>> {
    let count = |node: &Node| {
        node.config
            .as_ref()
            .and_then(|config| config.get("databases")?.trim().parse::<u64>().ok())
            .unwrap_or(1)
    };
    let both = count(master).min(count(replica)).min(MAX_CANARY_DATABASES);
    if both <= 1 { vec![None] } else { (0..both).map(Some).collect() }
}
