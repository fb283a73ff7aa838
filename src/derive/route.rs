//! What the ways to its peers say about the address that a Pika takes for its own.

use std::net::IpAddr;

use crate::catalog::era;
use crate::model::facts::Facts;
use crate::model::host::Instance;
use crate::model::link::{CopyProgress, Link};
use crate::model::network::{AddressKind, PeerRoute, PortState, RouteEnd, RouteFit};
use crate::model::node::Node;
use crate::model::replication::Stage;

/// Completes the routes of a Pika. `links` are those of the run.
pub fn complete(instance: &mut Instance, links: &[Link]) {
    let node = instance.node.as_deref();
    let eth0 = instance.version.is_some_and(|version| version.is_of(&era::ETH0_BY_DEFAULT));
    let next = instance.pid.and_then(|_| instance.address_at_start(eth0));
    for route in instance.routes.iter_mut().flatten() {
        route.fit = fit(route);
        let is_of_replica = |link: &&Link| Some(link.master.as_str()) == node && link.replica == route.to;
        if route.end == RouteEnd::Replica {
            let address = links.iter().find(is_of_replica).and_then(|link| link.address.as_ref());
            // 127.0.0.1 is the replica's own address, and says nothing about this host.
            let address = address.filter(|address| address.kind != AddressKind::Loopback);
            route.named = address.map(|address| address.host.clone());
        }
        let now = route.own.as_ref().and_then(|own| own.interface.as_ref());
        let next = next.as_ref().and_then(|next| next.interface.as_ref());
        route.next_interface = next.filter(|next| Some(*next) != now).cloned();
    }
}

/// The address that a full copy from a master carries for the replica of a link. `None`: not known, or the release has none.
pub fn sent_address(link: &Link, master: &Node) -> Option<String> {
    let version = master.version?;
    if version.is_of(&era::FULL_COPY_NAMES_OWN_ADDRESS) {
        return master.own_address.as_ref()?.address.clone();
    }
    let route = link.master_route.as_ref().filter(|_| version.is_of(&era::FULL_COPY_NAMES_SOURCE))?;
    // On one host both connect from the very address that slaveof names.
    let named = link.address.as_ref().and_then(|address| address.resolved.first().cloned());
    if route.local { named } else { route.source.clone() }
}

/// Takes the routes of its two ends over to each link.
pub fn of_links(facts: &mut Facts) {
    let mut links = std::mem::take(&mut facts.links);
    for link in &mut links {
        let find = |of: &str, to: &str, end: RouteEnd| {
            let mut instances = facts.hosts.iter().flat_map(|host| &host.instances);
            let instance = instances.find(|instance| instance.node.as_deref() == Some(of))?;
            instance.routes.iter().flatten().find(|route| route.end == end && route.to == to).cloned()
        };
        link.replica_route = find(&link.replica, &link.master, RouteEnd::Master);
        link.master_route = find(&link.master, &link.replica, RouteEnd::Replica);
        link.copy = copy(facts, link);
    }
    facts.links = links;
}

/// How far the copy is that the replica of a link waits for. What lies in its db-sync-path at another time is a leftover.
fn copy(facts: &Facts, link: &Link) -> Option<CopyProgress> {
    let master = facts.node(&link.replica)?.replication.as_ref()?.master.as_ref()?;
    master.states.iter().find(|state| state.stage == Stage::FullSync)?;
    let mut instances = facts.hosts.iter().flat_map(|host| &host.instances);
    let instance = instances.find(|instance| instance.node.as_ref() == Some(&link.replica))?;
    let space = instance.full_sync.as_ref().filter(|space| space.from == link.master)?;
    Some(CopyProgress { received_bytes: space.received_bytes?, of_bytes: space.needed_bytes })
}

/// `None`: there is nothing to compare.
fn fit(route: &PeerRoute) -> Option<RouteFit> {
    let Some(source) = &route.source else { return Some(RouteFit::NoRoute) };
    if route.local {
        return Some(RouteFit::Local);
    }
    let own = route.own.as_ref()?;
    let own_ip: IpAddr = own.address.as_ref()?.parse().ok()?;
    let source: IpAddr = source.parse().ok()?;
    if own_ip == source {
        return Some(RouteFit::Same);
    }
    if own_ip.is_ipv4() != source.is_ipv4() {
        return Some(RouteFit::OtherFamily);
    }
    // A connection that is refused has got there and back, too.
    let got_back = |state| matches!(state, PortState::Open | PortState::Closed);
    match (route.from_source, route.from_own) {
        (Some(from_source), Some(from_own)) if got_back(from_own) && from_own == from_source => {
            Some(RouteFit::Answers)
        }
        (_, Some(PortState::Open)) => Some(RouteFit::Answers),
        (Some(from_source), Some(_)) if got_back(from_source) => Some(RouteFit::Silent),
        _ if route.own_leaves_by.is_some() && route.own_leaves_by == own.interface => Some(RouteFit::Apart),
        _ => Some(RouteFit::Astray),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::{OwnAddress, OwnAddressBy};

    #[test]
    fn what_is_proven_counts_more_than_what_the_kernel_would_do() {
        use PortState::{Closed, Filtered, Open};
        let route = |own: &str, from_source, from_own, own_leaves_by: &str| PeerRoute {
            to: "10.0.0.1:9221".into(),
            end: RouteEnd::Master,
            ip: "10.0.0.1".into(),
            port: Some(9221),
            source: Some("10.0.0.2".into()),
            interface: Some("eth0".into()),
            local: false,
            own: Some(OwnAddress {
                by: OwnAddressBy::DefaultRoute,
                interface: Some("eth1".into()),
                address: Some(own.into()),
                kind: None,
            }),
            own_leaves_by: Some(own_leaves_by.into()),
            from_source,
            from_own,
            bound_elsewhere: None,
            fit: None,
            named: None,
            next_interface: None,
        };
        for (own, from_source, from_own, leaves_by, expected) in [
            ("10.0.0.2", None, None, "eth0", RouteFit::Same),
            ("203.0.113.9", Some(Open), Some(Filtered), "eth0", RouteFit::Silent),
            ("203.0.113.9", Some(Open), Some(Closed), "eth0", RouteFit::Silent),
            ("203.0.113.9", Some(Open), Some(Open), "eth0", RouteFit::Answers),
            ("203.0.113.9", Some(Closed), Some(Closed), "eth0", RouteFit::Answers),
            ("203.0.113.9", Some(Filtered), Some(Open), "eth1", RouteFit::Answers),
            ("203.0.113.9", Some(Filtered), Some(Filtered), "eth0", RouteFit::Astray),
            ("203.0.113.9", None, None, "eth0", RouteFit::Astray),
            // Rules by source send it out by its own card.
            ("203.0.113.9", None, None, "eth1", RouteFit::Apart),
            ("fd00::9", None, None, "eth0", RouteFit::OtherFamily),
        ] {
            assert_eq!(
                fit(&route(own, from_source, from_own, leaves_by)),
                Some(expected),
                "{own} {from_source:?} {from_own:?} {leaves_by}"
            );
        }
        let mut to_itself = route("203.0.113.9", None, None, "lo");
        to_itself.local = true;
        assert_eq!(fit(&to_itself), Some(RouteFit::Local));
        let mut nowhere = route("203.0.113.9", None, None, "eth0");
        nowhere.source = None;
        assert_eq!(fit(&nowhere), Some(RouteFit::NoRoute));
    }
}
