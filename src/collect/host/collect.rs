//! Puts together what is known about this host.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::time::timeout_at;

use super::files::{Roots, text};
use super::request::{Dial, DialAs, InstanceSelector, Request};
use super::{daemons, instance, kernel, memory, network, processes, program, resolver, route, rsync};
use crate::collect::net::connect::connect;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::gate::{Alone, Gate};
use crate::collect::pika::ports;
use crate::i18n::reasons;
use crate::model::host::{Dialled, Host, Instance};
use crate::model::knowledge::Knowledge;
use crate::model::network::{Port, PortRole, PortState};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

/// Looks at this host. Never fails: what could not be had is in `Host::errors`.
pub async fn collect_host(
    request: &Request,
    roots: &Roots,
    knowledge: &Knowledge,
    deadlines: &Deadlines,
) -> Host {
    let offsets = offsets(knowledge);
    let (wanted, everything) = (request.instances.clone(), request.all);
    let files = {
        let roots = roots.clone();
        // A file system whose server is gone blocks whoever asks about it.
        let asking = tokio::task::spawn_blocking(move || files(&roots, &wanted, everything, &offsets));
        timeout_at(deadlines.run, asking)
    };
    let names = async {
        if roots.is_live() { resolver::lookup_names(&request.peers, deadlines.run).await } else { Vec::new() }
    };
    let dials = futures_util::future::join_all(
        request.dials.iter().map(|dial| dial_ports(dial, knowledge, deadlines)),
    );
    let (files, lookups, dialled) = tokio::join!(files, names, dials);
    let mut host = if let Ok(Ok(host)) = files {
        host
    } else {
        let unavailable = vec![Unavailable::failed("", reasons::host_files_not_in_time())];
        Host { unavailable, ..Host::default() }
    };
    host.whole = request.whole;
    host.lookups = lookups;
    host.dialled = dialled;
    let routes = &request.routes;
    let looks = host.instances.iter_mut().map(|one| route::find_routes(roots, one, routes, deadlines));
    futures_util::future::join_all(looks).await;
    ask_for_versions(&mut host, roots).await;
    ask_for_next_releases(&mut host, roots).await;
    host
}

