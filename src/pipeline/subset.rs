//! A part of a plan: what is worth asking again while `check --wait` waits.

use std::collections::BTreeSet;

use super::request::{CollectionPlan, ServerTarget};

impl CollectionPlan {
    /// The part that `names`, of servers or links, belong to: with everything that is judged together with them.
    /// Servers are judged together when a link joins them, or when they share a host.
    ///
    /// What is about none of the servers that were named leads to the whole plan.
    #[must_use]
    pub fn subset(&self, names: &BTreeSet<String>) -> Self {
        let about = |name: &str, target: &ServerTarget| {
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
            for request in &self.links {
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
        let links = self.links.iter().filter(|link| chosen.contains(link.replica.as_str()));
        let hosts = self.hosts.iter().filter(|host| chosen.contains(host.node.as_str()));
        let confs = self.server_confs.iter().filter(|conf| chosen.contains(conf.server.as_str()));
        let logs = self
            .logs
            .iter()
            .filter(|logs| logs.server.as_ref().is_none_or(|server| chosen.contains(server.as_str())));
        Self {
            hosts: hosts.cloned().collect(),
            server_confs: confs.cloned().collect(),
            logs: logs.cloned().collect(),
            skip_ports: self.skip_ports,
            cutover: self.cutover.clone(),
            ..Self::of(targets.cloned().collect(), links.cloned().collect(), self.probes)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::link::LinkMode;
    use crate::parse::address::pika_address;
    use crate::pipeline::request::{LinkProbeOptions, LinkRequest};

    fn plan() -> CollectionPlan {
        let target = |name: &str| ServerTarget {
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
        CollectionPlan::of(
            ["a:1", "b:1", "c:1", "c:2", "d:1"].map(target).into(),
            vec![request("b:1", "a:1")],
            LinkProbeOptions { live: Some(live), forced: false },
        )
    }

    fn names(plan: &CollectionPlan) -> Vec<&str> {
        plan.targets.iter().map(|target| target.name.as_str()).collect()
    }

    #[test]
    fn a_part_holds_what_is_judged_together() {
        let whole = plan();
        let part = |name: &str| whole.subset(&BTreeSet::from([name.to_owned()]));
        assert_eq!(names(&part("b:1 <- a:1")), ["a:1", "b:1"]);
        assert_eq!(part("a:1").links.len(), 1);
        assert_eq!(names(&part("c:2")), ["c:1", "c:2"]);
        assert_eq!(names(&part("d:1")), ["d:1"]);
        assert!(part("d:1").links.is_empty());
        assert_eq!(part("codis demo").targets.len(), 5, "the whole");
    }
}
