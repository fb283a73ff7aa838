//! `pikadoctor host` about another host, through a real ssh server; what only that host reaches, and its clock. Run with
//! `PIKADOCTOR_NEIGHBOURS=1` as root where openssh-server, openssh-client and iproute2 are installed; ignored elsewhere.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::hosts::{Judged, Network, Surroundings};
use crate::support::proxy::relay_at;
use crate::support::real::{Pika, Prepared, listens};
use crate::support::sshd::Place;
use crate::support::{Run, listener_at, pikadoctor, recording, serve_at};
use pikadoctor::lab::recorded::Recording;
use serde_json::Value;

/// `pikadoctor host` about the host behind ssh.
fn host(place: &Place, arguments: &[&str]) -> Command {
    let mut command = pikadoctor();
    command.args(["host", "--ssh", "db1"]).args(arguments).env("PATH", place.search());
    command
}

/// The configuration of a server that can be started, on that host only.
fn conf(place: &Place) -> String {
    let path = place.path("pika.conf");
    let directory = place.path("").display().to_string();
    let text = format!(
        "port : 29221\nnetwork-interface : lo\nmaxclients : 1000\ndb-path : {directory}db/\n\
         dump-path : {directory}dump/\ndb-sync-path : {directory}dbsync/\nlog-path : {directory}log/\n"
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_server_that_shall_be_started_on_another_host_is_judged_there() {
    let place = Place::new();
    let conf = conf(&place);
    let name = format!("db1:{conf}");
    let planned = |there: &Surroundings, more: &[&str]| {
        let _server = place.server_in(there, &place.there_in(there), "");
        let mut command = host(&place, &["--conf", &conf, "--pika-version", "3.3.6"]);
        Run::of(command.args(more))
    };
    let usual = Surroundings::default();
    let fit = planned(&usual, &["--verbose"]);
    for words in
        ["db1 over ssh", "in the PATH of the ssh session on db1", "in the ssh session on db1, maxclients"]
    {
        assert!(fit.text().contains(words), "{words:?} is not in {}", fit.stdout);
    }
    let is_fit = |run: &Run| {
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let own: Vec<&Value> = findings.filter(|one| one["target"] == name.as_str()).collect();
        let is_well =
            |one: &&&Value| ["ok", "not-applicable", "skipped"].contains(&one["state"].as_str().unwrap());
        let ill: Vec<&&Value> = own.iter().filter(|one| !is_well(one)).collect();
        assert!(own.len() > 8 && ill.is_empty(), "{ill:#?}");
    };
    is_fit(&planned(&usual, &["--format", "json"]));
    let narrow = Surroundings::with_files(4000).and_path("/srv/bin");
    let unfit = planned(&narrow, &["--format", "json"]);
    let judged = Judged(serde_json::from_str(&unfit.stdout).unwrap());
    judged.is("host/rsync", &name, "critical");
    judged.is("host/open-files", &name, "critical");
    assert_eq!(unfit.code, 2);
    let unfit = planned(&narrow, &["--lang", "zh"]);
    for words in ["db1 的 ssh 会话的 PATH 中没有 rsync", "db1 的 ssh 会话的 ulimit -Hn 为 4000"] {
        assert!(unfit.text().contains(words), "{words:?} is not in {}", unfit.stdout);
    }
    // A copy of this program sees the same.
    let _server = place.server("/usr/bin:/bin", "");
    let mut copied = host(&place, &["--conf", &conf, "--pika-version", "3.3.6", "--ssh-copy"]);
    is_fit(&Run::of(copied.args(["--format", "json"])));
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_file_that_cannot_be_read_there_is_named_once_and_nothing_is_made_up() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    let directory = place.path("there").display().to_string();
    for (conf, reason) in [
        ("/nowhere/pika.conf", "reason /nowhere/pika.conf: No such file or directory"),
        (&directory, "Is a directory"),
    ] {
        let run = Run::of(&mut host(&place, &["--conf", conf, "--pika-version", "3.3.6"]));
        assert_eq!(run.code, 3, "{}", run.stdout);
        assert_eq!(run.text().matches(reason).count(), 1, "{}", run.stdout);
        let report = Judged::of(&mut host(&place, &["--conf", conf, "--pika-version", "3.3.6"])).0;
        let name = format!("db1:{conf}");
        let findings = report["findings"].as_array().unwrap().iter();
        let guessed: Vec<&Value> =
            findings.filter(|one| one["target"] == name.as_str() && one["state"] == "ok").collect();
        assert!(guessed.is_empty(), "{guessed:#?}");
    }
    let _server = place.server("/usr/bin:/bin", "");
    let conf = conf(&place);
    let run = Run::of(&mut host(&place, &["--conf", &conf, "--pika-version", "3.3.6"]));
    assert!(run.text().contains("there is no pikadoctor in the PATH of db1"), "{}", run.stdout);
    assert_eq!(run.code, 3);
    let run = Run::of(&mut host(&place, &["--conf", &conf, "--pika-version", "3.3.6", "--lang", "zh"]));
    assert!(run.text().contains("db1 的 PATH 中没有 pikadoctor"), "{}", run.stdout);
}

#[test]
#[cfg_attr(
    not(all(real_pika, real_neighbours)),
    ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
)]
fn the_pikas_of_another_host_are_found_and_asked_there() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    let rsyncless = Prepared::new("2.3.6", &[("network-interface", "lo")]);
    let without = Surroundings::with_path("/nonexistent").around(&rsyncless.command());
    let rsyncless = rsyncless.start(without, listens);
    let locked = Pika::start(
        "3.5.5",
        &[("network-interface", "lo"), ("requirepass", "sesame-open"), ("userpass", "sesame-open")],
    );
    let (open, shut) = (format!("db1:{}", rsyncless.port), format!("db1:{}", locked.port));
    let judged = Judged::of(&mut host(&place, &[]));
    // Its release is known by its own answer: from 3.5.0 on the check would not apply.
    judged.is("host/rsync", &open, "warning");
    judged.is("host/port-owners", &open, "ok");
    judged.is("host/network-card", &shut, "unknown");
    let run = Run::of(&mut host(&place, &["--port", &locked.port.to_string()]));
    let advice = format!("check HOST:{} --ssh db1", locked.port);
    assert!(run.text().contains(&advice), "{}", run.stdout);
    assert!(!run.stdout.contains("sesame"));
    assert_eq!(run.code, 3);
    // Whoever shall be a replica needs what a single server can do without, and room for what comes.
    let master = Pika::start("2.3.6", &[("network-interface", "lo")]);
    let pid = rsyncless.process.id().to_string();
    let judged = Judged::of(&mut host(&place, &["--pid", &pid, "--master", &master.address()]));
    judged.is("host/rsync", &open, "critical");
    judged.is("host/full-sync-space", &open, "ok");
    let instances = judged.0["facts"]["hosts"][0]["instances"].as_array().unwrap();
    assert_eq!(instances.iter().filter(|one| one["asked"] == true).count(), 1);
    let run = Run::of(&mut host(&place, &["--port", "9"]));
    assert!(run.stderr.contains("db1: no Pika with port 9 is to be seen"), "{}", run.stderr);
    assert_eq!(run.code, 3);
    // A server that does not answer is named, and the rest is judged all the same.
    rsyncless.signal("-STOP");
    let stopped = Run::of(&mut host(&place, &["--pid", &pid]));
    rsyncless.signal("-CONT");
    assert!(stopped.text().contains("no Pika answered on 127.0.0.1"), "{}", stopped.stdout);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd and iproute2: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_port_that_is_dropped_on_the_way_from_that_host_is_found_from_there() {
    let (here, there) = (Network::new("here"), Network::new("there"));
    here.join(&there, "10.66.7.1/24", "10.66.7.2/24");
    let master = here.within(|| serve_at(recording("v3.3.6/standalone/standalone"), "10.66.7.1:0"));
    let port: u16 = master.address.rsplit(':').next().unwrap().parse().unwrap();
    let replication = (port + 2000).to_string();
    // The port of replication takes connections, and says nothing.
    here.within(|| listener_at(&format!("10.66.7.1:{replication}"), |_| {}));
    let place = Place::new();
    let conf = conf(&place);
    let surroundings = Surroundings::default().inside(&there);
    let _server = place.server_in(&surroundings, &place.there(), "");
    let mut command =
        host(&place, &["--conf", &conf, "--pika-version", "3.3.6", "--master", &master.address]);
    command.args(["--connect-timeout", "1s"]);
    let judge = |state: &str| {
        let mut again = pikadoctor();
        again.args(command.get_args()).env("PATH", place.search());
        let judged = here.within(|| Judged::of(&mut again));
        judged.is("host/dialled", "db1", state);
        judged
    };
    judge("ok");
    // Packets to this one port go to somebody who is not there, as behind a firewall that drops them.
    there.grave("10.66.5.200");
    there.ip(&["route", "add", "10.66.7.1", "via", "10.66.5.200", "dev", "eth5", "table", "66"]);
    let rule = ["to", "10.66.7.1", "ipproto", "tcp", "dport", &replication, "lookup", "66"];
    there.ip(&[&["rule", "add"], &rule[..]].concat());
    let found = judge("critical").found("host/dialled");
    assert!(found.contains(&format!("{port} open, {replication} filtered")), "{found}");
    there.ip(&[&["rule", "delete"], &rule[..]].concat());
    judge("ok");
    // No way at all is told from a port that is shut.
    there.ip(&["route", "add", "unreachable", "10.66.7.1"]);
    let found = judge("critical").found("host/dialled");
    assert!(found.contains("No route to host") && found.contains("ip route get 10.66.7.1"), "{found}");
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_clock_that_is_off_is_found_and_the_way_there_is_not_taken_for_it() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    fs::rename(place.path("there/pikadoctor"), place.path("there/real")).unwrap();
    let judge = |seconds: i32, state: &str, words: &str| {
        // What that program answers where the time of day is another.
        let shifted = format!(
            "#!/bin/sh\n{} \"$@\" | awk -v by={seconds} '{{\n\
             while (match($0, /\"(began|ended)\":[0-9.]+/)) {{\n\
             split(substr($0, RSTART, RLENGTH), part, \":\")\n\
             printf \"%s%s:%.6f\", substr($0, 1, RSTART - 1), part[1], part[2] + by\n\
             $0 = substr($0, RSTART + RLENGTH)\n}}\nprint }}'\n",
            place.path("there/real").display()
        );
        place.program("there/pikadoctor", shifted);
        let report = Judged::of(&mut host(&place, &[]));
        report.is("host/clock", "db1", state);
        let said = report.0["findings"].as_array().unwrap().iter().find(|one| one["check"] == "host/clock");
        assert!(said.unwrap().to_string().contains(words), "{said:#?}");
    };
    judge(0, "ok", "no difference that is certain");
    judge(1, "ok", "");
    judge(-1, "ok", "");
    judge(-20, "warning", "behind by at least");
    judge(300, "critical", "ahead by at least");
}

