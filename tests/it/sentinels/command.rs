//! `check --sentinel`: what answers, what is sent, what is kept, and what is never shown.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::proxy::relay;
use crate::support::sentinel::{RecordedSet, encode};
use crate::support::{Run, answering, closed_address, listener, pikadoctor, recording, run, serve};
use serde_json::{Value, json};

const FORMATS: [&str; 10] =
    ["human", "json", "nagios", "prometheus", "junit", "sarif", "github", "markdown", "tap", "short"];

fn check(sentinel: &str, arguments: &[&str]) -> Run {
    let arguments: Vec<&str> = ["check", "--sentinel", sentinel].iter().chain(arguments).copied().collect();
    run(&arguments)
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn state(report: &Value, check: &str) -> Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check).unwrap_or(&Value::Null)["state"].clone()
}

#[test]
fn what_is_no_sentinel_is_told_in_a_sentence() {
    let pika = serve(recording("v3.5.5/standalone/standalone"));
    let redis = serve(recording("other/redis-7/standalone/standalone"));
    let locked = serve(recording("other/redis-7/auth/unauthenticated"));
    let http = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    for (address, code, sentence) in [
        (&pika.address, 2, "Pika 3.5.5 answers at"),
        (&redis.address, 2, "Redis 7.0.15 answers at"),
        (&locked.address, 3, "PIKADOCTOR_SENTINEL_PASSWORD"),
        (&http, 2, "HTTP/1.1 400"),
    ] {
        let run = check(address, &[]);
        assert_eq!(run.code, code, "{address}: {}", run.stdout);
        assert!(run.text().contains(sentence), "{sentence}: {}", run.stdout);
    }
}

#[test]
fn what_does_not_answer_ends_in_time_and_is_critical() {
    let refused = closed_address();
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
    let closing = listener(drop);
    let stalling = answering(b"$100000\r\n# Server\r\n");
    let endless = listener(|mut stream| while stream.write_all(&[b'$'; 8192]).is_ok() {});
    for address in [refused, silent, closing, stalling, endless] {
        let began = Instant::now();
        let run = check(&address, &["--reply-timeout", "1s", "--format", "json"]);
        assert!(began.elapsed() < Duration::from_secs(15), "{address}");
        assert_eq!(run.code, 2, "{address}: {}", run.stdout);
        assert_eq!(state(&report(&run), "sentinel/answers"), "critical", "{address}");
    }
}

#[test]
fn answers_of_another_shape_are_unknown_and_never_ok() {
    for answer in [
        json!("ERR!ERR unknown command"),
        json!(7),
        json!([7]),
        json!([["name", "demo-1"]]),
        json!([["name", "demo-1", "ip", "10.0.0.1", "port", "99999"]]),
        json!(vec![["name", "x"]; 5000]),
    ] {
        let mut set = RecordedSet::load("three-over-pika-3.5.5");
        set.answer(0, "sentinel masters", &answer);
        let _served = set.serve();
        let run = check(&set.sentinels()[0], &["--format", "json"]);
        assert_eq!(state(&report(&run), "sentinel/watches"), "unknown", "{answer}: {}", run.stdout);
        assert_eq!(run.code, 3, "{answer}");
    }
    // The replicas: nothing is concluded from a list that is not there.
    let mut set = RecordedSet::load("three-over-pika-3.5.5");
    set.answer(0, "sentinel slaves demo-1", &json!("ERR!ERR no"));
    let _served = set.serve();
    let run = check(&set.sentinels()[0], &["--format", "json", "--sentinel-only"]);
    for id in ["sentinel/candidates", "sentinel/replicas", "sentinel/ready-replicas"] {
        assert_eq!(state(&report(&run), id), "unknown", "{id}: {}", run.stdout);
    }
}

#[test]
fn text_of_a_sentinel_does_not_reach_the_terminal_as_it_is() {
    let mut set = RecordedSet::load("three-over-pika-3.5.5");
    let escape = "\u{1b}]0;gotcha\u{7}\u{202e}x";
    set.change(0, "sentinel masters", |reply| reply[0][1] = json!(escape));
    let _served = set.serve();
    for format in FORMATS {
        let run = check(&set.sentinels()[0], &["--format", format, "-v"]);
        assert!(!run.stdout.contains(['\u{1b}', '\u{7}']), "{format}: {:?}", run.stdout);
        // The facts of JSON keep what came, as JSON writes it.
        assert!(format == "json" || !run.stdout.contains('\u{202e}'), "{format}: {:?}", run.stdout);
    }
}

