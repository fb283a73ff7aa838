//! What a host does to real Pika servers, found before a full copy is tried: on the host itself, and over ssh. Run as
//! root with `PIKADOCTOR_PIKA_HOME=<dir>` as for `live.rs`, over ssh with `PIKADOCTOR_NEIGHBOURS=1`, too; ignored
//! elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::hosts::{Judged, Network, Surroundings, Way, ends};
use crate::support::pikadoctor;
use crate::support::real::{Pika, Prepared, home, listens};

here_and_over_ssh! {
    a_path_without_rsync_is_found_on_the_master_on_the_replica_and_before_a_start,
    a_card_that_will_not_do_is_found_before_a_start,
    a_full_copy_that_could_not_be_moved_is_found_before_it_is_tried,
    a_disk_that_is_too_small_for_a_full_copy_is_found_before_it_is_tried,
    an_rsync_daemon_that_outlived_its_pika_is_found_before_the_next_start,
    a_limit_of_open_files_that_is_too_small_is_found_before_a_start,
    a_resolver_that_does_not_answer_is_found_before_a_full_copy,
    a_pid_file_that_would_kill_a_stranger_is_found_before_a_slaveof,
    no_pika_is_taken_for_another_one_with_its_port,
    a_program_that_was_exchanged_is_found_before_a_restart,
    a_configuration_that_was_taken_away_is_found_before_a_restart,
    a_database_that_was_moved_or_deleted_is_found_while_all_commands_are_answered,
    a_dump_that_would_fail_is_found_before_slaveof,
    a_rewrite_that_would_end_the_server_is_found_before_a_failover,
}

fn a_path_without_rsync_is_found_on_the_master_on_the_replica_and_before_a_start(way: &Way) {
    let without = Surroundings::with_path("/nonexistent");
    let rsyncless = Prepared::new("2.3.6", &[("network-interface", "lo")]);
    let command = without.around(&rsyncless.command());
    let rsyncless = rsyncless.start(command, listens);
    let other = Pika::start("2.3.6", &[("network-interface", "lo")]);
    for (replica, master) in [(&rsyncless, &other), (&other, &rsyncless)] {
        let judged = way.check(&replica.address(), Some(&master.address()));
        judged.is("host/rsync", &rsyncless.address(), "critical");
        judged.is("host/rsync", &other.address(), "ok");
        assert!(judged.found("host/rsync").contains("its PATH: /nonexistent"));
    }
    let planned = Prepared::new("3.3.6", &[("network-interface", "lo")]);
    let name = way.name(&planned.conf);
    let judged = way.planned(&without, &planned.conf, "3.3.6");
    judged.is("host/rsync", &name, "critical");
    let (whose, found) = (whose_path(way), judged.found("host/rsync"));
    assert!(found.contains(whose) && found.contains("/nonexistent"), "{found}");
    let with = Surroundings::with_path("/usr/local/bin:/usr/bin:/bin");
    way.planned(&with, &planned.conf, "3.3.6").is("host/rsync", &name, "ok");
    assert!(ends(planned.spawn(without.around(&planned.command()))), "3.3.6 started without rsync");
}

/// Who would start a server that does not run: its PATH and its limits are those of the one who looks.
fn whose_path(way: &Way) -> &'static str {
    match way {
        Way::Here => "this terminal",
        Way::Ssh(_) => "the ssh session on db1",
    }
}

