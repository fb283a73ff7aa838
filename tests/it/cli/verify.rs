//! `verify` and `merge` as a person or a job calls them: what is refused, what reports of parts come to, and the gate of a
//! plan that wants to see them.

use std::fs;
use std::path::{Path, PathBuf};

use pikadoctor::model::facts::{self, Facts};
use pikadoctor::model::verification::{
    ComparedServer, DataType, DifferenceCounts, DifferenceKind, KeyDifference, Shard, SharedPrefix,
    TypeCounts, Verification,
};

use crate::support::site::{LOOPBACK, Site, check_plan, findings, has};
use crate::support::{Run, pikadoctor, recording, serve};

fn verify(arguments: &[&str]) -> Run {
    Run::of(pikadoctor().arg("verify").args(arguments))
}

fn merge(files: &[PathBuf], more: &[&str]) -> Run {
    Run::of(pikadoctor().arg("merge").args(files).args(more))
}

/// Wrong usage is 3 with a sentence, and nothing is asked or printed.
fn refused(run: &Run, sentence: &str) {
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    assert!(run.stderr.contains(sentence), "{sentence}: {}", run.stderr);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let pair = ["127.0.0.1:1", "127.0.0.1:2"];
    for (more, sentence) in [
        (["--rate", "0"], "0 is not in 1.."),
        (["--rate", "-5"], "unexpected argument '-5'"),
        (["--rate", "fast"], "invalid digit"),
        (["--sample", "0"], "0 is not in 1.."),
        (["--rounds", "0"], "0 is not in 1..=1000"),
        (["--shard", "0/4"], "the parts are 1/4 to 4/4"),
        (["--shard", "5/4"], "the parts are 1/4 to 4/4"),
        (["--shard", "1/0"], "there can be 1 to 4096 parts"),
        (["--shard", "1/5000"], "there can be 1 to 4096 parts"),
        (["--shard", "2"], "such as 2/8"),
        (["--shard", "a/b"], "such as 2/8"),
        (["--level", "deep"], "possible values: exists, length, value"),
        (["--life-tolerance", "soon"], "`soon` is not a duration"),
        (["--state", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--differences", "/nowhere/at/all"], "/nowhere/at/all"),
        (["-f", "plan.yaml"], "cannot be used with"),
    ] {
        refused(&verify(&[&pair[..], &more[..]].concat()), sentence);
    }
    refused(&verify(&["127.0.0.1:1"]), "<TARGET>");
    refused(&verify(&["127.0.0.1:1", "127.0.0.1:1"]), "127.0.0.1:1 would be compared with itself");
    refused(&verify(&["127.0.0.1:1,127.0.0.1:1", "127.0.0.1:2"]), "127.0.0.1:1 is named twice");
    refused(&verify(&["127.0.0.1:1,", "127.0.0.1:2"]), "invalid value '127.0.0.1:1,'");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("one").to_str().unwrap().to_owned();
    refused(
        &verify(&[&pair[..], &["--state", &file, "--differences", &file]].concat()),
        "--state and --differences name the same file",
    );
}

#[test]
fn a_server_that_does_not_answer_or_is_the_other_one_leaves_it_unknown() {
    let server = serve(recording("v3.3.6/standalone/standalone"));
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let host = server.address.rsplit_once(':').unwrap().0.to_owned();
    let dead = verify(&[&server.address, &crate::support::closed_address(), "--format", "json"]);
    assert_eq!(dead.code, 3, "{}", dead.stderr);
    assert!(has(&dead, "unknown", "verify/compared"), "{:?}", findings(&dead));
    if host == "127.0.0.1" {
        let twice = verify(&[&server.address, &format!("localhost:{port}"), "--format", "json"]);
        assert_eq!(twice.code, 3, "{}", twice.stderr);
        assert!(twice.stdout.contains("verify-same-server"), "{}", twice.stdout);
    }
}

fn part(number: u32, of: u32) -> Verification {
    let server =
        |name: &str| ComparedServer { name: name.to_owned(), release: "2.3.6".to_owned(), run_id: None };
    Verification {
        name: "10.0.0.2:9221 <- 10.0.0.1:9221".to_owned(),
        sources: vec![server("10.0.0.1:9221")],
        targets: vec![server("10.0.0.2:9221")],
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        ended_at: "2026-01-01T00:10:00Z".to_owned(),
        is_complete: true,
        shard: Some(Shard { number, of }),
        counts: vec![TypeCounts {
            db: "db0".to_owned(),
            kind: DataType::Hash,
            on_source: 50,
            on_target: 50,
            compared: 50,
            differences: DifferenceCounts::default(),
            expired: 0,
            settled: 0,
            unread: 0,
            changed: 0,
        }],
        ..Verification::default()
    }
}

fn with_a_missing_key(mut verification: Verification) -> Verification {
    verification.different = 1;
    verification.counts[0].differences.missing = 1;
    verification.counts[0].on_target -= 1;
    verification.prefixes = vec![SharedPrefix { prefix: "user:".to_owned(), keys: 1 }];
    verification.examples = vec![KeyDifference {
        db: "db0".to_owned(),
        kind: DataType::Hash,
        key: "user:17".to_owned(),
        difference: DifferenceKind::Missing,
        source: Some("hash of 3".to_owned()),
        target: None,
        server: None,
    }];
    verification
}

fn file(directory: &Path, name: &str, verification: Verification) -> PathBuf {
    let facts = Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: "2026-01-01T00:00:00Z".to_owned(),
        verifications: vec![verification],
        ..Facts::default()
    };
    let path = directory.join(name);
    fs::write(&path, serde_json::to_string(&facts).unwrap()).unwrap();
    path
}

#[test]
fn parts_that_make_a_whole_are_judged_as_one_comparison() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let (one, two) = (file(at, "1.json", part(1, 2)), file(at, "2.json", part(2, 2)));
    let equal = merge(&[two.clone(), one.clone()], &[]);
    assert_eq!(equal.code, 0, "{}{}", equal.stdout, equal.stderr);
    assert!(equal.stdout.contains("100 keys compared by length"), "{}", equal.stdout);

    let missing = file(at, "missing.json", with_a_missing_key(part(2, 2)));
    let different = merge(&[one.clone(), missing], &[]);
    assert_eq!(different.code, 2, "{}", different.stdout);
    for text in ["verify/missing", "1 of 100 keys", "1 hash in db0", "user:17", "user: (1)"] {
        assert!(different.stdout.contains(text), "{text}: {}", different.stdout);
    }

    let stopped = file(at, "stopped.json", Verification { is_complete: false, ..part(2, 2) });
    assert_eq!(merge(&[one.clone(), stopped], &[]).code, 3);
    let empty = |number| Verification { counts: Vec::new(), ..part(number, 2) };
    let nothing = merge(&[file(at, "e1.json", empty(1)), file(at, "e2.json", empty(2))], &[]);
    assert_eq!(nothing.code, 3, "zero keys are never equal: {}", nothing.stdout);

    // The report of a merge is a report, and its exit code is the same in every format.
    for format in ["json", "short", "nagios", "markdown", "junit", "sarif", "tap", "prometheus", "github"] {
        assert_eq!(merge(&[one.clone(), two.clone()], &["--format", format]).code, 0, "{format}");
    }
}

