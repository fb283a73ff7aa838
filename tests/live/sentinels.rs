//! Real Sentinels from Debian's packages over a real Redis, and over real Pikas. Run with `PIKADOCTOR_NEIGHBOURS=1` where
//! redis-server and redis-sentinel are installed, the second one with `PIKADOCTOR_PIKA_HOME` as well; ignored elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::process::{Ended, free_port, start};
use crate::support::real::Pika;
use crate::support::{Run, pikadoctor};
use pikadoctor::catalog::built_in;
use pikadoctor::lab::scenarios;
use pikadoctor::lab::stage::Stage;
use serde_json::Value;

pub fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not in a minute");
        thread::sleep(Duration::from_millis(200));
    }
}

pub fn sentinels(directory: &Path, count: usize, lines: &str) -> (Vec<Ended>, Vec<u16>) {
    let ports: Vec<u16> = (0..count).map(|_| free_port("127.0.0.1")).collect();
    let started = ports.iter().map(|port| {
        let home = directory.join(port.to_string());
        fs::create_dir(&home).unwrap();
        let conf = home.join("sentinel.conf");
        let text = format!("port {port}\nbind 127.0.0.1\ndir {}\n{lines}", home.display());
        fs::write(&conf, text).unwrap();
        start(("127.0.0.1", *port), "redis-sentinel", &[conf.to_str().unwrap()])
    });
    (started.collect(), ports)
}

/// A master and its replica, and the lines with which a Sentinel watches them.
pub fn pair() -> (Pika, Pika, String) {
    let lo = [("network-interface", "lo")];
    let (master, replica) = (Pika::start("3.5.5", &lo), Pika::start("3.5.5", &lo));
    let said = replica.ask(&["SLAVEOF", "127.0.0.1", &master.port.to_string()]);
    assert!(said.starts_with("+OK"), "{said}");
    let lines = format!(
        "sentinel monitor demo-1 127.0.0.1 {} 2\nsentinel down-after-milliseconds demo-1 5000\n",
        master.port
    );
    (master, replica, lines)
}

/// The report of a run, and its exit code.
pub fn check(ports: &[u16], arguments: &[&str], password: &str) -> (i32, Value) {
    let mut command = pikadoctor();
    command.args(["check", "--format", "json"]).args(arguments).env("PIKADOCTOR_SENTINEL_PASSWORD", password);
    for port in ports {
        command.args(["--sentinel", &format!("127.0.0.1:{port}")]);
    }
    let run = Run::of(&mut command);
    assert!(password.is_empty() || !run.stdout.contains(password), "{}", run.stdout);
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run.code, report)
}

