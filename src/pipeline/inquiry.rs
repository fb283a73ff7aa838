//! Everything that a run looks at, as a whole or in parts: servers and links, what watches or spreads them, and their
//! hosts.

use std::collections::BTreeSet;

use super::codis::{look_at_servers, named_by};
use super::sentinels::{add_followed, ask, leave_out_others};
use super::servers::look_at_links;
use crate::collect::codis::survey::survey;
use crate::collect::coordinator::collect::{CoordinatorRequest, collect_coordinators};
use crate::collect::link::Live;
use crate::collect::secret::Password;
use crate::derive;
use crate::model::codis::coordinator::Coordinator;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_COORDINATED_SERVERS;
use crate::parse::address::address;
use crate::parse::secret::Tokens;
use crate::pipeline::codis::CodisTrial;
use crate::pipeline::hosts::{HostRequest, examine_hosts};
use crate::pipeline::sentinels::Watch;
use crate::pipeline::servers::{LinkRequest, Scope, Target, Trial, examine};

/// What to look at.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The servers that somebody named.
    pub targets: Vec<Target>,
    /// The links that somebody named.
    pub requests: Vec<LinkRequest>,
    /// What may be tried on these links. On others nothing is written.
    pub trial: Trial,
    /// The servers whose hosts are looked at, too.
    pub hosts: Vec<HostRequest>,
    /// A Codis.
    pub codis: Option<CodisTrial>,
    /// Coordinators of Codis, and the password of the servers that they name.
    pub coordinators: Option<(CoordinatorRequest, Option<Password>)>,
    /// Sentinels.
    pub sentinels: Watch,
}

impl Inquiry {
    /// Servers and links alone.
    pub fn of(targets: Vec<Target>, requests: Vec<LinkRequest>, trial: Trial) -> Self {
        Self {
            targets,
            requests,
            trial,
            hosts: Vec::new(),
            codis: None,
            coordinators: None,
            sentinels: Watch::default(),
        }
    }

    /// Whether more than servers is looked at, which takes longer.
    pub fn is_large(&self) -> bool {
        !self.requests.is_empty() || self.finds_others()
    }

    /// Whether servers may be looked at that nobody named.
    fn finds_others(&self) -> bool {
        self.codis.is_some() || self.coordinators.is_some() || !self.sentinels.sentinels.is_empty()
    }

    /// Looks at everything, and completes what was seen.
    pub async fn look(&self, knowledge: &Knowledge, scope: Scope) -> Facts {
        let (coordinators, mut clusters, sentinels) = tokio::join!(
            async {
                match &self.coordinators {
                    Some((request, _)) => collect_coordinators(request, &scope.deadlines).await,
                    None => Vec::new(),
                }
            },
            async {
                match &self.codis {
                    Some(codis) => survey(&codis.request, Tokens::of_this_run(), &scope.deadlines).await,
                    None => Vec::new(),
                }
            },
            ask(&self.sentinels, knowledge, scope),
        );
        let mut targets = self.targets.clone();
        self.add_coordinated(&mut targets, &coordinators);
        let mut found = Vec::new();
        if let Some(codis) = self.codis.as_ref().filter(|codis| codis.servers) {
            let (servers, links) = named_by(&clusters, &targets, codis);
            targets.extend(servers);
            found.extend(links);
        }
        let unwatched = targets.clone();
        if self.sentinels.follow {
            found.extend(
                add_followed(&mut targets, &sentinels, self.sentinels.password.as_ref(), &scope.deadlines)
                    .await,
            );
        }
        let found = self.not_named(found);

        let mut facts = examine(&targets, knowledge, scope).await;
        facts.sentinels = sentinels;
        derive::sentinel::complete(&mut facts, self.sentinels.follow);
        leave_out_others(&mut facts, &unwatched);
        look_at_links(&mut facts, &targets, &self.requests, knowledge, scope, self.trial).await;
        let quietly = Trial { live: self.trial.live.map(|live| Live { write: false, ..live }), ..self.trial };
        look_at_links(&mut facts, &targets, &found, knowledge, scope, quietly).await;
        for cluster in &mut clusters {
            look_at_servers(cluster, &facts, &targets, knowledge, scope).await;
        }
        facts.codis = clusters;
        derive::codis::complete(&mut facts);
        facts.coordinators = coordinators;
        derive::coordinator::complete(&mut facts);
        examine_hosts(&mut facts, &self.hosts, knowledge, &scope.deadlines).await;
        // The hosts tell which addresses the servers take for their own.
        derive::link::complete(&mut facts, knowledge, self.trial.forced);
        facts
    }

    /// Adds the servers of the product that was named.
    fn add_coordinated(&self, targets: &mut Vec<Target>, coordinators: &[Coordinator]) {
        let Some((request, password)) = &self.coordinators else { return };
        let products = request.product.iter();
        let servers = products.flat_map(|product| derive::coordinator::servers(coordinators, product));
        for address in servers.filter_map(|server| address(&server).ok()).take(MAX_COORDINATED_SERVERS) {
            let name = address.to_string();
            if !targets.iter().any(|target| target.name == name) {
                targets.push(Target { name, address, password: password.clone() });
            }
        }
    }

