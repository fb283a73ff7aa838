//! The rsync daemons that Pikas have started, and their pid files.

use std::path::Path;

use procfs_core::process::Stat;

use super::files::{Roots, parsed, read, text};
use super::named::read_as;
use super::sockets::processes;
use crate::model::host::{Account, PidFile, RsyncDaemon};

/// How Pika names the configuration that it writes for rsync, below db-sync-path.
const CONFIG: &str = "/rsync/slash_rsync.conf";

/// How Pika names the pid file of rsync, below db-sync-path.
const PID_FILE: &str = "rsync/slash_rsync.pid";

/// Every rsync daemon whose configuration is one that Pika writes. rsync forks for each connection; such a
/// child is no daemon of its own.
pub fn find(roots: &Roots) -> Vec<RsyncDaemon> {
    let daemons: Vec<(RsyncDaemon, u32)> =
        processes(roots).into_iter().filter_map(|pid| daemon(roots, pid)).collect();
    let pids: Vec<u32> = daemons.iter().map(|(daemon, _)| daemon.pid).collect();
    daemons.into_iter().filter(|(_, parent)| !pids.contains(parent)).map(|(daemon, _)| daemon).collect()
}

/// The daemon that a process is, and its parent.
fn daemon(roots: &Roots, pid: u32) -> Option<(RsyncDaemon, u32)> {
    let process = roots.process(pid);
    let command = read(&process.join("cmdline")).ok()?;
    let words: Vec<String> =
        command.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    if !words.first()?.ends_with("rsync") || !words.iter().any(|word| word == "--daemon") {
        return None;
    }
    let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let config = option("--config=")?.to_owned();
    let directory = config.strip_suffix(CONFIG)?;
    let stat: Option<Stat> = parsed(&process.join("stat")).ok();
    let parent = stat.as_ref().and_then(|stat| u32::try_from(stat.ppid).ok()).unwrap_or_default();
    let found = RsyncDaemon {
        pid,
        directory: format!("{directory}/"),
        port: option("--port=").and_then(|port| port.parse().ok()),
        age_seconds: stat.and_then(|stat| age(roots, stat.starttime)),
        pika: None,
        config,
    };
    Some((found, parent))
}

/// Seconds since a process was started; `start` is in ticks since the start of the host.
fn age(roots: &Roots, start: u64) -> Option<u64> {
    // A tick is a hundredth of a second on every platform that Linux shows them on.
    const TICKS: u64 = 100;
    let uptime = text(&roots.proc.join("uptime")).ok()?;
    let seconds: u64 = uptime.split(['.', ' ']).next()?.parse().ok()?;
    Some(seconds.saturating_sub(start / TICKS))
}

/// The pid file below a db-sync-path. `None`: there is none.
pub fn pid_file(
    roots: &Roots,
    pid: Option<u32>,
    account: Option<&Account>,
    db_sync_path: &Path,
) -> std::io::Result<Option<PidFile>> {
    let root = roots.root_of(pid);
    let named = db_sync_path.join(PID_FILE);
    let text = match read_as(&root, &named, account) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let named_pid = text.parse::<u32>().ok().filter(|pid| *pid > 0);
    let process = named_pid.and_then(|pid| name_of(roots, pid));
    let alive = process.as_deref() == Some("rsync");
    Ok(Some(PidFile { path: named.display().to_string(), pid: named_pid, alive, process }))
}

/// The name of a process. None: there is none, or it has ended, and its parent, which may be a Pika that is the first
/// process of a container, has not noticed.
fn name_of(roots: &Roots, pid: u32) -> Option<String> {
    let process = roots.process(pid);
    let stat = text(&process.join("stat")).unwrap_or_default();
    // Behind the name, which may hold anything.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    let has_ended = matches!(state, Some('Z' | 'X'));
    text(&process.join("comm")).ok().filter(|_| !has_ended)
}
