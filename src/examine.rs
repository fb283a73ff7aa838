//! Looks at servers and at the links between them: the part of the way that collects, and completes what
//! was collected.

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::collect::clock::{self, Deadlines};
use crate::collect::link::{Live, Party, Prober};
use crate::collect::node::Collector;
use crate::collect::secret::{Password, Tokens};
use crate::derive;
use crate::model::facts::{self, Address, Facts, Node};
use crate::model::knowledge::Knowledge;
use crate::model::link::{Link, LinkMode, Pair};

/// How many servers are looked at side by side.
const PARALLEL_TARGETS: usize = 16;

/// A server to look at.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name that findings use.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// The password, if there is one.
    pub password: Option<Password>,
}

/// How far a run looks, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// How long things may take.
    pub deadlines: Deadlines,
    /// Whether derived ports are looked at, too.
    pub ports: bool,
}

/// Looks at all `targets` side by side and completes what was seen.
pub async fn examine(targets: &[Target], knowledge: &Knowledge, scope: Scope) -> Facts {
    let tokens = Tokens::new();
    let collector = Collector { knowledge, tokens: &tokens, deadlines: scope.deadlines, ports: scope.ports };
    let places = Semaphore::new(PARALLEL_TARGETS);
    let collected_at = clock::now();
    let looks = targets.iter().map(|target| async {
        // The semaphore is never closed; without a permit the look would only be less bounded.
        let _place = places.acquire().await.ok();
        collector.examine(&target.name, &target.address, target.password.as_ref()).await
    });
    let nodes: Vec<Node> = futures_util::future::join_all(looks).await;
    let mut facts = Facts { schema: facts::SCHEMA.to_owned(), collected_at, nodes, ..Facts::default() };
    derive::derive(&mut facts, knowledge);
    facts
}

/// A link to look at: two of the targets, by name.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// The name of the replica's target.
    pub replica: String,
    /// The name of the master's target.
    pub master: String,
    /// Whether the two are meant to be a double master.
    pub mode: LinkMode,
}

/// What is done on links.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// What may be done. `None`: nothing is tried at all, as for a forecast.
    pub live: Option<Live>,
    /// Whether the `slaveof` of the forecast says `force`.
    pub forced: bool,
}

/// Looks at all `targets`, and at replication between those that `requests` name.
pub async fn examine_links(
    targets: &[Target],
    requests: &[LinkRequest],
    knowledge: &Knowledge,
    scope: Scope,
    trial: Trial,
) -> Facts {
    let mut facts = examine(targets, knowledge, scope).await;
    let live = trial.live.unwrap_or(Live { write: false, canary_wait: Duration::ZERO });
    let prober = Prober { knowledge, deadlines: scope.deadlines, ports: scope.ports, live };
    let password = |name: &str| targets.iter().find(|target| target.name == name)?.password.as_ref();
    let party = |facts: &'_ Facts, name: &str| -> Option<Node> { facts.node(name).cloned() };
    let mut links = Vec::new();
    let mut keys = Vec::new();
    for request in requests {
        let directions = match request.mode {
            LinkMode::Replica => vec![(&request.replica, &request.master)],
            LinkMode::DoubleMaster => {
                vec![(&request.replica, &request.master), (&request.master, &request.replica)]
            }
        };
        for (replica, master) in directions {
            let name = derive::link::link_name(replica, master);
            let mut link = Link {
                name,
                master: master.clone(),
                replica: replica.clone(),
                mode: request.mode,
                ..Link::default()
            };
            let (Some(there), Some(here)) = (party(&facts, master), party(&facts, replica)) else { continue };
            prober.find_address(&mut link, &there, &here).await;
            derive::link::relate(&mut link, &there, &here);
            prober.dial_ports(&mut link, &there).await;
            let (there, here) = (
                Party { node: &there, password: password(master) },
                Party { node: &here, password: password(replica) },
            );
            if trial.live.is_some() {
                keys.extend(prober.try_out(&mut link, there, here).await);
            } else {
                prober.leave_alone(&mut link);
            }
            links.push(link);
        }
        if request.mode == LinkMode::DoubleMaster
            && let (Some(a), Some(b)) = (party(&facts, &request.replica), party(&facts, &request.master))
        {
            let mut pair = Pair { a: a.name.clone(), b: b.name.clone(), ..Pair::default() };
            pair.name = derive::link::pair_name(&pair);
            let (a, b) = (
                Party { node: &a, password: password(&request.replica) },
                Party { node: &b, password: password(&request.master) },
            );
            prober.watch_echo(&mut pair, a, b, &keys).await;
            facts.pairs.push(pair);
        }
    }
    facts.links = links;
    derive::link::complete(&mut facts, knowledge, trial.forced);
    facts
}