/// A process that goes by the name of a Pika, until its standard input ends.
fn process(place: &Place, conf: &Path) -> Child {
    place.program("there/pika", "#!/bin/sh\nread line\n");
    Command::new(place.path("there/pika")).arg("-c").arg(conf).stdin(Stdio::piped()).spawn().unwrap()
}

/// A recorded server whose INFO has other values.
fn recording_that_tells(name: &str, values: &[(&str, String)]) -> Recording {
    let mut recording = recording(name);
    for info in recording.replies.iter_mut().filter(|reply| reply.command[0].eq_ignore_ascii_case("info")) {
        let body = info.reply.split_once("\r\n").unwrap().1.trim_end_matches("\r\n");
        let told = |line: &str| {
            let other = values.iter().find(|(key, _)| line.split(':').next() == Some(key));
            other.map_or_else(|| line.to_owned(), |(key, value)| format!("{key}:{value}"))
        };
        let body = body.split("\r\n").map(told).collect::<Vec<_>>().join("\r\n");
        info.reply = format!("${}\r\n{body}\r\n", body.len());
    }
    recording
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd and iproute2: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_configuration_is_read_on_its_host_and_its_passwords_stay_there() {
    let (here, there) = (Network::new("ask"), Network::new("file"));
    here.join(&there, "10.66.7.2/24", "10.66.7.1/24");
    let place = Place::new();
    let surroundings = Surroundings::default().inside(&there);
    let _sshd = place.server_in(&surroundings, &place.there_in(&surroundings), "");
    let conf = place.path("pika.conf");
    let mut process = there.within(|| process(&place, &conf));
    let told = [("process_id", process.id().to_string())];
    let recording = recording_that_tells("v3.3.6/standalone/standalone", &told);
    let server = there.within(|| serve_at(recording, "10.66.7.1:0"));
    let judge = |text: &str| {
        fs::write(&conf, text).unwrap();
        let mut command = pikadoctor();
        command.args(["check", &server.address, "--no-ports", "--ssh", "db1"]).env("PATH", place.search());
        let judged = here.within(|| Judged::of(&mut command));
        assert!(!judged.0.to_string().contains("pl4nted"), "{:#}", judged.0);
        judged
    };
    let is = |judged: &Judged, states: [(&str, &str); 3]| {
        for (check, state) in states {
            judged.is(check, &server.address, state);
        }
    };
    let judged = judge("port : 9221\ntimeout : 60\n");
    is(&judged, [("drift/slaveof", "ok"), ("drift/values", "ok"), ("drift/passwords", "ok")]);
    let file = format!("db1:{}", conf.display());
    assert_eq!(judged.0["facts"]["conf_drifts"][0]["file"], file.as_str());
    let drifted = "timeout : 7\nslaveof : 10.9.9.9:9221\nrequirepass : pl4nted\nmasterauth : pl4nted\n";
    let judged = judge(drifted);
    is(&judged, [("drift/slaveof", "critical"), ("drift/values", "warning"), ("drift/passwords", "warning")]);
    for (check, words) in [
        ("drift/slaveof", format!("{file} says slaveof 10.9.9.9:9221")),
        ("drift/values", format!("timeout is 60 in the server and 7 in {file}")),
        ("drift/passwords", format!("requirepass is not set in the server and set in {file}")),
    ] {
        assert!(judged.says(check, &words), "{words:?} is not in {:#}", judged.0["findings"]);
    }
    // A file that is gone is no drift.
    fs::remove_file(&conf).unwrap();
    let mut command = pikadoctor();
    command.args(["check", &server.address, "--no-ports", "--ssh", "db1"]).env("PATH", place.search());
    let judged = here.within(|| Judged::of(&mut command));
    judged.is("host/configuration", &server.address, "warning");
    assert!(judged.0["facts"]["conf_drifts"].is_null());
    drop(process.stdin.take());
    process.wait().unwrap();
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd and iproute2: set PIKADOCTOR_NEIGHBOURS=1")]
fn what_the_user_of_ssh_may_not_see_is_not_guessed() {
    let (here, there) = (Network::new("any"), Network::new("user"));
    here.join(&there, "10.66.7.2/24", "10.66.7.1/24");
    there.ip(&["route", "add", "default", "via", "10.66.5.254", "dev", "eth5"]);
    let place = Place::new();
    let surroundings = Surroundings::default().inside(&there);
    let _sshd = place.server_in(&surroundings, &place.there_in(&surroundings), "");
    // Nobody is let in, but may run the program and look at the world as nobody.
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(place.path("there/pikadoctor")).unwrap();
    let program = place.path("there/real");
    fs::copy(env!("CARGO_BIN_EXE_pikadoctor"), &program).unwrap();
    let as_nobody = format!(
        "#!/bin/sh\nexec setpriv --reuid nobody --regid nogroup --clear-groups {} \"$@\"\n",
        program.display()
    );
    let conf = place.path("pika.conf");
    fs::write(&conf, "port : 9221\nnetwork-interface : eth7\n").unwrap();
    let mut process = there.within(|| process(&place, &conf));
    let judge = |program: &str, port: Option<u16>| {
        place.program("there/pikadoctor", program);
        let port = port.map_or_else(|| "10.66.7.1:0".to_owned(), |port| format!("10.66.7.1:{port}"));
        // 2.3.6 does not tell its network-interface.
        let own = [("process_id", process.id().to_string())];
        let server =
            there.within(|| serve_at(recording_that_tells("v2.3.6/standalone/standalone", &own), &port));
        let mut command = pikadoctor();
        command.args(["check", &server.address, "--no-ports", "--ssh", "db1"]).env("PATH", place.search());
        let judged = here.within(|| Judged::of(&mut command));
        (server.address.clone(), judged)
    };
    let address = |judged: &Judged| judged.0["facts"]["nodes"][0]["own_address"]["address"].clone();
    let as_root = format!("#!/bin/sh\nexec {} \"$@\"\n", program.display());
    let (server, judged) = judge(&as_root, None);
    judged.is("host/network-card", &server, "ok");
    assert_eq!(address(&judged), "10.66.7.1");
    // The card of the default route would be another one.
    let (server, judged) = judge(&as_nobody, None);
    judged.is("host/network-card", &server, "skipped");
    judged.is("node/own-address", &server, "skipped");
    assert!(judged.0.to_string().contains("network-interface is not known"));
    assert_eq!(address(&judged), Value::Null);
    // A socket shows it, although not whose it is.
    let (server, judged) = judge(&as_nobody, Some(9221));
    judged.is("host/network-card", &server, "ok");
    assert_eq!(address(&judged), "10.66.7.1");
    drop(process.stdin.take());
    process.wait().unwrap();
}

#[test]
#[cfg_attr(
    not(all(real_pika, real_neighbours)),
    ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
)]
fn a_promoted_server_that_a_restart_would_degrade_is_found_over_ssh() {
    let (here, there) = (Network::new("see"), Network::new("old"));
    here.join(&there, "10.66.7.2/24", "10.66.7.1/24");
    let inside = Surroundings::default().inside(&there);
    let place = Place::new();
    let _server = place.server_in(&inside, &place.there_in(&inside), "");
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let prepared = Prepared::new(version, &[("network-interface", "eth7"), ("slaveof", "10.66.7.2:1")]);
        let command = inside.around(&prepared.command());
        let pika = prepared.start(command, |port| inside.listens(port));
        let address = format!("10.66.7.1:{}", pika.port);
        let judge = || {
            let mut command = pikadoctor();
            command.args(["check", &address, "--ssh", "db1"]).env("PATH", place.search());
            here.within(|| Judged::of(&mut command))
        };
        judge().is("drift/slaveof", &address, "ok");
        there.within(|| {
            pika.converse(&[&["SLAVEOF", "NO", "ONE"], &["CONFIG", "SET", "masterauth", "pl4nted"]])
        });
        thread::sleep(Duration::from_secs(4));
        let judged = judge();
        judged.is("drift/slaveof", &address, "critical");
        judged.is("drift/passwords", &address, "warning");
        judged.is("drift/values", &address, "ok");
        assert!(!judged.0.to_string().contains("pl4nted"), "{version}");
    }
}

