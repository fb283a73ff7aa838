//! A plan of two real servers: NO-GO while the full copy runs, GO as soon as it is done. Run with
//! `PIKADOCTOR_PIKA_HOME`; ignored elsewhere.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pikadoctor;
use crate::support::real::{Pika, versions};

/// Enough that a full copy is seen to run: keys of 10 KB.
const KEYS: usize = 6000;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);

fn fill(pika: &Pika) {
    let value = "x".repeat(10_000);
    let names: Vec<String> = (0..KEYS).map(|number| format!("key{number}")).collect();
    for names in names.chunks(500) {
        let commands: Vec<[&str; 3]> =
            names.iter().map(|name| ["SET", name.as_str(), value.as_str()]).collect();
        let commands: Vec<&[&str]> = commands.iter().map(<[&str; 3]>::as_slice).collect();
        pika.converse(&commands);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs Pika servers: set PIKADOCTOR_PIKA_HOME")]
fn go_comes_within_an_interval_of_the_full_copy_being_done() {
    for version in versions() {
        let loopback = [("network-interface", "lo")];
        let (master, replica) = (Pika::start(&version, &loopback), Pika::start(&version, &loopback));
        fill(&master);
        let directory = tempfile::tempdir().unwrap();
        let plan = directory.path().join("plan.yaml");
        let text = format!(
            "nodes:\n  old: {{addr: \"{}\", release: \"{version}\", role: master}}\n  new: {{addr: \"{}\", role: replica}}\n\
             links:\n  - {{from: old, to: new, max_lag: {{bytes: 1MiB, time: 2s}}}}\n",
            master.address(),
            replica.address()
        );
        // 4.0.1 calls itself 4.0.0.
        fs::write(&plan, text.replace("\"4.0.1\"", "\"4.0.0+\"")).unwrap();
        replica.ask(&["SLAVEOF", "127.0.0.1", &master.port.to_string(), "force"]);
        let child = pikadoctor()
            .args([
                "check",
                "--wait",
                "3m",
                "--every",
                "1s",
                "--canary-timeout",
                "1s",
                "--fail-on",
                "critical",
                "-f",
            ])
            .arg(&plan)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let last = format!("key{}", KEYS - 1);
        let began = Instant::now();
        // 4.0.1 was seen to wait a minute for an answer of its master after the data had come.
        let up = || replica.ask(&["INFO", "replication"]).contains("master_link_status:up");
        while replica.ask(&["STRLEN", &last]).trim() != ":10000" || !up() {
            assert!(began.elapsed() < Duration::from_secs(120), "{version}: the copy does not end");
            thread::sleep(Duration::from_millis(50));
        }
        let done = Instant::now();
        let output = child.wait_with_output().unwrap();
        let late = done.elapsed();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        println!("{version}: copy {:?}, GO {late:?} later\n{err}", done - began);
        assert_eq!(output.status.code(), Some(0), "{version}: {out}{err}");
        assert!(out.contains("\nGO  "), "{version}: {out}");
        // The look that saw the end of the copy too early, the interval, and two looks: one at what was not ok, one at
        // everything.
        assert!(late < EVERY + Duration::from_secs(10), "{version}: {late:?}\n{err}");
        assert!(err.contains("critical"), "{version}: the copy was seen to run:\n{err}");
        assert!(!err.contains('\u{1b}') && !err.contains('\r'), "{version}: {err:?}");
    }
}