#[test]
fn gaps_overlaps_other_runs_and_junk_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let one = file(at, "1.json", part(1, 3));
    let two = file(at, "2.json", part(2, 3));
    refused(&merge(&[one.clone(), two.clone()], &[]), "part 3 of 3 is not there");
    refused(&merge(&[one.clone(), two.clone(), one.clone()], &[]), "are both part 1 of 3");
    let of_four = file(at, "4.json", part(3, 4));
    refused(&merge(&[one.clone(), two.clone(), of_four], &[]), "the number of parts is `3` in the first");
    let other_level =
        Verification { level: pikadoctor::model::verification::CompareLevel::Value, ..part(3, 3) };
    let other_level = file(at, "level.json", other_level);
    refused(&merge(&[one.clone(), two.clone(), other_level], &[]), "the level is `length`");
    let whole = file(at, "whole.json", Verification { shard: None, ..part(1, 1) });
    refused(&merge(&[whole], &[]), "without --shard");
    let of_nothing = at.join("facts.json");
    fs::write(
        &of_nothing,
        r#"{"schema":"pikadoctor.facts/1","collected_at":"2026-01-01T00:00:00Z","nodes":[]}"#,
    )
    .unwrap();
    refused(&merge(&[of_nothing], &[]), "no data was compared in it");
    let junk = at.join("junk.json");
    for text in ["", "{", "[1,2]", "{\"schema\":\"other/1\"}", "\u{1f}\u{8b}"] {
        fs::write(&junk, text).unwrap();
        refused(&merge(&[one.clone(), junk.clone()], &[]), "junk.json");
    }
    refused(&merge(&[at.join("nowhere.json")], &[]), "nowhere.json");
    refused(&merge(&[], &[]), "<REPORT.json>");
}

