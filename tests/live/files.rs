//! The files of real servers: their configuration beside the running values, and their logs.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::hosts::Judged;
use crate::support::pikadoctor;
use crate::support::real::{Pika, home, versions};
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

/// What `host` says of a server that is to be started.
fn before_a_start(pika: &Pika, version: &str) -> Value {
    let conf = pika.directory.path().join("pika.conf");
    let mut command = pikadoctor();
    command.args(["host", "--conf", conf.to_str().unwrap(), "--pika-version", version]);
    Judged::of(command.current_dir(pika.directory.path())).0
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_binlog_file_that_is_gone_is_named_before_the_start_that_ends_with_it() {
    for version in versions() {
        let mut pika = Pika::start(&version, &[("binlog-file-size", "1048576")]);
        let value = "x".repeat(200_000);
        for number in 0..8 {
            pika.ask(&["SET", &format!("key:{number}"), &value]);
        }
        let flat = version.starts_with("2.") || version.starts_with("3.0.");
        let directory = pika.directory.path().join(if flat { "log" } else { "log/log_db0" });
        let file = directory.join("write2file1");
        let running = |pika: &Pika| finding(&pika.report(&[]), "host/binlog-files");
        assert_eq!(running(&pika).0, "ok", "{version}");
        fs::remove_file(&file).unwrap();
        let (state, texts) = running(&pika);
        assert_eq!(state, "critical", "{version}: {texts}");
        assert!(texts.contains("the next start ends"), "{version}: {texts}");
        pika.end();
        thread::sleep(Duration::from_secs(1));
        let (state, texts) = finding(&before_a_start(&pika, &version), "host/binlog-files");
        assert_eq!(state, "critical", "{version}: {texts}");
        assert!(
            texts.contains("write2file1") && texts.contains("a start ends with it"),
            "{version}: {texts}"
        );
        // The server says so too late.
        let conf = pika.directory.path().join("pika.conf");
        let mut start = Command::new(home().join(&version).join("pika"));
        let ended = start.arg("-c").arg(conf).current_dir(pika.directory.path()).output().unwrap();
        assert!(!ended.status.success(), "{version}");
        // What is advised lets it start, with its data.
        let aside = directory.parent().unwrap().join("put.aside");
        fs::create_dir(&aside).unwrap();
        for name in ["manifest", "write2file0"] {
            fs::rename(directory.join(name), aside.join(name)).unwrap();
        }
        assert_eq!(finding(&before_a_start(&pika, &version), "host/binlog-files").0, "ok", "{version}");
        pika.start_again(&version);
        assert!(pika.ask(&["GET", "key:7"]).contains(&value[..100]), "{version}");
        assert_eq!(running(&pika).0, "ok", "{version}");
    }
}
