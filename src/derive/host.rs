//! What follows from the facts about hosts: which server is which process, whose ports are in whose way, and
//! how much room a full copy takes.

use std::net::IpAddr;
use std::path::Path;

use super::bounds;
use super::network::follows_itself;
use super::route;
use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::facts::Facts;
use crate::model::host::{Holder, Host, Instance, Kernel, Listener, PortOnHost, RsyncDaemon};
use crate::model::knowledge::Knowledge;
use crate::model::network::{AddressKind, PortRole};
use crate::model::node::Node;
use crate::model::port_use::{PortUse, port_uses};
use crate::model::storage::{ConfOnHost, DumpSpace, FullSyncSpace, PathOnHost, PathRole};
use crate::model::unavailable::Unavailable;

/// Completes what is known about the hosts.
pub fn complete(facts: &mut Facts, knowledge: &Knowledge) {
    let mut hosts = std::mem::take(&mut facts.hosts);
    for host in &mut hosts {
        for instance in &mut host.instances {
            join(instance, facts);
            if instance.own_address.is_none() && !explained(instance, "own_address") {
                instance.own_address = instance.address_at_start(takes_eth0(instance));
                if instance.own_address.is_none() && instance.network.is_some() {
                    let reason = reasons::network_interface_not_known();
                    instance.unavailable.push(Unavailable::no_access("own_address", reason));
                }
            }
            route::complete(instance, &facts.links);
            set_space(instance, facts);
            set_dump(instance, facts);
            set_binlog(instance);
            set_memory(instance);
            compare_next_start(instance, knowledge);
        }
        host.nodes = host.instances.iter().filter_map(|instance| instance.node.clone()).collect();
        let layouts: Vec<Layout> =
            host.instances.iter().map(|instance| Layout::of(instance, knowledge)).collect();
        for index in 0..host.instances.len() {
            let ports = ports(host, &layouts, index);
            let instance = &mut host.instances[index];
            if ports.is_none() && !explained(instance, "ports") {
                let version = instance.unavailable.iter().find(|absence| absence.path == "version");
                let reason =
                    version.map_or_else(reasons::its_release_not_known, |absence| absence.reason.clone());
                instance.unavailable.push(Unavailable::failed("ports", reason));
            }
            instance.ports = ports;
        }
    }
    facts.hosts = hosts;
    route::of_links(facts);
    for index in 0..facts.nodes.len() {
        let (replicates, translated) =
            (replicates(&facts.nodes[index], facts), translated(&facts.nodes[index], facts));
        let instance = instance_of(&facts.nodes[index], facts);
        let own = instance.and_then(|instance| instance.address_now(takes_eth0(instance)));
        let unknown = instance
            .and_then(|instance| instance.unavailable.iter().find(|absence| absence.path == "own_address"))
            .cloned();
        let node = &mut facts.nodes[index];
        (node.replicates, node.translated) = (replicates, translated);
        if node.own_address.is_none() && (own.is_some() || unknown.is_some()) {
            node.own_address = own;
            node.unavailable.retain(|absence| absence.path != "own_address");
            node.unavailable.extend(unknown.filter(|_| node.own_address.is_none()));
        }
        let names = names_of_host(&facts.nodes[index], facts);
        let node = &mut facts.nodes[index];
        node.follows_itself = follows_itself(node, &names);
    }
}

/// The names and addresses under which the host of a server, or its container, is known on the host itself.
fn names_of_host(node: &Node, facts: &Facts) -> Vec<String> {
    let is_it = |instance: &&Instance| instance.node.as_ref() == Some(&node.name);
    let seen = facts.hosts.iter().find_map(|host| Some((host, host.instances.iter().find(is_it)?)));
    let network = seen.and_then(|(_, instance)| instance.network.as_ref()).or(node.host_network.as_ref());
    let addresses =
        network.into_iter().flat_map(|network| &network.interfaces).flat_map(|card| &card.addresses);
    let is_loopback = |address: &&String| AddressKind::of(address) == AddressKind::Loopback;
    let addresses = addresses.filter(|address| !is_loopback(address)).cloned();
    let hostname =
        seen.filter(|(_, instance)| !instance.own_network).and_then(|(host, _)| host.hostname.clone());
    addresses.chain(hostname).collect()
}