/// What a port of a Pika can be away from its client port, on any release.
fn offsets(knowledge: &Knowledge) -> Vec<u32> {
    let mut offsets: Vec<u32> =
        knowledge.generations.iter().flat_map(|entry| &entry.ports).map(|rule| rule.offset).collect();
    offsets.push(0);
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// Everything that is read from files.
fn files(roots: &Roots, wanted: &[InstanceSelector], everything: bool, offsets: &[u32]) -> Host {
    let mut unavailable = Vec::new();
    let hostname = text(&roots.proc.join("sys/kernel/hostname")).ok();
    let running = processes::running_pikas(roots);
    let mut instances: Vec<Instance> = Vec::new();
    for one in wanted {
        match locate(roots, one, &running) {
            Ok(one) => {
                instances.push(Instance { asked: true, ..instance::collect_instance(roots, &one, offsets) });
            }
            Err(reason) => {
                unavailable.push(Unavailable::failed("instances", reason));
            }
        }
    }
    for pid in running.iter().filter(|_| everything) {
        if !instances.iter().any(|known| known.pid == Some(*pid)) {
            let one = InstanceSelector { pid: Some(*pid), ..InstanceSelector::default() };
            instances.push(instance::collect_instance(roots, &one, &[]));
        }
    }
    let host = hostname.clone().unwrap_or_else(|| "localhost".to_owned());
    for instance in instances.iter_mut().filter(|instance| instance.name.is_empty()) {
        // A network of its own has the same ports once more.
        let port = instance.port.filter(|_| !instance.own_network);
        instance.name = match (port, instance.pid) {
            (Some(port), _) => format!("{host}:{port}"),
            (None, Some(pid)) => format!("{host} pid {pid}"),
            (None, None) => host.clone(),
        };
    }
    let network = match network::collect_network(roots, None) {
        Ok(network) => Some(network),
        Err(error) => {
            unavailable.push(error.unavailable("network"));
            None
        }
    };
    let rsync_daemons = roots.proc.is_dir().then(|| {
        let mut daemons = daemons::find(roots);
        for daemon in &mut daemons {
            let same = |instance: &&Instance| instance_directory(instance, &daemon.directory);
            daemon.pika = instances.iter().filter(|one| one.pid.is_some()).find(same).and_then(|one| one.pid);
        }
        daemons
    });
    Host {
        name: host,
        hostname,
        looked_as: Some(instance::own_account(roots)),
        distribution: kernel::distribution(roots),
        kernel: Some(kernel::kernel(roots)),
        out_of_memory: Some(kernel::out_of_memory(roots, &mut unavailable)),
        memory_bytes: memory::of_host(roots),
        network,
        instances,
        rsync_daemons,
        unavailable,
        ..Host::default()
    }
}

/// The process of a Pika: the one that the server named, if that is a Pika here, else the one that has its port and
/// goes by that id where it lives. In a container a process has another id than on its host.
fn locate(roots: &Roots, wanted: &InstanceSelector, running: &[u32]) -> Result<InstanceSelector, Reason> {
    if wanted.conf.is_some() || wanted.pid.is_some_and(|pid| running.contains(&pid)) {
        return Ok(wanted.clone());
    }
    let is_it = |pid: &u32| {
        let one = InstanceSelector { pid: Some(*pid), ..InstanceSelector::default() };
        wanted.port.is_some()
            && instance::collect_instance(roots, &one, &[]).port == wanted.port
            && wanted.pid.is_none_or(|told| instance::goes_by(roots, *pid, told))
    };
    let found: Vec<u32> = running.iter().copied().filter(is_it).collect();
    match found[..] {
        [pid] => Ok(InstanceSelector { pid: Some(pid), ..wanted.clone() }),
        [_, _, ..] => Err(reasons::several_pikas_on_port(
            wanted.port.unwrap_or_default(),
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        )),
        [] => Err(match (wanted.pid, wanted.port) {
            (Some(pid), Some(port)) => reasons::no_pika_with_port_and_pid(port, pid),
            (None, Some(port)) => reasons::no_pika_with_port(port),
            (Some(pid), None) => reasons::process_not_pika(pid),
            (None, None) => reasons::nothing_named(),
        }),
    }
}

/// Whether an instance has this db-sync-path.
fn instance_directory(instance: &Instance, directory: &str) -> bool {
    let own = instance.settings.get("db-sync-path").map(Path::new);
    // A relative one is written into the command line as it is.
    own.is_some_and(|own| own.components().eq(Path::new(directory).components()))
}

/// Runs each rsync that was found once.
async fn ask_for_versions(host: &mut Host, roots: &Roots) {
    let mut known: BTreeMap<PathBuf, Result<String, Unavailable>> = BTreeMap::new();
    for instance in &mut host.instances {
        let Some(rsync) = &mut instance.rsync else { continue };
        let Some(path) = rsync.path.clone().map(PathBuf::from) else { continue };
        let refused = if !roots.is_live() {
            Some(reasons::not_run_on_recorded_host())
        } else if !program::is_here(roots, instance.pid, &path) {
            // A program of a container is not for this host, and its root is not that of this host.
            Some(reasons::not_run_from_container())
        } else {
            None
        };
        let answer = match (refused, known.get(&path)) {
            (Some(reason), _) => Err(Unavailable::no_access("rsync.version", reason)),
            (None, Some(answer)) => answer.clone(),
            (None, None) => {
                let answer = rsync::version(&path).await;
                known.insert(path, answer.clone());
                answer
            }
        };
        match answer {
            Ok(version) => rsync.version = Some(version),
            Err(absence) => instance.unavailable.push(absence),
        }
    }
}

/// Asks the programs that would run after a restart which release they are, where they are others than those that run.
async fn ask_for_next_releases(host: &mut Host, roots: &Roots) {
    for instance in &mut host.instances {
        let Some(next) = instance.next_start.as_mut().filter(|next| !next.same_file) else { continue };
        let Some(path) = &next.program else { continue };
        let refused = if !roots.is_live() {
            Some(reasons::not_run_on_recorded_host())
        } else if !program::is_here(roots, instance.pid, Path::new(path)) {
            Some(reasons::not_run_from_container())
        } else {
            None
        };
        let answer = match refused {
            Some(reason) => Err(Unavailable::no_access("next_start.reports", reason)),
            None => program::release(Path::new(path)).await,
        };
        match answer {
            Ok(release) => next.reports = Some(release),
            Err(absence) => instance.unavailable.push(absence),
        }
    }
}

/// Dials the ports of a server that a replica or a master of it must reach.
async fn dial_ports(dial: &Dial, knowledge: &Knowledge, deadlines: &Deadlines) -> Dialled {
    let mut dialled = Dialled {
        to: dial.to.clone(),
        address: dial.address.to_string(),
        ip: dial.address.ip().to_string(),
        ports: Vec::new(),
    };
    if dial.r#as == DialAs::Replica {
        dialled.ports.push(dial_client(dial.address, deadlines).await);
    }
    let Some(generation) = knowledge.generations.iter().find(|entry| entry.releases.contains(dial.release))
    else {
        return dialled;
    };
    let mut generation = generation.clone();
    // A master is reached at the ports that its replicas dial, and the other way round. The port of the
    // heartbeat is left alone: from a replica's address a connection can be taken for its heartbeat.
    generation.ports.retain(|rule| match dial.r#as {
        DialAs::Replica => matches!(rule.role, PortRole::Replication | PortRole::FullSync),
        DialAs::Master => matches!(rule.role, PortRole::Rsync),
    });
    let mut gate = Gate::new(&knowledge.commands);
    gate.settle(Some(dial.release), false);
    dialled
        .ports
        .extend(ports::probe_ports(&generation, dial.address, &gate, Alone::default(), deadlines).await);
    dialled
}

/// A connection to the client port that is closed again at once.
async fn dial_client(address: SocketAddr, deadlines: &Deadlines) -> Port {
    let (state, detail) = match connect(address, deadlines).await {
        Ok(_) => (PortState::Open, None),
        Err(error) => error.port_state(),
    };
    let number = u32::from(address.port());
    Port { number, offset: 0, role: PortRole::Client, expected: true, state, detail, position: None }
}
