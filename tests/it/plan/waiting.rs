//! `check -f PLAN --wait` ends when everything is there, when nothing helps, when its time is over, and by hand.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::site::{Site, check_plan};
use crate::support::{own_address, pikadoctor, recording, serve_at};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn waiting_ends_with_go_as_soon_as_everything_is_there() {
    let site = Site::empty();
    // Nothing else may take the address in the meantime.
    let address = format!("{}:9221", own_address());
    let plan = site.write("plan.yaml", &format!("nodes:\n  late: {{addr: \"{address}\"}}\n"));
    let mut child = pikadoctor()
        .args(["check", "--no-ports", "--wait", "10m", "--every", "300ms", "-f"])
        .arg(&plan)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first round is over when it has said what it found.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    stderr.read_line(&mut err).unwrap();
    let _server = serve_at(recording("v3.5.5/standalone/standalone"), &address);
    let there = Instant::now();
    stderr.read_to_string(&mut err).unwrap();
    let output = child.wait_with_output().unwrap();
    let took = there.elapsed();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("\nGO  ") && out.contains(" looks in "), "{out}");
    // A round each 300 ms sees it, on a busy machine some of them; a wait that did not look again would last ten minutes.
    assert!(took < Duration::from_secs(60), "{took:?}");
    // One line for each change of state, and nothing that only a terminal understands.
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].contains("critical  node/reachable: ") && lines[1].ends_with("critical -> ok"), "{err}");
    assert!(!err.contains('\u{1b}') && !err.contains('\r'), "{err:?}");
}

#[test]
fn waiting_ends_when_it_cannot_help() {
    let site = Site::of("healthy-pair-3.5.5");
    let plan = site.pair_plan(", release: 3.5.4", "", "");
    let began = Instant::now();
    let run = check_plan(&plan, &["--wait", "10m", "--every", "200ms"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(run.code, 2, "{}", run.text());
    assert!(
        run.stdout.contains("NO-GO") && run.stdout.contains("waiting does not change what is wrong"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("plan/release"), "{}", run.stdout);
}

#[test]
fn waiting_ends_when_its_time_is_over() {
    let site = Site::empty();
    let plan = site.write("plan.yaml", "nodes:\n  nobody: {addr: \"127.0.0.1:1\"}\n");
    let run = check_plan(&plan, &["--wait", "1500ms", "--every", "300ms", "--format", "json"]);
    assert_eq!(run.code, 2, "{}", run.text());
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&report["gate"]["verdict"], &report["gate"]["ended"]),
        (&"no-go".into(), &"time-over".into())
    );
    assert!(report["gate"]["rounds"].as_u64().unwrap() > 2, "{}", report["gate"]);
}

#[test]
fn a_wait_that_is_stopped_says_what_it_saw_last() {
    let site = Site::empty();
    let plan = site.write("plan.yaml", "nodes:\n  nobody: {addr: \"127.0.0.1:1\"}\n");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut child = pikadoctor()
            .args(["check", "--wait", "10m", "--every", "10m", "-f"])
            .arg(&plan)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The first look is over when it has told what it found.
        let mut first = [0; 1];
        child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let sent = Instant::now();
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        // A wait that did not hear the signal would go on for ten minutes.
        assert!(sent.elapsed() < Duration::from_secs(30), "{signal}: {:?}", sent.elapsed());
        assert_eq!(output.status.code(), Some(3), "{signal}: {out}");
        assert!(out.contains("NO-GO") && out.contains("stopped by hand"), "{signal}: {out}");
        assert!(out.contains("CRITICAL  node/reachable"), "{signal}: {out}");
    }
}
