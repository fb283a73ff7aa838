//! The cards and routes of the network that a process lives in.

use std::fs::{self, File};
use std::path::Path;
use std::{io, thread};

use nix::ifaddrs::getifaddrs;
use nix::sched::{CloneFlags, setns};
use procfs_core::net::RouteEntries;
use procfs_core::process::Status;

use super::files::{ProcError, Roots, parsed, read};
use crate::i18n::{io_error, reasons};
use crate::model::network::{HostNetwork, Interface};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

/// A kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `net`
    Net,
    /// `pid`
    Pid,
}

/// Whether a process is in the same namespace as this tool.
///
/// The namespaces of another user's process are for root alone. What everybody may see of it shows them, too: the
/// local addresses of its network, and its ids in the namespaces below ours.
pub fn shares(roots: &Roots, pid: Option<u32>, namespace: Namespace) -> bool {
    let Some(theirs) = pid.map(|pid| roots.process(pid)) else { return true };
    let ours = roots.proc.join("self");
    let name = if namespace == Namespace::Net { "ns/net" } else { "ns/pid" };
    if let Ok(link) = fs::read_link(theirs.join(name)) {
        return fs::read_link(ours.join(name)).ok() == Some(link);
    }
    match namespace {
        Namespace::Net => ["net/fib_trie", "net/route"]
            .iter()
            .all(|table| read(&theirs.join(table)).ok() == read(&ours.join(table)).ok()),
        Namespace::Pid => {
            let ids = parsed::<Status>(&theirs.join("status")).ok().and_then(|status| status.nspid);
            ids.is_none_or(|ids| ids.len() == 1)
        }
    }
}

/// Why a process cannot be asked on the loopback of this tool: it has a network of its own, as in a container, and
/// what answers here is somebody else.
pub fn elsewhere(roots: &Roots, pid: u32) -> Option<Reason> {
    (!shares(roots, Some(pid), Namespace::Net)).then(|| {
        let command = format!("nsenter --target {pid} --net pikadoctor host --pid {pid}");
        reasons::ask_it_in_its_network(pid, command)
    })
}

/// Why a network is not known.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The host is not here.
    #[error("{}", Reason::from(self))]
    NotHere,
    /// The host is one that was recorded.
    #[error("{}", Reason::from(self))]
    Recorded,
    /// The process lives in a network that this tool may not enter.
    #[error("{}", Reason::from(self))]
    OwnNetwork {
        /// The process.
        pid: u32,
        /// What the operating system says.
        source: io::Error,
    },
    /// The kernel does not list its cards.
    #[error("{}", Reason::from(self))]
    Cards(#[from] nix::Error),
    /// The routes or the sockets cannot be read.
    #[error(transparent)]
    File(#[from] ProcError),
}

impl From<&NetworkError> for Reason {
    fn from(error: &NetworkError) -> Self {
        match error {
            NetworkError::NotHere => reasons::host_not_visible(),
            NetworkError::Recorded => reasons::recorded_host_without_cards(),
            NetworkError::OwnNetwork { pid, source } => reasons::network_needs_root(*pid, io_error(source)),
            NetworkError::Cards(error) => reasons::cards_not_listed(io_error(&(*error).into())),
            NetworkError::File(error) => error.into(),
        }
    }
}

impl NetworkError {
    /// The fact at `path`, which could not be had for this reason.
    pub fn unavailable(&self, path: &str) -> Unavailable {
        match self {
            Self::NotHere | Self::Recorded | Self::OwnNetwork { .. } => Unavailable::no_access(path, self),
            Self::Cards(_) | Self::File(_) => Unavailable::failed(path, self),
        }
    }
}

/// The network of a process, or this tool's own. `bound` is empty.
pub fn collect_network(roots: &Roots, pid: Option<u32>) -> Result<HostNetwork, NetworkError> {
    if !roots.is_live() {
        return Err(NetworkError::Recorded);
    }
    let interfaces = match pid.filter(|_| !shares(roots, pid, Namespace::Net)) {
        None => interfaces(),
        Some(pid) => {
            within(roots, pid, interfaces).map_err(|source| NetworkError::OwnNetwork { pid, source })?
        }
    }?;
    let process = pid.map_or_else(|| roots.proc.join("self"), |pid| roots.process(pid));
    let default_routes = default_routes(&process.join("net/route"))?;
    Ok(HostNetwork { interfaces, default_routes, bound: Vec::new() })
}

/// Does something in the network of a process. Only a thread of its own goes there, and it ends.
pub fn within<T: Send>(roots: &Roots, pid: u32, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let network = File::open(roots.process(pid).join("ns/net"))?;
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            setns(network, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        });
        inside.join().unwrap_or_else(|_| Err(io::Error::other("the thread that looked there has failed")))
    })
}

/// The cards with their IPv4 and IPv6 addresses, in the kernel's order.
fn interfaces() -> nix::Result<Vec<Interface>> {
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

/// The cards of the default routes, in the order of the file.
fn default_routes(path: &Path) -> Result<Vec<String>, ProcError> {
    // A kernel without any route gives an empty file, and so does one whose network was never set up.
    let routes: RouteEntries = parsed(path)?;
    let default = |route: &procfs_core::net::RouteEntry| route.destination.is_unspecified();
    Ok(routes.0.into_iter().filter(default).map(|route| route.iface).collect())
}
