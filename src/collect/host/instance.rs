//! A Pika on this host: the process, or the configuration that shall become one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use procfs_core::process::{LimitValue, Limits, Status};

use super::files::{Roots, absent, below, parsed, resolve};
use super::named::read_as;
use super::network::Namespace;
use super::processes::{account, conf_argument, words};
use super::request::InstanceSelector;
use super::{
    access, conf, daemons, database, files, held, kernel, log_files, memory, network, paths, program, rsync,
    sockets,
};
use crate::i18n::{io_error, reasons};
use crate::model::host::{Account, Instance, OpenFiles};
use crate::model::reason::Reason;
use crate::model::storage::{ConfOnHost, DatabaseOnHost, LogFiles, PathOnHost, PathRole};
use crate::model::unavailable::Unavailable;

/// Whether a process may be the one that a server calls `told` in its INFO: that is its id in the innermost of its
/// namespaces. Kernels before 4.1 do not show it; then only those of this tool's namespace are known.
pub fn goes_by(roots: &Roots, pid: u32, told: u32) -> bool {
    let inner = parsed::<Status>(&roots.process(pid).join("status")).ok().and_then(|status| status.nspid);
    match inner.and_then(|ids| ids.last().copied()) {
        Some(inner) => u32::try_from(inner) == Ok(told),
        None => pid == told || !network::shares(roots, Some(pid), Namespace::Pid),
    }
}

/// The right to ports below `ip_unprivileged_port_start`: bit 10 of a set of capabilities.
const CAP_NET_BIND_SERVICE: u64 = 1 << 10;

/// What is looked at, and how far that got.
struct Looker<'r> {
    roots: &'r Roots,
    pid: Option<u32>,
    /// The directory that relative paths begin at.
    cwd: PathBuf,
    instance: Instance,
}

/// Looks at one Pika. `offsets` are what its ports may be away from its client port. Never fails: what could
/// not be had is in `Instance::errors`.
pub fn collect_instance(roots: &Roots, wanted: &InstanceSelector, offsets: &[u32]) -> Instance {
    let pid = wanted.pid;
    let instance = Instance {
        name: wanted.name.clone().unwrap_or_default(),
        node: wanted.node.clone(),
        pid,
        version: wanted.version,
        // Who asks about a configuration together with a master means it.
        replicates: wanted.replicates.or(wanted.master.is_some().then_some(true)),
        master: wanted.master.clone(),
        port: wanted.port,
        ..Instance::default()
    };
    let mut looker = Looker { roots, pid, cwd: PathBuf::from("/"), instance };
    looker.find_process();
    looker.look_at_limits();
    if pid.is_none_or(|pid| roots.sees(pid)) {
        looker.read_conf(wanted.conf.as_deref(), &wanted.settings);
        if looker.instance.unavailable.iter().any(|absence| absence.path.is_empty()) {
            return looker.instance;
        }
        looker.look_at_files();
    } else {
        looker.leave_files(&wanted.settings);
    }
    looker.look_at_network(offsets);
    if let Some(reason) = &wanted.skip_reason {
        looker.leave_skipped(reason);
    }
    looker.instance
}

