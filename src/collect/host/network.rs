//! The cards and routes of the network that a process lives in.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::net::RouteEntries;

use super::files::{Roots, parsed};
use crate::collect::host_network::interfaces;
use crate::model::facts::{Absence, AbsenceKind};
use crate::model::network::HostNetwork;

/// Whether a process is in the same namespace as this tool. Where it may not be seen, it is taken for the same.
pub fn shares(roots: &Roots, pid: Option<u32>, namespace: &str) -> bool {
    let link = |process: PathBuf| fs::read_link(process.join("ns").join(namespace)).ok();
    let own = link(roots.proc.join("self"));
    let theirs = pid.and_then(|pid| link(roots.process(pid)));
    pid.is_none() || theirs.is_none() || own == theirs
}

/// Why the network of a process is not this tool's, as in a container: what answers on the loopback here is
/// somebody else.
pub fn elsewhere(roots: &Roots, pid: u32) -> Option<String> {
    (!shares(roots, Some(pid), "net")).then(|| {
        format!(
            "process {pid} has a network of its own; see into it with:  \
             nsenter --target {pid} --net pikadoctor host --pid {pid}"
        )
    })
}

/// The network of a process, or this tool's own. `bound` is empty.
pub fn look(roots: &Roots, pid: Option<u32>) -> Result<HostNetwork, Absence> {
    let absent = |kind, reason: String| Absence { path: "network".into(), kind, reason };
    if let Some(reason) = pid.and_then(|pid| elsewhere(roots, pid)) {
        return Err(absent(AbsenceKind::NoAccess, reason));
    }
    if !roots.is_live() {
        return Err(absent(AbsenceKind::NoAccess, "a recorded host has no cards".into()));
    }
    let failed = |reason| absent(AbsenceKind::Failed, reason);
    let interfaces =
        interfaces().map_err(|error| failed(format!("the network cards cannot be listed: {error}")))?;
    let default_routes = default_routes(&roots.proc.join("self/net/route")).map_err(failed)?;
    Ok(HostNetwork { interfaces, default_routes, bound: Vec::new() })
}

/// The cards of the default routes, in the order of the file.
fn default_routes(path: &Path) -> Result<Vec<String>, String> {
    // A kernel without any route gives an empty file, and so does one whose network was never set up.
    let routes: RouteEntries = parsed(path)?;
    let default = |route: &procfs::net::RouteEntry| route.destination.is_unspecified();
    Ok(routes.0.into_iter().filter(default).map(|route| route.iface).collect())
}
