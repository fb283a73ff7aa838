//! What the checks of a target are evaluated for, and the variables that their expressions see.

use minijinja::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::template::facts::tree;
use super::template::scope::Variables;
use crate::model::absence::{Absence, AbsenceKind};
use crate::model::check::Target;
use crate::model::codis::Codis;
use crate::model::codis::coordinator::{Coordinator, Product};
use crate::model::codis::topology::Backend;
use crate::model::facts::Facts;
use crate::model::host::{Host, Instance};
use crate::model::link::{Link, Pair};
use crate::model::node::Node;
use crate::model::text::escape_control;

/// The name that findings use, and the variables.
pub type Subject = (String, Variables);

/// What checks of a target are evaluated for.
pub fn subjects(facts: &Facts, target: Target) -> Vec<Subject> {
    match target {
        Target::Node | Target::PlannedNode => {
            let meant = |n: &&Node| target == Target::Node || n.planned.is_some();
            let subject = |n: &Node| (n.name.clone(), Variables::from([node(n)]));
            facts.nodes.iter().filter(meant).map(subject).collect()
        }
        Target::Link | Target::PlannedLink => {
            let meant = |link: &&Link| target == Target::Link || link.planned.is_some();
            let subject = |link: &Link| {
                let ends = [("master", link.master.as_str()), ("replica", link.replica.as_str())];
                between(facts, &link.name, seen("link", link, &link.errors), ends)
            };
            facts.links.iter().filter(meant).filter_map(subject).collect()
        }
        Target::Pair => {
            let subject = |pair: &Pair| {
                let ends = [("a", pair.a.as_str()), ("b", pair.b.as_str())];
                between(facts, &pair.name, seen("pair", pair, &pair.errors), ends)
            };
            facts.pairs.iter().filter_map(subject).collect()
        }
        Target::Instance => facts.hosts.iter().flat_map(instances).collect(),
        Target::Product => facts.coordinators.iter().flat_map(products).collect(),
        Target::Backend => facts.codis.iter().flat_map(|codis| backends(facts, codis)).collect(),
        Target::Host => each("host", &facts.hosts, |host| (&host.name, &host.errors)),
        Target::Conf => each("conf", &facts.conf_files, |conf| (&conf.name, &conf.errors)),
        Target::Drift => each("drift", &facts.conf_drifts, |drift| (&drift.name, &drift.errors)),
        Target::Log => each("log", &facts.logs, |log| (&log.name, &log.errors)),
        Target::Codis => each("codis", &facts.codis, |codis| (&codis.name, &codis.errors)),
        Target::Coordinator => each("coordinator", &facts.coordinators, |one| (&one.name, &one.errors)),
        Target::Companion => each("file", &facts.companion_files, |file| (&file.name, &file.errors)),
        Target::Sentinel => each("sentinel", &facts.sentinels, |one| (&one.name, &one.errors)),
        Target::Watched => {
            // The name comes from a Sentinel, and goes to every format.
            let harmless = |(name, variables): Subject| (escape_control(&name), variables);
            let all = each("watched", &facts.watched, |watched| (&watched.name, &watched.errors));
            all.into_iter().map(harmless).collect()
        }
    }
}

/// Each of `all` by itself, under the name `root`; `parts` are its name and what is missing of it.
fn each<T: Serialize>(root: &str, all: &[T], parts: impl Fn(&T) -> (&String, &Vec<Absence>)) -> Vec<Subject> {
    let subject = |one: &T| {
        let (name, errors) = parts(one);
        (name.clone(), Variables::from([seen(root, one, errors)]))
    };
    all.iter().map(subject).collect()
}

/// What stands between two servers, with both. None when one of them was not looked at.
fn between(facts: &Facts, name: &str, own: (String, Value), ends: [(&str, &str); 2]) -> Option<Subject> {
    let mut variables = Variables::from([own]);
    for (root, server) in ends {
        let server = facts.node(server)?;
        variables.extend([seen(root, server, &server.errors)]);
    }
    Some((name.to_owned(), variables))
}

/// The Pikas of a host that were asked about, each with its host.
fn instances(host: &Host) -> Vec<Subject> {
    let whole = seen("host", host, &host.errors);
    let subject = |instance: &Instance| {
        let own = seen("instance", instance, &instance.errors);
        (instance.name.clone(), Variables::from([own, whole.clone()]))
    };
    host.instances.iter().filter(|instance| instance.asked).map(subject).collect()
}

/// The products of a coordinator, each with it.
fn products(coordinator: &Coordinator) -> Vec<Subject> {
    let whole = seen("coordinator", coordinator, &coordinator.errors);
    let subject = |product: &Product| {
        let own = seen("product", product, &product.errors);
        (format!("{} {}", coordinator.name, product.name), Variables::from([own, whole.clone()]))
    };
    coordinator.products.iter().flatten().map(subject).collect()
}

/// The servers behind a Codis, each with it.
fn backends(facts: &Facts, codis: &Codis) -> Vec<Subject> {
    let whole = seen("codis", codis, &codis.errors);
    let subject = |server: &Backend| {
        let node = match server.node.as_ref().and_then(|name| facts.node(name)) {
            Some(found) => node(found),
            None => seen("node", &Node::default(), &[not_looked_at()]),
        };
        let own = seen("server", server, &server.errors);
        let name = format!("{} ({} {})", server.name, codis.name, server.group);
        (name, Variables::from([own, whole.clone(), node]))
    };
    codis.servers.iter().map(subject).collect()
}

/// Why nothing is known of a server that only its Codis told of.
fn not_looked_at() -> Absence {
    let reason = "the server itself was not looked at".to_owned();
    Absence { path: String::new(), kind: AbsenceKind::NoAccess, reason }
}

fn node(node: &Node) -> (String, Value) {
    seen("node", node, &node.errors)
}

/// Facts as expressions see them under the name `root`.
fn seen(root: &str, facts: &impl Serialize, errors: &[Absence]) -> (String, Value) {
    let json = serde_json::to_value(facts).unwrap_or(Json::Null);
    (root.to_owned(), tree(root, &json, errors.to_vec()))
}
