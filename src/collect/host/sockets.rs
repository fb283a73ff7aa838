//! Who listens where, from `/proc`: no port has to be touched for it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

use procfs_core::net::{TcpNetEntries, TcpNetEntry, TcpState};
use procfs_core::{ExplicitSystemInfo, FromBufReadSI};

use super::files::{ProcError, Roots, parsed_by, text};
use crate::model::host::Listener;

/// The sockets that listen on one of `ports` in the network of a process, or in this tool's own.
pub fn listeners(roots: &Roots, pid: Option<u32>, ports: &[u16]) -> Result<Vec<Listener>, ProcError> {
    let net = pid.map_or_else(|| roots.proc.join("net"), |pid| roots.process(pid).join("net"));
    let listening = listening(&net, ports)?;
    let owners = owners(roots, &listening);
    let listener = |socket: &TcpNetEntry| {
        let owner = owners.get(&socket.inode);
        Listener {
            address: socket.local_address.ip().to_string(),
            port: socket.local_address.port(),
            pid: owner.map(|(pid, _)| *pid),
            process: owner.map(|(_, name)| name.clone()),
        }
    };
    Ok(listening.iter().map(listener).collect())
}

/// The addresses on which something listens on `port` in this tool's own network, each once.
pub fn bound(roots: &Roots, port: u16) -> Result<Vec<String>, ProcError> {
    let mut bound: Vec<String> = listening(&roots.proc.join("net"), &[port])?
        .iter()
        .map(|socket| socket.local_address.ip().to_string())
        .collect();
    bound.sort();
    bound.dedup();
    Ok(bound)
}

/// The client port of a process, by the ports that it listens on: every release from 2.1.0 on listens 2000 above it, too.
/// `None`: none of them is it, or several may be.
pub fn client_port(roots: &Roots, pid: u32) -> Option<u16> {
    let mut sockets = table(&roots.process(pid).join("net/tcp")).ok()?;
    sockets.extend(table(&roots.process(pid).join("net/tcp6")).unwrap_or_default());
    sockets.retain(|socket| socket.state == TcpState::Listen);
    let files = fs::read_dir(roots.process(pid).join("fd")).ok()?;
    let own: HashSet<u64> =
        files.flatten().filter_map(|file| inode_of(&fs::read_link(file.path()).ok()?)).collect();
    let ports: BTreeSet<u16> = sockets
        .iter()
        .filter(|socket| own.contains(&socket.inode))
        .map(|socket| socket.local_address.port())
        .collect();
    let is_it = |port: &&u16| port.checked_add(2000).is_some_and(|above| ports.contains(&above));
    let mut found = ports.iter().filter(is_it);
    found.next().copied().filter(|_| found.next().is_none())
}

/// The sockets of the network `net` that listen on one of `ports`.
fn listening(net: &Path, ports: &[u16]) -> Result<Vec<TcpNetEntry>, ProcError> {
    let mut sockets = table(&net.join("tcp"))?;
    // A kernel without IPv6 has no such table.
    sockets.extend(table(&net.join("tcp6")).unwrap_or_default());
    sockets.retain(|socket| socket.state == TcpState::Listen && ports.contains(&socket.local_address.port()));
    Ok(sockets)
}

/// The sockets of a table such as `/proc/net/tcp`.
fn table(path: &Path) -> Result<Vec<TcpNetEntry>, ProcError> {
    // Of these only the order of bytes is needed to read it.
    let system = ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: 0,
        page_size: 0,
        is_little_endian: cfg!(target_endian = "little"),
    };
    parsed_by(path, |bytes| TcpNetEntries::from_buf_read(bytes, &system)).map(|entries| entries.0)
}

/// The processes that hold sockets, by inode. Those of other users are visible to root alone. A child that
/// inherited a socket is not its owner: the oldest process is.
fn owners(roots: &Roots, sockets: &[TcpNetEntry]) -> HashMap<u64, (u32, String)> {
    let mut owners: HashMap<u64, (u32, String)> = HashMap::new();
    for pid in processes(roots) {
        let Ok(files) = fs::read_dir(roots.process(pid).join("fd")) else { continue };
        for file in files.flatten() {
            let Some(inode) = fs::read_link(file.path()).ok().and_then(|target| inode_of(&target)) else {
                continue;
            };
            if sockets.iter().any(|socket| socket.inode == inode) {
                let name = text(&roots.process(pid).join("comm")).unwrap_or_default();
                owners.entry(inode).or_insert((pid, name));
            }
        }
    }
    owners
}

/// `socket:[4711]`
fn inode_of(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The ids of all processes, in their order.
pub fn processes(roots: &Roots) -> Vec<u32> {
    let entries = fs::read_dir(&roots.proc).into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}