#[test]
#[cfg_attr(
    not(all(real_pika, real_neighbours)),
    ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
)]
fn a_container_behind_a_published_port_is_found_before_it_replicates() {
    let (outside, container) = (Network::new("out"), Network::new("box"));
    outside.join(&container, "10.66.7.2/24", "10.66.7.1/24");
    container.ip(&["route", "add", "default", "via", "10.66.7.2", "dev", "eth7"]);
    let inside = Surroundings::default().inside(&container);
    for (version, state, replicates) in [
        ("2.3.6", "critical", "never gets in"),
        ("3.3.6", "critical", "never a full copy"),
        ("3.5.5", "ok", ""),
    ] {
        let prepared = Prepared::new(version, &[("network-interface", "")]);
        let mut first = Command::new("/usr/bin/unshare");
        first.args(["--pid", "--fork", "--kill-child"]).arg(&prepared.program).args(["-c", &prepared.conf]);
        let pika = prepared.start(inside.around(&first), |port| inside.listens(port));
        // As by docker-proxy: one port of the host, and none of the derived ones.
        let (at, to) = (format!("10.66.7.2:{}", pika.port), format!("10.66.7.1:{}", pika.port));
        let published = outside.within(|| relay_at(&at, &to));
        let master = recording(&format!("v{version}/standalone/standalone"));
        let master = outside.within(|| serve_at(master, "10.66.5.1:0"));
        let check = |arguments: &[&str]| {
            let mut command = pikadoctor();
            command.args(["check", &published.address, "--master", &master.address]).args(arguments);
            command
        };
        let seen_from_afar = outside.within(|| Judged::of(&mut check(&[])));
        let unseen = if state == "ok" { "ok" } else { "warning" };
        seen_from_afar.is("node/address-translation", &published.address, unseen);
        assert!(seen_from_afar.says("node/address-translation", "it is process 1") || state == "ok");

        let place = Place::new();
        let host = Surroundings::default().inside(&outside);
        let _server = place.server_in(&host, &place.there_in(&host), "");
        let seen = outside.within(|| Judged::of(check(&["--ssh", "db1"]).env("PATH", place.search())));
        seen.is("node/address-translation", &published.address, state);
        if state != "ok" {
            let found = seen.found("node/address-translation");
            assert!(found.contains("calls itself 10.66.7.1") && found.contains(replicates), "{found}");
        }
        // What depends on its cards is known, too: its network was looked into.
        seen.is("host/network-card", &published.address, "ok");
    }
}

