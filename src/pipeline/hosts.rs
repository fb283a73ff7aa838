//! Looks at the hosts of servers: at this one where a server runs here, at others over ssh.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::conf_files::compare_there;
use crate::collect::host::{self, Dial, DialAs, InstanceSelector, Request, Roots, Search};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::ssh::{self, Destination, RemoteHost};
use crate::derive;
use crate::model::absence::{Absence, AbsenceKind};
use crate::model::facts::Facts;
use crate::model::host::{Host, Instance, SeenFrom};
use crate::model::knowledge::Knowledge;
use crate::model::node::{Generation, Node};

/// A server whose host is to be looked at.
#[derive(Clone, Debug)]
pub struct HostRequest {
    /// The name of the server.
    pub node: String,
    /// The way to its host. `None`: only if that is this one.
    pub via: Option<Destination>,
}

/// Looks at the hosts that `requests` name, beside each other and each once, and adds them to the facts.
pub async fn examine_hosts(
    facts: &mut Facts,
    requests: &[HostRequest],
    knowledge: &Knowledge,
    deadlines: &Deadlines,
) {
    let looks = by_host(facts, requests).into_iter().map(|(via, names)| {
        let request = request(facts, &names, via.is_none());
        async move {
            let seen = match via {
                None => {
                    let host = host::collect_host(&request, &Roots::default(), knowledge, deadlines).await;
                    RemoteHost { host, ..RemoteHost::default() }
                }
                Some(via) => over_ssh(&via, &request, None, deadlines).await,
            };
            (names, seen)
        }
    });
    for (names, seen) in futures_util::future::join_all(looks).await {
        compare_there(facts, &seen.host.name, seen.conf_files, &names, knowledge);
        facts.hosts.push(seen.host);
    }
    derive::host::complete(facts, knowledge);
}

/// The servers that share a way to their host. Without a way, those whose process was seen here.
fn by_host(facts: &Facts, requests: &[HostRequest]) -> Vec<(Option<Destination>, Vec<String>)> {
    let mut hosts: Vec<(Option<Destination>, Vec<String>)> = Vec::new();
    for request in requests {
        let is_here = facts.node(&request.node).is_some_and(|node| node.host_network.is_some());
        if request.via.is_none() && !is_here {
            continue;
        }
        match hosts.iter_mut().find(|(via, _)| *via == request.via) {
            Some((_, names)) => names.push(request.node.clone()),
            None => hosts.push((request.via.clone(), vec![request.node.clone()])),
        }
    }
    hosts
}

/// What is asked about the host of these servers.
pub(super) fn request(facts: &Facts, names: &[String], here: bool) -> Request {
    let nodes = names.iter().filter_map(|name| facts.node(name));
    // Somebody who names a way to a host asks about the host, too.
    let mut request = Request { all: true, whole: !here, ..Request::default() };
    for node in nodes {
        request.instances.push(wanted(node));
        add_peers(facts, node, &mut request, here);
    }
    request.peers.sort();
    request.peers.dedup();
    request
}

/// A server as a process to look for.
pub fn wanted(node: &Node) -> InstanceSelector {
    let config = node.config.clone().unwrap_or_default();
    let settings: BTreeMap<String, String> =
        config.into_iter().filter(|(name, _)| host::SETTINGS.contains(&name.as_str())).collect();
    InstanceSelector {
        name: Some(node.name.clone()),
        node: Some(node.name.clone()),
        pid: node.process.as_ref().and_then(|process| process.pid?.try_into().ok()),
        // Behind a port mapping the process has another port than the one that was named.
        port: node.process.as_ref().and_then(|process| process.tcp_port).or(Some(node.address.port)),
        version: node.version,
        settings,
        ..InstanceSelector::default()
    }
}

/// The servers that the host of `node` must reach, and those whose names its rsync daemon looks up.
fn add_peers(facts: &Facts, node: &Node, request: &mut Request, here: bool) {
    for link in &facts.links {
        let (Some(master), Some(replica)) = (facts.node(&link.master), facts.node(&link.replica)) else {
            continue;
        };
        if link.replica == node.name {
            // The replica dials the address that its slaveof names, which may be another than ours.
            let named = link.address.as_ref().and_then(|address| address.resolved.first()?.parse().ok());
            let Some(ip) = named.or_else(|| ip_of(master)) else { continue };
            if needs_rsync(replica) {
                request.peers.push(ip);
            }
            add_dial(request, master, ip, DialAs::Replica, here);
        } else if link.master == node.name
            && let Some(ip) = ip_of(replica)
        {
            add_dial(request, replica, ip, DialAs::Master, here);
        }
    }
    let master = node.replication.as_ref().and_then(|replication| replication.master.as_ref());
    let follows: Option<IpAddr> = master.and_then(|master| master.host.as_ref()?.parse().ok());
    if needs_rsync(node) {
        request.peers.extend(follows);
    }
}

/// The address by which a server was reached.
pub(super) fn ip_of(node: &Node) -> Option<IpAddr> {
    node.reached_at.as_ref()?.parse().ok()
}

/// Has the host dial a server. From another machine an address of the loopback is another server.
pub(super) fn add_dial(request: &mut Request, to: &Node, ip: IpAddr, r#as: DialAs, here: bool) {
    if let Some(release) = to.version.filter(|_| here || !ip.is_loopback()) {
        let address = SocketAddr::new(ip, to.address.port);
        request.dials.push(Dial { to: to.name.clone(), address, release, r#as });
    }
}

/// Whether full copies to a server go through the rsync of its operating system.
fn needs_rsync(node: &Node) -> bool {
    let generation = node.release.as_ref().and_then(|release| release.generation);
    generation.is_none_or(|generation| generation < Generation::G5)
}

/// The host behind `via`. Where it could not be looked at, its servers are there with the reason.
pub(super) async fn over_ssh(
    via: &Destination,
    request: &Request,
    search: Option<&Search>,
    deadlines: &Deadlines,
) -> RemoteHost {
    let mut seen = match ssh::collect_remote_host(via, request, search, deadlines).await {
        Ok(seen) => seen,
        Err(failure) => {
            let reason = "its host could not be looked at; see host/ssh".to_owned();
            let absence = Absence { path: String::new(), kind: AbsenceKind::NoAccess, reason };
            let unseen = |wanted: &InstanceSelector| Instance {
                name: wanted.name.clone().unwrap_or_default(),
                node: wanted.node.clone(),
                asked: true,
                errors: vec![absence.clone()],
                ..Instance::default()
            };
            let instances = request.instances.iter().map(unseen).collect();
            let errors = vec![absence.clone()];
            let host = Host { ssh: Some(failure), instances, errors, ..Host::default() };
            RemoteHost { host, ..RemoteHost::default() }
        }
    };
    via.name().clone_into(&mut seen.host.name);
    seen.host.seen = SeenFrom::Ssh;
    seen
}