fn a_card_that_will_not_do_is_found_before_a_start(way: &Way) {
    let network = Network::new(&way.own("card"));
    let inside = Surroundings::default().inside(&network);
    let judge = |prepared: &Prepared, version: &str, state: &str| {
        let judged = way.planned(&inside, &prepared.conf, version);
        judged.is("host/network-card", &way.name(&prepared.conf), state);
        judged
    };
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let wrong = Prepared::new(version, &[("network-interface", "eth9")]);
        let judged = judge(&wrong, version, "critical");
        assert!(judged.found("host/network-card").contains("no such card"));
        assert!(ends(wrong.spawn(inside.around(&wrong.command()))), "{version} started with eth9");

        let unset = Prepared::new(version, &[("network-interface", "")]);
        let judged = judge(&unset, version, "critical");
        assert!(judged.found("host/network-card").contains("no default route"));
        assert!(ends(unset.spawn(inside.around(&unset.command()))), "{version} started without a route");
    }
    network.ip(&["route", "add", "default", "via", "10.66.5.254", "dev", "eth5", "metric", "20"]);
    let planned = Prepared::new("2.3.6", &[("network-interface", "")]);
    judge(&planned, "2.3.6", "ok");
    network.card("eth6", "10.66.6.1/24");
    network.ip(&["route", "add", "default", "via", "10.66.6.254", "dev", "eth6", "metric", "10"]);
    let judged = judge(&planned, "2.3.6", "warning");
    let found = judged.found("host/network-card");
    // The server takes what this tool says that it takes.
    let command = inside.around(&planned.command());
    let pika = planned.start(command, |port| inside.listens(port));
    let log = fs::read_to_string(pika.directory.path().join("log/pika.INFO")).unwrap();
    let taken = log.lines().find_map(|line| line.split("host: ").nth(1)).unwrap();
    let taken = taken.split(' ').next().unwrap();
    assert!(found.contains(taken), "it took {taken}: {found}");
}

fn a_full_copy_that_could_not_be_moved_is_found_before_it_is_tried(way: &Way) {
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let master = Pika::start(version, &[("network-interface", "lo")]);
        let prepared = Prepared::new(version, &[("network-interface", "lo")]);
        let sync = prepared.directory.path().join("dbsync");
        let command = Surroundings::with_tmpfs(&[(&sync, "256m")], "true").around(&prepared.command());
        let replica = prepared.start(command, listens);
        let judged = way.check(&replica.address(), Some(&master.address()));
        judged.is("host/same-file-system", &replica.address(), "critical");
        judged.is("host/same-file-system", &master.address(), "ok");
        assert!(judged.found("host/same-file-system").contains("tmpfs"), "{version}");
    }
}

fn a_disk_that_is_too_small_for_a_full_copy_is_found_before_it_is_tried(way: &Way) {
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
    let fill = format!("head -c 395m /dev/zero > {}/filler", disk.path().display());
    let command = Surroundings::with_tmpfs(&[(disk.path(), "420m")], &fill).around(&prepared.command());
    let replica = prepared.start(command, listens);
    let judged = way.check(&replica.address(), Some(&master.address()));
    judged.is("host/free-space", &replica.address(), "critical");
    judged.is("host/full-sync-space", &replica.address(), "critical");
    judged.is("host/full-sync-space", &master.address(), "not-applicable");
}

fn an_rsync_daemon_that_outlived_its_pika_is_found_before_the_next_start(way: &Way) {
    let mut pika = Pika::start("3.3.6", &[("network-interface", "lo")]);
    let pid_file = pika.directory.path().join("dbsync/rsync/slash_rsync.pid");
    pika.wait_for("its rsync daemon", Duration::from_secs(10), |_| pid_file.exists());
    let judged = way.check(&pika.address(), None);
    judged.is("host/port-owners", &pika.address(), "ok");
    let daemon = fs::read_to_string(&pid_file).unwrap().trim().to_owned();
    let kill = format!("kill {daemon}");
    let conf = pika.directory.path().join("pika.conf").display().to_string();
    let usual = Surroundings::default();
    let planned = || way.planned(&usual, &conf, "3.3.6");
    let name = way.name(&conf);
    // Nobody must be told to end the daemon of a Pika that runs: it would not come back.
    let judged = planned();
    judged.is("host/port-owners", &name, "warning");
    let found = judged.found("host/port-owners");
    assert!(found.contains("a Pika runs with this configuration") && !found.contains(&kill), "{found}");
    assert!(!judged.says("host/port-owners", &kill));
    pika.process.kill().unwrap();
    pika.process.wait().unwrap();
    // A start would take the daemon over, as long as its pid file is there.
    let judged = planned();
    judged.is("host/port-owners", &name, "warning");
    assert!(judged.found("host/port-owners").contains(&kill));
    // On a machine with other Pikas there can be more than this one.
    assert!(way.host(&usual, &[]).says("host/leftover-rsync", &kill));

    fs::remove_dir_all(pid_file.parent().unwrap()).unwrap();
    let judged = planned();
    judged.is("host/port-owners", &name, "critical");
    assert!(judged.found("host/port-owners").contains(&kill));
    // What it says will happen does happen.
    let mut start = Command::new(crate::support::real::home().join("3.3.6/pika"));
    start.args(["-c", &conf]).current_dir(pika.directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(ends(start.stderr(Stdio::null()).spawn().unwrap()), "3.3.6 started beside the old daemon");
    assert!(Command::new("kill").arg(&daemon).status().unwrap().success());
}

fn a_limit_of_open_files_that_is_too_small_is_found_before_a_start(way: &Way) {
    let limited = Surroundings::with_files(4000);
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let planned = Prepared::new(version, &[("network-interface", "lo")]);
        let name = way.name(&planned.conf);
        let judged = way.planned(&limited, &planned.conf, version);
        judged.is("host/open-files", &name, "critical");
        let found = judged.found("host/open-files");
        assert!(found.contains("6000") && found.contains(whose_path(way)), "{version}: {found}");
        assert!(ends(planned.spawn(limited.around(&planned.command()))), "{version} started with 4000 files");
        way.planned(&Surroundings::default(), &planned.conf, version).is("host/open-files", &name, "ok");
    }
}

