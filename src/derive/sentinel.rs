//! Puts side by side what several Sentinels say of one master name, and what its servers say of themselves.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::network::AddressKind;
use crate::model::node::Node;
use crate::model::reach::ReachState;
use crate::model::reason::Reason;
use crate::model::release::Version;
use crate::model::replication::{Role, Stage};
use crate::model::sentinel::{Instance, Sentinel, View, Watched, WatchedMaster, WatchedServer};
use crate::model::server::{AuthOutcome, ServerKind};
use crate::model::unavailable::Unavailable;

/// Flags with which Sentinel never chooses a replica.
const NOT_CHOSEN: [&str; 3] = ["s_down", "o_down", "disconnected"];

/// Every server that the Sentinels watch, and the replicas with their masters. For collecting.
pub struct Followed {
    /// Addresses, without repetition, masters before their replicas.
    pub servers: Vec<Address>,
    /// Replica and master.
    pub links: Vec<(Address, Address)>,
}

/// What is to be looked at after the Sentinels were asked.
pub fn followed(sentinels: &[Sentinel]) -> Followed {
    let mut followed = Followed { servers: Vec::new(), links: Vec::new() };
    let address = |instance: &Instance| Address { host: instance.host.clone(), port: instance.port };
    for master in sentinels.iter().flat_map(|sentinel| sentinel.masters.iter().flatten()) {
        let there = address(&master.instance);
        let replicas: Vec<Address> = master.replicas.iter().flatten().map(address).collect();
        for server in std::iter::once(&there).chain(&replicas) {
            if !followed.servers.contains(server) {
                followed.servers.push(server.clone());
            }
        }
        for replica in replicas {
            let link = (replica, there.clone());
            // Sentinels that disagree can have a server on either side.
            if link.0 != link.1 && !followed.links.contains(&link) {
                followed.links.push(link);
            }
        }
    }
    followed
}

/// Sets `watched`. `follow`: whether the servers were to be looked at.
pub fn complete(facts: &mut Facts, follow: bool) {
    let mut names: Vec<&str> = Vec::new();
    for master in facts.sentinels.iter().flat_map(|sentinel| sentinel.masters.iter().flatten()) {
        if !names.contains(&master.name.as_str()) {
            names.push(&master.name);
        }
    }
    let mut all: Vec<Watched> = names.into_iter().map(|name| watched(name, facts)).collect();
    for server in all.iter_mut().flat_map(|watched| watched.servers.iter_mut().flatten()) {
        server.left_out = !follow && server.node.is_none();
    }
    facts.watched = all;
}

fn watched(name: &str, facts: &Facts) -> Watched {
    let mut watched = Watched { name: name.to_owned(), ..Watched::default() };
    let mut asked: Vec<&Sentinel> = Vec::new();
    for sentinel in &facts.sentinels {
        let Some(masters) = &sentinel.masters else { continue };
        let Some(master) = masters.iter().find(|master| master.name == name) else {
            watched.unknown_to.push(sentinel.name.clone());
            continue;
        };
        asked.push(sentinel);
        watched.views.push(View {
            sentinel: sentinel.name.clone(),
            on_loopback: sentinel
                .reach
                .peer
                .as_ref()
                .and_then(|peer| peer.parse::<SocketAddr>().ok())
                .is_some_and(|peer| peer.ip().is_loopback()),
            misses: Vec::new(),
            same_id: Vec::new(),
            others_down: master
                .others
                .iter()
                .flatten()
                .filter(|other| is_down(&other.flags))
                .map(|other| other.address.clone())
                .collect(),
            misses_replicas: Vec::new(),
            master: master.clone(),
        });
        let place = masters.iter().position(|other| std::ptr::eq(other, master)).unwrap_or_default();
        carry_errors(&mut watched, sentinel, place);
    }
    compare_sentinels(&mut watched, &asked);
    compare_replicas(&mut watched);
    let views: Vec<&WatchedMaster> = watched.views.iter().map(|view| &view.master).collect();
    watched.masters = distinct(views.iter().map(|master| master.instance.address.clone()));
    let quorums = distinct(views.iter().filter_map(|master| master.quorum));
    let times = distinct(views.iter().filter_map(|master| master.instance.down_after_ms));
    let others = views.iter().filter_map(|master| master.other_sentinels_counted);
    let others = others.filter_map(|others| u64::try_from(others).ok()).max();
    let silent = watched.views.iter().find(|view| view.master.replicas.is_none());
    let silent = silent.map(|view| view.sentinel.clone());
    if let Some(others) = others {
        let sentinels = others.saturating_add(1);
        watched.sentinels = Some(sentinels);
        watched.asked_all = watched.views.len() as u64 >= sentinels;
    } else {
        note(&mut watched, "sentinels", reasons::no_sentinel_counts_others());
    }
    if quorums.is_empty() {
        note(&mut watched, "quorums", reasons::no_sentinel_shows_quorum());
    } else {
        watched.quorums = Some(quorums);
    }
    if times.is_empty() {
        note(&mut watched, "down_after_ms", reasons::no_sentinel_shows_down_after());
    } else {
        watched.down_after_ms = Some(times);
    }
    if let Some(sentinel) = silent {
        note(&mut watched, "servers", reasons::replicas_not_told(sentinel));
    } else {
        watched.servers = Some(servers(&watched.views, facts));
    }
    watched
}

