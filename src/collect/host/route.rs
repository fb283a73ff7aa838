//! The ways from the Pikas of a host to the servers that they replicate with.
//!
//! Up to 3.0.1 a Pika connects from the address that it takes for its own, whichever way the packets take. Where that is
//! another one than the kernel would take, both are tried: a connection to the client port of the other server, closed
//! again at once.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpSocket;
use tokio::time::timeout_at;

use super::files::Roots;
use super::kernel_route::{KernelRoute, RouteQuestion, ask_kernel};
use super::network::{Namespace, shares, within};
use super::request::RouteRequest;
use crate::catalog::era;
use crate::collect::net::connect::ConnectError;
use crate::collect::net::deadlines::Deadlines;
use crate::model::host::Instance;
use crate::model::limits::MAX_ROUTES;
use crate::model::network::{AddressKind, PeerRoute, PortState};

/// Sets the routes of an instance whose network is seen.
pub async fn find_routes(
    roots: &Roots,
    instance: &mut Instance,
    wanted: &[RouteRequest],
    deadlines: &Deadlines,
) {
    if instance.network.is_none() || !roots.is_live() {
        return;
    }
    let is_about = |request: &&RouteRequest| {
        request.of.is_none() || request.of == instance.node || request.of.as_ref() == Some(&instance.name)
    };
    // A server of the run and what another one says of it can be the same.
    let mut requests: Vec<&RouteRequest> = Vec::new();
    for request in wanted.iter().filter(is_about) {
        let is_same = |known: &&RouteRequest| known.end == request.end && known.ip == request.ip;
        if requests.len() < MAX_ROUTES && !requests.iter().any(is_same) {
            requests.push(request);
        }
    }
    let looks = requests.into_iter().map(|request| find_route(roots, instance, request, deadlines));
    let routes = futures_util::future::join_all(looks).await;
    instance.routes = Some(routes.into_iter().flatten().collect());
}

/// `None`: the kernel did not say.
async fn find_route(
    roots: &Roots,
    instance: &Instance,
    request: &RouteRequest,
    deadlines: &Deadlines,
) -> Option<PeerRoute> {
    let network = instance.network.as_ref()?;
    let eth0 = instance.version.is_some_and(|version| version.is_of(&era::ETH0_BY_DEFAULT));
    let own =
        if instance.pid.is_some() { instance.address_now(eth0) } else { instance.address_at_start(eth0) };
    let own_ip: Option<IpAddr> = own.as_ref().and_then(|own| own.address.as_ref()?.parse().ok());
    let uid = instance.account.as_ref().map(|account| account.uid);
    let ask = |from| {
        let question = RouteQuestion { to: request.ip, from, uid };
        in_network(roots, instance.pid, || {
            let route = ask_kernel(question)?;
            let name = route.as_ref().and_then(|route| card_name(route.card?));
            Ok((route, name))
        })
    };
    let (route, interface) = ask(None).ok()?;
    let KernelRoute { source, local, .. } = route.unwrap_or_default();
    let by_source = source.and_then(|source| network.card_with(&source.to_string()));
    let interface = interface.or_else(|| by_source.map(|card| card.name.clone()));
    let bound = &network.bound;
    let is_any = |address: &String| AddressKind::of(address) == AddressKind::Unspecified;
    let bound_elsewhere = (!bound.is_empty()).then(|| {
        let source = source.map(|source| source.to_string());
        !bound.iter().any(|address| is_any(address) || Some(address) == source.as_ref())
    });
    let mut found = PeerRoute {
        to: request.to.clone(),
        end: request.end,
        ip: request.ip.to_string(),
        port: request.port,
        source: source.map(|source| source.to_string()),
        interface,
        local,
        own,
        own_leaves_by: None,
        from_source: None,
        from_own: None,
        bound_elsewhere,
        fit: None,
        named: None,
        next_interface: None,
    };
    let differs = |own: &IpAddr| !local && source.is_some_and(|source| source != *own);
    if let Some(own) = own_ip.filter(differs).filter(|own| own.is_ipv4() == request.ip.is_ipv4()) {
        found.own_leaves_by = ask(Some(own)).ok().and_then(|(_, name)| name);
        if let Some(port) = request.port {
            let target = SocketAddr::new(request.ip, port);
            let (from_source, from_own) = tokio::join!(
                dial(roots, instance.pid, source, target, deadlines),
                dial(roots, instance.pid, Some(own), target, deadlines),
            );
            (found.from_source, found.from_own) = (Some(from_source), Some(from_own));
        }
    }
    Some(found)
}

/// Connects from one of the addresses of an instance's network, and closes the connection again.
async fn dial(
    roots: &Roots,
    pid: Option<u32>,
    from: Option<IpAddr>,
    to: SocketAddr,
    deadlines: &Deadlines,
) -> PortState {
    let bound = || {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        Ok(socket)
    };
    let connecting = async {
        let socket = in_network(roots, pid, bound)?;
        match timeout_at(deadlines.of(deadlines.connect), socket.connect(to)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ConnectError::Elapsed),
        }
    };
    match connecting.await {
        Ok(_) => PortState::Open,
        Err(error) => error.port_state().0,
    }
}

/// Does something in the network of a process, which can be this tool's own.
fn in_network<T: Send>(
    roots: &Roots,
    pid: Option<u32>,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    match pid.filter(|_| !shares(roots, pid, Namespace::Net)) {
        None => work(),
        Some(pid) => within(roots, pid, work)?,
    }
}

fn card_name(number: u32) -> Option<String> {
    let cards = nix::net::if_::if_nameindex().ok()?;
    let card = cards.iter().find(|card| card.index() == number)?;
    Some(card.name().to_string_lossy().into_owned())
}
