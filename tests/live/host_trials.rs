//! What is advised first about a host is done there, to the letter: commands in a shell, lines in files, restarts of the
//! real process. Then the fault must be gone, and nothing new have come. Run as root with `PIKADOCTOR_PIKA_HOME=<dir>`;
//! with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pikadoctor::model::remedy::{Action, RemedyStep, ServiceAction};

use crate::bench::{Bench, note};
use crate::support::hosts::{Network, Surroundings, Way};
use crate::support::real::{Pika, Prepared, home, listens};

const NOBODY: u32 = 65534;

/// Nobody needs to do anything by hand.
fn no_hands(_: &RemedyStep) -> bool {
    false
}

/// Stops a Pika as a service manager does: with force in the end. 3.3.6 was seen to hang after "Close Slave Conn".
fn stop(pika: &mut Pika) {
    pika.signal("-TERM");
    let began = Instant::now();
    while pika.process.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(30) {
            pika.end();
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// What a service manager does, with the program of a release.
fn manage(pika: &mut Pika, version: &str, step: &RemedyStep) -> bool {
    let Action::Service { what, .. } = &step.action else { return false };
    if *what != ServiceAction::Start {
        stop(pika);
    }
    if *what != ServiceAction::Stop {
        pika.start_again(version);
    }
    true
}

/// Stops and starts a Pika, without the rsync daemon that 3.1 to 3.4 can leave.
fn restart(pika: &mut Pika, version: &str) {
    stop(pika);
    let daemon = format!("{}/dbsync/rsync/[s]lash_rsync.conf", pika.directory.path().display());
    let _ = Command::new("pkill").args(["-f", &daemon]).status();
    thread::sleep(Duration::from_millis(500));
    pika.start_again(version);
}

/// A file system that goes away with the test.
struct Disk(PathBuf);

impl Disk {
    fn new(place: PathBuf, size: &str) -> Self {
        fs::create_dir_all(&place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(&place);
        assert!(mount.status().unwrap().success());
        Self(place)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const LO: (&str, &str) = ("network-interface", "lo");

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_directory_of_root_is_given_to_the_user_of_pika() {
    for version in ["2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let prepared = Prepared::new(version, &[LO]);
        let place = prepared.directory.path().to_owned();
        chown(&place, Some(NOBODY), Some(NOBODY)).unwrap();
        for name in ["db", "log", "dbsync"] {
            fs::create_dir_all(place.join(name)).unwrap();
            chown(place.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::create_dir_all(place.join("dump")).unwrap();
        let plain = prepared.command();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.arg(plain.get_program()).args(plain.get_args());
        let pika = prepared.start(command, listens);
        let look = || Way::Here.check(&pika.address(), None);
        Bench::new("host/directories", pika.address(), version, "dump-path of root", &look)
            .try_it(&mut no_hands);
        pika.ask(&["bgsave"]);
        let has_dump = |_: &Pika| fs::read_dir(place.join("dump")).is_ok_and(|entries| entries.count() > 0);
        pika.wait_for("a dump", Duration::from_secs(20), has_dump);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn an_immutable_directory_is_freed() {
    for version in ["2.3.6", "3.5.5"] {
        let pika = Pika::start(version, &[LO]);
        let dump = pika.directory.path().join("dump");
        fs::create_dir_all(&dump).unwrap();
        assert!(Command::new("chattr").arg("+i").arg(&dump).status().unwrap().success());
        let look = || Way::Here.check(&pika.address(), None);
        Bench::new("host/directories", pika.address(), version, "immutable dump-path", &look)
            .try_it(&mut no_hands);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn rsync_is_installed_where_pika_looks_for_it() {
    for version in ["2.3.0", "2.3.6", "3.0.16"] {
        let programs = tempfile::tempdir().unwrap();
        let prepared = Prepared::new(version, &[LO]);
        let command =
            Surroundings::with_path(&programs.path().display().to_string()).around(&prepared.command());
        let pika = prepared.start(command, listens);
        let look = || Way::Here.check(&pika.address(), None);
        let mut install = |step: &RemedyStep| {
            if matches!(step.action, Action::Run { .. }) {
                symlink("/usr/bin/rsync", programs.path().join("rsync")).unwrap();
            }
            true
        };
        Bench::new("host/rsync", pika.address(), version, "no rsync", &look).try_it(&mut install);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn an_rsync_that_nobody_may_run_is_given_back_its_mode() {
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let rsync = programs.path().join("rsync");
    fs::copy("/usr/bin/rsync", &rsync).unwrap();
    fs::set_permissions(&rsync, fs::Permissions::from_mode(0o700)).unwrap();
    let prepared = Prepared::new("2.3.6", &[LO]);
    let place = prepared.directory.path().to_owned();
    chown(&place, Some(NOBODY), Some(NOBODY)).unwrap();
    let plain = prepared.command();
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.arg(plain.get_program()).args(plain.get_args());
    let command = Surroundings::with_path(&programs.path().display().to_string()).around(&command);
    let pika = prepared.start(command, listens);
    let look = || Way::Here.check(&pika.address(), None);
    Bench::new("host/rsync", pika.address(), "2.3.6", "an rsync of mode 700", &look).try_it(&mut no_hands);
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_stale_pid_file_is_removed() {
    let pika = Pika::start("2.3.0", &[LO]);
    let mut stranger = Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
    let daemon = pika.directory.path().join("dbsync/rsync");
    fs::create_dir_all(&daemon).unwrap();
    fs::write(daemon.join("slash_rsync.pid"), format!("{}\n", stranger.id())).unwrap();
    thread::sleep(Duration::from_millis(300));
    let look = || Way::Here.check(&pika.address(), None);
    Bench::new(
        "host/stale-pid-file",
        pika.address(),
        "2.3.0",
        "a pid file that names another process",
        &look,
    )
    .try_it(&mut no_hands);
    pika.ask(&["SLAVEOF", "127.0.0.1", "1"]);
    thread::sleep(Duration::from_secs(3));
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed nevertheless");
    let _ = stranger.kill();
    let _ = stranger.wait();

    let pika = Pika::start("3.3.6", &[LO]);
    let file = pika.directory.path().join("dbsync/rsync/slash_rsync.pid");
    pika.wait_for("its rsync daemon", Duration::from_secs(10), |_| file.exists());
    // It looks after its daemon for a moment.
    thread::sleep(Duration::from_secs(5));
    let pid = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    thread::sleep(Duration::from_secs(1));
    let look = || Way::Here.check(&pika.address(), None);
    let mut bench =
        Bench::new("host/stale-pid-file", pika.address(), "3.3.6", "its rsync daemon was killed", &look);
    // That the daemon stays at a stop can be told only now that there is one again.
    bench.family = "host/stale-pid-file";
    bench.try_it(&mut no_hands);
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_leftover_daemon_is_ended_before_the_next_start() {
    let mut pika = Pika::start("3.3.6", &[LO]);
    let pid_file = pika.directory.path().join("dbsync/rsync/slash_rsync.pid");
    pika.wait_for("its rsync daemon", Duration::from_secs(10), |_| pid_file.exists());
    thread::sleep(Duration::from_secs(1));
    let conf = pika.directory.path().join("pika.conf").display().to_string();
    pika.end();
    let look = || Way::Here.planned(&Surroundings::default(), &conf, "3.3.6");
    Bench::new("host/port-owners", conf.clone(), "3.3.6", "an rsync daemon that was left", &look)
        .try_it(&mut no_hands);
    pika.start_again("3.3.6");
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_daemon_that_stays_is_ended_between_stop_and_start() {
    let mut pika = Pika::start("3.3.6", &[LO]);
    if pika.usual_code("3.3.6") == 0 {
        eprintln!("on this host the daemon ends with its Pika: nothing is advised");
        return;
    }
    let address = pika.address();
    let look = || Way::Here.check(&address, None);
    let mut hands = |step: &RemedyStep| manage(&mut pika, "3.3.6", step);
    let bench =
        Bench::new("host/stopping", address.clone(), "3.3.6", "an rsync daemon that would stay", &look);
    // It will stay at the next stop, too: what is advised is how to do without harm.
    let remedy = bench.remedy(&look());
    for step in &remedy.steps {
        bench.carry_out(step, &step.says, &mut hands);
    }
    note(&remedy.recipe, "3.3.6", "an rsync daemon that would stay");
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_configuration_that_was_taken_away_is_written_anew() {
    for version in ["2.3.0", "2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let mut pika = Pika::start(version, &[LO]);
        fs::remove_file(pika.directory.path().join("pika.conf")).unwrap();
        let look = || Way::Here.check(&pika.address(), None);
        Bench::new("host/configuration", pika.address(), version, "no pika.conf", &look)
            .try_it(&mut no_hands);
        // The next start takes it.
        restart(&mut pika, version);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_program_that_was_deleted_is_taken_from_the_kernel() {
    let directory = tempfile::tempdir_in("/var/lib").unwrap();
    let program = directory.path().join("pika");
    fs::copy(home().join("3.3.6/pika"), &program).unwrap();
    let prepared = Prepared::new("3.3.6", &[LO]);
    let mut command = Command::new(&program);
    command.args(["-c", &prepared.conf]);
    let pika = prepared.start(command, listens);
    fs::remove_file(&program).unwrap();
    let look = || Way::Here.check(&pika.address(), None);
    Bench::new("host/program", pika.address(), "3.3.6", "a program that was deleted", &look)
        .try_it(&mut no_hands);
    assert_eq!(fs::read(&program).unwrap(), fs::read(home().join("3.3.6/pika")).unwrap());
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_database_that_was_moved_is_moved_back() {
    for version in ["2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let mut pika = Pika::start(version, &[LO]);
        pika.ask(&["set", "before", "1"]);
        let place = |name: &str| pika.directory.path().join(name);
        fs::rename(place("db"), place("away")).unwrap();
        fs::create_dir(place("db")).unwrap();
        pika.ask(&["set", "meanwhile", "2"]);
        let look = || Way::Here.check(&pika.address(), None);
        let mut bench =
            Bench::new("host/database", pika.address(), version, "a database that was moved", &look);
        bench.fill = vec![("path", place("away").display().to_string())];
        bench.try_it(&mut no_hands);
        restart(&mut pika, version);
        for (key, value) in [("before", "1"), ("meanwhile", "2")] {
            assert!(pika.ask(&["get", key]).contains(value), "{version} lost {key}");
        }
    }
}

/// The largest data file of a Pika.
fn largest_data_file(place: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter_map(|path| if path.is_dir() { largest_data_file(&path) } else { Some(path) });
    let of_data = files.filter(|path| path.extension().is_some_and(|ending| ending == "sst"));
    of_data.max_by_key(|path| path.metadata().unwrap().len())
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_data_file_is_linked_back_from_a_dump() {
    for version in ["2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let pika = Pika::start(version, &[LO]);
        for number in 0..50 {
            pika.ask(&["set", &format!("key{number}"), &"value".repeat(200)]);
        }
        pika.ask(&["bgsave"]);
        let dump = pika.directory.path().join("dump");
        let has_dump = |_: &Pika| fs::read_dir(&dump).is_ok_and(|entries| entries.count() > 0);
        pika.wait_for("a dump", Duration::from_secs(20), has_dump);
        let database = pika.directory.path().join("db");
        pika.wait_for("a data file", Duration::from_secs(20), |_| largest_data_file(&database).is_some());
        thread::sleep(Duration::from_secs(2));
        let data = largest_data_file(&pika.directory.path().join("db")).unwrap();
        fs::remove_file(&data).unwrap();
        let found =
            Command::new("find").arg(&dump).arg("-name").arg(data.file_name().unwrap()).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let look = || Way::Here.check(&pika.address(), None);
        let mut bench =
            Bench::new("host/data-files", pika.address(), version, "a data file was deleted", &look);
        bench.fill = vec![("path", found.lines().next().unwrap().to_owned())];
        bench.try_it(&mut no_hands);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_peer_without_a_name_gets_one() {
    let network = Network::new("hname");
    network.grave("10.66.5.200");
    let planned = Prepared::new("3.3.6", &[LO]);
    let etc = planned.directory.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("resolv.conf"), "nameserver 10.66.5.200\n").unwrap();
    fs::write(etc.join("hosts"), "127.0.0.1 localhost\n").unwrap();
    let bind =
        ["resolv.conf", "hosts"].map(|name| format!("mount --bind {}/{name} /etc/{name}", etc.display()));
    let there = Surroundings::with_tmpfs(&[], &bind.join(" && ")).inside(&network);
    let words = ["--conf", &*planned.conf, "--pika-version", "3.3.6", "--peer", "10.66.5.77"];
    let look = || Way::Here.host(&there, &words);
    let mut bench =
        Bench::new("host/peer-names", planned.conf.clone(), "3.3.6", "a peer without a name", &look);
    bench.around = there.clone();
    bench.etc = Some(etc);
    bench.try_it(&mut no_hands);
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_card_and_a_limit_are_set_in_the_file() {
    let network = Network::new("hcard");
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let planned = Prepared::new(version, &[("network-interface", "eth9")]);
        let inside = Surroundings::default().inside(&network);
        let look = || Way::Here.planned(&inside, &planned.conf, version);
        let mut bench =
            Bench::new("host/network-card", planned.conf.clone(), version, "a card that is not there", &look);
        bench.fill = vec![("card", "eth5".to_owned())];
        bench.try_it(&mut no_hands);
        let command = inside.around(&planned.command());
        let _pika = planned.start(command, |port| inside.listens(port));
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_directory_for_copies_is_put_beside_the_data() {
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let prepared = Prepared::new(version, &[LO]);
        let _disk = Disk::new(prepared.directory.path().join("dbsync"), "256m");
        let beside = prepared.directory.path().join("copies").display().to_string() + "/";
        let command = prepared.command();
        let mut pika = prepared.start(command, listens);
        pika.ask(&["set", "key", "value"]);
        let address = pika.address();
        let look = || Way::Here.check(&address, None);
        let mut bench = Bench::new(
            "host/same-file-system",
            address.clone(),
            version,
            "db-sync-path on another mount",
            &look,
        );
        bench.fill = vec![("path", beside)];
        bench.try_it(&mut |step| manage(&mut pika, version, step));
        assert!(pika.ask(&["get", "key"]).contains("value"), "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn data_on_a_mount_point_are_moved_one_level_deeper() {
    for version in ["2.3.6", "3.0.16"] {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::new(place.path().join("disk"), "600m");
        let below = |name: &str| format!("{}/{name}/", disk.0.display());
        let (log, sync, dump, db) = (below("log"), below("dbsync"), below("dump"), below(""));
        let settings = [
            LO,
            ("db-path", db.trim_end_matches('/')),
            ("log-path", &*log),
            ("db-sync-path", &*sync),
            ("dump-path", &*dump),
        ];
        let mut pika = Pika::start(version, &settings);
        pika.ask(&["set", "key", "value"]);
        pika.ask(&["lpush", "list", "value"]);
        let address = pika.address();
        let look = || Way::Here.check(&address, None);
        Bench::new("host/same-file-system", address.clone(), version, "db-path is a mount point", &look)
            .try_it(&mut |step| manage(&mut pika, version, step));
        assert!(pika.ask(&["get", "key"]).contains("value"), "{version}");
        assert!(pika.ask(&["lrange", "list", "0", "-1"]).contains("value"), "{version}");
        drop(pika);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_disk_is_made_writable_and_freed() {
    for version in ["2.3.6", "3.5.5"] {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::new(place.path().join("disk"), "600m");
        let below = |name: &str| format!("{}/{name}/", disk.0.display());
        let (log, sync, dump, db) = (below("log"), below("dbsync"), below("dump"), below("db"));
        let settings =
            [LO, ("db-path", &*db), ("log-path", &*log), ("db-sync-path", &*sync), ("dump-path", &*dump)];
        let planned = Prepared::new(version, &settings);
        let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
        assert!(remount.unwrap().success());
        let look = || Way::Here.planned(&Surroundings::default(), &planned.conf, version);
        Bench::new("host/free-space", planned.conf.clone(), version, "a disk that is read-only", &look)
            .try_it(&mut no_hands);

        fs::create_dir_all(&dump).unwrap();
        let old = disk.0.join("dump/20200101");
        fs::create_dir_all(&old).unwrap();
        let fill = format!("head -c 580m /dev/zero > {}/filler", old.display());
        assert!(Command::new("sh").args(["-c", &fill]).status().unwrap().success());
        let mut remove =
            |step: &RemedyStep| matches!(step.action, Action::Decide) && fs::remove_dir_all(&old).is_ok();
        Bench::new("host/free-space", planned.conf.clone(), version, "a disk that is full", &look)
            .try_it(&mut remove);
        let command = planned.command();
        let pika = planned.start(command, listens);
        assert!(pika.ask(&["set", "key", "value"]).contains("OK"));
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn ports_that_connections_could_take_are_reserved() {
    let network = Network::new("hport");
    let inside = Surroundings::default().inside(&network);
    // They lie in the range from which this network takes ports for its connections.
    let planned = Prepared::new("3.5.5", &[LO, ("port", "40021")]);
    let look = || Way::Here.planned(&inside, &planned.conf, "3.5.5");
    let etc = tempfile::tempdir().unwrap();
    let mut bench =
        Bench::new("host/port-owners", planned.conf.clone(), "3.5.5", "ports of connections", &look);
    bench.around = inside.clone();
    bench.etc = Some(etc.path().to_owned());
    bench.try_it(&mut no_hands);
}
