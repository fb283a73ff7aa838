//! What was seen: the tree that checks look at, that bundles carry and that `--format json` prints.
//!
//! Three rules hold everywhere in it:
//!
//! * A fact is what a server said or did, or what follows from it without an opinion. Opinions are
//!   findings.
//! * `null` means that there is nothing (a master has no master), unless an entry of `unavailable` names
//!   the fact or something above it: then it could not be had, and the entry says why.
//! * Secrets are not in it. A password is a token: equal tokens within one run mean equal passwords,
//!   the empty string means that none is set.

use serde::{Deserialize, Serialize};

use super::codis::Codis;
use super::codis::coordinator::Coordinator;
use super::companion::CompanionFile;
use super::conf::ConfFile;
use super::drift::ConfDrift;
use super::host::Host;
use super::link::{Link, Pair};
use super::logs::LogView;
use super::node::Node;
use super::sentinel::{Sentinel, Watched};
use super::verification::Verification;

/// The version of this tree, in `Facts::schema`.
pub const SCHEMA: &str = "pikadoctor.facts/1";

/// Everything that was seen in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always `pikadoctor.facts/1`.
    pub schema: String,
    /// When collecting began, RFC 3339, UTC.
    pub collected_at: String,
    /// The servers, in the order in which they were named.
    pub nodes: Vec<Node>,
    /// The replication links that were asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The double masters that were asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// The configuration files, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conf_files: Vec<ConfFile>,
    /// The hosts that were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// The coordinators of Codis that were looked at, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordinators: Vec<Coordinator>,
    /// Every Codis that was asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codis: Vec<Codis>,
    /// Configuration files of the programs around Pika, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companion_files: Vec<CompanionFile>,
    /// The Sentinels that were asked, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<Sentinel>,
    /// The master names that the Sentinels watch. Set by `derive`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Watched>,
    /// The logs that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogView>,
    /// Configuration files beside the running values of their servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conf_drifts: Vec<ConfDrift>,
    /// Comparisons of the data of servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verifications: Vec<Verification>,
}

impl Facts {
    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// What is judged one by one, and how many there are of each kind.
    pub fn subjects(&self) -> [(&'static str, usize); 15] {
        let products = self.coordinators.iter().map(|one| one.products.as_ref().map_or(0, Vec::len));
        let instances = self.hosts.iter().map(|host| host.instances.len());
        [
            ("servers", self.nodes.len()),
            ("links", self.links.len()),
            ("pairs", self.pairs.len()),
            ("configuration files", self.conf_files.len()),
            ("hosts", self.hosts.len()),
            ("processes", instances.sum()),
            ("coordinators", self.coordinators.len()),
            ("products", products.sum()),
            ("Codis", self.codis.len()),
            ("companion files", self.companion_files.len()),
            ("Sentinels", self.sentinels.len()),
            ("watched masters", self.watched.len()),
            ("logs", self.logs.len()),
            ("compared configurations", self.conf_drifts.len()),
            ("verifications", self.verifications.len()),
        ]
    }

    /// Puts facts that were collected later in the place of earlier ones about the same things.
    pub fn merge(&mut self, later: Self) {
        self.collected_at = later.collected_at;
        for node in later.nodes {
            match self.nodes.iter_mut().find(|known| known.name == node.name) {
                Some(known) => *known = node,
                None => self.nodes.push(node),
            }
        }
        for link in later.links {
            let is_it = |known: &&mut Link| known.name == link.name && known.mode == link.mode;
            match self.links.iter_mut().find(is_it) {
                Some(known) => *known = link,
                None => self.links.push(link),
            }
        }
        for pair in later.pairs {
            match self.pairs.iter_mut().find(|known| known.name == pair.name) {
                Some(known) => *known = pair,
                None => self.pairs.push(pair),
            }
        }
        for host in later.hosts {
            match self.hosts.iter_mut().find(|known| known.name == host.name && known.seen == host.seen) {
                Some(known) => *known = host,
                None => self.hosts.push(host),
            }
        }
        // A part of a plan is not about these.
        if !later.codis.is_empty() {
            self.codis = later.codis;
        }
        if !later.coordinators.is_empty() {
            self.coordinators = later.coordinators;
        }
        if !later.sentinels.is_empty() {
            (self.sentinels, self.watched) = (later.sentinels, later.watched);
        }
        for drift in later.conf_drifts {
            match self.conf_drifts.iter_mut().find(|known| known.name == drift.name) {
                Some(known) => *known = drift,
                None => self.conf_drifts.push(drift),
            }
        }
        for verification in later.verifications {
            match self.verifications.iter_mut().find(|known| known.name == verification.name) {
                Some(known) => *known = verification,
                None => self.verifications.push(verification),
            }
        }
        if !later.logs.is_empty() {
            self.logs = later.logs;
        }
        for conf in later.conf_files {
            match self.conf_files.iter_mut().find(|known| known.name == conf.name) {
                Some(known) => *known = conf,
                None => self.conf_files.push(conf),
            }
        }
    }
}
