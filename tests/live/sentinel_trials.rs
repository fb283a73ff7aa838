//! What is advised first about real Sentinels over a real Pika is done, to the letter. Run with `PIKADOCTOR_NEIGHBOURS=1` and
//! `PIKADOCTOR_PIKA_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::process::Command;
use std::time::Duration;

use pikadoctor::model::remedy::Action;

use crate::bench::Bench;
use crate::sentinels::{check, pair, sentinels, wait, wrong};
use crate::support::hosts::Judged;

const RELEASE: &str = "redis-sentinel over 3.5.5";

/// A command to one Sentinel.
fn tell(port: u16, words: &[&str]) {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("OK") || said.trim() == "1", "{words:?}: {said}");
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn what_is_advised_about_sentinels_mends_them() {
    let directory = tempfile::tempdir().unwrap();
    let (_master, _replica, lines) = pair();
    let (mut started, ports) = sentinels(directory.path(), 4, &lines);
    // One more than an odd number of them, so that three are left when one is gone.
    let even = ["sentinel/quorum warning"];
    let settled = |ports: &[u16], expected: &[&str]| wrong(&check(ports, &[], "").1) == expected;
    wait("the Sentinels know each other and the replica", || settled(&ports, &even));

    let look = || Judged(check(&ports, &[], "").1);
    for port in &ports {
        tell(*port, &["sentinel", "set", "demo-1", "quorum", "9"]);
    }
    let mut bench =
        Bench::new("sentinel/quorum", String::new(), RELEASE, "a quorum that is never reached", &look);
    bench.family = "sentinel/";
    // That their number is even stays, and is another matter.
    let recipe = bench.do_it(&mut |_| false);
    assert_eq!(recipe, "sentinel-set");
    wait("the quorum can be reached", || settled(&ports, &even));
    bench.keep(&recipe);

    tell(ports[3], &["sentinel", "remove", "demo-1"]);
    let mut bench =
        Bench::new("sentinel/agreement", String::new(), RELEASE, "one does not watch the name", &look);
    bench.fill = vec![("quorum", "3".to_owned())];
    let recipe = bench.do_it(&mut |_| false);
    assert_eq!(recipe, "sentinel-monitor");
    tell(ports[3], &["sentinel", "set", "demo-1", "down-after-milliseconds", "5000"]);
    wait("the fourth one watches the name", || settled(&ports, &even));
    bench.keep(&recipe);

    drop(started.remove(3));
    let left = &ports[..3];
    let down = ["sentinel/others warning", "sentinel/quorum warning"];
    wait("the others see that it is gone", || settled(left, &down));
    let look = || Judged(check(left, &[], "").1);
    let mut bench = Bench::new("sentinel/others", String::new(), RELEASE, "one is gone for good", &look);
    bench.family = "sentinel/";
    let recipe = bench.do_it(&mut |_| false);
    assert_eq!(recipe, "sentinel-forget");
    wait("three know each other", || settled(left, &[]));
    bench.keep(&recipe);
}

/// Whether a check of Sentinels says that something is critical.
fn is_critical(ports: &[u16], check_id: &str) -> bool {
    wrong(&check(ports, &[], "").1).contains(&format!("{check_id} critical"))
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn a_replica_that_sentinels_call_their_master_is_promoted() {
    let directory = tempfile::tempdir().unwrap();
    let (master, replica, _) = pair();
    assert!(master.ask(&["SET", "key", "value"]).contains("OK"));
    replica.wait_for("the key", Duration::from_secs(30), |replica| {
        replica.ask(&["GET", "key"]).contains("value")
    });
    let lines = format!("sentinel monitor demo-1 127.0.0.1 {} 2\n", replica.port);
    let (_started, ports) = sentinels(directory.path(), 3, &lines);
    // What must be so before: the old master takes no writes any more.
    drop(master);
    wait("they see that it is a replica", || is_critical(&ports, "sentinel/master-role"));
    let look = || Judged(check(&ports, &[], "").1);
    let fault = "they were told a replica";
    let mut bench = Bench::new("sentinel/master-role", String::new(), RELEASE, fault, &look);
    bench.family = "sentinel/";
    let recipe = bench.do_it(&mut |_| false);
    assert_eq!(recipe, "promote");
    wait("it is the master for all of them", || !is_critical(&ports, "sentinel/master-role"));
    assert!(replica.ask(&["GET", "key"]).contains("value"));
    assert!(replica.ask(&["SET", "key", "other"]).contains("OK"));
    bench.keep(&recipe);
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn a_replica_without_its_master_is_held_back_until_it_is_in_step() {
    let directory = tempfile::tempdir().unwrap();
    let (master, replica, lines) = pair();
    let (_started, ports) = sentinels(directory.path(), 3, &lines);
    wait("the Sentinels know each other and the replica", || wrong(&check(&ports, &[], "").1).is_empty());
    for port in &ports {
        // Or they would promote it at once.
        tell(*port, &["sentinel", "set", "demo-1", "quorum", "9"]);
    }
    let master = std::cell::RefCell::new(master);
    master.borrow_mut().end();
    wait("its link is down", || is_critical(&ports, "sentinel/ready-replicas"));
    let look = || Judged(check(&ports, &[], "").1);
    let fault = "the link of a replica is down";
    let mut bench = Bench::new("sentinel/ready-replicas", String::new(), RELEASE, fault, &look);
    bench.family = "sentinel/";
    let recipe = bench.do_it(&mut |step| {
        if matches!(step.action, Action::Wait { .. }) {
            wait("it is left out", || !is_critical(&ports, "sentinel/ready-replicas"));
            master.borrow_mut().start_again("3.5.5");
        }
        false
    });
    assert_eq!(recipe, "hold-back");
    assert!(replica.ask(&["CONFIG", "GET", "slave-priority"]).contains("100"));
    wait("it may be promoted again", || {
        let report = check(&ports, &[], "").1;
        let wrong = wrong(&report);
        !wrong
            .iter()
            .any(|it| it.starts_with("sentinel/ready-replicas") || it.starts_with("sentinel/candidates"))
    });
    bench.keep(&recipe);
}
