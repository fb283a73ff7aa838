//! The network of the host, when the server runs on the host that this tool runs on.

use std::net::{IpAddr, SocketAddr};

use nix::ifaddrs::getifaddrs;
use procfs::net::TcpState;

use crate::model::network::{HostNetwork, Interface};

/// Looks at the network of this host, if the server at `peer` with process id `pid` runs here. The error
/// is the reason why its host is not seen.
pub fn look(peer: SocketAddr, pid: Option<i64>) -> Result<HostNetwork, String> {
    let interfaces = interfaces().map_err(|error| format!("the network cards cannot be listed: {error}"))?;
    let ours = |address: IpAddr| {
        address.is_loopback()
            || interfaces
                .iter()
                .flat_map(|interface| &interface.addresses)
                .any(|own| *own == address.to_string())
    };
    // A port of this host can lead into a container; only the process itself proves that it runs here.
    if !ours(peer.ip()) || !is_pika(pid) {
        return Err("the host of the server is not visible from here".into());
    }
    let routes = procfs::net::route().map_err(|error| format!("/proc/net/route: {error}"))?;
    let default_routes = routes
        .into_iter()
        .filter(|route| route.destination.is_unspecified())
        .map(|route| route.iface)
        .collect();
    let sockets = procfs::net::tcp().map_err(|error| format!("/proc/net/tcp: {error}"))?;
    let sockets6 = procfs::net::tcp6().unwrap_or_default();
    let mut bound: Vec<String> = sockets
        .into_iter()
        .chain(sockets6)
        .filter(|socket| socket.state == TcpState::Listen && socket.local_address.port() == peer.port())
        .map(|socket| socket.local_address.ip().to_string())
        .collect();
    bound.sort();
    bound.dedup();
    Ok(HostNetwork { interfaces, default_routes, bound })
}

fn is_pika(pid: Option<i64>) -> bool {
    let name = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    name.is_some_and(|name| name.starts_with("pika"))
}

/// The cards with their IPv4 and IPv6 addresses, in the kernel's order.
pub(super) fn interfaces() -> nix::Result<Vec<Interface>> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for entry in getifaddrs()? {
        let address = entry.address.and_then(|address| {
            let v4 = address.as_sockaddr_in().map(|v4| v4.ip().to_string());
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| v6.ip().to_string()))
        });
        let place =
            interfaces.iter().position(|known| known.name == entry.interface_name).unwrap_or_else(|| {
                interfaces.push(Interface { name: entry.interface_name.clone(), addresses: Vec::new() });
                interfaces.len() - 1
            });
        interfaces[place].addresses.extend(address);
    }
    Ok(interfaces)
}
