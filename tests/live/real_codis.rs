//! A real Codis with real Pikas behind it: slots move, and what was said of them before and after holds. Run with
//! `PIKADOCTOR_CODIS_HOME` and `PIKADOCTOR_PIKA_HOME`; ignored elsewhere.

use std::thread;
use std::time::{Duration, Instant};

use crate::coordinators::start_zookeeper;
use crate::support::real::Pika;
use crate::support::real_codis::{Codis, Wanted, of, present, write_keys};
use serde_json::Value;

const ON: [(&str, &str); 1] = [("slotmigrate", "yes")];

fn pair(version: &str) -> (Pika, Pika) {
    (Pika::start(version, &ON), Pika::start(version, &ON))
}

fn count(report: &[bool]) -> usize {
    report.iter().filter(|there| **there).count()
}

/// Has all keys counted, and waits until the scan is done.
fn count_keys(pika: &Pika) {
    pika.ask(&["INFO", "keyspace", "1"]);
    thread::sleep(Duration::from_millis(1500));
}

fn reload(pika: &Pika) {
    pika.ask(&["SLOTSRELOAD"]);
    thread::sleep(Duration::from_millis(500));
    pika.wait_for("SLOTSRELOAD", Duration::from_secs(60), |pika| {
        !pika.ask(&["INFO", "stats"]).contains("is_slots_reloading:Yes")
    });
}