#[test]
#[cfg_attr(
    not(all(real_pika, real_neighbours)),
    ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
)]
fn a_master_whose_slaveof_would_name_its_other_card_is_found_over_ssh() {
    let (outside, there) = (Network::new("far"), Network::new("two"));
    outside.join(&there, "10.66.7.2/24", "10.66.7.1/24");
    there.ip(&["route", "add", "default", "via", "10.66.5.254", "dev", "eth5"]);
    let inside = Surroundings::default().inside(&there);
    let place = Place::new();
    let _server = place.server_in(&inside, &place.there_in(&inside), "");
    for (version, state) in [("2.3.6", "warning"), ("3.3.6", "warning"), ("3.5.5", "ok")] {
        let prepared = Prepared::new(version, &[("network-interface", "")]);
        let command = inside.around(&prepared.command());
        let pika = prepared.start(command, |port| inside.listens(port));
        let replica = recording(&format!("v{version}/standalone/standalone"));
        let replica = outside.within(|| serve_at(replica, "10.66.7.2:0"));
        let master = format!("10.66.7.1:{}", pika.port);
        let about_both = |subcommand: &str| {
            let mut command = pikadoctor();
            command.args([subcommand, &replica.address, "--master", &master, "--master-ssh", "db1"]);
            command.env("PATH", place.search());
            command
        };
        let judged = outside.within(|| Judged::of(&mut about_both("check")));
        let link = format!("{} <- {master}", replica.address);
        judged.is("link/master-address", &link, state);
        judged.is("node/own-address", &master, state);
        judged.is("node/address-translation", &master, "ok");
        assert!(judged.says("link/master-address", "10.66.5.1") || state == "ok");
        // A bundle takes it all along.
        let bundle = place.path("two-cards.bundle");
        let _ = std::fs::remove_file(&bundle);
        let captured = outside.within(|| Run::of(about_both("capture").arg("-o").arg(&bundle)));
        assert_eq!(captured.code, 0, "{}", captured.stderr);
        let replayed = Judged::of(pikadoctor().args(["check", "--from"]).arg(&bundle));
        assert_eq!(replayed.states(), judged.states());
    }
}