fn instance_of<'f>(node: &Node, facts: &'f Facts) -> Option<&'f Instance> {
    let mut instances = facts.hosts.iter().flat_map(|host| &host.instances);
    instances.find(|instance| instance.node.as_ref() == Some(&node.name))
}

/// Whether the address at which a server was reached is none of its own network's. `None`: nothing shows it.
fn translated(node: &Node, facts: &Facts) -> Option<bool> {
    let reached = node.reached_at.as_deref()?;
    // Seen on the very host: the process and the address are both here.
    if node.host_network.is_some() {
        return Some(false);
    }
    if let Some(instance) = instance_of(node, facts)
        && let Some(network) = &instance.network
    {
        let is_loopback = reached.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let mut addresses = network.interfaces.iter().flat_map(|card| &card.addresses);
        let has_it = if is_loopback { !instance.own_network } else { addresses.any(|own| own == reached) };
        return Some(!has_it);
    }
    // A replica announces an address of its own network.
    let listed = facts.nodes.iter().flat_map(|other| other.replication.iter().flat_map(|of| &of.replicas));
    let is_it = |ip: &str, port: u16| ip == reached && port == node.address.port;
    listed.into_iter().any(|listed| is_it(&listed.ip, listed.port)).then_some(false)
}

fn explained(instance: &Instance, path: &str) -> bool {
    instance.unavailable.iter().any(|absence| absence.covers(path))
}

/// Takes over what its server told.
fn join(instance: &mut Instance, facts: &Facts) {
    let node = instance.node.as_ref().and_then(|name| facts.node(name));
    match node {
        Some(node) => {
            instance.version = node.version.or(instance.version);
            instance.replicates = replicates(node, facts);
            if instance.replicates.is_none() && !explained(instance, "replicates") {
                instance
                    .unavailable
                    .push(Unavailable::failed("replicates", reasons::its_info_replication_not_read()));
            }
        }
        None if explained(instance, "replicates") => {}
        // Nobody said that it does.
        None => {
            instance.replicates.get_or_insert(false);
        }
    }
    if instance.version.is_none() && !explained(instance, "version") {
        instance.unavailable.push(Unavailable::failed("version", reasons::its_release_not_known_nor_named()));
    }
}

/// Whether a restart brings the release that runs. Some report the number of another one, as 4.0.1 does.
fn compare_next_start(instance: &mut Instance, knowledge: &Knowledge) {
    let running = instance.version.map(|version| {
        let tag = knowledge.releases.iter().find(|tag| tag.version == version);
        tag.and_then(|tag| tag.reports).unwrap_or(version)
    });
    if let Some(next) = &mut instance.next_start {
        let reports = next.reports.zip(running).map(|(reports, running)| reports == running);
        next.same_release = if next.same_file { Some(true) } else { reports };
    }
}

/// Whether a server has a master or replicas, or a link of this run ends at it. `None`: it did not say.
pub fn replicates(node: &Node, facts: &Facts) -> Option<bool> {
    let linked = facts.links.iter().any(|link| link.master == node.name || link.replica == node.name);
    let pair = node.double_master.as_ref().and_then(|pair| pair.enabled) == Some(true);
    if linked || pair {
        return Some(true);
    }
    let replication = node.replication.as_ref()?;
    Some(replication.master.is_some() || !replication.replicas.is_empty())
}

/// Whether a start without a default route takes the card eth0.
fn takes_eth0(instance: &Instance) -> bool {
    instance.version.is_some_and(|version| version.is_of(&era::ETH0_BY_DEFAULT))
}

/// The server of this run whose data an instance copies, or shall: the one that a link says, or the one that it
/// follows.
fn master_of(name: &str, facts: &Facts) -> Option<String> {
    if let Some(link) = facts.links.iter().find(|link| link.replica == name) {
        return Some(link.master.clone());
    }
    let master = facts.node(name)?.replication.as_ref()?.master.as_ref()?;
    let is_it = |node: &&Node| {
        Some(i64::from(node.address.port)) == master.port
            && (node.reached_at == master.host || Some(&node.address.host) == master.host.as_ref())
    };
    facts.nodes.iter().find(is_it).map(|node| node.name.clone())
}

