//! What is asked of which servers, as a whole or in parts.

use std::collections::BTreeSet;

use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::{HostRequest, LinkRequest, Scope, Target, Trial, examine, examine_hosts, examine_links};

/// Servers, and links between them.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The servers.
    pub targets: Vec<Target>,
    /// The links.
    pub requests: Vec<LinkRequest>,
    /// What may be tried on links.
    pub trial: Trial,
    /// The servers whose hosts are looked at, too.
    pub hosts: Vec<HostRequest>,
}

impl Inquiry {
    /// Whether replication is looked at.
    pub fn has_links(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Looks at everything.
    pub async fn look(&self, knowledge: &Knowledge, scope: Scope) -> Facts {
        let mut facts = if self.requests.is_empty() {
            examine(&self.targets, knowledge, scope).await
        } else {
            examine_links(&self.targets, &self.requests, knowledge, scope, self.trial).await
        };
        examine_hosts(&mut facts, &self.hosts, knowledge, &scope.deadlines).await;
        facts
    }

    /// The part that `names`, of servers or links, belong to: with everything that is judged together with them.
    /// Servers are judged together when a link joins them, or when they share a host.
    pub fn part(&self, names: &BTreeSet<&str>) -> Self {
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        for target in &self.targets {
            let named = |name: &&str| *name == target.name || name.split(' ').any(|word| word == target.name);
            if names.iter().any(named) {
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
            targets: targets.cloned().collect(),
            requests: requests.cloned().collect(),
            trial: self.trial,
            hosts: hosts.cloned().collect(),
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
    facts.conf_files = later.conf_files;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::link::LinkMode;
    use crate::plan::values::parse_address;

    fn inquiry() -> Inquiry {
        let target = |name: &str| Target {
            name: name.to_owned(),
            address: parse_address(name).unwrap(),
            password: None,
        };
        let request = |replica: &str, master: &str| LinkRequest {
            replica: replica.to_owned(),
            master: master.to_owned(),
            mode: LinkMode::Replica,
        };
        let live = crate::collect::link::Live { write: false, canary_wait: Duration::ZERO };
        Inquiry {
            targets: ["a:1", "b:1", "c:1", "c:2", "d:1"].map(target).into(),
            requests: vec![request("b:1", "a:1")],
            trial: Trial { live: Some(live), forced: false },
            hosts: Vec::new(),
        }
    }

    fn names(inquiry: &Inquiry) -> Vec<&str> {
        inquiry.targets.iter().map(|target| target.name.as_str()).collect()
    }

    #[test]
    fn a_part_holds_what_is_judged_together() {
        let whole = inquiry();
        let part = |name: &str| whole.part(&BTreeSet::from([name]));
        assert_eq!(names(&part("b:1 <- a:1")), ["a:1", "b:1"]);
        assert_eq!(part("a:1").requests.len(), 1);
        assert_eq!(names(&part("c:2")), ["c:1", "c:2"]);
        assert_eq!(names(&part("d:1")), ["d:1"]);
        assert!(part("d:1").requests.is_empty());
        assert!(part("x:1").targets.is_empty());
    }
}