fn a_resolver_that_does_not_answer_is_found_before_a_full_copy(way: &Way) {
    let network = Network::new(&way.own("dns"));
    network.grave("10.66.5.200");
    let planned = Prepared::new("3.3.6", &[("network-interface", "lo")]);
    let resolver = planned.directory.path().join("resolv.conf");
    fs::write(&resolver, "nameserver 10.66.5.200\n").unwrap();
    let hosts = planned.directory.path().join("hosts");
    let judge = |entry: &str| {
        fs::write(&hosts, format!("127.0.0.1 localhost\n{entry}\n")).unwrap();
        let bind = format!(
            "mount --bind {} /etc/resolv.conf && mount --bind {} /etc/hosts",
            resolver.display(),
            hosts.display()
        );
        let there = Surroundings::with_tmpfs(&[], &bind).inside(&network);
        way.host(&there, &["--conf", &planned.conf, "--pika-version", "3.3.6", "--peer", "10.66.5.77"])
    };
    judge("").is("host/peer-names", &way.name(&planned.conf), "warning");
    judge("10.66.5.77 pika-a").is("host/peer-names", &way.name(&planned.conf), "ok");
}

fn a_pid_file_that_would_kill_a_stranger_is_found_before_a_slaveof(way: &Way) {
    // 2.3.0 passes the number on as it is; later releases stumble over short ones where /bin/sh is dash.
    let pika = Pika::start("2.3.0", &[("network-interface", "lo")]);
    let mut stranger = Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
    let daemon = pika.directory.path().join("dbsync/rsync");
    fs::create_dir_all(&daemon).unwrap();
    fs::write(daemon.join("slash_rsync.pid"), format!("{}\n", stranger.id())).unwrap();
    thread::sleep(Duration::from_millis(300));
    let judged = way.check(&pika.address(), None);
    judged.is("host/stale-pid-file", &pika.address(), "critical");
    assert!(judged.found("host/stale-pid-file").contains("which is sleep"));
    assert!(stranger.try_wait().unwrap().is_none(), "the check itself harms nobody");
    pika.ask(&["SLAVEOF", "127.0.0.1", "1"]);
    assert!(ends(stranger), "2.3.0 spared the stranger");
}

fn no_pika_is_taken_for_another_one_with_its_port(way: &Way) {
    let pika = Pika::start("2.3.6", &[("network-interface", "lo")]);
    let port = pika.port.to_string();

    // As in a container: it has the same port, in a network of its own.
    let network = Network::new(&way.own("box"));
    let inside = Surroundings::default().inside(&network);
    let contained = Prepared::new("3.5.5", &[("port", &port), ("network-interface", "lo")]);
    let command = inside.around(&contained.command());
    let contained = contained.start(command, |port| inside.listens(port));

    // Its configuration was edited since it was started.
    let edited = Pika::start("3.3.6", &[("network-interface", "lo")]);
    let conf = edited.directory.path().join("pika.conf");
    let words = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, words.replace(&format!("port : {}\n", edited.port), &format!("port : {port}\n")))
        .unwrap();

    let judged = way.host(&Surroundings::default(), &["--port", &port]);
    let instance = |pika: &Pika| {
        let instances = judged.0["facts"]["hosts"][0]["instances"].as_array().unwrap().iter();
        let mut known = instances.filter(|instance| instance["pid"] == pika.process.id());
        known.next().unwrap_or_else(|| panic!("{} is not there", pika.process.id())).clone()
    };
    assert_eq!(instance(&pika)["version"], "2.3.6");
    for (other, reason) in
        [(&contained, "has a network of its own"), (&edited, "where another server answers")]
    {
        let instance = instance(other);
        assert!(instance["version"].is_null(), "{instance}");
        assert!(instance["unavailable"].to_string().contains(reason), "{instance}");
        judged.is("host/rsync", instance["name"].as_str().unwrap(), "unknown");
    }
    let name = instance(&pika)["name"].clone();
    judged.is("host/rsync", name.as_str().unwrap(), "ok");
}

