//! Facts about ports and addresses: who listens where, and whom a server names as its peer.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::reason::Reason;
use super::replication::BinlogPosition;

/// What a derived port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PortRole {
    /// The client port itself.
    Client,
    /// Receives the binlog (up to 3.0.16).
    Binlog,
    /// Receives writes from pika-hub (2.3).
    Hub,
    /// Heartbeat of replicas (up to 3.0.16).
    Heartbeat,
    /// An rsync daemon (up to 3.4.1).
    Rsync,
    /// The replication server (3.1.0 and later).
    Replication,
    /// The server of full copies (3.5.0 and later).
    FullSync,
}

impl PortRole {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Binlog => "binlog",
            Self::Hub => "hub",
            Self::Heartbeat => "heartbeat",
            Self::Rsync => "rsync",
            Self::Replication => "replication",
            Self::FullSync => "full-sync",
        }
    }
}

/// What was found on a derived port, as seen from where this tool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// What should listen there answered.
    Proven,
    /// Somebody listens; who it is cannot be proven without harm.
    Open,
    /// Something else answers.
    Other,
    /// The connection is refused.
    Closed,
    /// There is no answer: a packet filter drops it.
    Filtered,
    /// Another error; see `detail`.
    Failed,
    /// It was not touched; see `detail`.
    NotProbed,
    /// There is no such port: the number is above 65535.
    OutOfRange,
}

/// A port that is counted from the client port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The client port plus `offset`; can be above 65535.
    pub number: u32,
    /// What is added to the client port.
    pub offset: u32,
    /// What it is for.
    pub role: PortRole,
    /// Whether somebody should listen there now.
    pub expected: bool,
    /// What was found.
    pub state: PortState,
    /// What answered, or why it was not touched.
    pub detail: Option<Reason>,
    /// The end of the binlog of db0 that the replication server told.
    pub position: Option<BinlogPosition>,
}

/// A port that two servers on one host want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Collision {
    /// The number.
    pub port: u32,
    /// What this server needs it for.
    pub role: PortRole,
    /// The name of the other server.
    pub other: String,
    /// What the other one needs it for.
    pub other_role: PortRole,
}

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AddressKind {
    /// 127.0.0.0/8 or ::1.
    Loopback,
    /// 169.254.0.0/16 or fe80::/10.
    LinkLocal,
    /// 0.0.0.0 or ::.
    Unspecified,
    /// 172.17.0.0/16, which container engines give out by default.
    Container,
    /// Another private range.
    Private,
    /// An address of the open internet.
    Public,
    /// A host name.
    Name,
}

impl AddressKind {
    /// The kind of an address as text: what is no IP address is a name.
    pub fn of(address: &str) -> Self {
        // The zone says through which card a link-local address is reached, and not what kind it is.
        let address = address.split_once('%').map_or(address, |(address, _)| address);
        let Ok(address) = address.parse::<IpAddr>() else { return AddressKind::Name };
        if address.is_loopback() {
            return AddressKind::Loopback;
        }
        if address.is_unspecified() {
            return AddressKind::Unspecified;
        }
        match address {
            IpAddr::V4(v4) if v4.is_link_local() => AddressKind::LinkLocal,
            IpAddr::V4(v4) if v4.octets()[..2] == [172, 17] => AddressKind::Container,
            // 100.64.0.0/10 is what carriers and clouds use inside.
            IpAddr::V4(v4) if v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64) => {
                AddressKind::Private
            }
            IpAddr::V6(v6) if v6.is_unicast_link_local() => AddressKind::LinkLocal,
            IpAddr::V6(v6) if v6.is_unique_local() => AddressKind::Private,
            _ => AddressKind::Public,
        }
    }
}

/// A peer as this server names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// `replica` or `master`.
    pub role: PeerRole,
    /// The address that is named.
    pub address: String,
    /// Its kind.
    pub kind: AddressKind,
}

/// What a peer is to the server that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PeerRole {
    /// It declared this address itself.
    Replica,
    /// An operator named it in slaveof.
    Master,
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its addresses in the kernel's order, which is the order in which Pika looks at them.
    pub addresses: Vec<String>,
}

/// What the host of a server tells about its network. Only when this tool runs on that host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostNetwork {
    /// The cards.
    pub interfaces: Vec<Interface>,
    /// The cards of the default routes, in the order of /proc/net/route. Metrics do not count.
    pub default_routes: Vec<String>,
    /// The addresses on which the client port is bound.
    pub bound: Vec<String>,
}

impl HostNetwork {
    /// The address that a server takes for its own, as `src/pika_server.cc` of the tags finds it: that of
    /// network-interface, else the first address of the card of the first default route. From 3.5.0 on
    /// `eth0` is taken when there is no default route. A server that is bound to all addresses has no
    /// network-interface.
    pub fn own_address(&self, fallback_to_eth0: bool) -> OwnAddress {
        let of = |by, interface: Option<&Interface>, address: Option<&String>| OwnAddress {
            by,
            interface: interface.map(|card| card.name.clone()),
            address: address.cloned(),
            kind: address.map(|address| AddressKind::of(address)),
        };
        let to_all = self.bound.iter().any(|bound| AddressKind::of(bound) == AddressKind::Unspecified);
        if !to_all && !self.bound.is_empty() {
            // 127.0.0.1 is always bound beside the address of network-interface, and alone when that is `lo`.
            let own = self.bound.iter().find(|bound| AddressKind::of(bound) != AddressKind::Loopback);
            let own = own.or(self.bound.first());
            return of(OwnAddressBy::NetworkInterface, own.and_then(|own| self.card_with(own)), own);
        }
        if let Some(route) = self.default_routes.first() {
            let card = self.card(route);
            return of(OwnAddressBy::DefaultRoute, card, card.and_then(|card| card.addresses.first()));
        }
        match self.card("eth0").filter(|card| fallback_to_eth0 && !card.addresses.is_empty()) {
            Some(card) => of(OwnAddressBy::FallbackEth0, Some(card), card.addresses.first()),
            None => of(OwnAddressBy::Nothing, None, None),
        }
    }

