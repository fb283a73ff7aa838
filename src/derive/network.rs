//! What follows from ports and addresses: who gets in whose way, and which addresses peers were given.

use std::net::{IpAddr, SocketAddr};

use super::unavailable::explained;
use crate::i18n::reasons;
use crate::model::era;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::network::{AddressKind, Collision, Peer, PeerRole, PortRole};
use crate::model::node::Node;
use crate::model::port_use::{PortUse, port_uses};
use crate::model::unavailable::Unavailable;

/// Sets `collisions` and `peers` of every node.
pub fn complete(facts: &mut Facts, knowledge: &Knowledge) {
    let layouts: Vec<Layout> = facts.nodes.iter().map(|node| Layout::of(node, knowledge)).collect();
    for (index, node) in facts.nodes.iter_mut().enumerate() {
        node.peers = peers(node);
        if node.peers.is_none() && !explained(node, "peers") {
            node.unavailable.push(Unavailable::failed("peers", reasons::info_replication_not_read()));
        }
        let reached = node.reach.peer.as_ref().and_then(|peer| peer.parse::<SocketAddr>().ok());
        node.reached_at = reached.map(|peer| peer.ip().to_string());
        let fallback = node.version.is_some_and(|version| version.is_of(&era::ETH0_BY_DEFAULT));
        node.own_address = node.host_network.as_ref().map(|network| network.own_address(fallback));
        node.follows_itself = follows_itself(node, &[]);
        let others =
            layouts.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, layout)| layout);
        // A server of which nothing is known proves nothing by being in nobody's way.
        if node.reach.peer.is_some() && node.version.is_some() {
            node.collisions = Some(others.flat_map(|other| layouts[index].collisions_with(other)).collect());
        } else if !explained(node, "collisions") {
            node.unavailable.push(Unavailable::failed("collisions", reasons::release_not_known()));
        }
    }
}

/// The ports that a server needs on its host.
struct Layout {
    name: String,
    host: Option<IpAddr>,
    client: u32,
    ports: Vec<PortUse>,
}

impl Layout {
    fn of(node: &Node, knowledge: &Knowledge) -> Self {
        let host = node.reach.peer.as_ref().and_then(|peer| peer.parse::<SocketAddr>().ok());
        let client = PortUse { offset: 0, role: PortRole::Client, always: true };
        let generation = node
            .version
            .and_then(|version| knowledge.generations.iter().find(|entry| entry.releases.contains(version)));
        Self {
            name: node.name.clone(),
            host: host.map(|host| host.ip()),
            client: u32::from(node.address.port),
            ports: generation.map_or_else(|| vec![client], port_uses),
        }
    }

    /// Ports that both want. Two servers that run already share none that is always open; what is left is
    /// a port that one of them opens during a full sync only, when it is too late.
    fn collisions_with(&self, other: &Self) -> Vec<Collision> {
        // One address under two names is one server, which is in nobody's way.
        if self.host.is_none() || self.host != other.host || self.client == other.client {
            return Vec::new();
        }
        let mut collisions = Vec::new();
        for own in &self.ports {
            for foreign in &other.ports {
                let port = self.client + own.offset;
                if port == other.client + foreign.offset {
                    let (role, other_role) = (own.role, foreign.role);
                    collisions.push(Collision { port, role, other: other.name.clone(), other_role });
                }
            }
        }
        collisions
    }
}

fn peers(node: &Node) -> Option<Vec<Peer>> {
    let replication = node.replication.as_ref()?;
    let peer =
        |role, address: &str| Peer { role, address: address.to_owned(), kind: AddressKind::of(address) };
    let master = replication.master.iter().filter_map(|master| master.host.as_deref());
    let mut peers: Vec<Peer> =
        master.filter(|host| !host.is_empty()).map(|host| peer(PeerRole::Master, host)).collect();
    peers.extend(replication.replicas.iter().map(|replica| peer(PeerRole::Replica, &replica.ip)));
    Some(peers)
}

