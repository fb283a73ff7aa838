//! What one step of a run leaves to the next.

use std::collections::BTreeMap;

use super::request::{CollectionPlan, LinkRequest, LogsRequest, ServerTarget};
use super::trust::Trusted;
use crate::collect::clock;
use crate::collect::host::Running;
use crate::collect::link::Party;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::Password;
use crate::model::address::Address;
use crate::model::conf::ConfFile;
use crate::model::facts::{self, Facts};
use crate::model::knowledge::Knowledge;
use crate::model::link::{Link, LinkMode};
use crate::model::logs::LogView;
use crate::parse::conf_text::ConfText;

/// A run: the facts so far, and what is not in them and later steps need.
pub struct CollectionRun<'k> {
    /// What is to be collected.
    pub plan: &'k CollectionPlan,
    /// What is known about Pika.
    pub knowledge: &'k Knowledge,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// The hosts that may see passwords.
    trusted: Trusted,
    /// The facts so far.
    pub facts: Facts,
    /// The servers that are asked: those of the plan, and those that were found.
    pub targets: Vec<ServerTarget>,
    /// How many of them nobody found by a Sentinel.
    pub before_sentinels: usize,
    /// The links that were found, each once and none that was named.
    pub found_links: Vec<LinkRequest>,
    /// Every address that may stand for one of the targets, and the target's name.
    pub resolved: Vec<(String, String)>,
    /// The Pikas that run on this host and were asked for.
    pub running: Running,
    /// The links that are being probed.
    pub probed: Vec<ProbedLink>,
    /// Texts of configuration files that belong to no server.
    pub conf_texts: Vec<ConfText>,
    /// Texts of configuration files of servers.
    pub server_confs: Vec<ServerConf>,
    /// Configuration files that were read on other hosts.
    pub remote_confs: Vec<RemoteConfs>,
    /// Logs that were read.
    pub logs: Vec<(LogsRequest, LogView)>,
}

/// A link that is being probed; of a double master both directions.
pub struct ProbedLink {
    /// What was asked for.
    pub request: LinkRequest,
    /// Whether somebody named it. Nothing is written on others.
    pub named: bool,
    /// One direction, or both.
    pub links: Vec<Link>,
}

/// The configuration file of a server, as text.
pub struct ServerConf {
    /// The server.
    pub server: String,
    /// The text.
    pub text: ConfText,
    /// Whether somebody named the file.
    pub named: bool,
    /// Whether it is judged as a file, too.
    pub judged: bool,
}

/// What another run of this program read on the host of servers.
pub struct RemoteConfs {
    /// The host.
    pub host: String,
    /// The files, by the name of their servers.
    pub files: BTreeMap<String, ConfFile>,
    /// The servers that were asked about.
    pub servers: Vec<String>,
}

impl<'k> CollectionRun<'k> {
    /// A run that begins now.
    pub fn new(plan: &'k CollectionPlan, knowledge: &'k Knowledge, deadlines: Deadlines) -> Self {
        let facts =
            Facts { schema: facts::SCHEMA.to_owned(), collected_at: clock::now(), ..Facts::default() };
        Self {
            plan,
            knowledge,
            deadlines,
            trusted: Trusted::of(plan),
            facts,
            targets: plan.targets.clone(),
            before_sentinels: plan.targets.len(),
            found_links: Vec::new(),
            resolved: Vec::new(),
            running: Running::default(),
            probed: Vec::new(),
            conf_texts: Vec::new(),
            server_confs: Vec::new(),
            remote_confs: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// A server that somebody else than a person named. It sees the password only if its host was named.
    pub fn found(&self, address: Address, password: Option<&Password>) -> ServerTarget {
        let password = password.filter(|_| self.trusted.holds(&address)).cloned();
        ServerTarget { name: address.to_string(), address, password }
    }

    /// Adds links that were found, each once, and none that was named or found before.
    pub fn add_found(&mut self, links: Vec<LinkRequest>) {
        let same = |a: &LinkRequest, b: &LinkRequest| (&a.replica, &a.master) == (&b.replica, &b.master);
        for link in links {
            if !self.plan.links.iter().chain(&self.found_links).any(|known| same(known, &link)) {
                self.found_links.push(link);
            }
        }
    }

    /// Adds a link that was asked for together with the host of one of its ends.
    pub fn add_link(&mut self, replica: &str, master: &str) {
        let (replica, master) = (replica.to_owned(), master.to_owned());
        self.found_links.push(LinkRequest { replica, master, mode: LinkMode::Replica });
    }

    /// One end of a link: the node, and the password that it was reached with.
    pub fn party(&self, name: &str) -> Option<Party<'_>> {
        let node = self.facts.node(name)?;
        let target = self.targets.iter().find(|target| target.name == name)?;
        Some(Party { node, password: target.password.as_ref() })
    }
}
