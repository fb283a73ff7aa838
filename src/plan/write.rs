//! Makes a plan from what was seen, with comments for whoever completes it. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use super::file::SCHEMA;
use crate::i18n::texts;
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::node::Node;
use crate::model::replication::Role;
use crate::model::text::{Language, escape_control};
use crate::render::words::node_line;

/// What watches servers or spreads them, as somebody named it.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// URLs of Codis.
    pub codis: Vec<String>,
    /// The product of Codis.
    pub product: Option<String>,
    /// ZooKeeper ensembles.
    pub zookeeper: Vec<String>,
    /// etcds.
    pub etcd: Vec<String>,
    /// Directories of the file-system coordinator.
    pub coordinator_dirs: Vec<String>,
    /// Sentinels.
    pub sentinels: Vec<String>,
}

impl Named {
    fn write(&self, out: &mut String) {
        let lists = [
            ("codis", &self.codis),
            ("zookeeper", &self.zookeeper),
            ("etcd", &self.etcd),
            ("coordinator_dirs", &self.coordinator_dirs),
            ("sentinels", &self.sentinels),
        ];
        for (key, texts) in lists.into_iter().filter(|(_, texts)| !texts.is_empty()) {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            let _ = writeln!(out, "\n{key}: [{}]", texts.join(", "));
        }
        if let Some(product) = &self.product {
            let _ = writeln!(out, "\nproduct: {}", quoted(product));
        }
    }
}

/// The addresses of servers that the servers in `facts` name and that are not among them.
pub fn neighbours(facts: &Facts) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    for address in facts.nodes.iter().flat_map(named_by) {
        if find(facts, &address).is_none() && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// The servers that a server names: its master, its replicas, the other half of its double master.
fn named_by(node: &Node) -> Vec<Address> {
    let mut named = Vec::new();
    if let Some(replication) = &node.replication {
        named.extend(master_of(node));
        named.extend(replication.replicas.iter().filter_map(|line| plausible(&line.ip, line.port.into())));
    }
    named.extend(peer_of(node));
    named
}

fn master_of(node: &Node) -> Option<Address> {
    let replication = node.replication.as_ref()?;
    if !matches!(replication.role, Some(Role::Slave | Role::MasterAndSlave)) {
        return None;
    }
    let master = replication.master.as_ref()?;
    plausible(master.host.as_deref()?, master.port?)
}

fn peer_of(node: &Node) -> Option<Address> {
    let double_master = node.double_master.as_ref().filter(|double| double.enabled == Some(true))?;
    plausible(double_master.peer_host.as_deref()?, double_master.peer_port?)
}

/// An address that a server gives: what it says is not one just because it says so.
fn plausible(host: &str, port: i64) -> Option<Address> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
    crate::parse::address::pika_address(&Address { host: host.to_owned(), port }.to_string()).ok()
}

/// The index of the server at `address`, by the address it was named by or the one it was reached at.
fn find(facts: &Facts, address: &Address) -> Option<usize> {
    facts.nodes.iter().position(|node| {
        node.address.port == address.port
            && (node.address.host.eq_ignore_ascii_case(&address.host)
                || node.reached_at.as_deref() == Some(&address.host))
    })
}

/// A plan of the servers and of the replication between them.
///
/// `file` is where it is written to, for the command that checks it.
pub fn plan_text(facts: &Facts, around: &Named, file: Option<&Path>, language: Language) -> String {
    let file = file.map_or_else(|| "pikadoctor.yaml".to_owned(), |file| file.display().to_string());
    let file = shlex::try_quote(&file).unwrap_or(Cow::Borrowed("pikadoctor.yaml"));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# {}\n# {}\n#   pikadoctor check -f {} --wait 30m\n# {}\n#   pikadoctor schema plan\n",
        texts::PLAN_INTRODUCTION.get(language),
        texts::PLAN_CHECK_IT.get(language),
        escape_control(&file),
        texts::PLAN_SCHEMA.get(language),
    );
    let _ = writeln!(out, "schema: {SCHEMA}\n\nnodes:");
    for (index, node) in facts.nodes.iter().enumerate() {
        let line = node_line(node, language);
        let seen = line.split_once("  ").map_or(line.as_str(), |(_, seen)| seen);
        let _ = writeln!(out, "  {}:  # {}", name(index), one_line(seen));
        let _ = writeln!(out, "    addr: {}", quoted(&node.address.to_string()));
        if let Some(version) = node.version {
            let _ = writeln!(out, "    release: {}", quoted(&version.to_string()));
        }
        if let Some(role) = node.replication.as_ref().and_then(|replication| replication.role) {
            let role = match role {
                Role::Master => "master",
                Role::Slave | Role::MasterAndSlave => "replica",
                Role::DoubleMaster => "double-master",
            };
            let _ = writeln!(out, "    role: {role}");
        }
        let variable = format!("PIKADOCTOR_PASSWORD_{}", name(index).to_uppercase().replace('-', "_"));
        let hint = texts::PLAN_INSTEAD_OF_VARIABLE.get(language);
        let _ = writeln!(out, "    # password: {{file: password}}  # {hint} {variable}");
        let _ = writeln!(out, "    # conf: pika.conf");
    }
    links(&mut out, facts, language);
    around.write(&mut out);
    let _ = write!(
        out,
        "\n# {}\n# thresholds:\n#   node/clients: {{warning_percent: 70}}\n\n# {}\n# waivers:\n#   - check: node/known-defects\n\
         #     target: {}\n#     reason: {}\n#     owner: ops\n#     expires: 2030-12-31\n\n# {}\n# require: [ports, writes]\n",
        texts::PLAN_PARAMETERS.get(language),
        texts::PLAN_WAIVERS.get(language),
        name(0),
        texts::PLAN_WAIVER_REASON.get(language),
        texts::PLAN_REQUIRE.get(language),
    );
    out
}

/// The replication that stands, each link and pair once.
fn links(out: &mut String, facts: &Facts, language: Language) {
    let mut links: Vec<(usize, usize)> = Vec::new();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (index, node) in facts.nodes.iter().enumerate() {
        if let Some(master) = master_of(node).and_then(|address| find(facts, &address)) {
            links.push((master, index));
        }
        if let Some(peer) = peer_of(node).and_then(|address| find(facts, &address)) {
            let pair = (index.min(peer), index.max(peer));
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    if links.is_empty() {
        let hint = texts::PLAN_LINKS.get(language);
        let _ = writeln!(out, "\n# {hint}\n# links:\n#   - {{from: {}, to: pika-2, mode: planned}}", name(0));
    } else {
        let _ = writeln!(out, "\nlinks:");
    }
    for (master, replica) in links {
        let _ = writeln!(out, "  - from: {}\n    to: {}", name(master), name(replica));
        let _ = writeln!(out, "    max_lag: {{bytes: 1MiB, time: 2s}}");
    }
    if !pairs.is_empty() {
        let _ = writeln!(out, "\ndouble_masters:");
    }
    for (a, b) in pairs {
        let _ = writeln!(out, "  - {{a: {}, b: {}}}", name(a), name(b));
    }
}

/// What a server is called: servers have no names of their own.
fn name(index: usize) -> String {
    format!("pika-{}", index + 1)
}

/// A string of JSON is one of YAML, too. A `$` begins a variable in an address.
fn quoted(text: &str) -> String {
    serde_json::to_string(&text.replace('$', "$$")).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    escape_control(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
