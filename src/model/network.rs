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