fn a_program_that_was_exchanged_is_found_before_a_restart(way: &Way) {
    // What others than root could have put there would not be asked for its release.
    let directory = tempfile::tempdir_in("/var/lib").unwrap();
    let place = |name: &str| directory.path().join(name);
    let prepared = Prepared::new("3.3.6", &[("network-interface", "lo")]);
    for (name, version) in [("pika-3.3.6", "3.3.6"), ("again", "3.3.6"), ("pika-2.3.6", "2.3.6")] {
        fs::copy(home().join(version).join("pika"), place(name)).unwrap();
    }
    fs::write(place("script"), format!("#!/bin/sh\ntouch {}\n", place("mark").display())).unwrap();
    fs::set_permissions(place("script"), PermissionsExt::from_mode(0o755)).unwrap();
    // As the link to the current release that an installation turns.
    let turn_to = |name: &str| {
        let _ = fs::remove_file(place("pika"));
        symlink(name, place("pika")).unwrap();
    };
    turn_to("pika-3.3.6");
    let mut command = Command::new(place("pika"));
    command.args(["-c", &prepared.conf]);
    let pika = prepared.start(command, listens);
    let judge = |state: &str, words: &str| {
        let judged = way.check(&pika.address(), None);
        judged.is("host/program", &pika.address(), state);
        if state != "ok" {
            assert!(judged.found("host/program").contains(words), "{}", judged.found("host/program"));
        }
    };
    judge("ok", "");
    turn_to("pika-2.3.6");
    judge("critical", "is 2.3.6 now, and 3.3.6 runs");
    turn_to("again");
    judge("ok", "");
    turn_to("script");
    judge("warning", "no program but a script");
    assert!(!place("mark").exists(), "the script was run");

    // That its command brings back what was deleted is tried in host_trials.rs.
    fs::remove_file(place("pika")).unwrap();
    fs::remove_file(place("pika-3.3.6")).unwrap();
    judge("warning", "not there any more");
}

fn a_configuration_that_was_taken_away_is_found_before_a_restart(way: &Way) {
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let prepared = Prepared::new(version, &[("network-interface", "lo")]);
        let (conf, command) = (prepared.conf.clone(), prepared.command());
        let pika = prepared.start(command, listens);
        let judged = |state: &str| {
            let judged = way.check(&pika.address(), None);
            judged.is("host/configuration", &pika.address(), state);
            judged
        };
        judged("ok");
        fs::remove_file(&conf).unwrap();
        assert!(judged("warning").says("host/configuration", "config rewrite"), "{version}");
    }
}

fn a_database_that_was_moved_or_deleted_is_found_while_all_commands_are_answered(way: &Way) {
    for version in ["2.3.6", "3.3.6", "4.0.1"] {
        let pika = Pika::start(version, &[("network-interface", "lo")]);
        let place = |name: &str| pika.directory.path().join(name);
        let judge = |state: &str, words: &str| {
            assert!(pika.ask(&["set", "key", "value"]).contains("OK"), "{version}");
            let judged = way.check(&pika.address(), None);
            judged.is("host/database", &pika.address(), state);
            assert!(state == "ok" || judged.says("host/database", words), "{version}: {}", judged.0);
        };
        judge("ok", "");
        for (name, state) in [("db", "critical"), ("log", "warning")] {
            if name == "log" && version == "4.0.1" {
                // It would end within seconds.
                continue;
            }
            fs::rename(place(name), place("away")).unwrap();
            judge(state, &place("away").display().to_string());
            fs::rename(place("away"), place(name)).unwrap();
            judge("ok", "");
        }
        fs::remove_dir_all(place("db")).unwrap();
        judge("critical", "was deleted");
        // From afar it is told by the size that the server measures; later releases do that once in a while.
        let seen = Judged::of(pikadoctor().args(["check", &pika.address()]));
        let from_afar = if version == "4.0.1" { "ok" } else { "critical" };
        seen.is("node/database", &pika.address(), from_afar);
    }
}