fn before_migration(codis: &Codis) -> Value {
    codis.check(&["--before-migration"])
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_healthy_one_is_ok_and_a_scan_before_a_move_proves_nothing() {
    for version in ["2.3.6", "3.5.5"] {
        let (one, two) = pair(version);
        let codis = Codis::start(&Wanted::default());
        codis.group(&[&one, &two]);
        codis.write("key:", 8000);
        count_keys(&one);
        count_keys(&two);
        let report = before_migration(&codis);
        for check in ["codis/slot-lists", "codis/left-behind"] {
            let (state, text) = of(&report, check, &one.address());
            assert_eq!(state, "ok", "{version}: {text}");
        }
        codis.move_slots(0, 255, 2);
        let report = before_migration(&codis);
        let (state, text) = of(&report, "codis/slot-lists", &one.address());
        assert_eq!(state, "unknown", "{version}: {text}");
        assert!(text.contains("moved or deleted since the scan"), "{version}: {text}");
        // To the destination came more than its scan counted.
        let (state, text) = of(&report, "codis/slot-lists", &two.address());
        assert_eq!(state, "unknown", "{version}: {text}");
        assert!(text.contains("older than some of the keys"), "{version}: {text}");
        // Nothing stayed behind, and a new count says so.
        assert_eq!(of(&report, "codis/left-behind", &one.address()).0, "ok", "{version}");
        let there = [present(&one.address(), "key:", 8000), present(&two.address(), "key:", 8000)];
        assert_eq!(count(&there[0]) + count(&there[1]), 8000, "{version}");
        count_keys(&one);
        count_keys(&two);
        let report = before_migration(&codis);
        for server in [&one, &two] {
            let (state, text) = of(&report, "codis/slot-lists", &server.address());
            assert_eq!(state, "ok", "{version}: {text}");
        }
    }
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn keys_that_are_in_no_list_are_found_stay_behind_and_are_named_afterwards() {
    for version in ["2.3.6", "3.5.5"] {
        let (one, two) = pair(version);
        let codis = Codis::start(&Wanted::default());
        codis.group(&[&one, &two]);
        codis.write("early:", 4000);
        count_keys(&one);
        for server in [&one, &two] {
            server.ask(&["CONFIG", "SET", "slotmigrate", "no"]);
        }
        codis.write("a-late:", 2000);
        let (state, text) = of(&before_migration(&codis), "codis/slot-lists", &one.address());
        assert_eq!(state, "critical", "{version}: {text}");
        assert!(text.contains("are in no list"), "{version}: {text}");
        for server in [&one, &two] {
            server.ask(&["CONFIG", "SET", "slotmigrate", "yes"]);
        }
        let (state, text) = of(&before_migration(&codis), "codis/slot-lists", &one.address());
        assert_eq!(state, "critical", "{version}: switched on again, and the lists are short: {text}");

        let of_one = |prefix: &str, keys: usize| count(&present(&one.address(), prefix, keys));
        let (early, late) = (of_one("early:", 4000), of_one("a-late:", 2000));
        codis.move_slots(0, 511, 2);
        // The listed moved, the others are where nobody looks for them.
        assert_eq!((of_one("early:", 4000), of_one("a-late:", 2000)), (0, late), "{version}");
        assert_eq!(count(&present(&two.address(), "early:", 4000)), 4000, "{version}: {early} moved");
        let report = before_migration(&codis);
        let (state, text) = of(&report, "codis/left-behind", &one.address());
        assert_eq!(state, "critical", "{version}: {text}");
        reload(&one);
        let (state, text) = of(&codis.check(&[]), "codis/left-behind", &one.address());
        assert_eq!(state, "critical", "{version}: {text}");
        assert!(text.contains(&format!("{late} keys in ")), "{version}: {text}");

        // What is advised brings them to where they belong.
        for slot in 0..512 {
            let (slot, port) = (slot.to_string(), two.port.to_string());
            let words = ["SLOTSMGRTTAGSLOT", "127.0.0.1", port.as_str(), "3000", slot.as_str()];
            let began = Instant::now();
            while !one.ask_line(&words).ends_with(":0") {
                assert!(began.elapsed() < Duration::from_secs(30), "{version}: {slot}");
            }
        }
        assert_eq!(count(&present(&two.address(), "a-late:", 2000)), 2000, "{version}");
        assert_eq!(of(&codis.check(&[]), "codis/left-behind", &one.address()).0, "ok", "{version}");
    }
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn lists_that_are_longer_than_the_scan_are_never_ok() {
    for version in ["2.3.6", "3.5.5"] {
        let (one, two) = pair(version);
        let codis = Codis::start(&Wanted::default());
        codis.group(&[&one, &two]);
        codis.write("key:", 6000);
        count_keys(&one);
        codis.move_slots(512, 1023, 1);
        // Behind all others, where no sample comes to.
        one.ask(&["CONFIG", "SET", "slotmigrate", "no"]);
        write_keys(&one.address(), "zzz:", 1000);
        one.ask(&["CONFIG", "SET", "slotmigrate", "yes"]);
        let (state, text) = of(&before_migration(&codis), "codis/slot-lists", &one.address());
        assert!(matches!(state.as_str(), "unknown" | "critical"), "{version}: {state}: {text}");
    }
}

/// The report of `check` with the directory in which this Codis keeps its state.
fn with_directory(codis: &Codis, arguments: &[&str]) -> Value {
    let state = codis.directory.path().join("state");
    let directory = ["--coordinator-dir", state.to_str().unwrap()];
    codis.check(&[&directory, arguments].concat())
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_dashboard_whose_lock_another_one_took_away_is_named_and_restarting_it_helps() {
    let pika = Pika::start("2.3.6", &ON);
    let mut codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    let lock = |codis: &Codis, arguments: &[&str]| {
        let report = with_directory(codis, arguments);
        (of(&report, "coordinator/dashboard-lock", "").0, report.to_string())
    };
    assert_eq!(lock(&codis, &[]).0, "ok");
    // A second one takes the lock from the first, and gives it back to nobody.
    let second = codis.add_dashboard("sync", &["--remove-lock"]);
    codis.wait_for("the second dashboard", |codis| codis.topom(second)["stats"].is_object());
    let (state, text) = lock(&codis, &["--codis", &format!("http://{}", codis.dashboard(second))]);
    assert_eq!(state, "critical", "{text}");
    assert_eq!(
        codis.check(&["--codis", &format!("http://{}", codis.dashboard(second))])["exit_code"],
        2,
        "two dashboards at once"
    );
    codis.try_admin(second, &["--shutdown"]).unwrap();
    codis.wait_for("its end", |codis| codis.topom(second).is_null());
    let (state, text) = lock(&codis, &[]);
    assert_eq!(state, "warning", "{text}");
    assert!(text.contains("at work and holds no lock"), "{text}");
    // It is at work, as is said.
    codis.admin(&["--create-group", "--gid=7"]);
    codis.end_dashboard(0, "-TERM");
    codis.restart_dashboard(0);
    let (state, text) = lock(&codis, &[]);
    assert_eq!(state, "ok", "{text}");
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_destination_that_ends_on_the_way_is_followed_step_by_step() {
    let (one, mut two) = pair("2.3.6");
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&one, &two]);
    codis.write("key:", 30_000);
    codis.begin_move(0, 255, 2);
    codis.wait_for("the first slots", |codis| codis.slots_on_their_way() < 220);
    two.end();
    codis.wait_for("the error", |codis| codis.topom(0).to_string().contains("connect destination"));
    codis.wait_for("the end of the destination", |codis| {
        codis.topom(0)["stats"]["group"]["stats"][two.address()]["error"].is_object()
    });
    let stuck = |codis: &Codis| of(&codis.check(&["--no-servers"]), "codis/moving-slots", "");
    let (state, text) = stuck(&codis);
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("--disabled=1"), "{text}");
    codis.admin(&["--slot-action", "--disabled=1"]);
    let (state, text) = stuck(&codis);
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("switched off") && text.contains("start it"), "{text}");
    two.start_again("2.3.6");
    codis.wait_for("the destination", |codis| {
        let (_, text) = stuck(codis);
        text.contains("answers the dashboard again")
    });
    let (state, text) = stuck(&codis);
    assert!(state == "critical" && text.contains("--disabled=0"), "{text}");
    codis.admin(&["--slot-action", "--disabled=0"]);
    codis.wait_until_moved();
    assert_eq!(stuck(&codis).0, "ok");
    // What the text says: keys that had been sent when the destination ended can be on neither server.
    let (here, there) = (present(&one.address(), "key:", 30_000), present(&two.address(), "key:", 30_000));
    let lost = here.iter().zip(&there).filter(|(here, there)| !**here && !**there).count();
    assert!(lost < 300, "{lost} keys are gone");
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn what_a_destination_refuses_is_gone_on_2_x_and_kept_on_3_5() {
    for (version, kept) in [("2.3.0", false), ("2.3.6", false), ("3.5.5", true)] {
        let (one, two) = pair(version);
        two.ask(&["SLAVEOF", "127.0.0.1", "9"]);
        write_keys(&one.address(), "key:", 1);
        let slot = one.ask_line(&["SLOTSHASHKEY", "key:0"]).replace("*1\r\n:", "");
        let port = two.port.to_string();
        one.ask(&["SLOTSMGRTTAGSLOT", "127.0.0.1", &port, "3000", slot.trim()]);
        assert_eq!(present(&one.address(), "key:", 1), [kept], "{version}");
        assert_eq!(present(&two.address(), "key:", 1), [false], "{version}");
    }
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_destination_that_is_a_replica_is_named_before_it_eats_keys() {
    let (one, two) = pair("2.3.6");
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&one, &two]);
    assert_eq!(of(&before_migration(&codis), "codis/destination", &one.address()).0, "ok");
    two.ask(&["SLAVEOF", "127.0.0.1", "9"]);
    codis.wait_for("the role", |codis| {
        codis.topom(0)["stats"]["group"]["stats"][two.address()]["stats"]["role"] == "slave"
    });
    let (state, text) = of(&before_migration(&codis), "codis/destination", &one.address());
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("on neither server"), "{text}");
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn servers_that_cannot_be_added_are_named_before_and_the_dashboard_refuses_them_so() {
    let (open, classic) = (Pika::start("2.3.6", &ON), Pika::start("3.3.6", &[("instance-mode", "classic")]));
    for (auth, pika, words) in
        [("secret", &open, "no password is set"), ("", &classic, "only support on sharding mode")]
    {
        let codis = Codis::start(&Wanted { auth, ..Wanted::default() });
        let run = codis.check_with_auth(&[&pika.address()], auth);
        let (state, text) = of(&run, "codis/candidates", "");
        assert_eq!(state, "warning", "{text}");
        assert!(text.contains(words), "{text}");
        codis.admin(&["--create-group", "--gid=1"]);
        let added = codis.try_admin(0, &["--group-add", "--gid=1", &format!("--addr={}", pika.address())]);
        assert!(added.unwrap_err().contains(words), "{auth}");
    }
}

#[test]
#[cfg_attr(
    not(all(real_codis, real_neighbours)),
    ignore = "needs PIKADOCTOR_CODIS_HOME, and zookeeper: set PIKADOCTOR_NEIGHBOURS=1"
)]
fn a_proxy_that_was_killed_is_found_by_the_coordinator_alone_before_its_session_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (address, _zookeeper) = start_zookeeper(directory.path(), "", &[]);
    thread::sleep(Duration::from_secs(2));
    let mut codis = Codis::start(&Wanted { coordinator: Some(("zookeeper", &address)), ..Wanted::default() });
    let alone = || {
        let arguments = ["check", "--zookeeper", &address, "--no-servers", "--format", "json"];
        let run = crate::support::run(&arguments);
        serde_json::from_str::<Value>(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    };
    codis.wait_for("the announcement", |_| {
        alone()["facts"]["coordinators"][0]["products"][0]["jodis"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    let (state, text) = of(&alone(), "coordinator/proxies", "");
    assert_eq!(state, "ok", "{text}");
    codis.kill_proxy(0);
    let (state, text) = of(&alone(), "coordinator/proxies", "");
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("still find it"), "{text}");
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_server_in_sharding_mode_without_slots_is_named_and_the_advised_commands_help() {
    let pika = Pika::start("3.3.6", &[("instance-mode", "sharding"), ("default-slot-num", "1024")]);
    let alone = pika.report(&["--read-only"]);
    assert_eq!(of(&alone, "node/served-slots", &pika.address()).0, "critical");
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    let (state, text) = of(&codis.check(&[]), "codis/served-slots", &pika.address());
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("sends 1024 slots"), "{text}");
    assert!(pika.ask(&["SET", "a", "1"]).contains("Partition not found"));
    // The first of what is advised. (All of it takes minutes.) Its answer comes later.
    pika.ask(&["PKCLUSTER", "ADDSLOTS", "0-15"]);
    pika.wait_for("slots", Duration::from_secs(90), |pika| {
        pika.ask(&["PKCLUSTER", "INFO", "SLOT"]).contains("(db0:15)")
    });
    let (state, text) = of(&codis.check(&[]), "codis/served-slots", &pika.address());
    assert_eq!(state, "critical", "{text}");
    assert!(text.contains("sends 1008 slots") && text.contains("16-1023"), "{text}");
    assert_eq!(of(&pika.report(&["--read-only"]), "node/served-slots", &pika.address()).0, "ok");
}