/// What is said about Sentinels and is not fine.
pub fn wrong(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let bad = findings.filter(|finding| {
        let state = finding["state"].as_str().unwrap();
        finding["check"].as_str().unwrap().starts_with("sentinel/")
            && ["warning", "critical", "unknown"].contains(&state)
    });
    let mut wrong: Vec<String> = bad
        .map(|finding| {
            format!("{} {}", finding["check"].as_str().unwrap(), finding["state"].as_str().unwrap())
        })
        .collect();
    wrong.sort();
    wrong.dedup();
    wrong
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs redis-sentinel: set PIKADOCTOR_NEIGHBOURS=1")]
fn over_a_real_redis() {
    let directory = tempfile::tempdir().unwrap();
    let (master, replica) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
    let home = directory.path().to_str().unwrap();
    let redis = |port: u16, more: &[&str]| {
        let port_text = port.to_string();
        let common = ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--dir", home];
        start(("127.0.0.1", port), "redis-server", &[&common[..], more].concat())
    };
    let _master = redis(master, &[]);
    let _replica = redis(replica, &["--replicaof", "127.0.0.1", &master.to_string()]);
    let lines = format!(
        "requirepass word-of-sentinels\nsentinel sentinel-pass word-of-sentinels\nsentinel monitor demo-1 127.0.0.1 {master} 2\n"
    );
    let (started, ports) = sentinels(directory.path(), 3, &lines);
    let password = "word-of-sentinels";
    let mut last = Value::Null;
    wait("the Sentinels know each other and the replica", || {
        last = check(&ports, &[], password).1;
        wrong(&last).is_empty()
    });
    assert_eq!(last["facts"]["nodes"], serde_json::json!([]), "a Redis is no server of the run");
    assert_eq!(last["facts"]["watched"][0]["sentinels"], 3);

    let (code, report) = check(&ports[..1], &[], "");
    assert_eq!((code, wrong(&report)), (3, vec!["sentinel/answers unknown".to_owned()]));
    let (code, report) = check(&ports[..1], &[], "not-the-word");
    assert_eq!((code, wrong(&report)), (2, vec!["sentinel/answers critical".to_owned()]));
    let (code, report) = check(&[master], &[], "");
    assert_eq!((code, wrong(&report)), (2, vec!["sentinel/answers critical".to_owned()]));

    // One of them is stopped: the others go on, and that one is told.
    let mut started = started;
    drop(started.remove(0));
    let (code, report) = check(&ports, &[], password);
    assert_eq!(code, 2);
    assert!(wrong(&report).contains(&"sentinel/answers critical".to_owned()), "{:?}", wrong(&report));
}

#[test]
#[cfg_attr(
    not(all(real_neighbours, real_pika)),
    ignore = "needs redis-sentinel and Pika: set PIKADOCTOR_NEIGHBOURS=1 and PIKADOCTOR_PIKA_HOME"
)]
fn over_a_real_pika() {
    let directory = tempfile::tempdir().unwrap();
    let (master, replica, lines) = pair();
    let (_started, ports) = sentinels(directory.path(), 3, &lines);
    let mut last = Value::Null;
    wait("the Sentinels know each other and the replica", || {
        last = check(&ports, &[], "").1;
        wrong(&last).is_empty()
    });
    let names = |report: &Value, of: &str| -> Vec<String> {
        let all = report["facts"][of].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&last, "nodes"), [master.address(), replica.address()]);
    assert_eq!(names(&last, "links"), [format!("{} <- {}", replica.address(), master.address())]);

    // A quorum that is never reached, on one of them.
    let set = Command::new("redis-cli")
        .args(["-p", &ports[0].to_string(), "sentinel", "set", "demo-1", "quorum", "4"])
        .output()
        .unwrap();
    assert!(set.status.success());
    let (code, report) = check(&ports, &[], "");
    assert_eq!(code, 2);
    let expected = ["sentinel/agreement warning", "sentinel/quorum critical"];
    assert_eq!(wrong(&report), expected, "{report:#}");

    // The master dies. What the Sentinels do then is seen, and that nothing is left to take over again.
    let (old, new) = (master.address(), replica.address());
    drop(master);
    wait("the replica is promoted", || {
        last = check(&ports, &[], "").1;
        last["facts"]["watched"][0]["masters"] == serde_json::json!([new])
    });
    wait("the old master is found down", || {
        last = check(&ports, &[], "").1;
        wrong(&last).contains(&"sentinel/state warning".to_owned())
    });
    assert!(wrong(&last).contains(&"sentinel/candidates critical".to_owned()), "{:?}", wrong(&last));
    let findings = last["findings"].as_array().unwrap();
    let reach =
        findings.iter().find(|f| f["check"] == "node/reachable" && f["target"] == old.as_str()).unwrap();
    assert_eq!(reach["state"], "critical");
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs redis-sentinel: set PIKADOCTOR_NEIGHBOURS=1")]
fn over_simulated_pikas() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for release in ["2.3.6", "3.5.5"] {
        let scenario = scenarios::named(&format!("healthy-pair-{release}")).unwrap();
        let knowledge = Arc::new(built_in().knowledge.clone());
        let mut stage = runtime.block_on(Stage::start(scenario, &knowledge)).unwrap();
        let (master, replica) = (stage.addresses["master"], stage.addresses["replica"]);
        let lines = format!(
            "sentinel monitor demo-1 {} {} 2\nsentinel down-after-milliseconds demo-1 3000\n",
            master.ip(),
            master.port()
        );
        let directory = tempfile::tempdir().unwrap();
        let (_started, ports) = sentinels(directory.path(), 3, &lines);
        // They find each other by what they publish there, and the replica by INFO.
        let mut last = Value::Null;
        wait("the Sentinels know each other and the replica", || {
            last = check(&ports, &[], "").1;
            last["facts"]["watched"][0]["sentinels"] == 3 && state(&last, "sentinel/candidates") == "ok"
        });
        runtime.block_on(async { stage.stop("replica") });
        let mut text = String::new();
        wait("the replica is found down", || {
            last = check(&ports, &[], "").1;
            let findings = last["findings"].as_array().unwrap();
            let finding = findings.iter().find(|finding| finding["check"] == "sentinel/candidates");
            text = finding.unwrap().to_string();
            // It is `disconnected` first.
            text.contains(&format!("{replica} is s_down"))
        });
        assert_eq!(state(&last, "sentinel/candidates"), "critical", "{release}: {text}");
        assert!(!text.contains("slave-priority 100"), "{release}: {text}");
    }
}

/// The state of a check that has one finding.
fn state<'r>(report: &'r Value, check: &str) -> &'r str {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check).unwrap()["state"].as_str().unwrap()
}
