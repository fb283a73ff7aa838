//! The hosts of the servers: this one where a server runs here, others over ssh.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tokio::time::timeout_at;

use crate::collect::host::{
    self, Dial, DialAs, InstanceSelector, Request, Roots, RouteRequest, Running, Search, goes_by,
};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::ssh::{self, Destination, RemoteHost};
use crate::derive;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::era;
use crate::model::facts::Facts;
use crate::model::host::{Host, Instance, SeenFrom};
use crate::model::network::RouteEnd;
use crate::model::node::Node;
use crate::model::unavailable::Unavailable;
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::{HostRequest, LocalHostRequest, RemoteHostRequest};
use crate::pipeline::run::{CollectionRun, RemoteConfs};

/// Finds the Pikas that run on this host.
pub async fn processes(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let Some(search) = run.plan.local_host.as_ref().and_then(|local| local.search.clone()) else {
        return Ok(());
    };
    // A file system whose server is gone blocks whoever asks about it.
    let search = tokio::task::spawn_blocking(move || search.find(&Roots::default()));
    run.running = match timeout_at(run.deadlines.run, search).await {
        Ok(Ok(found)) => found?,
        Ok(Err(_)) | Err(_) => return Err(PipelineError::ProcessesTimedOut),
    };
    Ok(())
}

/// Asks every host that the plan names, side by side and each once.
pub async fn collect(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    of_servers(run).await;
    if let Some(local) = &run.plan.local_host {
        let request = allowed(local_request(run, local), run.plan.skip_ports);
        let host = host::collect_host(&request, &Roots::default(), run.knowledge, &run.deadlines).await;
        run.facts.hosts.push(host);
    }
    if let Some(remote) = &run.plan.remote_host {
        let request = allowed(remote_request(&run.facts, remote), run.plan.skip_ports);
        let seen = over_ssh(&remote.via, &request, remote.search.as_ref(), &run.deadlines).await;
        run.facts.hosts.push(seen.host);
    }
    Ok(())
}

/// Who wants no ports touched wants no connection to try a route either.
fn allowed(request: Request, skip_ports: bool) -> Request {
    if skip_ports { request.without_trying_routes() } else { request }
}

/// The hosts of servers.
async fn of_servers(run: &mut CollectionRun<'_>) {
    let (knowledge, deadlines, skip_ports) = (run.knowledge, run.deadlines, run.plan.skip_ports);
    let hosts = by_host(&run.facts, &run.plan.hosts).into_iter().map(|(via, servers)| {
        let request = allowed(request(&run.facts, &servers, via.is_none()), skip_ports);
        async move {
            let seen = match via {
                None => {
                    let host = host::collect_host(&request, &Roots::default(), knowledge, &deadlines).await;
                    RemoteHost { host, ..RemoteHost::default() }
                }
                Some(via) => over_ssh(&via, &request, None, &deadlines).await,
            };
            (servers, seen)
        }
    });
    for (servers, seen) in futures_util::future::join_all(hosts).await {
        let RemoteHost { host, conf_files: files, .. } = seen;
        run.remote_confs.push(RemoteConfs { host: host.name.clone(), files, servers });
        run.facts.hosts.push(host);
    }
}

/// What is asked about this host.
fn local_request(run: &CollectionRun<'_>, local: &LocalHostRequest) -> Request {
    let roots = Roots::default();
    let mut asked = request_running(&run.facts, &run.running, &roots, |port| loopback(port).to_string());
    asked.whole = local.whole;
    add_named_peers(&mut asked, &local.peers);
    if let Some(planned) = local.planned.clone() {
        if let Some(master) = planned.master.as_ref().and_then(|name| run.facts.node(name)) {
            add_master(&mut asked, master, planned.name.clone(), true);
        }
        asked.instances.push(planned);
    }
    asked
}

/// What is asked about another host.
fn remote_request(facts: &Facts, remote: &RemoteHostRequest) -> Request {
    let one = remote.search.as_ref().is_some_and(Search::is_for_one);
    let mut asked = Request { all: true, whole: !one, ..Request::default() };
    add_named_peers(&mut asked, &remote.peers);
    if let Some(master) = remote.master.as_ref().and_then(|name| facts.node(name)) {
        add_master(&mut asked, master, None, false);
    }
    let replica = remote.replica.as_ref().and_then(|name| facts.node(name));
    if let Some((replica, ip)) = replica.and_then(|replica| Some((replica, ip_of(replica)?))) {
        add_dial(&mut asked, replica, ip, DialAs::Master, false);
        add_route(&mut asked, None, replica, ip, RouteEnd::Replica);
    }
    asked.instances.extend(remote.planned.clone());
    asked
}

/// What follows from the hosts.
pub fn derive(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    derive::host::complete(&mut run.facts, run.knowledge);
    Ok(())
}

/// The address of a Pika on the host on which this program runs: 127.0.0.1 is always among those it listens on,
/// whatever network-interface says.
pub fn loopback(port: u16) -> Address {
    Address { host: "127.0.0.1".into(), port }
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

/// What is asked about Pikas that run here. `name`: of the server of the run with this port.
pub fn request_running(
    facts: &Facts,
    running: &Running,
    roots: &Roots,
    name: impl Fn(u16) -> String,
) -> Request {
    let names: Vec<String> = running.ports().into_iter().map(&name).collect();
    let mut asked = request(facts, &names, true);
    let mut unasked = running.skipped.clone();
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
                unasked.push((*pid, reasons::port_of_another_server(*port)));
            }
        }
    }
    let unasked = unasked.into_iter().map(|(pid, reason)| InstanceSelector {
        pid: Some(pid),
        skip_reason: Some(reason),
        ..InstanceSelector::default()
    });
    asked.instances.extend(unasked);
    asked
}

