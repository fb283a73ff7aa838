//! The files of real servers: their configuration beside the running values, and their logs.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::support::real::{Pika, versions};
use serde_json::Value;

/// State and texts of a check.
fn finding(report: &Value, check: &str) -> (String, String) {
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check} in {report:#}"));
    (found["state"].as_str().unwrap().to_owned(), found.to_string())
}

fn state(report: &Value, check: &str) -> String {
    finding(report, check).0
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_fresh_server_runs_with_its_file_and_a_changed_one_does_not() {
    const SECRET: &str = "pl4nted-secret";
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        let fresh = pika.report(&[]);
        for check in ["drift/values", "drift/passwords", "drift/slaveof"] {
            let (state, texts) = finding(&fresh, check);
            assert_eq!(state, "ok", "{version}: {texts}");
        }
        assert!(fresh["facts"]["conf_drifts"][0]["compared"].as_u64().unwrap() > 10, "{version}");

        pika.converse(&[&["CONFIG", "SET", "timeout", "123"], &["CONFIG", "SET", "masterauth", SECRET]]);
        let changed = pika.report(&[]);
        let (state, texts) = finding(&changed, "drift/values");
        assert_eq!(state, "warning", "{version}: {texts}");
        assert!(texts.contains("timeout is 123 in the server and 60 in"), "{version}: {texts}");
        let (state, texts) = finding(&changed, "drift/passwords");
        assert_eq!(state, "warning", "{version}: {texts}");
        assert!(!changed.to_string().contains(SECRET), "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_slaveof_that_a_restart_brings_back() {
    for version in versions() {
        // Nobody listens on port 1; a master that is not there is enough for a line in the file.
        let pika = Pika::start(&version, &[("slaveof", "127.0.0.1:1")]);
        assert_eq!(
            state(&pika.report(&[]), "drift/slaveof"),
            "ok",
            "{version}: it follows whom the file names"
        );
        pika.ask(&["SLAVEOF", "NO", "ONE"]);
        thread::sleep(Duration::from_secs(4));
        let (state, texts) = finding(&pika.report(&[]), "drift/slaveof");
        assert_eq!(state, "critical", "{version}: {texts}");
        assert!(texts.contains("slaveof 127.0.0.1:1"), "{version}: {texts}");
        pika.ask(&["CONFIG", "REWRITE"]);
        thread::sleep(Duration::from_secs(1));
        let (state, texts) = finding(&pika.report(&[]), "drift/slaveof");
        // Measured: 2.3.x keeps the line.
        let kept = if version.starts_with("2.3.") { "critical" } else { "ok" };
        assert_eq!(state, kept, "{version} after CONFIG REWRITE: {texts}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn the_log_of_a_replica_with_a_wrong_password() {
    const SECRET: &str = "wr0ng-secret";
    for version in ["2.3.6", "3.3.6", "3.5.5"] {
        let master = Pika::start(version, &[("requirepass", "right-secret")]);
        let replica = Pika::start(version, &[("masterauth", SECRET)]);
        replica.ask(&["SLAVEOF", "127.0.0.1", &master.port.to_string()]);
        let log = |pika: &Pika| pika.directory.path().join("log").to_string_lossy().into_owned();
        let (own, other) = (log(&replica), log(&master));
        let mut seen = String::new();
        for _ in 0..20 {
            thread::sleep(Duration::from_secs(1));
            let run = replica.check(&["--logs", &own, "--master-logs", &other, "--format", "json"]);
            assert!(!run.stdout.contains(SECRET) && !run.stdout.contains("right-secret"), "{version}");
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            seen = state(&report, "log/authentication");
            if seen == "critical" {
                break;
            }
        }
        let lines = fs::read_to_string(format!("{own}/pika.INFO")).unwrap_or_default();
        assert_eq!(seen, "critical", "{version}: {lines}");
    }
}
