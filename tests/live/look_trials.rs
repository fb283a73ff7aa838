//! What is advised first and changes nothing is run on real servers and programs: it must show what the matter is, and leave
//! everything as it was. Run with `PIKADOCTOR_PIKA_HOME`, for some with `PIKADOCTOR_NEIGHBOURS=1` or
//! `PIKADOCTOR_CODIS_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::bench::Bench;
use crate::sentinels::{check, pair, sentinels, wait};
use crate::support::hosts::{Judged, Surroundings, Way};
use crate::support::own_address;
use crate::support::process::{Ended, free_port, start};
use crate::support::real::{Pika, Prepared};
use crate::support::real_codis::{Codis, Wanted};

const LO: (&str, &str) = ("network-interface", "lo");

const SENTINEL: &str = "redis-sentinel";

/// Settings, keys, and whom servers follow.
fn imprint(servers: &[&Pika]) -> String {
    let of = |server: &&Pika| {
        let info = server.ask(&["INFO", "replication"]);
        let follows =
            info.lines().filter(|line| line.starts_with("role:") || line.starts_with("master_host:"));
        let follows: Vec<&str> = follows.collect();
        let keys = server.ask(&["EXISTS", "key"]);
        format!("{follows:?} {keys} {}", server.ask(&["CONFIG", "GET", "*"]))
    };
    servers.iter().map(of).collect()
}

fn signal(process: &Ended, name: &str) {
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Nothing of a server is at stake.
fn nothing() -> String {
    String::new()
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn who_has_the_port_of_a_pika_is_shown() {
    let planned = Prepared::new("3.3.6", &[LO]);
    let held = TcpListener::bind(("127.0.0.1", planned.port)).unwrap();
    let look = || Way::Here.planned(&Surroundings::default(), &planned.conf, "3.3.6");
    let before = fs::read_to_string(&planned.conf).unwrap();
    let own = std::process::id().to_string();
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    Bench::new("host/port-owners", planned.conf.clone(), "3.3.6", "another program has its port", &look)
        .try_look("look-on-host", &[&own, name.trim()], &|| fs::read_to_string(&planned.conf).unwrap());
    assert_eq!(fs::read_to_string(&planned.conf).unwrap(), before);
    drop(held);
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn what_is_advised_about_a_sentinel_that_does_not_answer_shows_why() {
    let bench = |fault, look| {
        let mut bench = Bench::new("sentinel/answers", String::new(), SENTINEL, fault, look);
        bench.family = "sentinel/";
        bench
    };
    let directory = tempfile::tempdir().unwrap();
    let (own, port) = (own_address(), free_port("127.0.0.1"));
    let conf = directory.path().join("sentinel.conf");
    fs::write(&conf, format!("port {port}\nbind {own}\ndir {}\n", directory.path().display())).unwrap();
    let one = start((&own, port), "redis-sentinel", &[conf.to_str().unwrap()]);
    let look = || Judged(check(&[port], &[], "").1);
    let where_it_is = format!("{own}:{port}");
    bench("it listens on another address", &look).try_look(
        "find-listener",
        &[&where_it_is, "redis-sentinel"],
        &nothing,
    );
    drop(one);

    let pika = Pika::start("3.5.5", &[LO]);
    let look = || Judged(check(&[pika.port], &[], "").1);
    bench("a Pika is there", &look).try_look("check-server", &["Pika 3.5.5"], &|| imprint(&[&pika]));

    let home = tempfile::tempdir().unwrap();
    let (started, ports) = sentinels(home.path(), 1, "");
    signal(&started[0], "-STOP");
    let look = || Judged(check(&ports, &["--reply-timeout", "1s"], "").1);
    let stopped = bench("it is stopped", &look);
    stopped.try_look("look-at-server", &[], &nothing);
    let command = stopped.remedy(&look());
    let ping = || stopped.said(&command);
    assert!(!ping().contains("PONG"));
    signal(&started[0], "-CONT");
    assert!(ping().contains("PONG"));
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn a_sentinel_in_tilt_says_so_again() {
    let directory = tempfile::tempdir().unwrap();
    let (master, replica, lines) = pair();
    let (started, ports) = sentinels(directory.path(), 1, &lines);
    // Its timer was late by more than two seconds: it distrusts its clock for thirty.
    signal(&started[0], "-STOP");
    thread::sleep(Duration::from_secs(4));
    signal(&started[0], "-CONT");
    let report = || check(&ports, &["--sentinel-only"], "").1;
    wait("TILT", || report().to_string().contains("starts no failover"));
    let look = || Judged(report());
    let mut bench = Bench::new("sentinel/tilt", String::new(), SENTINEL, "it was stopped for a while", &look);
    bench.family = "sentinel/tilt";
    bench.try_look("check-sentinel", &["sentinel/tilt"], &|| imprint(&[&master, &replica]));
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_link_below_codis_is_looked_at() {
    let (one, two) = (Pika::start("3.5.5", &[LO, ("slotmigrate", "yes")]), Pika::start("2.3.6", &[LO]));
    let codis = Codis::start(&Wanted::default());
    codis.group(&[&one]);
    codis.admin(&["--group-add", "--gid=1", &format!("--addr={}", two.address())]);
    // They cannot replicate, whatever the dashboard does.
    codis.admin(&["--sync-action", "--create", &format!("--addr={}", two.address())]);
    codis.wait_for("the failed action", |codis| codis.topom(0).to_string().contains("synced_failed"));
    codis.wait_for("the link", |codis| {
        codis.topom(0)["stats"]["group"]["stats"][two.address()]["stats"]["master_link_status"] == "down"
    });
    let release = "Codis 3.2.2 with 2.3.6 + 3.5.5";
    let look = || Judged(codis.check(&["--no-servers"]));
    let mut bench = Bench::new("codis/roles", String::new(), release, "a link that is down", &look);
    bench.family = "codis/roles";
    bench.try_look("look-at-link", &["link/dialect"], &|| imprint(&[&one, &two]));

    let state = codis.directory.path().join("state").display().to_string();
    let look = || Judged(codis.check(&["--no-servers", "--coordinator-dir", &state]));
    let mut bench =
        Bench::new("coordinator/groups", String::new(), release, "a sync action that failed", &look);
    bench.family = "coordinator/groups";
    bench.try_look("look-at-link-of", &["link/dialect"], &|| imprint(&[&one, &two]));
}

#[test]
#[cfg_attr(not(all(real_codis, real_pika)), ignore = "needs PIKADOCTOR_CODIS_HOME and PIKADOCTOR_PIKA_HOME")]
fn a_proxy_that_is_gone_is_looked_for() {
    let pika = Pika::start("2.3.6", &[LO, ("slotmigrate", "yes")]);
    let mut codis = Codis::start(&Wanted::default());
    codis.group(&[&pika]);
    codis.kill_proxy(0);
    let codis = RefCell::new(codis);
    let report = || codis.borrow().check(&["--no-servers"]);
    wait("the dashboard misses it", || report().to_string().contains("does not answer the dashboard"));
    let look = || Judged(report());
    let mut bench = Bench::new("codis/proxies", String::new(), "Codis 3.2.2", "a proxy was killed", &look);
    bench.family = "codis/proxies";
    bench.try_look("look-here", &["curl:"], &|| imprint(&[&pika]));
}