/// The largest data file of a Pika.
fn largest_data_file(pika: &Pika) -> PathBuf {
    fn files(place: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }
    let of_data = files(&pika.directory.path().join("db")).into_iter();
    let of_data = of_data.filter(|path| path.extension().is_some_and(|ending| ending == "sst"));
    of_data.max_by_key(|path| path.metadata().unwrap().len()).expect("a data file")
}

fn a_dump_that_would_fail_is_found_before_slaveof(way: &Way) {
    for version in ["2.3.0", "2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let pika = Pika::start(version, &[("network-interface", "lo")]);
        for number in 0..50 {
            pika.ask(&["set", &format!("key{number}"), &"value".repeat(200)]);
        }
        // The first dump flushes what was written to data files.
        pika.ask(&["bgsave"]);
        let dump = pika.directory.path().join("dump");
        let has_dump = |_: &Pika| fs::read_dir(&dump).is_ok_and(|entries| entries.count() > 0);
        pika.wait_for("a dump", Duration::from_secs(20), has_dump);
        thread::sleep(Duration::from_secs(2));
        let judge = |check: &str, state: &str| {
            let judged = way.check(&pika.address(), None);
            judged.is(check, &pika.address(), state);
            judged
        };
        let judged = judge("host/data-files", "ok");
        judged.is("host/directories", &pika.address(), "ok");
        judged.is("host/dump-space", &pika.address(), "ok");

        let attribute = |change: &str| {
            assert!(Command::new("chattr").arg(change).arg(&dump).status().unwrap().success());
        };
        fs::remove_dir_all(&dump).unwrap();
        fs::create_dir(&dump).unwrap();
        attribute("+i");
        let judged = judge("host/directories", "critical");
        attribute("-i");
        assert!(judged.says("host/directories", "chattr -i"), "{version}");

        let data = largest_data_file(&pika);
        fs::remove_file(&data).unwrap();
        let judged = judge("host/data-files", "critical");
        assert!(judged.found("host/data-files").contains(data.to_str().unwrap()), "{version}");
        // What it says is so.
        pika.ask(&["bgsave"]);
        let failed = |pika: &Pika| {
            pika.complaints()
                .iter()
                .any(|line| line.contains("backup failed") && line.contains("No such file"))
        };
        pika.wait_for("the dump to fail", Duration::from_secs(20), failed);
        assert!(pika.ask(&["get", "key7"]).contains("value"), "{version}");
    }
}

fn a_rewrite_that_would_end_the_server_is_found_before_a_failover(way: &Way) {
    const NOBODY: &str = "65534";
    for (version, ends) in [
        ("2.3.0", true),
        ("2.3.6", true),
        ("3.0.16", true),
        ("3.3.6", true),
        ("3.5.5", false),
        ("4.0.1", false),
    ] {
        let prepared = Prepared::new(version, &[("network-interface", "lo")]);
        let place = prepared.directory.path().to_owned();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["db", "log", "dump", "dbsync"] {
            fs::create_dir_all(place.join(name)).unwrap();
            chown(place.join(name), NOBODY.parse().ok(), NOBODY.parse().ok()).unwrap();
        }
        let plain = prepared.command();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        command.arg(plain.get_program()).args(plain.get_args());
        let mut pika = prepared.start(command, listens);
        let judged = way.check(&pika.address(), None);
        judged.is("host/rewrite", &pika.address(), "warning");
        judged.is("host/directories", &pika.address(), "ok");
        assert_eq!(judged.says("host/rewrite", "ends this server at once"), ends, "{version}");
        let answer = pika.ask(&["config", "rewrite"]);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(pika.process.try_wait().unwrap().is_some(), ends, "{version}: {answer}");
        // In a directory of its own it may.
        chown(&place, NOBODY.parse().ok(), NOBODY.parse().ok()).unwrap();
        if !ends {
            way.check(&pika.address(), None).is("host/rewrite", &pika.address(), "ok");
            assert!(pika.ask(&["config", "rewrite"]).contains("OK"), "{version}");
        }
    }
}