/// What a Sentinel did not say of a master is missing here, too.
fn carry_errors(watched: &mut Watched, sentinel: &Sentinel, place: usize) {
    let view = watched.views.len() - 1;
    let prefix = format!("masters.{place}.");
    for absence in &sentinel.unavailable {
        if let Some(field) = absence.path.strip_prefix(&prefix) {
            let path = format!("views.{view}.master.{field}");
            watched.unavailable.push(Unavailable { path, ..absence.clone() });
        }
    }
}

fn is_down(flags: &[String]) -> bool {
    flags.iter().any(|flag| NOT_CHOSEN.contains(&flag.as_str()))
}

fn note(watched: &mut Watched, path: &str, reason: Reason) {
    watched.unavailable.push(Unavailable::failed(path, reason));
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// Sets `misses` and `same_id`. A Sentinel is found in the list of another by its id; by the address it was reached
/// at where it is too old to tell its id.
fn compare_sentinels(watched: &mut Watched, asked: &[&Sentinel]) {
    let lists = |view: &View, other: &Sentinel| {
        view.master.others.iter().flatten().any(|listed| match &other.my_id {
            Some(id) => listed.run_id.as_ref() == Some(id),
            None => {
                listed.address == other.name || Some(listed.address.as_str()) == other.reach.peer.as_deref()
            }
        })
    };
    for index in 0..asked.len() {
        let (view, own) = (&watched.views[index], asked[index]);
        let others = || asked.iter().copied().filter(|other| other.name != own.name);
        let same_id = |other: &&Sentinel| own.my_id.is_some() && other.my_id == own.my_id;
        let same: Vec<String> = others().filter(same_id).map(|other| other.name.clone()).collect();
        let known = view.master.others.is_some();
        let is_absent = |other: &&Sentinel| known && !same_id(other) && !lists(view, other);
        let misses = others().filter(is_absent).map(|other| other.name.clone()).collect();
        watched.views[index].same_id = same;
        watched.views[index].misses = misses;
    }
}

/// Sets `misses_replicas`. A server that this Sentinel takes for the master is not missed.
fn compare_replicas(watched: &mut Watched) {
    let known: BTreeSet<String> = watched.views.iter().flat_map(|view| addresses(&view.master)).collect();
    for view in &mut watched.views {
        if view.master.replicas.is_none() {
            continue;
        }
        let own: BTreeSet<String> =
            addresses(&view.master).chain([view.master.instance.address.clone()]).collect();
        view.misses_replicas = known.difference(&own).cloned().collect();
    }
}

/// The addresses of the replicas of a master.
fn addresses(master: &WatchedMaster) -> impl Iterator<Item = String> {
    master.replicas.iter().flatten().map(|replica| replica.address.clone())
}

fn servers(views: &[View], facts: &Facts) -> Vec<WatchedServer> {
    let mut servers: Vec<WatchedServer> = Vec::new();
    let masters = views.iter().map(|view| (&view.master.instance, true));
    let replicas = views.iter().flat_map(|view| view.master.replicas.iter().flatten());
    for (instance, is_master) in masters.chain(replicas.map(|replica| (replica, false))) {
        match servers.iter_mut().find(|server| server.address == instance.address) {
            Some(server) => merge(server, instance, is_master),
            None => servers.push(server(instance, is_master, facts)),
        }
    }
    for server in &mut servers {
        let down = is_down(&server.flags);
        server.eligible = !server.is_master && !down && server.priority.is_none_or(|priority| priority > 0);
    }
    compare_lists(&mut servers, facts);
    compare_run_ids(&mut servers);
    servers
}

/// A server that a further Sentinel speaks of: what is bad counts.
fn merge(server: &mut WatchedServer, instance: &Instance, is_master: bool) {
    server.is_master |= is_master;
    for flag in &instance.flags {
        if !server.flags.contains(flag) {
            server.flags.push(flag.clone());
        }
    }
    if instance.link_up == Some(false) || server.link_up.is_none() {
        server.link_up = instance.link_up;
    }
    server.priority = match (server.priority, instance.priority) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

fn server(instance: &Instance, is_master: bool, facts: &Facts) -> WatchedServer {
    let node = node_at(facts, &instance.host, instance.port);
    let replication = node.and_then(|node| node.replication.as_ref());
    let own_master = replication.and_then(|replication| replication.master.as_ref());
    let states = own_master.map(|master| master.states.as_slice()).unwrap_or_default();
    let away = |stage: Stage| {
        matches!(stage, Stage::Connecting | Stage::Handshaking | Stage::FullSync | Stage::Error)
    };
    let config = |name: &str| node.and_then(|node| node.config.as_ref()).and_then(|config| config.get(name));
    WatchedServer {
        address: instance.address.clone(),
        host: instance.host.clone(),
        port: instance.port,
        is_master,
        flags: instance.flags.clone(),
        priority: instance.priority,
        eligible: false,
        link_up: instance.link_up,
        follows: instance.master_address.clone(),
        run_id: instance.run_id.clone(),
        kind: AddressKind::of(&instance.host),
        node: node.map(|node| node.name.clone()),
        examined: node.is_some_and(|node| why_not_examined(node).is_none()),
        left_out: false,
        why_not: match node {
            Some(node) => why_not_examined(node),
            None => Some(reasons::not_examined()),
        },
        server: node.and_then(|node| node.server.as_ref()).map(|server| server.kind),
        version: node.and_then(|node| node.version),
        candidates: node
            .and_then(|node| node.release.as_ref())
            .map(|release| release.candidates.iter().copied().filter(Version::is_final).collect())
            .unwrap_or_default(),
        role: replication.and_then(|replication| replication.role),
        own_link_up: own_master.and_then(|master| master.link_up),
        not_connected: states
            .iter()
            .filter(|state| away(state.stage))
            .map(|state| state.raw.clone())
            .collect(),
        sharding: config("instance-mode").is_some_and(|mode| mode == "sharding"),
        wants_password: node.and_then(wants_password),
        lists_unknown: Vec::new(),
        does_not_list: Vec::new(),
        same_run_id: Vec::new(),
        reached: node.map(|node| node.reach.state).filter(|state| *state != ReachState::NotTried),
    }
}

/// Why it is not known which release a node is; `None` when it is known, or when it is no Pika.
fn why_not_examined(node: &Node) -> Option<Reason> {
    if node.version.is_some() || node.server.as_ref().is_some_and(|server| is_other(server.kind)) {
        return None;
    }
    let reason = node.unavailable.iter().find(|absence| absence.path == "version");
    Some(reason.map_or_else(reasons::its_release_not_known, |absence| absence.reason.clone()))
}

/// Whether this is a server that Sentinels watch and that is no Pika.
pub fn is_other(kind: ServerKind) -> bool {
    matches!(kind, ServerKind::Redis | ServerKind::Valkey | ServerKind::RedisLike)
}

/// Whether a server lets nobody in without a password, Sentinel included.
fn wants_password(node: &Node) -> Option<bool> {
    let kind = node.server.as_ref()?.kind;
    if matches!(kind, ServerKind::Locked | ServerKind::PikaLocked) {
        return Some(true);
    }
    match node.authentication.outcome {
        AuthOutcome::NotGiven => node.authentication.admitted.map(|admitted| !admitted),
        AuthOutcome::NoneSet => Some(false),
        // Whether it would have let us in without one is in its settings only.
        _ => {
            let config = node.config.as_ref()?;
            let set = |name: &str| config.get(name).map(|token| !token.is_empty());
            // Up to 3.5.2 requirepass alone keeps nobody out.
            let by_users = node.version?.is_of(&era::ACL);
            Some(set("requirepass")? && (by_users || set("userpass")?))
        }
    }
}

/// The node of this run at an address that a Sentinel gives.
fn node_at<'f>(facts: &'f Facts, host: &str, port: u16) -> Option<&'f Node> {
    let named = facts.nodes.iter().find(|node| node.address.port == port && node.address.host == host);
    let reached = Address { host: host.to_owned(), port }.to_string();
    named.or_else(|| facts.nodes.iter().find(|node| node.reach.peer.as_deref() == Some(&reached)))
}

