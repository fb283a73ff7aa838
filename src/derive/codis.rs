//! What follows from the facts about a Codis and the servers behind it. Pure.

use std::collections::BTreeMap;

use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::dashboard::Candidate;
use crate::model::codis::topology::{
    Backend, Estimate, Group, Password, Position, Registered, SlotIndex, SlotSet, Slots,
};
use crate::model::facts::Facts;
use crate::model::info::KeyType;
use crate::model::network::AddressKind;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::server::AuthOutcome;
use crate::model::unavailable::{Unavailable, UnavailableKind};
use crate::parse::codis::{slot_ranges, slot_set};

/// Completes everything about Codis.
pub fn complete(facts: &mut Facts) {
    let Facts { codis, nodes, .. } = facts;
    for codis in codis {
        classify_addresses(codis);
        let running = codis.migration.as_ref().is_some_and(|migration| migration.running);
        // A dashboard of 2.0 does not tell which group has slots.
        let slots_known = codis.slots.is_some();
        for server in &mut codis.servers {
            let planned = codis.before_migration && !running && (server.slots > 0 || !slots_known);
            server.source = server.position == Position::Master && (server.moving_out > 0 || planned);
            let node = server.node.as_ref().and_then(|name| nodes.iter().find(|node| node.name == *name));
            complete_server(server, node);
        }
        let registered: BTreeMap<&str, &Registered> =
            codis.registered.iter().rev().filter_map(|entry| Some((entry.host.as_deref()?, entry))).collect();
        for server in &mut codis.servers {
            server.follows = follows(server, &registered);
            let node = server.node.as_ref().and_then(|name| nodes.iter().find(|node| node.name == *name));
            server.unserved = unserved(server, node, codis.groups.as_deref(), codis.slots.as_ref());
        }
        let databases = codis.proxies.iter().flatten().filter_map(|proxy| proxy.settings.as_ref());
        codis.databases = databases.filter_map(|config| config.databases).max();
        codis.passwords = passwords(codis, nodes);
        codis.candidates = candidates(codis, nodes);
    }
}

/// Slots that Codis sends to a master, now or when they have moved, and that it does not serve.
fn unserved(
    server: &Backend,
    node: Option<&Node>,
    groups: Option<&[Group]>,
    slots: Option<&Slots>,
) -> Option<SlotSet> {
    if server.position != Position::Master {
        return None;
    }
    let tables = node?.slots.as_ref()?;
    let own = groups?.iter().filter(|group| group.id == server.group).map(|group| group.slot_ranges.as_str());
    let coming = slots?.actions.iter().filter(|action| action.to == server.group);
    let coming = coming.map(|action| action.slots.ranges.as_str());
    let sent = own.chain(coming).flat_map(slot_ranges);
    // Codis knows the first table alone.
    let answered =
        tables.iter().find(|of| of.table == "db0").map_or_else(Vec::new, |of| slot_ranges(&of.slots.ranges));
    let is_answered = |slot: &u64| answered.iter().any(|(first, last)| (*first..=*last).contains(slot));
    let total = slots?.total;
    let missing = sent.flat_map(|(first, last)| first..=last.min(total)).filter(|slot| !is_answered(slot));
    Some(slot_set(missing.collect()))
}

/// Whether a replica follows the master by position. A name and an address are the same where the name leads there.
fn follows(server: &Backend, registered: &BTreeMap<&str, &Registered>) -> Option<bool> {
    if server.position == Position::Master {
        return None;
    }
    let followed = server.stats.as_ref()?.master.as_ref()?;
    if *followed == server.master {
        return Some(true);
    }
    let (host, port) = followed.rsplit_once(':')?;
    let (wanted, wanted_port) = server.master.rsplit_once(':')?;
    if port != wanted_port {
        return Some(false);
    }
    let addresses = |host: &str| match AddressKind::of(host) {
        AddressKind::Name => {
            let entry = registered.get(host)?;
            entry.resolved.clone().filter(|addresses| !addresses.is_empty())
        }
        _ => Some(vec![host.to_owned()]),
    };
    let (there, wanted) = (addresses(host)?, addresses(wanted)?);
    Some(there.iter().any(|address| wanted.contains(address)))
}

/// The Pikas that are in no group, where a dashboard tells which servers are in one.
fn candidates(codis: &Codis, nodes: &[Node]) -> Vec<Candidate> {
    if codis.slots.is_none() {
        return Vec::new();
    }
    let outside = nodes.iter().filter(|node| {
        !codis.servers.iter().any(|server| {
            server.node.as_ref() == Some(&node.name) || server.address.as_ref() == Some(&node.address)
        })
    });
    outside
        .filter_map(|node| {
            let setting = |key: &str| node.config.as_ref().and_then(|config| config.get(key));
            let none_set = node.authentication.outcome == AuthOutcome::NoneSet;
            Some(Candidate {
                name: node.name.clone(),
                address: node.address.clone(),
                version: node.version?,
                mode: setting("instance-mode").cloned(),
                password: setting("requirepass").map(|token| !token.is_empty()).or(none_set.then_some(false)),
            })
        })
        .collect()
}