/// The room for a full copy of the master's data.
fn set_space(instance: &mut Instance, facts: &Facts) {
    if instance.master.is_none() {
        instance.master = instance.node.as_ref().and_then(|name| master_of(name, facts));
    }
    let Some(master) = instance.master.as_ref().and_then(|name| facts.node(name)) else { return };
    let size = master.data.as_ref().and_then(|data| data.db_size_bytes);
    let place = instance
        .paths
        .as_ref()
        .and_then(|paths| paths.iter().find(|path| path.role == PathRole::DbSync))
        .and_then(|path| Some((path.path.clone(), path.free_bytes?, path.bytes)));
    match (size, place) {
        (Some(needed_bytes), Some((path, available_bytes, received_bytes))) => {
            let from = master.name.clone();
            instance.full_sync =
                Some(FullSyncSpace { needed_bytes, from, available_bytes, path, received_bytes });
        }
        (None, _) => {
            instance
                .unavailable
                .push(Unavailable::failed("full_sync", reasons::master_data_size_not_known()));
        }
        (_, None) => {
            instance.unavailable.push(Unavailable::failed("full_sync", reasons::sync_space_not_known()));
        }
    }
}

/// How large its binlog can become.
fn set_binlog(instance: &mut Instance) {
    instance.binlog = bounds::binlog(instance);
    if instance.binlog.is_none() && !explained(instance, "binlog") {
        let known = ["version", "paths", "log_files"];
        let known = instance.unavailable.iter().find(|absence| known.iter().any(|path| absence.covers(path)));
        let absence = match known.cloned() {
            Some(absence) => Unavailable { path: "binlog".into(), ..absence },
            // What the file of a stopped server leaves out has a value only when it runs.
            None if instance.pid.is_none() => {
                Unavailable::no_access("binlog", reasons::binlog_settings_not_known())
            }
            None => Unavailable::failed("binlog", reasons::binlog_settings_not_known()),
        };
        instance.unavailable.push(absence);
    }
}

/// How much memory its settings allow.
fn set_memory(instance: &mut Instance) {
    instance.memory = bounds::memory(instance);
    if instance.memory_limit_bytes.is_none() && !explained(instance, "memory_limit_bytes") {
        let reason = reasons::memory_limit_not_known();
        instance.unavailable.push(Unavailable::no_access("memory_limit_bytes", reason));
    }
    if instance.memory.is_none() && !explained(instance, "memory") {
        let known = ["version", "conf", "settings"];
        let known = instance.unavailable.iter().find(|absence| known.iter().any(|path| absence.covers(path)));
        instance.unavailable.push(match known.cloned() {
            Some(absence) => Unavailable { path: "memory".into(), ..absence },
            None => Unavailable::no_access("memory", reasons::memory_settings_not_known()),
        });
    }
}

/// The room for a dump of its data.
fn set_dump(instance: &mut Instance, facts: &Facts) {
    let node = instance.node.as_ref().and_then(|name| facts.node(name));
    let told = node.and_then(|node| node.data.as_ref()?.db_size_bytes);
    // What lies there is newer than what the server tells: that can be a minute old.
    let seen = instance.database.as_ref().and_then(|database| database.bytes);
    let of_role = |path: &&PathOnHost| path.role == PathRole::Dump;
    let place = instance.paths.as_ref().and_then(|paths| paths.iter().find(of_role));
    let place = place.and_then(|path| Some((path.path.clone(), path.free_bytes?, path.renames_to_db?)));
    match (seen.or(told), place) {
        (Some(data_bytes), Some((path, available_bytes, linked))) => {
            instance.dump = Some(DumpSpace { data_bytes, linked, available_bytes, path });
        }
        _ if explained(instance, "dump") => {}
        _ => {
            // A server that is still to be started has no data.
            let above: &[&str] = if instance.pid.is_some() { &["paths"] } else { &["paths", "database"] };
            let covers = |absence: &&Unavailable| above.iter().any(|path| absence.covers(path));
            let known = instance.unavailable.iter().find(covers).cloned();
            instance.unavailable.push(match known {
                Some(absence) => Unavailable { path: "dump".into(), ..absence },
                None => Unavailable::failed("dump", reasons::dump_space_not_known()),
            });
        }
    }
}

/// The ports that an instance needs.
struct Layout {
    name: String,
    client: Option<u32>,
    uses: Vec<PortUse>,
}

impl Layout {
    fn of(instance: &Instance, knowledge: &Knowledge) -> Self {
        let generation = instance
            .version
            .and_then(|version| knowledge.generations.iter().find(|entry| entry.releases.contains(version)));
        Self {
            name: instance.name.clone(),
            client: instance.port.map(u32::from),
            uses: generation.map(port_uses).unwrap_or_default(),
        }
    }
}

