//! What the checks of a target are evaluated for, and the variables that their expressions see.

use minijinja::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::template::facts::tree;
use super::template::scope::Variables;
use crate::i18n::reasons;
use crate::model::check::Target;
use crate::model::codis::Codis;
use crate::model::codis::coordinator::{Coordinator, Product};
use crate::model::codis::topology::Backend;
use crate::model::facts::Facts;
use crate::model::host::{Host, Instance};
use crate::model::link::{Link, Pair};
use crate::model::node::Node;
use crate::model::text::Language;
use crate::model::text::escape_control;
use crate::model::unavailable::Unavailable;
use crate::model::verification::Verification;

/// The name that findings use, and the variables.
pub type Subject = (String, Variables);

/// What checks of a target are evaluated for. Reasons are read in `language`.
pub fn subjects(facts: &Facts, target: Target, language: Language) -> Vec<Subject> {
    let view = View { facts, language };
    match target {
        Target::Node | Target::PlannedNode => {
            let meant = |n: &&Node| target == Target::Node || n.planned.is_some();
            let subject = |n: &Node| (n.name.clone(), Variables::from([view.node(n)]));
            facts.nodes.iter().filter(meant).map(subject).collect()
        }
        Target::Link | Target::PlannedLink => {
            let meant = |link: &&Link| target == Target::Link || link.planned.is_some();
            let subject = |link: &Link| {
                let ends = [("master", link.master.as_str()), ("replica", link.replica.as_str())];
                view.between(&link.name, view.seen("link", link, &link.unavailable), ends)
            };
            facts.links.iter().filter(meant).filter_map(subject).collect()
        }
        Target::Pair => {
            let subject = |pair: &Pair| {
                let ends = [("a", pair.a.as_str()), ("b", pair.b.as_str())];
                view.between(&pair.name, view.seen("pair", pair, &pair.unavailable), ends)
            };
            facts.pairs.iter().filter_map(subject).collect()
        }
        Target::Instance => facts.hosts.iter().flat_map(|host| view.instances(host)).collect(),
        Target::Product => facts.coordinators.iter().flat_map(|one| view.products(one)).collect(),
        Target::Backend => facts.codis.iter().flat_map(|codis| view.backends(codis)).collect(),
        Target::Host => view.each("host", &facts.hosts, |host| (&host.name, &host.unavailable)),
        Target::Conf => view.each("conf", &facts.conf_files, |conf| (&conf.name, &conf.unavailable)),
        Target::Drift => view.each("drift", &facts.conf_drifts, |drift| (&drift.name, &drift.unavailable)),
        Target::Log => view.each("log", &facts.logs, |log| (&log.name, &log.unavailable)),
        Target::Codis => view.each("codis", &facts.codis, |codis| (&codis.name, &codis.unavailable)),
        Target::Coordinator => {
            view.each("coordinator", &facts.coordinators, |one| (&one.name, &one.unavailable))
        }
        Target::Companion => {
            view.each("file", &facts.companion_files, |file| (&file.name, &file.unavailable))
        }
        Target::Verification => facts.verifications.iter().map(|one| view.comparison(one)).collect(),
        Target::Sentinel => view.each("sentinel", &facts.sentinels, |one| (&one.name, &one.unavailable)),
        Target::Watched => {
            // The name comes from a Sentinel, and goes to every format.
            let harmless = |(name, variables): Subject| (escape_control(&name), variables);
            let all = view.each("watched", &facts.watched, |watched| (&watched.name, &watched.unavailable));
            all.into_iter().map(harmless).collect()
        }
    }
}

/// Facts, for a report in a language.
#[derive(Clone, Copy)]
struct View<'f> {
    facts: &'f Facts,
    language: Language,
}

