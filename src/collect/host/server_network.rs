//! The network of a server that was reached over the network and runs on this host.

use std::net::{IpAddr, SocketAddr};

use super::files::Roots;
use super::network::{NetworkError, collect_network};
use super::{processes, sockets};
use crate::model::network::HostNetwork;

/// The network of this host, if the server at `peer` with process id `pid` runs here.
pub fn network_of_server(peer: SocketAddr, pid: Option<i64>) -> Result<HostNetwork, NetworkError> {
    let roots = Roots::default();
    // A port of this host can lead into a container; only the process itself proves that it runs here.
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    if !pid.is_some_and(|pid| processes::is_pika(&roots, pid)) {
        return Err(NetworkError::NotHere);
    }
    let network = collect_network(&roots, None)?;
    let is_ours = |address: IpAddr| {
        let mut own = network.interfaces.iter().flat_map(|interface| &interface.addresses);
        address.is_loopback() || own.any(|own| *own == address.to_string())
    };
    if !is_ours(peer.ip()) {
        return Err(NetworkError::NotHere);
    }
    let bound = sockets::bound(&roots, peer.port())?;
    Ok(HostNetwork { bound, ..network })
}