/// Has the host of a replica-to-be dial its master, and look up the way to it and the master's name.
fn add_master(asked: &mut Request, master: &Node, of: Option<String>, here: bool) {
    if let Some(ip) = ip_of(master) {
        asked.peers.push(ip);
        add_dial(asked, master, ip, DialAs::Replica, here);
        add_route(asked, of, master, ip, RouteEnd::Master);
    }
}

/// Has the host look up the names of addresses that somebody named, and the ways to them.
fn add_named_peers(asked: &mut Request, peers: &[IpAddr]) {
    asked.peers.extend(peers);
    asked.routes.extend(peers.iter().map(|ip| RouteRequest {
        of: None,
        to: ip.to_string(),
        end: RouteEnd::Peer,
        ip: *ip,
        port: None,
    }));
}

/// Has the host look up the way to a server of the run.
fn add_route(asked: &mut Request, of: Option<String>, to: &Node, ip: IpAddr, end: RouteEnd) {
    let port = Some(to.address.port);
    asked.routes.push(RouteRequest { of, to: to.name.clone(), end, ip, port });
}

/// Has the host of `node` look up the ways to the servers that it says it replicates with, but for those that are
/// servers of the run.
fn add_told_routes(asked: &mut Request, node: &Node) {
    let Some(replication) = &node.replication else { return };
    let master = replication.master.iter().filter_map(|master| {
        Some((RouteEnd::Master, master.host.clone()?, u16::try_from(master.port?).ok()?))
    });
    let replicas = replication.replicas.iter().map(|told| (RouteEnd::Replica, told.ip.clone(), told.port));
    for (end, host, port) in master.chain(replicas) {
        let Ok(ip) = host.parse::<IpAddr>() else { continue };
        let of = Some(node.name.clone());
        let is_known = |known: &RouteRequest| known.of == of && known.end == end && known.ip == ip;
        if !asked.routes.iter().any(is_known) {
            let to = Address { host, port }.to_string();
            asked.routes.push(RouteRequest { of, to, end, ip, port: Some(port) });
        }
    }
}

/// What is asked about the host of these servers.
pub fn request(facts: &Facts, names: &[String], here: bool) -> Request {
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
            add_route(request, Some(node.name.clone()), master, ip, RouteEnd::Master);
        } else if link.master == node.name
            && let Some(ip) = ip_of(replica)
        {
            add_dial(request, replica, ip, DialAs::Master, here);
            add_route(request, Some(node.name.clone()), replica, ip, RouteEnd::Replica);
        }
    }
    add_told_routes(request, node);
    let master = node.replication.as_ref().and_then(|replication| replication.master.as_ref());
    let follows: Option<IpAddr> = master.and_then(|master| master.host.as_ref()?.parse().ok());
    if needs_rsync(node) {
        request.peers.extend(follows);
    }
}

/// The address by which a server was reached.
pub fn ip_of(node: &Node) -> Option<IpAddr> {
    node.reached_at.as_ref()?.parse().ok()
}

/// Has the host dial a server. From another machine an address of the loopback is another server.
pub fn add_dial(request: &mut Request, to: &Node, ip: IpAddr, r#as: DialAs, here: bool) {
    // Of another build than it says nobody knows what its ports do.
    let is_doubtful = to.release.as_ref().is_some_and(|release| release.foreign_fact.is_some());
    if let Some(release) = to.version.filter(|_| !is_doubtful && (here || !ip.is_loopback())) {
        let address = SocketAddr::new(ip, to.address.port);
        request.dials.push(Dial { to: to.name.clone(), address, release, r#as });
    }
}

/// Whether full copies to a server go through the rsync of its operating system.
fn needs_rsync(node: &Node) -> bool {
    node.version.is_none_or(|version| version.is_of(&era::RSYNCD))
}

/// The host behind `via`. Where it could not be looked at, its servers are there with the reason.
pub async fn over_ssh(
    via: &Destination,
    request: &Request,
    search: Option<&Search>,
    deadlines: &Deadlines,
) -> RemoteHost {
    let mut seen = match ssh::collect_remote_host(via, request, search, deadlines).await {
        Ok(seen) => seen,
        Err(failure) => {
            let absence = Unavailable::no_access("", reasons::host_not_examined());
            let unseen = |wanted: &InstanceSelector| Instance {
                name: wanted.name.clone().unwrap_or_default(),
                node: wanted.node.clone(),
                asked: true,
                unavailable: vec![absence.clone()],
                ..Instance::default()
            };
            let instances = request.instances.iter().map(unseen).collect();
            let unavailable = vec![absence.clone()];
            let host = Host { ssh: Some(failure), instances, unavailable, ..Host::default() };
            RemoteHost { host, ..RemoteHost::default() }
        }
    };
    via.name().clone_into(&mut seen.host.name);
    seen.host.seen = SeenFrom::Ssh;
    seen
}