impl Looker<'_> {
    fn fail(&mut self, path: &str, reason: Reason) {
        self.instance.unavailable.push(Unavailable::failed(path, reason));
    }

    fn find_process(&mut self) {
        let Some(pid) = self.pid else {
            self.cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
            self.instance.account = Some(own_account(self.roots));
            return;
        };
        let process = self.roots.process(pid);
        match files::held(&process.join("cwd")) {
            Ok((cwd, _)) => self.cwd = cwd,
            Err(error) => {
                self.instance.unavailable.push(absent("cwd", &error, reasons::directory_of_process()));
            }
        }
        match program::collect_program(self.roots, pid, &words(self.roots, pid), &self.cwd) {
            Ok((program, next)) => {
                (self.instance.program, self.instance.next_start) = (Some(program), Some(next));
            }
            Err(error) => {
                let paths = ["program", "next_start"];
                let absences = paths.map(|path| absent(path, &error, reasons::program_of_process()));
                self.instance.unavailable.extend(absences);
            }
        }
        match account(self.roots, pid) {
            Ok(account) => self.instance.account = Some(account),
            Err(error) => self.fail("account", (&error).into()),
        }
    }

    /// Its memory, and its right to ports. What shall become a process has the rights of the one who starts it.
    fn look_at_limits(&mut self) {
        let process = self.pid.map_or_else(|| self.roots.proc.join("self"), |pid| self.roots.process(pid));
        let Ok(status) = parsed::<Status>(&process.join("status")) else { return };
        self.instance.binds_any_port = Some(status.capeff & CAP_NET_BIND_SERVICE != 0);
        self.instance.memory_limit_bytes = memory::limit(self.roots, &process);
        if self.pid.is_some() {
            self.instance.resident_bytes = status.vmrss.map(|kibibytes| kibibytes << 10);
        }
    }

    /// Whose rights count for what it names. A configuration without a process was named by the one who runs this tool.
    fn named_by(&self) -> Option<&Account> {
        self.instance.account.as_ref().filter(|_| self.pid.is_some())
    }

    /// Its settings: those that the running server told win over the file, which may have been edited since.
    fn read_conf(&mut self, named: Option<&Path>, told: &BTreeMap<String, String>) {
        let words = self.pid.map(|pid| words(self.roots, pid)).unwrap_or_default();
        let named = named.map(Path::to_owned).or_else(|| conf_argument(&words).map(PathBuf::from));
        if let Some(named) = named {
            let place = self.cwd.join(&named);
            let root = self.roots.root_of(self.pid);
            let path_shown = place.display().to_string();
            let exists = match read_as(&root, &place, self.named_by()) {
                Ok(bytes) => {
                    self.instance.settings = conf::settings(&String::from_utf8_lossy(&bytes));
                    Some(true)
                }
                // All that is known of one that does not run is in there, and somebody named it.
                Err(error) if self.pid.is_none() => {
                    self.fail("", reasons::about(&path_shown, io_error(&error)));
                    None
                }
                Err(error) => {
                    let is_gone = error.kind() == io::ErrorKind::NotFound;
                    self.instance.unavailable.push(absent("settings", &error, &path_shown));
                    if !is_gone {
                        self.instance.unavailable.push(absent("conf.exists", &error, &path_shown));
                    }
                    is_gone.then_some(false)
                }
            };
            self.instance.conf = Some(self.conf_on_host(&root, &place, exists));
        } else {
            self.fail("conf", reasons::command_line_without_conf());
        }
        self.take_settings(told);
    }

    /// How it can be replaced. The last part of its name is not followed: the file beside it takes the place of a link.
    fn conf_on_host(&self, root: &Path, place: &Path, exists: Option<bool>) -> ConfOnHost {
        let named = match (place.parent(), place.file_name()) {
            (Some(directory), Some(name)) => below(root, &resolve(root, directory).join(name)),
            _ => below(root, place),
        };
        let account = self.instance.account.as_ref();
        let replacing = access::replacing(&named, account);
        ConfOnHost {
            path: place.display().to_string(),
            exists,
            writable: replacing.map(|ways| ways.begin.is_none() && ways.finish.is_none()),
            beside: replacing.map(|ways| ways.begin.is_none()),
            kept_by: replacing.and_then(|ways| ways.begin.or(ways.finish)),
            bytes: named.metadata().ok().map(|meta| meta.len()),
            free_bytes: named.parent().and_then(|directory| access::free_bytes(directory, account)),
        }
    }

    /// A process whose mounts are its own, as in a container, sees other files than this tool.
    fn leave_files(&mut self, told: &BTreeMap<String, String>) {
        let reason = reasons::run_as_pika_or_root(reasons::mounts_not_visible());
        for path in ["conf", "rsync", "open_files", "paths", "database", "log_files", "rsync_pid_file"] {
            self.instance.unavailable.push(Unavailable::no_access(path, reason.clone()));
        }
        self.take_settings(told);
    }

    fn leave_skipped(&mut self, reason: &Reason) {
        let missing = [
            ("version", self.instance.version.is_none()),
            ("replicates", self.instance.replicates.is_none()),
        ];
        for (path, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            self.fail(path, reason.clone());
        }
    }

    fn take_settings(&mut self, told: &BTreeMap<String, String>) {
        let known = told.iter().filter(|(name, _)| conf::NAMES.contains(&name.as_str()));
        self.instance.settings.extend(known.map(|(name, value)| (name.clone(), value.clone())));
        if self.instance.port.is_none() {
            self.instance.port = self.instance.settings.get("port").and_then(|port| port.parse().ok());
        }
    }

    fn look_at_files(&mut self) {
        let (roots, pid) = (self.roots, self.pid);
        let account = self.instance.account.clone();
        match rsync::find(roots, pid, account.as_ref(), &self.cwd) {
            Ok(rsync) => self.instance.rsync = Some(rsync),
            Err(error) => self.instance.unavailable.push(absent("rsync", &error, reasons::path_of_process())),
        }
        let process = pid.map_or_else(|| roots.proc.join("self"), |pid| roots.process(pid));
        match parsed::<Limits>(&process.join("limits")) {
            Ok(limits) => {
                let value = |limit| match limit {
                    LimitValue::Value(value) => Some(value),
                    LimitValue::Unlimited => None,
                };
                let open = pid.and_then(|_| fs::read_dir(process.join("fd")).ok());
                self.instance.open_files = Some(OpenFiles {
                    soft: value(limits.max_open_files.soft_limit),
                    hard: value(limits.max_open_files.hard_limit),
                    open: open.and_then(|open| u64::try_from(open.count()).ok()),
                });
            }
            Err(error) => self.fail("open_files", (&error).into()),
        }
        let settings = self.instance.settings.clone();
        let setting = |name: &str| settings.get(name).map(String::as_str);
        let relative = ["db-path", "dump-path", "db-sync-path", "log-path"]
            .iter()
            .any(|name| setting(name).is_some_and(|path| !path.starts_with('/')));
        let cwd_unseen = self.instance.unavailable.iter().find(|absence| absence.path == "cwd").cloned();
        if let Some(unseen) = cwd_unseen.filter(|_| relative) {
            for path in ["paths", "database", "rsync_pid_file"] {
                self.instance.unavailable.push(Unavailable { path: path.into(), ..unseen.clone() });
            }
            return;
        }
        match paths::collect_paths(roots, pid, account.as_ref(), &self.cwd, setting) {
            Ok(paths) if paths.is_empty() => {
                self.fail("paths", reasons::paths_not_told());
                self.fail("database", reasons::paths_not_told());
            }
            Ok(mut paths) => {
                let seen = pid.map_or(Ok(()), |pid| held::find_held(roots, pid, &self.cwd, &mut paths));
                if let Err(error) = seen {
                    let about = |place| error.unavailable(format!("paths.{place}.in_use"));
                    self.instance.unavailable.extend((0..paths.len()).map(about));
                }
                self.measure_copy(&mut paths);
                self.instance.database = self.database(&paths);
                self.instance.log_files = self.log_files(&paths);
                self.instance.paths = Some(paths);
            }
            Err(absence) => {
                self.instance.unavailable.push(Unavailable { path: "database".into(), ..absence.clone() });
                self.instance.unavailable.push(absence);
            }
        }
        self.look_at_pid_file(setting("db-sync-path"));
    }

    /// How much of a full copy has arrived.
    fn measure_copy(&self, paths: &mut [PathOnHost]) {
        let root = self.roots.root_of(self.pid);
        let is_there =
            |path: &&mut PathOnHost| path.role == PathRole::DbSync && path.exists && path.directory;
        for path in paths.iter_mut().filter(is_there) {
            path.bytes = database::bytes_below(&below(&root, &resolve(&root, Path::new(&path.path))));
        }
    }

    /// The files of its database. One that was moved away below a running Pika is that of nobody.
    fn database(&mut self, paths: &[PathOnHost]) -> Option<DatabaseOnHost> {
        let db = paths.iter().find(|path| path.role == PathRole::Db);
        let Some(db) = db.filter(|path| path.exists && path.directory && path.in_use != Some(false)) else {
            // A server that is still to be started has none yet.
            let say = if self.pid.is_some() { Unavailable::failed } else { Unavailable::not_in_release };
            self.instance.unavailable.push(say("database", reasons::no_database_there()));
            return None;
        };
        let root = self.roots.root_of(self.pid);
        let shown = PathBuf::from(&db.path);
        let place = below(&root, &resolve(&root, &shown));
        if let Err(error) = fs::read_dir(&place) {
            self.instance.unavailable.push(absent("database", &error, &*db.path));
            return None;
        }
        Some(database::look(self.roots, &place, &shown))
    }

    /// What lies below its log-path.
    fn log_files(&mut self, paths: &[PathOnHost]) -> Option<LogFiles> {
        let log = paths.iter().find(|path| path.role == PathRole::Log && path.directory)?;
        let root = self.roots.root_of(self.pid);
        let found = if log.exists {
            log_files::look(&below(&root, &resolve(&root, Path::new(&log.path))), Path::new(&log.path))
        } else {
            Some(LogFiles::default())
        };
        if found.is_none() {
            let reason = reasons::run_as_pika_or_root(reasons::logs_not_counted());
            self.instance.unavailable.push(Unavailable::no_access("log_files", reason));
        }
        found
    }

    fn look_at_pid_file(&mut self, db_sync_path: Option<&str>) {
        let Some(directory) = db_sync_path else {
            return self.fail("rsync_pid_file", reasons::db_sync_path_not_known());
        };
        if !network::shares(self.roots, self.pid, Namespace::Pid) {
            let reason = reasons::process_in_container();
            return self.instance.unavailable.push(Unavailable::no_access("rsync_pid_file", reason));
        }
        match daemons::pid_file(self.roots, self.pid, self.named_by(), &self.cwd.join(directory)) {
            Ok(found) => self.instance.rsync_pid_file = found,
            Err(error) => {
                self.instance.unavailable.push(absent("rsync_pid_file", &error, reasons::rsync_pid_file()));
            }
        }
    }

    fn look_at_network(&mut self, offsets: &[u32]) {
        self.instance.own_network = !network::shares(self.roots, self.pid, Namespace::Net);
        match network::collect_network(self.roots, self.pid) {
            Ok(network) => self.instance.network = Some(network),
            Err(error) => {
                self.instance
                    .unavailable
                    .extend(["network", "own_address", "routes"].map(|path| error.unavailable(path)));
            }
        }
        // A process whose configuration is gone is asked what it listens on.
        let seen = || self.pid.and_then(|pid| sockets::client_port(self.roots, pid));
        self.instance.port = self.instance.port.or_else(seen);
        let Some(port) = self.instance.port else {
            for path in ["port", "listeners", "ports"] {
                self.fail(path, reasons::client_port_not_known());
            }
            return;
        };
        if offsets.is_empty() {
            // To find out who holds a socket all processes are looked through.
            for path in ["listeners", "ports"] {
                self.instance.unavailable.push(Unavailable::no_access(path, reasons::instance_not_wanted()));
            }
            return;
        }
        let ports: Vec<u16> =
            offsets.iter().filter_map(|offset| u16::try_from(u32::from(port) + offset).ok()).collect();
        match sockets::listeners(self.roots, self.pid, &ports) {
            Ok(listeners) => {
                if let Some(network) = &mut self.instance.network {
                    // A socket whose owner may not be seen is taken for that of the process: it has the port.
                    let own = listeners.iter().filter(|listener| {
                        listener.port == port
                            && self.pid.is_some()
                            && (listener.pid.is_none() || listener.pid == self.pid)
                    });
                    network.bound = own.map(|listener| listener.address.clone()).collect();
                }
                self.instance.listeners = Some(listeners);
            }
            Err(error) => {
                for path in ["listeners", "ports"] {
                    self.fail(path, (&error).into());
                }
            }
        }
    }
}

/// Who runs this tool.
pub fn own_account(roots: &Roots) -> Account {
    let uid = nix::unistd::geteuid().as_raw();
    let groups = nix::unistd::getgroups().unwrap_or_default();
    Account {
        uid,
        gid: nix::unistd::getegid().as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
        name: kernel::user_name(roots, uid),
    }
}