impl View<'_> {
    /// Each of `all` by itself, under the name `root`; `parts` are its name and what is missing of it.
    fn each<T: Serialize>(
        self,
        root: &str,
        all: &[T],
        parts: impl Fn(&T) -> (&String, &Vec<Unavailable>),
    ) -> Vec<Subject> {
        let subject = |one: &T| {
            let (name, unavailable) = parts(one);
            (name.clone(), Variables::from([self.seen(root, one, unavailable)]))
        };
        all.iter().map(subject).collect()
    }

    /// What stands between two servers, with both. None when one of them was not looked at.
    fn between(self, name: &str, own: (String, Value), ends: [(&str, &str); 2]) -> Option<Subject> {
        let mut variables = Variables::from([own]);
        for (root, server) in ends {
            let server = self.facts.node(server)?;
            variables.extend([self.seen(root, server, &server.unavailable)]);
        }
        Some((name.to_owned(), variables))
    }

    /// The Pikas of a host that were asked about, each with its host.
    fn instances(self, host: &Host) -> Vec<Subject> {
        let whole = self.seen("host", host, &host.unavailable);
        let subject = |instance: &Instance| {
            let own = self.seen("instance", instance, &instance.unavailable);
            (instance.name.clone(), Variables::from([own, whole.clone()]))
        };
        host.instances.iter().filter(|instance| instance.asked).map(subject).collect()
    }

    /// The products of a coordinator, each with it.
    fn products(self, coordinator: &Coordinator) -> Vec<Subject> {
        let whole = self.seen("coordinator", coordinator, &coordinator.unavailable);
        let subject = |product: &Product| {
            let own = self.seen("product", product, &product.unavailable);
            (format!("{} {}", coordinator.name, product.name), Variables::from([own, whole.clone()]))
        };
        coordinator.products.iter().flatten().map(subject).collect()
    }

    /// The servers behind a Codis, each with it.
    fn backends(self, codis: &Codis) -> Vec<Subject> {
        let whole = self.seen("codis", codis, &codis.unavailable);
        let subject = |server: &Backend| {
            let node = match server.node.as_ref().and_then(|name| self.facts.node(name)) {
                Some(found) => self.node(found),
                None => self.seen("node", &Node::default(), &[not_looked_at()]),
            };
            let own = self.seen("server", server, &server.unavailable);
            let name = format!("{} ({} {})", server.name, codis.name, server.group);
            (name, Variables::from([own, whole.clone(), node]))
        };
        codis.servers.iter().map(subject).collect()
    }

    /// A comparison, with the first server of each side and the replication between the two.
    fn comparison(self, verification: &Verification) -> Subject {
        let [source, target] = [&verification.sources, &verification.targets]
            .map(|side| side.first().map_or("", |server| server.name.as_str()));
        let server = |root: &str, name: &str| match self.facts.node(name) {
            Some(found) => self.seen(root, found, &found.unavailable),
            None => self.seen(root, &Node::default(), &[not_looked_at()]),
        };
        let links = &self.facts.links;
        let link =
            links.iter().find(|link| (link.master.as_str(), link.replica.as_str()) == (source, target));
        let link = match link {
            Some(found) => self.seen("link", found, &found.unavailable),
            None => self.seen("link", &Link::default(), &[not_looked_at()]),
        };
        let own = self.seen("verification", verification, &verification.unavailable);
        let variables = Variables::from([own, server("source", source), server("target", target), link]);
        (verification.name.clone(), variables)
    }

    fn node(self, node: &Node) -> (String, Value) {
        self.seen("node", node, &node.unavailable)
    }

    /// Facts as expressions see them under the name `root`.
    fn seen(self, root: &str, facts: &impl Serialize, unavailable: &[Unavailable]) -> (String, Value) {
        let json = serde_json::to_value(facts).unwrap_or(Json::Null);
        (root.to_owned(), tree(root, &json, unavailable.to_vec(), self.language))
    }
}

/// Why nothing is known of a server that only its Codis told of.
fn not_looked_at() -> Unavailable {
    Unavailable::no_access("", reasons::server_not_examined())
}
