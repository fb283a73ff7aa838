//! Looks at servers and at the links between them: the part of the way that collects, and completes what
//! was collected.

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::collect::clock;
use crate::collect::link::{Live, Party, Prober};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::node::Collector;
use crate::collect::secret::Password;
use crate::derive;
use crate::model::address::Address;
use crate::model::facts::{self, Facts};
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_PARALLEL_SERVERS;
use crate::model::link::{Link, LinkMode, Pair};
use crate::model::node::Node;
use crate::parse::secret::Tokens;

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
    let collector = Collector {
        knowledge,
        tokens: Tokens::of_this_run(),
        deadlines: scope.deadlines,
        ports: scope.ports,
    };
    let places = Semaphore::new(MAX_PARALLEL_SERVERS);
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
    look_at_links(&mut facts, targets, requests, knowledge, scope, trial).await;
    derive::link::complete(&mut facts, knowledge, trial.forced);
    facts
}

/// Looks at replication between nodes of `facts`, and adds what is seen.
pub(crate) async fn look_at_links(
    facts: &mut Facts,
    targets: &[Target],
    requests: &[LinkRequest],
    knowledge: &Knowledge,
    scope: Scope,
    trial: Trial,
) {
    let live = trial.live.unwrap_or(Live { write: false, canary_wait: Duration::ZERO });
    let prober = Prober { knowledge, deadlines: scope.deadlines, ports: scope.ports, live };
    let survey = Survey { targets, nodes: &facts.nodes, prober, tries: trial.live.is_some() };
    // Beside each other: a link that waits for its canary must not use up the time of the others.
    let looks = futures_util::future::join_all(requests.iter().map(|request| survey.look(request))).await;
    for (links, pair) in looks {
        facts.links.extend(links);
        facts.pairs.extend(pair);
    }
}

/// Links between servers that were examined.
struct Survey<'a> {
    targets: &'a [Target],
    nodes: &'a [Node],
    prober: Prober<'a>,
    /// Whether anything is tried on a link.
    tries: bool,
}

impl Survey<'_> {
    /// A double master is a link in each direction, one after the other: what is written on one side must
    /// not be taken for an echo of the other.
    async fn look(&self, request: &LinkRequest) -> (Vec<Link>, Option<Pair>) {
        let (a, b) = (&request.replica, &request.master);
        let (first, mut keys) = self.look_one_way(a, b, request.mode).await;
        if request.mode == LinkMode::Replica {
            return (first.into_iter().collect(), None);
        }
        let (second, more_keys) = self.look_one_way(b, a, request.mode).await;
        keys.extend(more_keys);
        let mut pair = Pair { a: a.clone(), b: b.clone(), ..Pair::default() };
        pair.name = derive::link::pair_name(&pair);
        if let (Some(a), Some(b)) = (self.party(a), self.party(b)) {
            self.prober.watch_echo(&mut pair, a, b, &keys).await;
        }
        (first.into_iter().chain(second).collect(), Some(pair))
    }

    /// The link of `replica` from `master`, and the keys that arrived on it.
    async fn look_one_way(&self, replica: &str, master: &str, mode: LinkMode) -> (Option<Link>, Vec<String>) {
        let (Some(here), Some(there)) = (self.party(replica), self.party(master)) else {
            return (None, Vec::new());
        };
        let name = derive::link::link_name(replica, master);
        let mut link =
            Link { name, master: master.to_owned(), replica: replica.to_owned(), mode, ..Link::default() };
        self.prober.find_address(&mut link, there.node, here.node).await;
        derive::link::relate(&mut link, there.node, here.node);
        self.prober.dial_ports(&mut link, there.node).await;
        let keys = if self.tries {
            self.prober.try_out(&mut link, there, here).await
        } else {
            self.prober.leave_alone(&mut link);
            Vec::new()
        };
        (Some(link), keys)
    }

    fn party(&self, name: &str) -> Option<Party<'_>> {
        let node = self.nodes.iter().find(|node| node.name == name)?;
        let target = self.targets.iter().find(|target| target.name == name)?;
        Some(Party { node, password: target.password.as_ref() })
    }
}