/// Which servers have the same requirepass.
fn passwords(codis: &Codis, nodes: &[Node]) -> Vec<Password> {
    let mut passwords: Vec<Password> = Vec::new();
    for server in &codis.servers {
        let node = server.node.as_ref().and_then(|name| nodes.iter().find(|node| node.name == *name));
        let Some(token) = node.and_then(|node| node.config.as_ref()?.get("requirepass")) else { continue };
        match passwords.iter_mut().find(|known| known.token == *token) {
            Some(known) => known.servers.push(server.name.clone()),
            None => passwords.push(Password { token: token.clone(), servers: vec![server.name.clone()] }),
        }
    }
    passwords
}

fn classify_addresses(codis: &mut Codis) {
    for entry in &mut codis.registered {
        entry.kind = entry.host.as_deref().map(AddressKind::of);
        let first = entry.resolved.as_ref().and_then(|resolved| resolved.first());
        entry.reach_kind = first.map(|first| AddressKind::of(first)).or(entry.kind);
    }
    let local = |host: &str| host == "localhost" || AddressKind::of(host) == AddressKind::Loopback;
    let is_local = |entry: &Registered| entry.host.as_deref().is_some_and(local);
    // On one host alone a loopback address is as good as any.
    let asked_from_afar = codis
        .sources
        .iter()
        .filter_map(|source| source.address.as_ref())
        .any(|address| !local(&address.host));
    let others = codis.registered.iter().any(|entry| {
        !is_local(entry) && entry.kind != Some(AddressKind::Unspecified) && entry.resolve_error.is_none()
    });
    for entry in &mut codis.registered {
        entry.elsewhere = is_local(entry) && (asked_from_afar || others);
    }
}

fn complete_server(server: &mut Backend, node: Option<&Node>) {
    if let Some(version) = node.and_then(|node| node.version) {
        server.version = Some(version);
    }
    if server.version.is_none() {
        let (kind, reason) = why_no_version(server, node);
        server.unavailable.push(Unavailable { path: "version".into(), kind, reason });
    }
    if let (Some(index), Some(node)) = (&mut server.index, node) {
        count_keys(index, node);
    }
    server.estimate = estimate(server);
}

fn why_no_version(server: &Backend, node: Option<&Node>) -> (UnavailableKind, Reason) {
    let redis = server.stats.as_ref().and_then(|stats| stats.redis_version.as_deref());
    match (redis, node, &server.stats_error) {
        (Some(redis), None, _) => (UnavailableKind::NotInRelease, reasons::redis_not_pika(redis)),
        (_, Some(_), _) => (UnavailableKind::Failed, reasons::server_told_no_pika_release()),
        (None, None, Some(error)) if server.stats.is_none() => {
            (UnavailableKind::Failed, reasons::dashboard_heard_nothing(error))
        }
        _ => (UnavailableKind::NoAccess, reasons::dashboard_passes_no_release()),
    }
}

/// The keys that the last key scan of the server counted, as far as they belong in lists of slots.
fn count_keys(index: &mut SlotIndex, node: &Node) {
    let Some(keyspace) = node.keyspace.as_ref().filter(|keyspace| keyspace.scanned) else { return };
    let of = |kind: KeyType| {
        let counts = keyspace.counts.iter().filter(|count| count.kind == kind).map(|count| count.keys);
        counts.reduce(u64::saturating_add)
    };
    let plain = [KeyType::Strings, KeyType::Hashes, KeyType::Lists, KeyType::Zsets]
        .into_iter()
        .filter_map(of)
        .fold(0, u64::saturating_add);
    // The lists are sets of keys, one for each slot and one for each tag, and are counted like those of users.
    let sets = of(KeyType::Sets).unwrap_or(0).saturating_sub(index.slots_with_keys.unwrap_or(0));
    index.counted_at_least = Some(plain);
    index.counted_at_most = Some(plain.saturating_add(sets));
    index.streams = of(KeyType::Streams);
    index.counted_at.clone_from(&keyspace.scan_started);
}

fn estimate(server: &Backend) -> Option<Estimate> {
    let index = server.index.as_ref().filter(|_| server.position == Position::Master)?;
    let keys = if server.moving_out > 0 { index.indexed_moving? } else { index.indexed? };
    let round_trip_seconds = index.round_trip_seconds?;
    let connects = server.version.is_some_and(|version| version.is_of(&era::CONNECTS_FOR_EACH_KEY));
    // The dashboard asks the source, and the source sends the key on; old releases connect first.
    let round_trips: u32 = if connects { 3 } else { 2 };
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = keys as f64 * f64::from(round_trips) * round_trip_seconds;
    Some(Estimate { keys, round_trips: u64::from(round_trips), round_trip_seconds, seconds })
}
