//! What a host does to real Pika servers, found before a full copy is tried. Run as root with
//! `PIKADOCTOR_PIKA_HOME=<dir>` as for `live.rs`; ignored elsewhere.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::real::{Pika, Prepared, listens};
use common::{Run, pikadoctor};
use serde_json::Value;

/// A report, and the findings of one check in it.
struct Judged(Value);

impl Judged {
    fn of(command: &mut Command) -> Self {
        let run = Run::of(command.args(["--format", "json"]));
        let report = serde_json::from_str(&run.stdout);
        Self(report.unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr)))
    }

    fn states(&self, check: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = self.0["findings"].as_array().unwrap().iter();
        let of_check = findings.filter(|finding| finding["check"] == check);
        of_check.map(|finding| (text(&finding["target"]), text(&finding["state"]))).collect()
    }

    /// Asserts the state of a check about one target.
    fn is(&self, check: &str, target: &str, state: &str) {
        let states = self.states(check);
        assert!(
            states.iter().any(|(of, is)| of == target && is == state),
            "{check} of {target} is not {state}: {states:?}\n{:#}",
            self.0["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|finding| finding["check"] == check)
                .collect::<Vec<_>>()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        );
    }

    /// The words of the first problem of a check.
    fn found(&self, check: &str) -> String {
        let findings = self.0["findings"].as_array().unwrap();
        let finding = findings
            .iter()
            .find(|finding| {
                finding["check"] == check && finding["problems"].as_array().is_some_and(|all| !all.is_empty())
            })
            .unwrap_or_else(|| panic!("{check} found nothing"));
        finding["problems"][0].to_string()
    }
}

