//! What the subjects of findings have to do with each other: which servers they are about. Pure.

use std::collections::BTreeMap;

use crate::model::check::{Check, Target};
use crate::model::diagnosis::Subjects;
use crate::model::facts::Facts;
use crate::model::finding::Finding;
use crate::model::text::escape_control;

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About<'r> {
    /// What its check is evaluated for. Null: its check stands in no catalogue.
    pub target: Option<Target>,
    /// The name that findings use.
    pub name: &'r str,
    /// The servers. Of a link first the replica, then the master; of a double master both; of a host, a Codis and what
    /// else has servers all that are known.
    pub servers: Vec<&'r str>,
    /// What it is a part of: the host of an instance, the Codis of a server, the coordinator of a product, the Sentinels
    /// that watch a name.
    pub within: Vec<&'r str>,
}

/// The servers that each subject is about.
pub struct Kinship<'r> {
    facts: &'r Facts,
    targets: BTreeMap<&'r str, Target>,
    /// The servers of links and double masters by name; a run can have thousands.
    ends: BTreeMap<&'r str, [&'r str; 2]>,
    /// The servers of comparisons by name.
    compared: BTreeMap<&'r str, Vec<&'r str>>,
    /// The servers of instances by the name of the instance.
    instances: BTreeMap<&'r str, Vec<&'r str>>,
    /// What parts are parts of, by target and name of the part.
    within: BTreeMap<(Target, String), Vec<&'r str>>,
}

impl<'r> Kinship<'r> {
    /// What the facts say about the subjects of `checks`.
    pub fn new(facts: &'r Facts, checks: &'r [Check]) -> Self {
        let links =
            facts.links.iter().map(|it| (it.name.as_str(), [it.replica.as_str(), it.master.as_str()]));
        let pairs = facts.pairs.iter().map(|it| (it.name.as_str(), [it.a.as_str(), it.b.as_str()]));
        let mut instances: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for instance in facts.hosts.iter().flat_map(|host| &host.instances) {
            instances.entry(&instance.name).or_default().extend(instance.node.as_deref());
        }
        // First where the data should have arrived, as of a link the replica.
        let compared = facts.verifications.iter().map(|it| {
            let servers = it.targets.iter().chain(&it.sources).map(|server| server.name.as_str());
            (it.name.as_str(), servers.collect())
        });
        Self {
            facts,
            targets: checks.iter().map(|check| (check.id.as_str(), check.target)).collect(),
            ends: links.chain(pairs).collect(),
            compared: compared.collect(),
            instances,
            within: within(facts),
        }
    }

