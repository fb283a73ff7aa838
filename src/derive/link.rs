//! What follows from the facts of two servers about replication between them.

use super::side::{Missing, Side};
use super::{dialect, flow, forecast, link_auth, route};
use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::link::{Link, Pair, Relation};
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::replication::Master;
use crate::model::unavailable::{Unavailable, UnavailableKind};

/// What of a link can be said before anything is tried on it; said again when more is known about the two.
pub fn relate(link: &mut Link, master: &Node, replica: &Node) {
    let Some(replication) = &replica.replication else {
        link.unavailable.retain(|absence| absence.path != "relation");
        note(link, "relation", reasons::info_replication_of_replica_not_read());
        return;
    };
    link.listed = listed(master, replica);
    link.relation = Some(match replication.master.as_ref().filter(|named| named.is_address()) {
        None => Relation::Nobody,
        Some(named) if names(named, link, master) || link.listed.is_some() => Relation::Follows,
        Some(_) => Relation::Elsewhere,
    });
}

/// Whether what the replica names as its master is one of the addresses of the master.
fn names(named: &Master, link: &Link, master: &Node) -> bool {
    let host = named.host.as_deref().unwrap_or_default();
    let own = master.own_address.as_ref().and_then(|own| own.address.as_deref());
    let resolved = link.address.iter().flat_map(|address| &address.resolved);
    let known = [Some(master.address.host.as_str()), master.reached_at.as_deref(), own];
    let is_known = |name: &str| known.iter().flatten().any(|known| known.eq_ignore_ascii_case(name));
    named.port == Some(i64::from(master.address.port))
        && (is_known(host) || resolved.into_iter().any(|address| is_known(address)))
}

/// The place of the replica among the replicas that the master lists.
fn listed(master: &Node, replica: &Node) -> Option<usize> {
    let own = replica.own_address.as_ref().and_then(|own| own.address.as_deref());
    let known = [Some(replica.address.host.as_str()), replica.reached_at.as_deref(), own];
    master
        .replication
        .as_ref()?
        .replicas
        .iter()
        .position(|listed| listed.port == replica.address.port && known.contains(&Some(listed.ip.as_str())))
}

/// Everything else, once the link was looked at.
pub fn complete(facts: &mut Facts, knowledge: &Knowledge, forced: bool) {
    let mut links = std::mem::take(&mut facts.links);
    for link in &mut links {
        if let (Some(master), Some(replica)) = (facts.node(&link.master), facts.node(&link.replica)) {
            relate(link, master, replica);
            conclude(link, master, replica, knowledge, forced);
        }
    }
    facts.links = links;
    let mut pairs = std::mem::take(&mut facts.pairs);
    for pair in &mut pairs {
        if let (Some(a), Some(b)) = (facts.node(&pair.a), facts.node(&pair.b)) {
            pair.a_names_b = a.names_peer(b);
            pair.b_names_a = b.names_peer(a);
        }
    }
    facts.pairs = pairs;
}

fn conclude(link: &mut Link, master: &Node, replica: &Node, knowledge: &Knowledge, forced: bool) {
    link.dialect = dialect::dialect(knowledge, master, replica);
    if link.dialect.is_none() {
        note(link, "dialect", reasons::release_of_one_not_known());
    }
    link.sent_address = route::sent_address(link, master);
    if link.sent_address.is_none() && master.version.is_none_or(|version| version.is_of(&era::RSYNCD)) {
        let why = master.unavailable.iter().find(|absence| absence.covers("own_address"));
        let (kind, reason) = why.map_or_else(
            || (UnavailableKind::NoAccess, reasons::host_not_visible()),
            |why| (why.kind, why.reason.clone()),
        );
        link.unavailable.push(Unavailable { path: "sent_address".into(), kind, reason });
    }
    let (there, here) = (Side::master(master), Side::replica(replica));
    match link_auth::auth(&there, &here) {
        Ok(auth) => link.auth = Some(auth),
        Err(Missing(reason)) => note(link, "auth", reason),
    }
    link.forecast = Some(forecast::forecast(&forecast::Question {
        replica: here,
        master: there,
        address: &target(link, master),
        // The address of another master says nothing about the one in the command.
        known_address: link.address.as_ref().filter(|_| link.relation != Some(Relation::Elsewhere)),
        dialect: link.dialect.as_ref(),
        sent_address: link.sent_address.as_deref(),
        replica_route: link.replica_route.as_ref(),
        master_route: link.master_route.as_ref(),
        lists_replica: link.listed.is_some() && link.relation == Some(Relation::Nobody),
        forced,
    }));
    link.flow = flow::flow(link.mode, master, replica, &link.readings);
    if link.flow.is_none() && !link.unavailable.iter().any(|absence| absence.path == "flow") {
        let why = link.unavailable.iter().find(|absence| absence.path == "readings").cloned();
        let (kind, reason) = why.map_or_else(
            || {
                let reason = if link.readings.len() < 2 {
                    reasons::positions_not_read_twice()
                } else {
                    reasons::no_position_of_same_database()
                };
                (UnavailableKind::Failed, reason)
            },
            |why| (why.kind, why.reason),
        );
        link.unavailable.push(Unavailable { path: "flow".into(), kind, reason });
    }
}

/// The address that the forecast is about: the one that the replica follows, if that is this master.
fn target(link: &Link, master: &Node) -> Address {
    let followed = link.address.as_ref().filter(|_| link.relation == Some(Relation::Follows));
    let followed = followed.and_then(|address| {
        Some(Address { host: address.host.clone(), port: u16::try_from(address.port).ok()? })
    });
    followed.unwrap_or_else(|| master.address.clone())
}

fn note(link: &mut Link, path: &str, reason: Reason) {
    link.unavailable.push(Unavailable::failed(path, reason));
}

/// The name of a link.
pub fn link_name(replica: &str, master: &str) -> String {
    format!("{replica} <- {master}")
}

/// The name of a double master.
pub fn pair_name(pair: &Pair) -> String {
    format!("{} <-> {}", pair.a, pair.b)
}