/// Sets `lists_unknown` and `does_not_list` of the master.
fn compare_lists(servers: &mut [WatchedServer], facts: &Facts) {
    let known: Vec<(String, bool)> =
        servers.iter().map(|server| (server.address.clone(), server.eligible)).collect();
    for server in servers.iter_mut().filter(|server| server.is_master) {
        let node = server.node.as_ref().and_then(|name| facts.node(name));
        let Some(replication) = node.and_then(|node| node.replication.as_ref()) else { continue };
        if !matches!(replication.role, Some(Role::Master | Role::MasterAndSlave)) {
            continue;
        }
        let listed: Vec<String> = replication
            .replicas
            .iter()
            .map(|replica| Address { host: replica.ip.clone(), port: replica.port }.to_string())
            .collect();
        server.lists_unknown =
            listed.iter().filter(|listed| known.iter().all(|(known, _)| known != *listed)).cloned().collect();
        server.does_not_list = known
            .iter()
            .filter(|(known, eligible)| *eligible && !listed.contains(known))
            .map(|(known, _)| known.clone())
            .collect();
    }
}

fn compare_run_ids(servers: &mut [WatchedServer]) {
    let ids: Vec<(String, String)> = servers
        .iter()
        .filter_map(|server| {
            Some((server.address.clone(), server.run_id.clone().filter(|id| !id.is_empty())?))
        })
        .collect();
    for server in servers {
        let same = |(address, id): &&(String, String)| {
            *address != server.address && Some(id) == server.run_id.as_ref()
        };
        server.same_run_id = ids.iter().filter(same).map(|(address, _)| address.clone()).collect();
    }
}