/// Whether the master that a server names is itself. `more`: further names and addresses of its host. Up to 3.5.2 only
/// 127.0.0.1 and the own address are refused by slaveof, from 3.5.3 on `localhost` as well.
pub(super) fn follows_itself(node: &Node, more: &[String]) -> Option<bool> {
    let replication = node.replication.as_ref()?;
    let Some(master) = replication.master.as_ref().filter(|master| master.is_address()) else {
        return Some(false);
    };
    let port = node.process.as_ref().and_then(|process| process.tcp_port).unwrap_or(node.address.port);
    if master.port != Some(i64::from(port)) {
        return Some(false);
    }
    let own = node.own_address.as_ref().and_then(|own| own.address.as_deref());
    let known = [Some(node.address.host.as_str()), node.reached_at.as_deref(), own];
    let is_own = |host: &str| {
        let mut names = known.iter().flatten().copied().chain(more.iter().map(String::as_str));
        names.any(|name| name.eq_ignore_ascii_case(host))
    };
    let host = master.host.as_deref().unwrap_or_default();
    // A name is looked up by the server; that it lists itself says where it led.
    let lists_itself = replication.replicas.iter().any(|listed| listed.port == port && is_own(&listed.ip));
    Some(host.eq_ignore_ascii_case("localhost") || is_own(host) || lists_itself)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::{HostNetwork, Interface, OwnAddressBy};

    #[test]
    fn the_own_address_follows_the_first_route_and_not_the_metric() {
        let card = |name: &str, addresses: &[&str]| Interface {
            name: name.into(),
            addresses: addresses.iter().map(|address| (*address).into()).collect(),
        };
        let interfaces = vec![
            card("lo", &["127.0.0.1", "::1"]),
            card("eth0", &["10.0.0.1", "10.0.0.9", "fe80::1"]),
            card("eth1", &["fd00::2", "192.168.0.1"]),
        ];
        let own = |routes: &[&str], bound: &[&str], fallback| {
            let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let network = HostNetwork {
                interfaces: interfaces.clone(),
                default_routes: strings(routes),
                bound: strings(bound),
            };
            let own = network.own_address(fallback);
            (own.by, own.interface, own.address)
        };
        let some = |text: &str| Some(text.to_owned());
        for (routes, bound, fallback, expected) in [
            (
                &["eth0", "eth1"][..],
                &["0.0.0.0"][..],
                false,
                (OwnAddressBy::DefaultRoute, some("eth0"), some("10.0.0.1")),
            ),
            // IPv6 wins where the kernel names it first.
            (
                &["eth1", "eth0"],
                &["0.0.0.0"],
                false,
                (OwnAddressBy::DefaultRoute, some("eth1"), some("fd00::2")),
            ),
            (
                &["eth0"],
                &["127.0.0.1", "192.168.0.1"],
                false,
                (OwnAddressBy::NetworkInterface, some("eth1"), some("192.168.0.1")),
            ),
            (
                &["eth0"],
                &["127.0.0.1"],
                true,
                (OwnAddressBy::NetworkInterface, some("lo"), some("127.0.0.1")),
            ),
            (&[], &["0.0.0.0"], true, (OwnAddressBy::FallbackEth0, some("eth0"), some("10.0.0.1"))),
            (&[], &["0.0.0.0"], false, (OwnAddressBy::Nothing, None, None)),
            (&["ppp0"], &["0.0.0.0"], true, (OwnAddressBy::DefaultRoute, None, None)),
        ] {
            assert_eq!(own(routes, bound, fallback), expected, "{routes:?} {bound:?} {fallback}");
        }
    }

    #[test]
    fn servers_on_one_host_collide_by_the_differences_of_their_generations() {
        let knowledge = crate::catalog::built_in().knowledge;
        let node = |name: &str, host: &str, port: u16, version: &str| {
            let mut node = Node { name: name.into(), ..Node::default() };
            node.address.port = port;
            node.reach.peer = Some(format!("{host}:{port}"));
            node.version = version.parse().ok();
            node
        };
        let collide = |difference: u16, version: &str, other: &str| {
            let nodes =
                vec![node("a", "10.0.0.1", 9221, version), node("b", other, 9221 + difference, version)];
            let mut facts = Facts { nodes, ..Facts::default() };
            complete(&mut facts, &knowledge);
            assert_eq!(
                facts.nodes[0].collisions.as_ref().map(Vec::len),
                facts.nodes[1].collisions.as_ref().map(Vec::len)
            );
            !facts.nodes[0].collisions.as_ref().expect("both are known").is_empty()
        };
        for (version, differences) in [
            ("2.3.6", &[100, 900, 1000, 1100, 1900, 2000, 3000][..]),
            ("3.0.16", &[1000, 2000, 3000]),
            ("3.3.6", &[1000, 2000]),
            ("3.5.5", &[2000, 8001, 10001]),
        ] {
            for difference in [1, 100, 500, 900, 1000, 1100, 1900, 2000, 3000, 8001, 10001] {
                let expected = differences.contains(&difference);
                assert_eq!(collide(difference, version, "10.0.0.1"), expected, "{version}: {difference}");
                assert!(!collide(difference, version, "10.0.0.2"), "{version}: another host");
            }
        }
    }
}
