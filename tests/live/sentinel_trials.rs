//! What is advised first about real Sentinels over a real Pika is done, to the letter. Run with `PIKADOCTOR_NEIGHBOURS=1` and
//! `PIKADOCTOR_PIKA_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::process::Command;

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
