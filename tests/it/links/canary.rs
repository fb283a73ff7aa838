//! The canary and the sample: each way in which a write can fail to arrive is told apart, and nothing is
//! left behind.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pair::{Fault, RecordedPair};
use crate::support::{Run, pikadoctor, recording};
use pikadoctor::catalog::built_in;
use pikadoctor::collect::pika::gate::{CANARY, Gate};
use serde_json::Value;

/// A recorded pair of 3.5.5 that is up.
fn pair(fault: Fault) -> RecordedPair {
    let of = |node: &str| recording(&format!("v3.5.5/replica-up/{node}"));
    RecordedPair::start(of("master"), of("slave"), fault)
}

fn check(pair: &RecordedPair, arguments: &[&str]) -> (Value, i32) {
    let run = Run::of(
        pikadoctor()
            .args(["check", &pair.replica, "--master", &pair.master, "--no-ports", "--canary-timeout", "2s"])
            .args(arguments)
            .args(["--format", "json"]),
    );
    (serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr)), run.code)
}

fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap()
}

#[test]
fn each_fate_of_a_canary_is_told_apart() {
    for (fault, outcome, state) in [
        (Fault::None, "arrived", "ok"),
        (Fault::Late, "arrived", "ok"),
        (Fault::Lost, "lost", "critical"),
        (Fault::WrongValue, "wrong-value", "critical"),
        (Fault::KeepsDeleted, "not-deleted", "critical"),
        (Fault::MasterReadOnly, "master-read-only", "critical"),
        (Fault::SetNotPermitted, "write-not-permitted", "unknown"),
        (Fault::ExpireNotPermitted, "write-not-permitted", "unknown"),
        (Fault::GetNotPermitted, "read-not-permitted", "unknown"),
        (Fault::ReadFails, "read-failed", "critical"),
        (Fault::Hangup, "broken", "unknown"),
    ] {
        let pair = pair(fault);
        let (report, code) = check(&pair, &[]);
        let canary = &report["facts"]["links"][0]["canary"][0];
        assert_eq!(canary["outcome"], outcome, "{fault:?}: {canary}");
        assert_eq!(finding(&report, "link/canary")["state"], state, "{fault:?}");
        let expected = match state {
            "critical" => 2,
            "unknown" => 3,
            // The recorded servers have another address than the one that is dialled, which is a warning.
            _ => 1,
        };
        assert_eq!(code, expected, "{fault:?}: {:#}", report["findings"][0]);
        assert_eq!(pair.canaries(), [], "{fault:?}: a key is left");
    }
}

/// What comes after the time allowed is no answer to what is asked next: nothing is asked on that connection any more.
#[test]
fn an_answer_that_comes_too_late_is_taken_for_no_other_one() {
    let pair = pair(Fault::LatePositions);
    let (report, code) = check(&pair, &["--reply-timeout", "700ms"]);
    let canary = &report["facts"]["links"][0]["canary"][0];
    assert_eq!(canary["outcome"], "broken", "{canary}");
    assert_eq!(canary["reply"]["text"], "no answer before the deadline", "{canary}");
    assert_eq!(finding(&report, "link/canary")["state"], "unknown");
    assert_eq!(code, 3, "{}", report["findings"]);
    let sent = pair.sent();
    assert!(!sent.iter().any(|line| line.contains(": set ")), "{sent:?}");
}

#[test]
fn the_time_until_it_arrives_is_measured() {
    let (report, _) = check(&pair(Fault::Late), &[]);
    let arrived = report["facts"]["links"][0]["canary"][0]["arrived_seconds"].as_f64().unwrap();
    assert!((0.4..2.0).contains(&arrived), "{arrived}");
    let metric = &finding(&report, "link/canary")["metrics"][0];
    assert_eq!(metric["name"], "canary");
    assert_eq!(metric["value"].as_f64(), Some(arrived));
    let (report, code) = check(&pair(Fault::Late), &["--set", "link/canary.slow_warning=0.5"]);
    assert_eq!(finding(&report, "link/canary")["state"], "warning");
    assert_eq!(code, 1);
}

#[test]
fn set_and_expire_go_out_together_and_nothing_else_is_written() {
    let pair = pair(Fault::None);
    check(&pair, &[]);
    let sent = pair.sent();
    let writes: Vec<&str> = sent
        .iter()
        .map(String::as_str)
        .filter(|line| ["set ", "expire ", "del "].iter().any(|word| line.contains(&format!(": {word}"))))
        .collect();
    let [first, expire, del] = writes.as_slice() else { panic!("{writes:?}") };
    let key = first.split(' ').nth(2).unwrap();
    assert!(first.starts_with("master: set ") && key.starts_with(CANARY), "{first}");
    assert_eq!(*expire, format!("master: expire {key} 300"));
    assert_eq!(*del, format!("master: del {key}"));
}

#[test]
fn read_only_writes_nothing() {
    let pair = pair(Fault::None);
    let (report, _) = check(&pair, &["--read-only"]);
    assert_eq!(finding(&report, "link/canary")["state"], "skipped");
    assert_eq!(finding(&report, "link/sample")["state"], "ok");
    for line in pair.sent() {
        let command = line.split(' ').nth(1).unwrap();
        assert!(!["set", "expire", "del"].contains(&command), "{line}");
    }
}

