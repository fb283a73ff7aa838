//! Hosts over a real ssh server. Run with `PIKADOCTOR_NEIGHBOURS=1` as root where openssh-server and
//! openssh-client are installed; ignored elsewhere.

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::support::real::{Pika, Prepared, listens};
use crate::support::sshd::Place;
use crate::support::{Run, pikadoctor, recording, serve};
use serde_json::Value;

/// `check` of a recorded server whose host is behind ssh.
fn check(place: &Place, arguments: &[&str]) -> Checked {
    let server = serve(recording("v3.3.6/standalone/standalone"));
    let mut command = pikadoctor();
    command.args(["check", "--no-ports", &server.address]).args(arguments);
    if !arguments.contains(&"--timeout") {
        command.args(["--timeout", "20s"]);
    }
    command.env("PATH", place.search());
    let human = Run::of(&mut command);
    let run = Run::of(command.args(["--format", "json"]));
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    Checked { human, report }
}

fn is_clean(place: &Place) {
    let left: Vec<_> = fs::read_dir(place.path("temporary")).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

struct Checked {
    human: Run,
    report: Value,
}

impl Checked {
    fn host(&self) -> &Value {
        assert_eq!(self.report["facts"]["hosts"].as_array().map(Vec::len), Some(1), "{}", self.human.stderr);
        &self.report["facts"]["hosts"][0]
    }

    fn finding(&self, check: &str) -> &Value {
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check}"))
    }

    fn was_looked_at(&self) {
        assert_eq!(self.host()["ssh"], Value::Null, "{:#}", self.host()["ssh"]);
        assert_eq!(self.finding("host/ssh")["state"], "ok");
        assert_eq!(self.host()["seen"], "ssh");
        assert_eq!(self.host()["name"], "db1");
        assert!(self.host()["kernel"]["release"].is_string());
    }

    /// The trouble, and the sentence that a person reads about it.
    fn failed(&self, kind: &str, sentence: &str) {
        assert_eq!(self.host()["ssh"]["kind"], kind, "{:#}", self.host()["ssh"]);
        assert_eq!(self.finding("host/ssh")["state"], "unknown");
        assert!(self.human.text().contains(sentence), "{sentence:?} is not in {}", self.human.stdout);
        assert_eq!(self.human.code, 3, "{}", self.human.stdout);
        // What was not seen is not judged.
        assert_eq!(self.finding("host/rsync")["state"], "skipped");
    }
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_host_is_looked_at_over_ssh() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    let checked = check(&place, &["--ssh", "db1"]);
    checked.was_looked_at();
    // The recorded server is not a process of that host, and nothing is made up about it.
    assert_eq!(checked.finding("host/processes")["state"], "warning");
    assert_eq!(checked.finding("host/clock")["state"], "ok");
    // A greeting before the answer does no harm.
    let greeting = "ForceCommand echo Welcome to db1; eval \"$SSH_ORIGINAL_COMMAND\"";
    let _server = place.server(&place.there(), greeting);
    check(&place, &["--ssh", "db1"]).was_looked_at();
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_host_without_the_program_gets_a_copy_for_the_moment() {
    let place = Place::new();
    let _server = place.server("/usr/bin:/bin", "");
    check(&place, &["--ssh", "db1"]).failed("no-binary", "there is no pikadoctor in the PATH of db1");
    check(&place, &["--ssh", "db1", "--ssh-copy"]).was_looked_at();
    is_clean(&place);
    let _server = place.server("/usr/bin:/bin", "#noexec");
    let checked = check(&place, &["--ssh", "db1", "--ssh-copy"]);
    checked.failed("not-executable", "nothing may be run from the temporary directory of db1");
    // Whoever has to wait for the copy too long leaves nothing behind either.
    place.program("there/cat", "#!/bin/sh\nsleep 3\n");
    let _server = place.server(&place.there(), "");
    check(&place, &["--ssh", "db1", "--ssh-copy", "--timeout", "1s"])
        .failed("timed-out", "no answer from db1 in time");
    thread::sleep(Duration::from_secs(4));
    is_clean(&place);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn each_trouble_of_ssh_has_its_own_sentence() {
    let place = Place::new();
    let server = place.server(&place.there(), "");
    let key = place.text("host_key.pub");
    let check_db1 = || check(&place, &["--ssh", "db1"]);
    place.client(server.port, "other_key", &key);
    check_db1().failed("permission-denied", "db1 lets nobody in with the keys that were offered");
    place.client(server.port, "key", "");
    check_db1().failed("host-key-unknown", "the host key of db1 is not known here");
    place.client(server.port, "key", &place.text("other_host_key.pub"));
    check_db1().failed("host-key-changed", "the host key of db1 is another one than before");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    place.client(closed, "key", &key);
    check_db1().failed("refused", "db1 refuses connections to the port of ssh");
    check(&place, &["--ssh", "nowhere.invalid"])
        .failed("unresolved", "the name of nowhere.invalid has no address");
    let mute = crate::support::listener(|_| thread::sleep(Duration::from_secs(30)));
    place.client(mute.rsplit(':').next().unwrap().parse().unwrap(), "key", &key);
    check(&place, &["--ssh", "db1", "--timeout", "2s"]).failed("timed-out", "no answer from db1 in time");
    fs::remove_file(place.path("bin/ssh")).unwrap();
    let nowhere = serve(recording("v3.3.6/standalone/standalone"));
    let run = Run::of(
        pikadoctor()
            .args(["check", "--no-ports", &nowhere.address, "--ssh", "db1"])
            .env("PATH", place.path("bin")),
    );
    assert!(run.text().contains("there is no ssh on this machine"), "{}", run.stdout);
    assert_eq!(run.code, 3);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn what_comes_back_is_not_believed() {
    let place = Place::new();
    let serving = |command: &str| {
        let server = place.server(&place.there(), command);
        (check(&place, &["--ssh", "db1"]), server)
    };
    serving("ForceCommand echo This account is for backups")
        .0
        .failed("babble", "This account is for backups");
    serving("ForceCommand yes").0.failed("too-much", "db1 sent more than an answer can have");
    let old = "pikadoctor-host-answer {\"schema\":\"pikadoctor.host/1\",\"tool_version\":\"0.0.9\"}";
    place.program("there/pikadoctor", format!("#!/bin/sh\necho '{old}'\n"));
    serving("").0.failed("other-version", "is of another version (0.0.9)");
    place.program("there/pikadoctor", "#!/bin/sh\necho error: unrecognized subcommand >&2; exit 3\n");
    serving("").0.failed("other-version", "is of another version");
    // The head of a program for another processor: 22 is S/390.
    let mut foreign = fs::read(env!("CARGO_BIN_EXE_pikadoctor")).unwrap();
    foreign.truncate(100_000);
    foreign[18] = 22;
    place.program("there/pikadoctor", foreign);
    serving("").0.failed("other-architecture", "is made for another kind of processor");
    let escape = "ForceCommand printf 'pikadoctor-host-answer {\\033[31m'";
    let (checked, _server) = serving(escape);
    checked.failed("babble", "is no answer of pikadoctor");
    assert!(!checked.human.stdout.contains("\u{1b}[31m"));
}

#[test]
#[cfg_attr(
    not(all(real_pika, real_neighbours)),
    ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
)]
fn the_hosts_of_a_real_pair_are_judged_over_ssh() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    let rsyncless = Prepared::new("2.3.6", &[("network-interface", "lo")]);
    let mut command = rsyncless.command();
    command.env("PATH", "/nonexistent");
    let replica = rsyncless.start(command, listens);
    let master = Pika::start("2.3.6", &[("network-interface", "lo")]);
    let bundle = place.path("pair.bundle");
    let mut capture = pikadoctor();
    capture.args(["capture", &replica.address(), "--master", &master.address(), "--ssh", "db1"]);
    capture.args(["--master-ssh", "db1", "-o"]).arg(&bundle).env("PATH", place.search());
    assert_eq!(Run::of(&mut capture).code, 0);
    let run = Run::of(pikadoctor().args(["check", "--format", "json", "--from"]).arg(&bundle));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let state = |check: &str, target: &str| {
        let findings = report["findings"].as_array().unwrap().iter();
        let mut found = findings.filter(|one| one["check"] == check && one["target"] == target);
        found.next().unwrap_or_else(|| panic!("no {check} of {target}"))["state"].clone()
    };
    // One host with two servers is called once.
    assert_eq!(report["facts"]["hosts"].as_array().map(Vec::len), Some(1));
    assert_eq!(state("host/ssh", "db1"), "ok");
    assert_eq!(state("host/rsync", &replica.address()), "critical");
    assert_eq!(state("host/rsync", &master.address()), "ok");
    assert_eq!(state("host/same-file-system", &replica.address()), "ok");
    assert_eq!(state("host/port-owners", &replica.address()), "ok");
    assert_eq!(state("host/full-sync-space", &replica.address()), "ok");
}
