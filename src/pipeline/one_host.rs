//! Looks at one host that somebody asks about by itself: this one, or another one over ssh.

use std::net::IpAddr;

use super::hosts::{add_dial, ip_of, over_ssh, request};
use super::servers::{Scope, Target, examine};
use crate::collect::host::{self, DialAs, InstanceSelector, Request, Roots, Running, Search, goes_by};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::ssh::Destination;
use crate::derive;
use crate::model::absence::{Absence, AbsenceKind};
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::host::Host;
use crate::model::knowledge::Knowledge;
use crate::model::node::Node;

/// What is asked about this host by name.
#[derive(Clone, Debug, Default)]
pub struct HereRequest {
    /// The Pikas that run here and are asked about. Those with a port are servers of the run.
    pub running: Running,
    /// Whether the host itself is asked about.
    pub whole: bool,
    /// A configuration that shall become one.
    pub planned: Option<InstanceSelector>,
    /// Peers whose names are looked up, beside those that follow from the links.
    pub peers: Vec<IpAddr>,
}

/// What is asked about another host.
#[derive(Clone, Debug, Default)]
pub struct ThereRequest {
    /// The Pikas that run there and are asked about.
    pub search: Option<Search>,
    /// A configuration there that shall become one.
    pub planned: Option<InstanceSelector>,
    /// The server of the run that they are to be replicas of.
    pub master: Option<String>,
    /// The server of the run that they are to be the masters of.
    pub replica: Option<String>,
    /// Peers whose names are looked up, beside the master.
    pub peers: Vec<IpAddr>,
}

/// The address of a Pika on the host on which this program runs: 127.0.0.1 is always among those it listens on,
/// whatever network-interface says.
pub fn loopback(port: u16) -> Address {
    Address { host: "127.0.0.1".into(), port }
}

/// Looks at this host, and adds it to the facts.
pub async fn examine_this_host(
    facts: &mut Facts,
    here: HereRequest,
    knowledge: &Knowledge,
    deadlines: &Deadlines,
) {
    let roots = Roots::default();
    let mut asked = request_running(facts, &here.running, &roots, |port| loopback(port).to_string());
    asked.whole = here.whole;
    asked.peers.extend(here.peers);
    if let Some(planned) = here.planned {
        if let Some(master) = planned.master.as_ref().and_then(|name| facts.node(name)) {
            add_master(&mut asked, master, true);
        }
        asked.instances.push(planned);
    }
    facts.hosts.push(host::collect_host(&asked, &roots, knowledge, deadlines).await);
    derive::host::complete(facts, knowledge);
}

/// Looks at the host behind `via`, and adds it to the facts.
pub async fn examine_that_host(
    facts: &mut Facts,
    via: &Destination,
    there: ThereRequest,
    knowledge: &Knowledge,
    deadlines: &Deadlines,
) {
    let named = there.search.as_ref().is_some_and(Search::is_for_one);
    let mut asked = Request { all: true, whole: !named, peers: there.peers, ..Request::default() };
    if let Some(master) = there.master.as_ref().and_then(|name| facts.node(name)) {
        add_master(&mut asked, master, false);
    }
    let replica = there.replica.as_ref().and_then(|name| facts.node(name));
    if let Some((replica, ip)) = replica.and_then(|replica| Some((replica, ip_of(replica)?))) {
        add_dial(&mut asked, replica, ip, DialAs::Master, false);
    }
    asked.instances.extend(there.planned);
    facts.hosts.push(over_ssh(via, &asked, there.search.as_ref(), deadlines).await.host);
    derive::host::complete(facts, knowledge);
}

/// The other side of it: looks at this host for another pikadoctor, about the Pikas of `search`, too. They are asked
/// here, on the loopback, which is not to be reached from elsewhere; without a password, since none is sent to
/// another host.
pub async fn answer(
    mut asked: Request,
    search: Option<&Search>,
    knowledge: &Knowledge,
    deadlines: Deadlines,
) -> Host {
    let roots = Roots::default();
    let Some(search) = search else { return host::collect_host(&asked, &roots, knowledge, &deadlines).await };
    let running = match search.find(&roots) {
        Ok(running) => running,
        Err(reason) => {
            let mut host = host::collect_host(&asked, &roots, knowledge, &deadlines).await;
            host.errors.push(Absence { path: "instances".into(), kind: AbsenceKind::Failed, reason });
            return host;
        }
    };
    let name = |port: u16| format!("{}:{port}", search.host);
    let targets: Vec<Target> = running
        .ports()
        .into_iter()
        .map(|port| Target { name: name(port), address: loopback(port), password: None })
        .collect();
    let facts = examine(&targets, knowledge, Scope { deadlines, ports: false }).await;
    let mut found = request_running(&facts, &running, &roots, name);
    for wanted in &mut found.instances {
        // It is no server of the run that asks.
        let node = wanted.node.take().and_then(|name| facts.node(&name));
        let replicates = node.and_then(|node| derive::host::replicates(node, &facts));
        wanted.replicates = if search.replicates { Some(true) } else { replicates };
        wanted.master.clone_from(&search.master);
        if let Some(node) = node {
            wanted.skip_reason = Some(untold(node, &search.host));
        }
        if wanted.name.is_none() {
            wanted.name = wanted.pid.map(|pid| format!("{} pid {pid}", search.host));
        }
    }
    asked.instances.extend(found.instances);
    asked.peers.extend(found.peers);
    host::collect_host(&asked, &roots, knowledge, &deadlines).await
}

/// What is asked about Pikas that run here. `name`: of the server of the run with this port.
fn request_running(facts: &Facts, running: &Running, roots: &Roots, name: impl Fn(u16) -> String) -> Request {
    let names: Vec<String> = running.ports().into_iter().map(&name).collect();
    let mut asked = request(facts, &names, true);
    let mut skipped = running.skipped.clone();
    for (pid, port) in &running.by_port {
        let name = name(*port);
        let told: Option<u32> =
            facts.node(&name).and_then(|node| node.process.as_ref()?.pid?.try_into().ok());
        match asked.instances.iter_mut().find(|wanted| wanted.node.as_ref() == Some(&name)) {
            Some(wanted) if told.map_or(wanted.pid.is_none(), |told| goes_by(roots, *pid, told)) => {
                wanted.pid = Some(*pid);
            }
            // A configuration that was edited since the start, or two that name one port.
            _ => {
                let reason = format!("its configuration has port {port}, where another server answers");
                skipped.push((*pid, reason));
            }
        }
    }
    let skipped = skipped.into_iter().map(|(pid, reason)| InstanceSelector {
        pid: Some(pid),
        skip_reason: Some(reason),
        ..InstanceSelector::default()
    });
    asked.instances.extend(skipped);
    asked
}

/// Has the host of a replica-to-be dial its master, and look up the master's name.
fn add_master(asked: &mut Request, master: &Node, here: bool) {
    if let Some(ip) = ip_of(master) {
        asked.peers.push(ip);
        add_dial(asked, master, ip, DialAs::Replica, here);
    }
}

/// Why what a Pika of another host says about itself is not known.
fn untold(node: &Node, host: &str) -> String {
    let port = node.address.port;
    if node.authentication.admitted == Some(false) {
        return format!(
            "it asks for a password, and none is sent to another host; \
             pikadoctor check HOST:{port} --ssh {host} asks it with one"
        );
    }
    format!("no Pika answered on {} of {host}", node.address)
}