#[test]
fn a_plan_can_want_to_see_that_the_data_were_compared() {
    let site = Site::of("healthy-pair-2.3.6");
    let (master, replica) = (site.address("master"), site.address("replica"));
    let compared = |shard: Option<Shard>, ended_at: &str, release: &str| {
        let server =
            |name: &String| ComparedServer { name: name.clone(), release: release.to_owned(), run_id: None };
        let verification = Verification {
            name: format!("{replica} <- {master}"),
            sources: vec![server(&master)],
            targets: vec![server(&replica)],
            shard,
            ended_at: ended_at.to_owned(),
            ..part(1, 1)
        };
        file(site.directory.path(), "data.json", verification)
    };
    let waived = format!("waivers:\n{LOOPBACK}");
    let wanted = format!("{waived}verified: {{reports: [data.json], max_age: 2h}}\nrequire: [verify]\n");
    let check = |more: &str| {
        let plan = site.pair_plan("", "", more);
        check_plan(&plan, &["--format", "json", "--read-only", "--no-ports"])
    };
    let now = jiff::Timestamp::now().to_string();

    let run = check(&format!("{waived}require: [verify]\n"));
    assert!(has(&run, "unknown", "require/verify"), "{:?}", findings(&run));
    compared(None, &now, "2.3.6");
    let run = check(&wanted);
    assert!(!has(&run, "unknown", "require/verify"), "{:?}", findings(&run));
    assert!(has(&run, "ok", "verify/compared"), "{:?}", findings(&run));
    for (shard, when, release, note) in [
        (None, "2026-01-01T00:00:00Z", "2.3.6", "compared at 2026-01-01T00:00:00Z"),
        (Some(Shard { number: 1, of: 2 }), now.as_str(), "2.3.6", "only part 1 of 2"),
        (None, now.as_str(), "2.3.3", "was 2.3.3 when its data was compared"),
        (None, "yesterday", "2.3.6", "not known when"),
        (None, "2999-01-01T00:00:00Z", "2.3.6", "compared at 2999"),
    ] {
        compared(shard, when, release);
        let run = check(&wanted);
        assert!(has(&run, "unknown", "require/verify"), "{note}: {:?}", findings(&run));
        assert!(run.stdout.contains(note), "{note}: {}", run.stdout);
    }
    // What differs fails the gate, whether it is required or not.
    let different = Verification { name: format!("{replica} <- {master}"), ..with_a_missing_key(part(1, 1)) };
    file(site.directory.path(), "data.json", Verification { shard: None, ..different });
    let run = check(&format!("{waived}verified: {{reports: [data.json]}}\n"));
    assert!(has(&run, "critical", "verify/missing"), "{:?}", findings(&run));
    assert_eq!(run.code, 2);

    for (plan, sentence) in [
        ("verified: {reports: [nowhere.json]}\n", "nowhere.json"),
        ("verified: {reports: [data.json], max_age: 24}\n", "`24` is not a duration"),
        ("verified: {}\n", "reports"),
        ("require: [verified]\n", "`verified` is not a word here; did you mean `verify`?"),
    ] {
        refused(&check(plan), sentence);
    }
}