/// Whether a process ends within some seconds, as it must when it cannot start.
fn ends(mut child: Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(15) {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

fn without_rsync(mut command: Command) -> Command {
    command.env("PATH", "/nonexistent");
    command
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_path_without_rsync_is_found_on_the_master_on_the_replica_and_before_a_start() {
    let rsyncless = Prepared::new("2.3.6", &[("network-interface", "lo")]);
    let command = without_rsync(rsyncless.command());
    let rsyncless = rsyncless.start(command, listens);
    let other = Pika::start("2.3.6", &[("network-interface", "lo")]);
    for (replica, master) in [(&rsyncless, &other), (&other, &rsyncless)] {
        let judged =
            Judged::of(pikadoctor().args(["check", &replica.address(), "--master", &master.address()]));
        judged.is("host/rsync", &rsyncless.address(), "critical");
        judged.is("host/rsync", &other.address(), "ok");
        assert!(judged.found("host/rsync").contains("/nonexistent"));
    }
    let planned = Prepared::new("3.3.6", &[("network-interface", "lo")]);
    let judge = |path: &str| Judged::of(planning(&planned, "3.3.6").env("PATH", path));
    judge("/nonexistent").is("host/rsync", &planned.conf, "critical");
    judge("/usr/local/bin:/usr/bin:/bin").is("host/rsync", &planned.conf, "ok");
    assert!(ends(planned.spawn(without_rsync(planned.command()))), "3.3.6 started without rsync");
}

/// `pikadoctor host` about a server that does not run.
fn planning(prepared: &Prepared, version: &str) -> Command {
    let mut command = pikadoctor();
    command.args(["host", "--conf", &prepared.conf, "--pika-version", version]);
    command
}

/// A network of its own, with a card of its own.
struct Network(String);

impl Network {
    fn new(name: &str) -> Self {
        let network = Self(format!("pdh{}{name}", std::process::id()));
        ip(&["netns", "add", &network.0]);
        network.ip(&["link", "set", "lo", "up"]);
        network.card("eth5", "10.66.5.1/24");
        network
    }

    fn card(&self, name: &str, address: &str) {
        // Its other end is here, too: it has a carrier, and leads nowhere.
        self.ip(&["link", "add", name, "type", "veth", "peer", "name", &format!("{name}x")]);
        self.ip(&["link", "set", &format!("{name}x"), "up"]);
        self.ip(&["address", "add", address, "dev", name]);
        self.ip(&["link", "set", name, "up"]);
    }

    fn ip(&self, words: &[&str]) {
        ip(&[&["-n", &self.0], words].concat());
    }

    /// A command that runs in it.
    fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--net=/run/netns/{}", self.0))
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            inside.env(name, value.unwrap_or_default());
        }
        inside
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_card_that_will_not_do_is_found_before_a_start() {
    let network = Network::new("card");
    let judge = |prepared: &Prepared, version: &str, state: &str| {
        let judged = Judged::of(&mut network.inside(&planning(prepared, version)));
        judged.is("host/network-card", &prepared.conf, state);
        judged
    };
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let wrong = Prepared::new(version, &[("network-interface", "eth9")]);
        let judged = judge(&wrong, version, "critical");
        assert!(judged.found("host/network-card").contains("no such card"));
        assert!(ends(wrong.spawn(network.inside(&wrong.command()))), "{version} started with eth9");

        let unset = Prepared::new(version, &[("network-interface", "")]);
        let judged = judge(&unset, version, "critical");
        assert!(judged.found("host/network-card").contains("no default route"));
        assert!(ends(unset.spawn(network.inside(&unset.command()))), "{version} started without a route");
    }
    network.ip(&["route", "add", "default", "via", "10.66.5.254", "dev", "eth5", "metric", "20"]);
    let planned = Prepared::new("2.3.6", &[("network-interface", "")]);
    judge(&planned, "2.3.6", "ok");
    network.card("eth6", "10.66.6.1/24");
    network.ip(&["route", "add", "default", "via", "10.66.6.254", "dev", "eth6", "metric", "10"]);
    let judged = judge(&planned, "2.3.6", "warning");
    let found = judged.found("host/network-card");
    // The server takes what this tool says that it takes.
    let inside = network.inside(&planned.command());
    let reaches = |port: u16| {
        let probe = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
        let mut bash = Command::new("bash");
        network.inside(bash.args(["-c", &probe])).stderr(Stdio::null()).status().unwrap().success()
    };
    let pika = planned.start(inside, reaches);
    let log = fs::read_to_string(pika.directory.path().join("log/pika.INFO")).unwrap();
    let taken = log.lines().find_map(|line| line.split("host: ").nth(1)).unwrap();
    let taken = taken.split(' ').next().unwrap();
    assert!(found.contains(taken), "it took {taken}: {found}");
}

/// A command in a mount namespace of its own, with small file systems that vanish with it.
fn with_tmpfs(command: &Command, mounts: &[(&Path, &str)], then: &str) -> Command {
    let mut script = String::from("mount --make-rprivate / && ");
    for (point, size) in mounts {
        let point = point.display();
        script += &format!("mkdir -p {point} && mount -t tmpfs -o size={size} none {point} && ");
    }
    script += then;
    script += "exec \"$0\" \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", &script]).arg(command.get_program()).args(command.get_args());
    inside
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_full_copy_that_could_not_be_moved_is_found_before_it_is_tried() {
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let master = Pika::start(version, &[("network-interface", "lo")]);
        let prepared = Prepared::new(version, &[("network-interface", "lo")]);
        let sync = prepared.directory.path().join("dbsync");
        let command = with_tmpfs(&prepared.command(), &[(&sync, "256m")], "");
        let replica = prepared.start(command, listens);
        let judged =
            Judged::of(pikadoctor().args(["check", &replica.address(), "--master", &master.address()]));
        judged.is("host/same-file-system", &replica.address(), "critical");
        judged.is("host/same-file-system", &master.address(), "ok");
        assert!(judged.found("host/same-file-system").contains("tmpfs"), "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_disk_that_is_too_small_for_a_full_copy_is_found_before_it_is_tried() {
    let master = Pika::start("3.5.5", &[("network-interface", "lo")]);
    let names = ["db", "dump", "dbsync", "log"];
    let disk = tempfile::tempdir().unwrap();
    let paths = names.map(|name| format!("{}/{name}/", disk.path().display()));
    let settings = [
        ("network-interface", "lo"),
        ("db-path", paths[0].as_str()),
        ("dump-path", paths[1].as_str()),
        ("db-sync-path", paths[2].as_str()),
        ("log-path", paths[3].as_str()),
    ];
    let prepared = Prepared::new("3.5.5", &settings);
    let fill = format!("head -c 395m /dev/zero > {}/filler; ", disk.path().display());
    let command = with_tmpfs(&prepared.command(), &[(disk.path(), "420m")], &fill);
    let replica = prepared.start(command, listens);
    let judged = Judged::of(pikadoctor().args(["check", &replica.address(), "--master", &master.address()]));
    judged.is("host/free-space", &replica.address(), "critical");
    judged.is("host/full-sync-space", &replica.address(), "critical");
    judged.is("host/full-sync-space", &master.address(), "not-applicable");
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn an_rsync_daemon_that_outlived_its_pika_is_found_before_the_next_start() {
    let mut pika = Pika::start("3.3.6", &[("network-interface", "lo")]);
    let pid_file = pika.directory.path().join("dbsync/rsync/slash_rsync.pid");
    pika.wait_for("its rsync daemon", Duration::from_secs(10), |_| pid_file.exists());
    let judged = Judged::of(pikadoctor().args(["check", &pika.address()]));
    judged.is("host/port-owners", &pika.address(), "ok");
    pika.process.kill().unwrap();
    pika.process.wait().unwrap();
    let daemon = fs::read_to_string(&pid_file).unwrap().trim().to_owned();
    let kill = format!("kill {daemon}");
    let conf = pika.directory.path().join("pika.conf").display().to_string();
    let planned = || Judged::of(pikadoctor().args(["host", "--conf", &conf, "--pika-version", "3.3.6"]));
    // A start would take the daemon over, as long as its pid file is there.
    let judged = planned();
    judged.is("host/port-owners", &conf, "warning");
    assert!(judged.found("host/port-owners").contains(&kill));
    // On a machine with other Pikas there can be more than this one.
    let judged = Judged::of(pikadoctor().args(["host"]));
    let findings = judged.0["findings"].as_array().unwrap().iter();
    let mut left = findings.filter(|finding| finding["check"] == "host/leftover-rsync");
    assert!(left.any(|finding| finding.to_string().contains(&kill)));

    fs::remove_dir_all(pid_file.parent().unwrap()).unwrap();
    let judged = planned();
    judged.is("host/port-owners", &conf, "critical");
    assert!(judged.found("host/port-owners").contains(&kill));
    // What it says will happen does happen.
    let mut start = Command::new(common::real::home().join("3.3.6/pika"));
    start.args(["-c", &conf]).current_dir(pika.directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(ends(start.stderr(Stdio::null()).spawn().unwrap()), "3.3.6 started beside the old daemon");
    assert!(Command::new("kill").arg(&daemon).status().unwrap().success());
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_limit_of_open_files_that_is_too_small_is_found_before_a_start() {
    let limited = |command: &Command| {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 4000 && exec \"$0\" \"$@\""]);
        limited.arg(command.get_program()).args(command.get_args());
        limited
    };
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let planned = Prepared::new(version, &[("network-interface", "lo")]);
        let judged = Judged::of(&mut limited(&planning(&planned, version)));
        judged.is("host/open-files", &planned.conf, "critical");
        assert!(judged.found("host/open-files").contains("6000"), "{version}");
        assert!(ends(planned.spawn(limited(&planned.command()))), "{version} started with 4000 files");
        Judged::of(&mut planning(&planned, version)).is("host/open-files", &planned.conf, "ok");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_resolver_that_does_not_answer_is_found_before_a_full_copy() {
    let network = Network::new("dns");
    // A name server that is there for the kernel, and takes every question to the grave.
    network.ip(&["neighbour", "add", "10.66.5.200", "lladdr", "02:00:00:00:00:99", "dev", "eth5"]);
    let planned = Prepared::new("3.3.6", &[("network-interface", "lo")]);
    let resolver = planned.directory.path().join("resolv.conf");
    fs::write(&resolver, "nameserver 10.66.5.200\n").unwrap();
    let hosts = planned.directory.path().join("hosts");
    let judge = |entry: &str| {
        fs::write(&hosts, format!("127.0.0.1 localhost\n{entry}\n")).unwrap();
        let bind = format!(
            "mount --bind {} /etc/resolv.conf && mount --bind {} /etc/hosts && ",
            resolver.display(),
            hosts.display()
        );
        let mut command = planning(&planned, "3.3.6");
        command.args(["--peer", "10.66.5.77"]);
        let command = with_tmpfs(&command, &[], &bind);
        Judged::of(&mut network.inside(&command))
    };
    judge("").is("host/peer-names", &planned.conf, "warning");
    judge("10.66.5.77 pika-a").is("host/peer-names", &planned.conf, "ok");
}