fn ports(host: &Host, layouts: &[Layout], index: usize) -> Option<Vec<PortOnHost>> {
    let own = &layouts[index];
    let instance = &host.instances[index];
    let (client, listeners) = (own.client?, instance.listeners.as_ref()?);
    if own.uses.is_empty() {
        return None;
    }
    let in_the_way =
        |other: usize| other != index && !instance.own_network && !host.instances[other].own_network;
    let port = |used: &PortUse| {
        let number = client + used.offset;
        let listener = listeners.iter().find(|listener| u32::from(listener.port) == number);
        let wanted =
            layouts.iter().enumerate().filter(|(other, _)| in_the_way(*other)).find_map(|(_, other)| {
                let theirs = other
                    .uses
                    .iter()
                    .find(|theirs| other.client.is_some_and(|c| c + theirs.offset == number))?;
                Some((other.name.clone(), theirs.role))
            });
        PortOnHost {
            number,
            offset: used.offset,
            role: used.role,
            always: used.always,
            held_by: holder(host, instance, used.role, listener),
            pid: listener.and_then(|listener| listener.pid),
            process: listener.and_then(|listener| listener.process.clone()),
            wanted_by: wanted.as_ref().map(|(name, _)| name.clone()),
            wanted_for: wanted.map(|(_, role)| role),
            ephemeral: host.kernel.as_ref().and_then(|kernel| ephemeral(kernel, number)),
        }
    };
    Some(own.uses.iter().map(port).collect())
}

fn holder(host: &Host, instance: &Instance, role: PortRole, listener: Option<&Listener>) -> Holder {
    let Some(listener) = listener else { return Holder::Nobody };
    let Some(pid) = listener.pid else { return Holder::Unseen };
    let is_directory = |daemon: &RsyncDaemon| {
        let directory = instance.settings.get("db-sync-path");
        directory.is_some_and(|own| same_path(own, &daemon.directory))
    };
    let is_rsync = role == PortRole::Rsync
        && host.rsync_daemons.iter().flatten().any(|daemon| daemon.pid == pid && is_directory(daemon));
    let running = running(host, instance).map(|running| running.pid);
    if instance.pid == Some(pid) {
        Holder::Itself
    } else if running.is_some_and(|running| is_rsync || running == Some(pid)) {
        Holder::Running
    } else if is_rsync {
        Holder::ItsRsync
    } else {
        Holder::Another
    }
}

/// The Pika that runs with the configuration of one that does not.
fn running<'h>(host: &'h Host, planned: &Instance) -> Option<&'h Instance> {
    let conf = planned.conf.as_ref().filter(|_| planned.pid.is_none())?;
    let same = |other: &ConfOnHost| same_path(&conf.path, &other.path);
    host.instances.iter().find(|other| other.pid.is_some() && other.conf.as_ref().is_some_and(same))
}

fn same_path(one: &str, other: &str) -> bool {
    Path::new(one).components().eq(Path::new(other).components())
}

/// Whether the kernel may give a port to an outgoing connection.
fn ephemeral(kernel: &Kernel, port: u32) -> Option<bool> {
    let within = kernel.local_ports_from? <= port && port <= kernel.local_ports_to?;
    Some(within && !is_reserved(kernel.reserved_ports.as_deref().unwrap_or_default(), port))
}

/// `9221,10221-10230`
fn is_reserved(list: &str, port: u32) -> bool {
    list.split(',').any(|entry| {
        let (from, to) = entry.split_once('-').unwrap_or((entry, entry));
        let number = |text: &str| text.trim().parse::<u32>();
        matches!((number(from), number(to)), (Ok(from), Ok(to)) if from <= port && port <= to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_are_no_ephemeral_ones() {
        let kernel = Kernel {
            local_ports_from: Some(32768),
            local_ports_to: Some(60999),
            reserved_ports: Some("40000,41000-41010".into()),
            ..Kernel::default()
        };
        for (port, expected) in
            [(9221, false), (32768, true), (40000, false), (40001, true), (41005, false), (61000, false)]
        {
            assert_eq!(ephemeral(&kernel, port), Some(expected), "{port}");
        }
        assert_eq!(ephemeral(&Kernel::default(), 1), None);
    }
}