    /// What `finding` is about.
    pub fn subject(&self, finding: &'r Finding) -> About<'r> {
        let target = self.targets.get(finding.check.as_str()).copied();
        let name = finding.target.as_str();
        let servers = self.servers(target.unwrap_or(Target::Node), name);
        let within = target.and_then(|target| self.within.get(&(target, finding.target.clone())));
        About { target, name, servers, within: within.cloned().unwrap_or_default() }
    }

    fn servers(&self, target: Target, name: &'r str) -> Vec<&'r str> {
        let facts = self.facts;
        match target {
            Target::Node | Target::PlannedNode | Target::Drift => vec![name],
            Target::Link | Target::PlannedLink | Target::Pair => {
                self.ends.get(name).map(|ends| ends.to_vec()).unwrap_or_default()
            }
            Target::Verification => self.compared.get(name).cloned().unwrap_or_default(),
            // Logs that were read with their servers have the name of the server or of the link.
            Target::Log => match self.servers(Target::Link, name) {
                none if none.is_empty() => vec![name],
                both => both,
            },
            Target::Host => {
                let hosts = facts.hosts.iter().filter(|host| host.name == name);
                hosts.flat_map(|host| &host.nodes).map(String::as_str).collect()
            }
            Target::Instance => self.instances.get(name).cloned().unwrap_or_default(),
            Target::Codis => {
                let codis = facts.codis.iter().filter(|codis| codis.name == name);
                codis.flat_map(|codis| &codis.servers).filter_map(|server| server.node.as_deref()).collect()
            }
            Target::Backend => {
                let address = name.split(" (").next().unwrap_or(name);
                let servers = facts.codis.iter().flat_map(|codis| &codis.servers);
                let named = servers.filter(|server| server.name == address);
                named.filter_map(|server| server.node.as_deref()).take(1).collect()
            }
            Target::Watched => {
                let watched = facts.watched.iter().filter(|watched| escape_control(&watched.name) == name);
                let servers = watched.filter_map(|watched| watched.servers.as_ref()).flatten();
                servers.filter_map(|server| server.node.as_deref()).collect()
            }
            Target::Conf | Target::Companion | Target::Coordinator | Target::Product | Target::Sentinel => {
                Vec::new()
            }
        }
    }
}

/// What each part is a part of. The names are those of `judge/subjects.rs`.
fn within(facts: &Facts) -> BTreeMap<(Target, String), Vec<&str>> {
    let mut within: BTreeMap<(Target, String), Vec<&str>> = BTreeMap::new();
    for host in &facts.hosts {
        for instance in &host.instances {
            within.entry((Target::Instance, instance.name.clone())).or_default().push(&host.name);
        }
    }
    for codis in &facts.codis {
        for server in &codis.servers {
            let name = format!("{} ({} {})", server.name, codis.name, server.group);
            within.entry((Target::Backend, name)).or_default().push(&codis.name);
        }
    }
    for coordinator in &facts.coordinators {
        for product in coordinator.products.iter().flatten() {
            let name = format!("{} {}", coordinator.name, product.name);
            within.entry((Target::Product, name)).or_default().push(&coordinator.name);
        }
    }
    for watched in &facts.watched {
        let sentinels = watched.views.iter().map(|view| view.sentinel.as_str());
        within.entry((Target::Watched, escape_control(&watched.name))).or_default().extend(sentinels);
    }
    within
}

/// The target of what is a part of `target`.
fn part_of(target: Target) -> Option<Target> {
    match target {
        Target::Host => Some(Target::Instance),
        Target::Codis => Some(Target::Backend),
        Target::Coordinator => Some(Target::Product),
        Target::Sentinel => Some(Target::Watched),
        _ => None,
    }
}

/// Whether checks of `other` can be about a part of what checks of `target` are about.
pub fn is_part(target: Target, other: Target) -> bool {
    part_of(target) == Some(other)
}

/// Whether a finding about `other` is among what a cause that is about `cause` speaks of.
pub fn is_at(at: Subjects, cause: &About<'_>, other: &About<'_>) -> bool {
    let alone = |server: Option<&&str>| match (server, other.servers.as_slice()) {
        (Some(server), [one]) => one == server && is_single(other.target),
        _ => false,
    };
    let has = |server: &&str| cause.servers.contains(server);
    let is_link = matches!(other.target, Some(Target::Link | Target::PlannedLink));
    match at {
        Subjects::Anywhere => true,
        Subjects::Same if kind(cause.target) == kind(other.target) => cause.name == other.name,
        Subjects::Same => {
            let all_of = |a: &About<'_>, b: &About<'_>| a.servers.iter().all(|s| b.servers.contains(s));
            !cause.servers.is_empty() && all_of(cause, other) && all_of(other, cause)
        }
        Subjects::Replica => alone(cause.servers.first()),
        Subjects::Master => alone(cause.servers.get(1)),
        Subjects::Node => cause.servers.iter().any(|server| alone(Some(server))),
        Subjects::Links if is_between(cause.target) && cause.servers.len() > 1 => {
            is_between(other.target) && other.servers.len() > 1 && other.servers.iter().all(has)
        }
        Subjects::Links => {
            is_between(other.target) && other.servers.len() > 1 && other.servers.iter().any(has)
        }
        Subjects::LinksAsReplica => is_link && other.servers.first().is_some_and(has),
        Subjects::LinksAsMaster => is_link && other.servers.get(1).is_some_and(has),
        Subjects::Host => other.target == Some(Target::Host) && other.servers.iter().any(has),
        Subjects::Parts => {
            let is_part = matches!((cause.target, other.target), (Some(a), Some(b)) if is_part(a, b));
            is_part && other.within.contains(&cause.name)
        }
    }
}

/// A plan names the same servers and links again.
fn kind(target: Option<Target>) -> Option<Target> {
    match target {
        Some(Target::PlannedNode) => Some(Target::Node),
        Some(Target::PlannedLink) => Some(Target::Link),
        other => other,
    }
}

/// Whether its subjects are one server each.
pub fn is_single(target: Option<Target>) -> bool {
    use Target as T;
    matches!(target, Some(T::Node | T::PlannedNode | T::Drift | T::Log | T::Instance | T::Backend))
}

/// Whether its subjects are between two servers.
pub fn is_between(target: Option<Target>) -> bool {
    matches!(
        target,
        Some(Target::Link | Target::PlannedLink | Target::Pair | Target::Log | Target::Verification)
    )
}