    /// Each link once, and none that somebody named.
    fn not_named(&self, found: Vec<LinkRequest>) -> Vec<LinkRequest> {
        let same = |a: &LinkRequest, b: &LinkRequest| (&a.replica, &a.master) == (&b.replica, &b.master);
        let mut links: Vec<LinkRequest> = Vec::new();
        for link in found {
            if !self.requests.iter().chain(&links).any(|known| same(known, &link)) {
                links.push(link);
            }
        }
        links
    }

    /// The part that `names`, of servers or links, belong to: with everything that is judged together with them.
    /// Servers are judged together when a link joins them, or when they share a host.
    ///
    /// What is about none of the servers that were named is answered by a look at everything.
    #[must_use]
    pub fn part(&self, names: &BTreeSet<String>) -> Self {
        let about = |name: &str, target: &Target| {
            name == target.name || name.split(' ').any(|word| word == target.name)
        };
        if !names.iter().all(|name| self.targets.iter().any(|target| about(name, target))) {
            return self.clone();
        }
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        for target in &self.targets {
            if names.iter().any(|name| about(name, target)) {
                chosen.insert(&target.name);
            }
        }
        loop {
            let before = chosen.len();
            for request in &self.requests {
                if chosen.contains(request.replica.as_str()) || chosen.contains(request.master.as_str()) {
                    chosen.extend([request.replica.as_str(), request.master.as_str()]);
                }
            }
            let hosts: BTreeSet<&str> = self
                .targets
                .iter()
                .filter(|target| chosen.contains(target.name.as_str()))
                .map(|target| target.address.host.as_str())
                .collect();
            let beside = self.targets.iter().filter(|target| hosts.contains(target.address.host.as_str()));
            chosen.extend(beside.map(|target| target.name.as_str()));
            if chosen.len() == before {
                break;
            }
        }
        let targets = self.targets.iter().filter(|target| chosen.contains(target.name.as_str()));
        let requests = self.requests.iter().filter(|request| chosen.contains(request.replica.as_str()));
        let hosts = self.hosts.iter().filter(|request| chosen.contains(request.node.as_str()));
        Self {
            hosts: hosts.cloned().collect(),
            ..Self::of(targets.cloned().collect(), requests.cloned().collect(), self.trial)
        }
    }
}

/// Puts what was seen later in the place of what was seen earlier.
pub fn replace(facts: &mut Facts, later: Facts) {
    facts.collected_at = later.collected_at;
    for node in later.nodes {
        match facts.nodes.iter_mut().find(|known| known.name == node.name) {
            Some(known) => *known = node,
            None => facts.nodes.push(node),
        }
    }
    for link in later.links {
        let is_it =
            |known: &&mut crate::model::link::Link| known.name == link.name && known.mode == link.mode;
        match facts.links.iter_mut().find(is_it) {
            Some(known) => *known = link,
            None => facts.links.push(link),
        }
    }
    for pair in later.pairs {
        match facts.pairs.iter_mut().find(|known| known.name == pair.name) {
            Some(known) => *known = pair,
            None => facts.pairs.push(pair),
        }
    }
    for host in later.hosts {
        match facts.hosts.iter_mut().find(|known| known.name == host.name && known.seen == host.seen) {
            Some(known) => *known = host,
            None => facts.hosts.push(host),
        }
    }
    // A look at a part is not about these.
    if !later.codis.is_empty() {
        facts.codis = later.codis;
    }
    if !later.coordinators.is_empty() {
        facts.coordinators = later.coordinators;
    }
    if !later.sentinels.is_empty() {
        (facts.sentinels, facts.watched) = (later.sentinels, later.watched);
    }
    for drift in later.conf_drifts {
        match facts.conf_drifts.iter_mut().find(|known| known.name == drift.name) {
            Some(known) => *known = drift,
            None => facts.conf_drifts.push(drift),
        }
    }
    if !later.logs.is_empty() {
        facts.logs = later.logs;
    }
    for conf in later.conf_files {
        match facts.conf_files.iter_mut().find(|known| known.name == conf.name) {
            Some(known) => *known = conf,
            None => facts.conf_files.push(conf),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::link::LinkMode;
    use crate::parse::address::pika_address;

    fn inquiry() -> Inquiry {
        let target = |name: &str| Target {
            name: name.to_owned(),
            address: pika_address(name).unwrap(),
            password: None,
        };
        let request = |replica: &str, master: &str| LinkRequest {
            replica: replica.to_owned(),
            master: master.to_owned(),
            mode: LinkMode::Replica,
        };
        let live = crate::collect::link::Live { write: false, canary_wait: Duration::ZERO };
        Inquiry::of(
            ["a:1", "b:1", "c:1", "c:2", "d:1"].map(target).into(),
            vec![request("b:1", "a:1")],
            Trial { live: Some(live), forced: false },
        )
    }

    fn names(inquiry: &Inquiry) -> Vec<&str> {
        inquiry.targets.iter().map(|target| target.name.as_str()).collect()
    }

    #[test]
    fn a_part_holds_what_is_judged_together() {
        let whole = inquiry();
        let part = |name: &str| whole.part(&BTreeSet::from([name.to_owned()]));
        assert_eq!(names(&part("b:1 <- a:1")), ["a:1", "b:1"]);
        assert_eq!(part("a:1").requests.len(), 1);
        assert_eq!(names(&part("c:2")), ["c:1", "c:2"]);
        assert_eq!(names(&part("d:1")), ["d:1"]);
        assert!(part("d:1").requests.is_empty());
        assert_eq!(part("codis demo").targets.len(), 5, "the whole");
    }
}
