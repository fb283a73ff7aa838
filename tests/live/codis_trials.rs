//! What is advised first about a real Codis 3.2.2 is done, to the letter. Run with `PIKADOCTOR_CODIS_HOME` and
//! `PIKADOCTOR_PIKA_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use pikadoctor::model::remedy::Action;

use crate::bench::Bench;
use crate::coordinators::start_zookeeper;
use crate::support::hosts::Judged;
use crate::support::real::Pika;
use crate::support::real_codis::{Codis, Wanted, present};

fn programs() -> String {
    std::env::var("PIKADOCTOR_CODIS_HOME").unwrap()
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn lists_are_filled_before_a_slot_goes_on() {
    let release = "Codis 3.2.2 with 3.5.5";
    let (one, two) =
        (Pika::start("3.5.5", &[("slotmigrate", "no")]), Pika::start("3.5.5", &[("slotmigrate", "no")]));
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&one, &two]);
    codis.write("key:", 3000);
    let before = present(&one.address(), "key:", 3000);
    codis.begin_move(0, 15, 2);
    codis.wait_for("the error", |codis| {
        codis.topom(0)["stats"]["slot_action"]["progress"]["status"]
            .as_str()
            .is_some_and(|it| it.contains("slotmigrate"))
    });
    let look = || Judged(codis.check(&[]));
    let mut bench = Bench::new("codis/moving-slots", String::new(), release, "slotmigrate is off", &look);
    bench.fill = vec![("dashboard", codis.dashboard(0))];
    bench.search = programs();
    bench.family = "codis/moving-slots";
    let mut wait = |_: &pikadoctor::model::remedy::RemedyStep| false;
    let remedy = bench.do_it(&mut wait);
    assert_eq!(remedy, "fill-lists-and-go-on");
    codis.wait_until_moved();
    bench.is_mended(&remedy);
    // Nothing stayed behind, and nothing was lost.
    let (left, came) = (present(&one.address(), "key:", 3000), present(&two.address(), "key:", 3000));
    for (number, had) in before.iter().enumerate().filter(|(_, had)| **had) {
        assert!(*had && (left[number] || came[number]), "key:{number} is lost");
    }
    let report = codis.check(&["--before-migration"]);
    assert_eq!(crate::support::real_codis::of(&report, "codis/left-behind", &one.address()).0, "ok");
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_stale_lock_is_removed() {
    let pika = Pika::start("2.3.6", &[("slotmigrate", "yes")]);
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    let codis = RefCell::new(codis);
    codis.borrow_mut().end_dashboard(0, "-KILL");
    let look = || {
        let codis = codis.borrow();
        let state = codis.directory.path().join("state").display().to_string();
        Judged(codis.check(&["--coordinator-dir", &state]))
    };
    let mut bench = Bench::new(
        "coordinator/dashboard-lock",
        String::new(),
        "Codis 3.2.2",
        "a dashboard was killed",
        &look,
    );
    bench.search = programs();
    bench.family = "coordinator/dashboard-lock";
    bench.try_it(&mut |step| {
        let is_start = matches!(step.action, Action::Decide);
        if is_start {
            codis.borrow_mut().restart_dashboard(0);
        }
        is_start
    });
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_method_and_a_group_are_mended() {
    let pika = Pika::start("2.3.6", &[("slotmigrate", "yes")]);
    let codis = Codis::start(&Wanted { method: "semi-async", ..Wanted::default() });
    codis.group(&[&pika]);
    codis.admin(&["--create-group", "--gid=9"]);
    let dashboard = codis.dashboard(0);
    let conf = codis.directory.path().join("dashboard-0.toml");
    let codis = RefCell::new(codis);
    let look = || {
        thread::sleep(Duration::from_secs(2));
        Judged(codis.borrow().check(&[]))
    };
    let mut bench =
        Bench::new("codis/groups", String::new(), "Codis 3.2.2", "a group without a server", &look);
    bench.search = programs();
    bench.fill = vec![("dashboard", dashboard)];
    bench.family = "codis/groups";
    bench.try_it(&mut |_| false);

    let mut bench =
        Bench::new("codis/migration-method", String::new(), "Codis 3.2.2 with 2.3.6", "semi-async", &look);
    bench.files = vec![("dashboard.toml", conf.clone())];
    bench.family = "codis/migration-method";
    bench.try_it(&mut |step| {
        let is_restart = matches!(step.action, Action::Decide);
        if is_restart {
            let mut codis = codis.borrow_mut();
            codis.end_dashboard(0, "-TERM");
            codis.restart_dashboard(0);
        }
        is_restart
    });
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn one_of_two_dashboards_goes() {
    let pika = Pika::start("2.3.6", &[("slotmigrate", "yes")]);
    let mut codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    let second = codis.add_dashboard("sync", &["--remove-lock"]);
    codis.wait_for("the second dashboard", |codis| codis.topom(second)["stats"].is_object());
    let goes = codis.dashboard(second);
    let codis = RefCell::new(codis);
    let look = || {
        let codis = codis.borrow();
        let url = format!("http://{}", codis.dashboard(second));
        // Whoever stopped it asks it no more.
        let other = ["--codis", &url];
        Judged(codis.check(if codis.topom(second).is_null() { &[] } else { &other }))
    };
    let mut bench =
        Bench::new("codis/one-dashboard", String::new(), "Codis 3.2.2", "two dashboards are at work", &look);
    bench.search = programs();
    bench.fill = vec![("dashboard", goes)];
    bench.family = "codis/";
    bench.try_it(&mut |step| {
        let is_restart = matches!(step.action, Action::Decide);
        if is_restart {
            let mut codis = codis.borrow_mut();
            codis.wait_for("the end of the second", |codis| codis.topom(second).is_null());
            codis.end_dashboard(0, "-TERM");
            codis.restart_dashboard(0);
        }
        is_restart
    });
    let codis = codis.borrow();
    let state = codis.directory.path().join("state").display().to_string();
    let report = codis.check(&["--coordinator-dir", &state]);
    assert_eq!(crate::support::real_codis::of(&report, "coordinator/dashboard-lock", "").0, "ok");
}

#[test]
#[cfg_attr(
    not(all(real_codis, real_pika, real_neighbours)),
    ignore = "needs PIKADOCTOR_CODIS_HOME, PIKADOCTOR_PIKA_HOME, and zookeeper: set PIKADOCTOR_NEIGHBOURS=1"
)]
fn a_product_is_moved_from_a_directory_to_zookeeper() {
    let place = tempfile::tempdir().unwrap();
    let (address, _zookeeper) = start_zookeeper(place.path(), "", &[]);
    thread::sleep(Duration::from_secs(2));
    let pika = Pika::start("2.3.6", &[("slotmigrate", "yes")]);
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    codis.write("key:", 100);
    let of_group = |codis: &Codis| {
        let topom = codis.topom(0);
        (topom["stats"]["group"]["models"].to_string(), topom["stats"]["slots"].to_string())
    };
    let before = of_group(&codis);
    let conf = codis.directory.path().join("dashboard-0.toml");
    let (shell, directory) = (tempfile::tempdir().unwrap(), codis.directory.path().to_owned());
    let codis = RefCell::new(codis);
    let look = || {
        thread::sleep(Duration::from_secs(2));
        Judged(codis.borrow().check(&[]))
    };
    let fault = "the coordinator is a directory";
    let mut bench = Bench::new("codis/coordinator", String::new(), "Codis 3.2.2 with 2.3.6", fault, &look);
    bench.search = programs();
    bench.files = vec![("dashboard.toml", conf)];
    bench.fill = vec![("zookeeper", address)];
    bench.directory = Some(shell.path().to_owned());
    bench.family = "codis/";
    let mut is_stopped = false;
    bench.try_it(&mut |step| {
        let is_by_hand = matches!(step.action, Action::Decide);
        if is_by_hand && is_stopped {
            codis.borrow_mut().restart_dashboard(0);
        } else if is_by_hand {
            codis.borrow_mut().end_dashboard(0, "-TERM");
            is_stopped = true;
        }
        is_by_hand
    });
    let codis = codis.borrow();
    assert_eq!(of_group(&codis), before, "groups and slots are as they were");
    assert!(directory.join("state").is_dir(), "the directory is left");
    codis.write("key:", 100);
}
