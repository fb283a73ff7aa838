//! Servers and links that nobody named: those that services know, and those that run on this host.

use std::collections::HashMap;

use super::hosts::loopback;
use crate::derive;
use crate::derive::sentinel::{followed, is_other};
use crate::model::address::Address;
use crate::model::codis::topology::{Backend, Position};
use crate::model::limits::{MAX_CODIS_SERVERS, MAX_COORDINATED_SERVERS, MAX_SENTINEL_SERVERS};
use crate::model::link::LinkMode;
use crate::parse::address::address;
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::{CodisRequest, LinkRequest, ServerTarget};
use crate::pipeline::run::CollectionRun;

/// Adds the Pikas of this host, the servers of the product that a coordinator has, and those that a Codis names.
pub fn of_services(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    add_local(run)?;
    add_coordinated(run);
    if let Some(codis) = run.plan.codis.as_ref().filter(|codis| codis.servers) {
        add_behind_codis(run, codis);
    }
    run.before_sentinels = run.targets.len();
    Ok(())
}

/// The Pikas that run on this host, which are asked first, and their links to the servers beside them.
fn add_local(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let Some(local) = &run.plan.local_host else { return Ok(()) };
    let mut targets: Vec<ServerTarget> = Vec::new();
    for port in run.running.ports() {
        let address = loopback(port);
        let name = address.to_string();
        if local.master.as_ref() == Some(&name) {
            return Err(PipelineError::OwnMaster(name));
        }
        if run.targets.iter().any(|target| target.name == name) {
            return Err(PipelineError::NamedTwice(name));
        }
        if let Some(master) = &local.master {
            run.add_link(&name, master);
        }
        if let Some(replica) = &local.replica {
            run.add_link(replica, &name);
        }
        targets.push(ServerTarget { name, address, password: local.password.clone() });
    }
    run.targets.splice(0..0, targets);
    Ok(())
}

/// The servers of the product that was named.
fn add_coordinated(run: &mut CollectionRun<'_>) {
    let Some((request, password)) = &run.plan.coordinators else { return };
    let products = request.product.iter();
    let servers = products.flat_map(|product| derive::coordinator::servers(&run.facts.coordinators, product));
    for address in servers.filter_map(|server| address(&server).ok()).take(MAX_COORDINATED_SERVERS) {
        let name = address.to_string();
        if !run.targets.iter().any(|target| target.name == name) {
            run.targets.push(run.found(address, password.as_ref()));
        }
    }
}

/// The servers that a Codis names, but for those that were named already, and their replication.
fn add_behind_codis(run: &mut CollectionRun<'_>, codis: &CodisRequest) {
    let servers: Vec<&Backend> = run.facts.codis.iter().flat_map(|codis| &codis.servers).collect();
    let mut more: Vec<ServerTarget> = Vec::new();
    for server in &servers {
        let Some(address) = &server.address else { continue };
        let known = run.targets.iter().chain(&more).any(|target| target.address == *address);
        if !known && more.len() < MAX_CODIS_SERVERS {
            more.push(run.found(address.clone(), codis.password.as_ref()));
        }
    }
    let name_of = |text: &str| {
        let server = servers.iter().find(|server| server.name == text)?;
        run.targets.iter().chain(&more).find(|target| Some(&target.address) == server.address.as_ref())
    };
    let mut links: Vec<LinkRequest> = Vec::new();
    for server in servers.iter().filter(|server| server.position == Position::Replica) {
        if let (Some(replica), Some(master)) = (name_of(&server.name), name_of(&server.master)) {
            let (replica, master) = (replica.name.clone(), master.name.clone());
            if replica != master {
                links.push(LinkRequest { replica, master, mode: LinkMode::Replica });
            }
        }
    }
    run.targets.extend(more);
    run.add_found(links);
}

/// Adds what the Sentinels monitor, and the links between these servers.
pub fn of_sentinels(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    if !run.plan.sentinels.follow {
        return Ok(());
    }
    let followed = followed(&run.facts.sentinels);
    let mut names: HashMap<String, String> = HashMap::new();
    for address in followed.servers.into_iter().take(MAX_SENTINEL_SERVERS) {
        let shown = address.to_string();
        let known = run.resolved.iter().find(|(known, _)| *known == shown).map(|(_, name)| name.clone());
        let name = known.unwrap_or_else(|| {
            run.targets.push(run.found(address, run.plan.sentinels.password.as_ref()));
            shown.clone()
        });
        names.insert(shown, name);
    }
    let name = |address: &Address| names.get(&address.to_string()).cloned();
    let links = followed.links.iter().filter_map(|(replica, master)| {
        Some(LinkRequest { replica: name(replica)?, master: name(master)?, mode: LinkMode::Replica })
    });
    run.add_found(links.collect());
    Ok(())
}

/// What the Sentinels say beside what the servers say. Sentinels monitor Redis servers, too: what is said of them is
/// in `watched`, and they are no servers of this run unless somebody named them.
pub fn derive_sentinels(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let facts = &mut run.facts;
    derive::sentinel::complete(facts, run.plan.sentinels.follow);
    let named = &run.targets[..run.before_sentinels];
    facts.nodes.retain(|node| {
        let other = node.server.as_ref().is_some_and(|server| is_other(server.kind));
        !other || named.iter().any(|target| target.name == node.name)
    });
    let left: Vec<&str> = facts.nodes.iter().map(|node| node.name.as_str()).collect();
    for server in facts.watched.iter_mut().flat_map(|watched| watched.servers.iter_mut().flatten()) {
        if server.node.as_deref().is_some_and(|name| !left.contains(&name)) {
            server.node = None;
        }
    }
    Ok(())
}
