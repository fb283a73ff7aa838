//! What is advised first about a real Codis 3.2.2 is done, to the letter. Run with `PIKADOCTOR_CODIS_HOME` and
//! `PIKADOCTOR_PIKA_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use pikadoctor::model::remedy::Action;

use crate::bench::Bench;
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