    /// The address that a server takes whose network-interface is `name`.
    pub fn address_of_card(&self, name: &str) -> OwnAddress {
        let address = self.card(name).and_then(|card| card.addresses.first());
        OwnAddress {
            by: OwnAddressBy::NetworkInterface,
            interface: Some(name.to_owned()),
            address: address.cloned(),
            kind: address.map(|address| AddressKind::of(address)),
        }
    }

    /// The card with a name.
    pub fn card(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|card| card.name == name)
    }

    /// The card that has an address.
    pub fn card_with(&self, address: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|card| card.addresses.iter().any(|own| own == address))
    }
}

/// How a server comes to the address that it takes for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OwnAddressBy {
    /// network-interface is set: the client port is bound to that address.
    NetworkInterface,
    /// The first address of the card of the first default route.
    DefaultRoute,
    /// There is no default route; from 3.5.0 on `eth0` is taken then.
    FallbackEth0,
    /// There is no default route and no card to fall back to: the next start fails.
    Nothing,
}

/// The address that a server takes for its own (`host:` in its log).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnAddress {
    /// How it comes to it.
    pub by: OwnAddressBy,
    /// The card.
    pub interface: Option<String>,
    /// The address. Null when there is none.
    pub address: Option<String>,
    /// Its kind.
    pub kind: Option<AddressKind>,
}

/// What a server at the other end of a route is to the Pika at this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RouteEnd {
    /// Its master, or the one that it is to have.
    Master,
    /// A replica of it, or one that it is to have.
    Replica,
    /// One of the two; nobody said which.
    Peer,
}

/// The way from a Pika to a server that it replicates with, as the kernel of its host would choose it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PeerRoute {
    /// The name of the other server: of a server of this run, or its address.
    pub to: String,
    /// What it is to this Pika.
    pub end: RouteEnd,
    /// The IP address that was looked up.
    pub ip: String,
    /// Its client port. Null: not known, and nothing was dialled.
    pub port: Option<u16>,
    /// The address from which the kernel would connect. Null: there is no route.
    pub source: Option<String>,
    /// The card that the packets would leave by.
    pub interface: Option<String>,
    /// Whether the other address is one of the same host or container.
    pub local: bool,
    /// The address that this Pika takes for its own: a running one has taken it, another one would.
    pub own: Option<OwnAddress>,
    /// The card by which packets would leave that carry its own address. Null: not asked, or the kernel did not say.
    pub own_leaves_by: Option<String>,
    /// What came of a connection from `source` to the client port. Null: not tried.
    pub from_source: Option<PortState>,
    /// What came of a connection from its own address to the client port, as releases up to 3.0.1 make it. Null: not tried.
    pub from_own: Option<PortState>,
    /// Whether its listeners are bound to other addresses than `source`. Null: it does not run, or they were not seen.
    pub bound_elsewhere: Option<bool>,
    /// What follows; set by `derive`. Null: nothing can be compared.
    pub fit: Option<RouteFit>,
    /// The address by which that replica names this Pika in slaveof, or would; set by `derive`. Null: not known.
    pub named: Option<String>,
    /// The card that the next start takes, where its settings name another one than it has now; set by `derive`.
    pub next_interface: Option<String>,
}

impl PeerRoute {
    /// Whether connections from its own address do not get there: that was seen, or its packets would leave by a card that
    /// does not have it.
    pub fn is_wrong(&self) -> bool {
        let own_card = self.own.as_ref().and_then(|own| own.interface.as_ref());
        match self.fit {
            Some(RouteFit::Silent) => true,
            Some(RouteFit::Astray) => own_card != self.interface.as_ref(),
            _ => false,
        }
    }
}

/// What a route says about the address that a Pika takes for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RouteFit {
    /// It is the address from which the kernel connects.
    Same,
    /// The other server is on the same host.
    Local,
    /// It is another one, and the other server answers to it as well.
    Answers,
    /// It is another one, and the other server answers only to the one that the kernel takes.
    Silent,
    /// It is another one, its packets leave by a card that does not have it, and nobody answered at either address.
    Astray,
    /// It is another one, its packets leave by its own card, and nobody answered at either address.
    Apart,
    /// The one is an IPv4 address and the other an IPv6 one.
    OtherFamily,
    /// There is no way to the other server.
    NoRoute,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_addresses() {
        for (address, kind) in [
            ("127.0.0.1", AddressKind::Loopback),
            ("::1", AddressKind::Loopback),
            ("0.0.0.0", AddressKind::Unspecified),
            ("169.254.3.4", AddressKind::LinkLocal),
            ("fe80::1", AddressKind::LinkLocal),
            ("fe80::1%eth0", AddressKind::LinkLocal),
            ("172.17.0.2", AddressKind::Container),
            ("172.18.0.2", AddressKind::Private),
            ("10.79.0.1", AddressKind::Private),
            ("192.168.1.1", AddressKind::Private),
            ("100.64.0.1", AddressKind::Private),
            ("fd00::1", AddressKind::Private),
            ("8.8.8.8", AddressKind::Public),
            ("2001:4860::1", AddressKind::Public),
            ("pika-a", AddressKind::Name),
        ] {
            assert_eq!(AddressKind::of(address), kind, "{address}");
        }
    }
}