#[test]
fn passwords_are_in_no_output() {
    const SECRETS: [&str; 2] = ["planted-of-sentinel", "planted-of-server"];
    let set = RecordedSet::load("three-over-pika-3.5.5");
    let _served = set.serve();
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("bundle");
    let command = |arguments: &[&str]| {
        let run = Run::of(
            pikadoctor()
                .args(arguments)
                .args(["--sentinel", &set.sentinels()[0]])
                .env("PIKADOCTOR_SENTINEL_PASSWORD", SECRETS[0])
                .env("PIKADOCTOR_PASSWORD", SECRETS[1]),
        );
        for secret in SECRETS {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{arguments:?}: {run:?}");
        }
        run
    };
    for format in FORMATS {
        let run = command(&["check", "-v", "--format", format]);
        assert_eq!(run.code, 2, "the recorded Sentinel refuses every password: {}", run.stdout);
    }
    assert!(command(&["check"]).text().contains("the Sentinel refuses the password"));
    assert_eq!(command(&["capture", "-o", bundle.to_str().unwrap()]).code, 0);
    let kept = run(&["check", "--from", bundle.to_str().unwrap(), "--format", "json"]);
    for secret in SECRETS {
        assert!(!kept.stdout.contains(secret), "{}", kept.stdout);
    }
}

#[test]
fn only_commands_that_read_are_sent() {
    let set = RecordedSet::load("three-over-pika-3.5.5");
    let _served = set.serve();
    let relayed = relay(&set.sentinels()[0]);
    let run = Run::of(
        pikadoctor()
            .args(["check", "--sentinel", &relayed.address])
            .env("PIKADOCTOR_SENTINEL_PASSWORD", "word"),
    );
    assert_eq!(run.code, 2, "the recorded Sentinel refuses every password: {}", run.stdout);
    let commands = [
        json!(["auth", "word"]),
        json!(["info", "server"]),
        json!(["info", "sentinel"]),
        json!(["sentinel", "myid"]),
        json!(["sentinel", "masters"]),
        json!(["sentinel", "slaves", "demo-1"]),
        json!(["sentinel", "sentinels", "demo-1"]),
        json!(["sentinel", "ckquorum", "demo-1"]),
    ];
    assert_eq!(relayed.sent(), [commands.iter().map(encode).collect::<String>()]);
    // To a server that is no Sentinel goes nothing that is meant for one.
    let pika = serve(recording("v3.5.5/standalone/standalone"));
    let relayed = relay(&pika.address);
    check(&relayed.address, &[]);
    assert_eq!(relayed.sent(), [encode(&json!(["info", "server"]))]);
}

#[test]
fn a_bundle_is_judged_as_the_sentinels_were() {
    let mut set = RecordedSet::load("three-over-pika-3.5.5");
    set.set_all("sentinel masters", "quorum", "4");
    let _served = set.serve();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sentinels.bundle");
    let bundle = path.to_str().unwrap();
    let sentinels: Vec<String> =
        set.sentinels().into_iter().flat_map(|address| ["--sentinel".to_owned(), address]).collect();
    let captured = Run::of(pikadoctor().args(["capture", "-o", bundle]).args(&sentinels));
    assert_eq!(captured.code, 0, "{captured:?}");
    assert!(captured.stdout.contains("2 of 2 servers, links: 1, Sentinels: 3"), "{}", captured.stdout);
    let from = run(&["check", "--from", bundle, "--format", "json"]);
    assert_eq!(from.code, 2);
    let seen = Run::of(pikadoctor().args(["check", "--format", "json"]).args(&sentinels));
    let (from, seen) = (report(&from), report(&seen));
    let of_sentinels = |report: &Value| -> Vec<Value> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .filter(|finding| finding["check"].as_str().unwrap().starts_with("sentinel/"))
            .cloned()
            .collect()
    };
    assert_eq!(state(&from, "sentinel/quorum"), "critical");
    assert_eq!(of_sentinels(&from), of_sentinels(&seen));
    let schema = report(&run(&["schema", "report"]));
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&seen));
}

#[test]
fn wrong_usage_is_refused() {
    for (arguments, sentence) in [
        (&["check", "--sentinel-only", "127.0.0.1:1"][..], "--sentinel"),
        (&["check", "--sentinel", "127.0.0.1:1", "--sentinel", "127.0.0.1:1"], "named twice"),
        (&["check", "--sentinel", "a b"], "host name"),
        (&["check", "--from", "x", "--sentinel", "127.0.0.1:1"], "cannot be used with"),
    ] {
        let run = run(arguments);
        assert_eq!(run.code, 3, "{arguments:?}");
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
    // The port of Sentinels when none is named.
    let run = run(&["check", "--sentinel", "127.0.0.211", "--format", "json"]);
    assert_eq!(report(&run)["facts"]["sentinels"][0]["name"], "127.0.0.211:26379");
}