#[test]
fn nothing_is_written_on_a_double_master_whose_ids_are_not_proven() {
    // As a pair, and as a master that happens to be one half of a pair.
    for (scenario, option) in [
        ("double-master-wrong-id", "--peer"),
        ("double-master-unset-id", "--peer"),
        ("double-master-same-id", "--peer"),
        ("double-master-wrong-id", "--master"),
        // Crossed, and the peer is another server than the one that is named here.
        ("double-master-up", "--master"),
    ] {
        let of = |node: &str| recording(&format!("v2.3.6/{scenario}/{node}"));
        let pair = RecordedPair::start(of("a"), of("b"), Fault::None);
        let run =
            Run::of(pikadoctor().args(["check", &pair.replica, option, &pair.master, "--no-ports"]).args([
                "--canary-timeout",
                "1s",
                "--format",
                "json",
            ]));
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(finding(&report, "link/canary")["state"], "skipped", "{scenario} {option}");
        for line in pair.sent() {
            let command = line.split(' ').nth(1).unwrap();
            assert!(!["set", "expire", "del"].contains(&command), "{scenario} {option}: {line}");
        }
    }
}

#[test]
fn a_forecast_reads_no_key_and_writes_none() {
    let pair = pair(Fault::None);
    let run = Run::of(pikadoctor().args(["forecast", &pair.replica, &pair.master, "--no-ports"]));
    assert!(run.stdout.contains("link/forecast"), "{run:?}");
    for line in pair.sent() {
        let command = line.split(' ').nth(1).unwrap();
        assert!(["info", "config", "acl"].contains(&command), "{line}");
    }
}

#[test]
fn a_tool_that_is_killed_leaves_a_key_with_an_end() {
    let pair = pair(Fault::Lost);
    let mut tool = pikadoctor()
        .args(["check", &pair.replica, "--master", &pair.master, "--no-ports", "--canary-timeout", "20s"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while pair.canaries().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "no canary was written");
        thread::sleep(Duration::from_millis(10));
    }
    tool.kill().unwrap();
    tool.wait().unwrap();
    let canaries = pair.canaries();
    assert!(canaries.iter().all(|(_, expires)| *expires), "{canaries:?}");
    assert_eq!(canaries.len(), 1);
}

#[test]
fn old_keys_that_are_gone_or_shorter_are_found_although_the_canary_arrives() {
    for (fault, state, words) in [
        (Fault::None, "ok", "5 keys compared"),
        (Fault::Busy, "ok", "keys compared"),
        (Fault::Hollow, "critical", "none of 5 keys"),
        (Fault::Shorter, "critical", "master list of 30, replica list of 29"),
    ] {
        let pair = pair(fault);
        let (report, _) = check(&pair, &[]);
        assert_eq!(finding(&report, "link/canary")["state"], "ok", "{fault:?}");
        let sample = finding(&report, "link/sample");
        assert_eq!(sample["state"], state, "{fault:?}: {sample}");
        assert!(sample.to_string().contains(words), "{fault:?}: {sample}");
    }
}

#[test]
fn a_master_that_does_not_list_its_keys_has_not_shown_that_there_are_none() {
    for release in ["v2.3.6", "v3.5.5"] {
        let of = |node: &str| recording(&format!("{release}/replica-up/{node}"));
        let pair = RecordedPair::start(of("master"), of("slave"), Fault::ListNotPermitted);
        let (report, code) = check(&pair, &[]);
        let sample = finding(&report, "link/sample");
        assert_eq!(sample["state"], "unknown", "{release}: {sample}");
        assert!(sample["note"].as_str().unwrap().contains("NOPERM"), "{sample}");
        assert_eq!(code, 3, "{release}");
    }
}

#[test]
fn the_gate_lets_writes_out_for_canaries_only_and_only_when_they_are_allowed() {
    let knowledge = built_in().knowledge;
    let mut gate = Gate::new(&knowledge.commands);
    let canary = format!("{CANARY}0123");
    gate.settle("3.5.5".parse().ok(), false);
    for words in [["set", canary.as_str(), "v"].as_slice(), &["expire", &canary, "300"], &["del", &canary]] {
        assert!(gate.permit(words).is_err(), "{words:?} before it is allowed");
    }
    gate.allow_canaries();
    for words in [["set", canary.as_str(), "v"].as_slice(), &["expire", &canary, "300"], &["del", &canary]] {
        assert!(gate.permit(words).is_ok(), "{words:?}");
        let mut foreign = words.to_vec();
        for key in ["user:1", CANARY, "pikadoctor:canary", "xpikadoctor:canary:1"] {
            foreign[1] = key;
            assert!(gate.permit(&foreign).is_err(), "{foreign:?}");
        }
    }
    for words in [
        ["set", canary.as_str(), "v", "ex", "300"].as_slice(),
        &["setex", &canary, "300", "v"],
        &["del", &canary, "user:1"],
        &["get", "user:1"],
        &["persist", &canary],
    ] {
        assert!(gate.permit(words).is_err(), "{words:?}");
    }
    let sample = |release: &str, words: &[&str]| {
        let mut gate = Gate::new(&knowledge.commands);
        gate.settle(release.parse().ok(), false);
        gate.permit(words).is_ok()
    };
    let range = ["pkscanrange", "hash", "", "", "limit", "40"];
    let scan = ["scan", "0", "count", "199"];
    for (release, by_range, by_scan) in [
        ("2.1.4", false, false),
        ("2.2.0", false, true),
        ("2.3.6", false, true),
        ("3.0.3", false, true),
        ("3.0.4", true, false),
        ("3.3.6", true, false),
        ("3.5.5", true, false),
        ("4.0.1", true, true),
    ] {
        assert_eq!((sample(release, &range), sample(release, &scan)), (by_range, by_scan), "{release}");
    }
}
