//! What `capture` keeps is judged as the server would be; what is no bundle is refused; `diff` says what changed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pair::{Fault, RecordedPair};
use crate::support::{Run, pikadoctor, recording, run, serve};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn a_bundle_is_judged_as_the_servers_were() {
    let of = |node: &str| recording(&format!("v3.5.5/replica-up/{node}"));
    let pair = RecordedPair::start(of("master"), of("slave"), Fault::Lost);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pair.bundle");
    let bundle = path.to_str().unwrap();
    let arguments = ["--master", &pair.master, "--no-ports", "--canary-timeout", "300ms"];
    let captured =
        Run::of(pikadoctor().args(["capture", &pair.replica]).args(arguments).args(["-o", bundle]));
    assert_eq!(captured.code, 0, "{captured:?}");
    assert!(captured.stdout.contains("2 of 2 servers, links: 1"), "{}", captured.stdout);
    let from = run(&["check", "--from", bundle, "--format", "json"]);
    assert_eq!(from.code, 2, "the lost canary is in it: {}", from.stdout);
    let report = json_of(&from);
    let state = |report: &Value, check: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).unwrap()["state"].clone()
    };
    assert_eq!(state(&report, "link/canary"), "critical");
    assert_eq!(state(&report, "link/sample"), "ok");

    // Judged again, from the report this time, it is the same to the letter.
    let report_path = directory.path().join("report.json");
    fs::write(&report_path, &from.stdout).unwrap();
    let again = run(&["check", "--from", report_path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(again.stdout, from.stdout);
    // It is one file, and all of it can be read by whoever knows the schema.
    let schema: Value = serde_json::from_str(&run(&["schema", "bundle"]).stdout).unwrap();
    let bundle: Value = serde_json::from_str(&unpack(&path)).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&bundle));
    assert_eq!(bundle["facts"], report["facts"]);
}

#[test]
fn no_password_is_in_a_bundle_and_equal_ones_can_still_be_told() {
    let server = serve(recording("v3.5.5/auth/standalone-requirepass"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle");
    let captured = Run::of(
        pikadoctor()
            .args(["capture", "--no-ports", &server.address, "-o", path.to_str().unwrap()])
            .env("PIKADOCTOR_PASSWORD", "secret-root"),
    );
    assert_eq!(captured.code, 0, "{captured:?}");
    let text = unpack(&path);
    assert!(!text.contains("secret-root") && !text.contains("secret-user"), "{text}");
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let config = &bundle["facts"]["nodes"][0]["config"];
    assert!(config["requirepass"].as_str().unwrap().starts_with("secret:"), "{config}");
    assert_ne!(config["requirepass"], config["userpass"]);
    assert_eq!(bundle["facts"]["nodes"][0]["authentication"]["matches_requirepass"], true);
}

#[test]
fn what_is_no_bundle_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let gzip = |bytes: &[u8]| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let good = json!({"schema": "pikadoctor.bundle/1", "tool_version": "0.1.0", "facts": {
        "schema": "pikadoctor.facts/1", "collected_at": "2026-01-01T00:00:00Z", "nodes": []}});
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let cut = &gzip(good.to_string().as_bytes())[..40];
    // More than any bundle has, in a few hundred kilobytes.
    let bomb = gzip(&vec![b' '; 300 * 1024 * 1024]);
    for (path, sentence) in [
        (directory.path().join("missing").to_str().unwrap().to_owned(), "cannot read"),
        (write("empty", b""), "not a bundle"),
        (write("text", b"port : 9221\n"), "line 1 column 1"),
        (write("array", b"[1, 2]"), "not a bundle"),
        (write("cut", cut), "cannot read"),
        (write("bomb", &bomb), "more than 64 MiB"),
        (
            write("newer", with("/schema", json!("pikadoctor.bundle/2")).as_bytes()),
            "the schema is `pikadoctor.bundle/2`",
        ),
        (write("facts", with("/facts/schema", json!("x")).as_bytes()), "the schema is `x`"),
        (write("odd", with("/facts/nodes", json!([{"name": 1}])).as_bytes()), "line 1 column"),
        (write("deep", "[".repeat(100_000).as_bytes()), "not a bundle"),
    ] {
        for arguments in [vec!["check", "--from", &path], vec!["diff", &path, &path]] {
            let refused = run(&arguments);
            assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{path}: {refused:?}");
            assert!(refused.stderr.contains(sentence), "{path}: {}", refused.stderr);
            assert!(refused.stderr.contains(&path), "the file is named: {}", refused.stderr);
        }
    }
    // Without any server nothing was judged, and that is no proof of anything.
    assert_eq!(run(&["check", "--from", &write("good", good.to_string().as_bytes())]).code, 3);
    for arguments in [
        &["check", "--from", "x", "10.0.0.1"][..],
        &["check", "--from", "x", "--master", "10.0.0.1"],
        &["capture", "10.0.0.1"],
        &["check"],
    ] {
        assert_eq!(run(arguments).code, 3, "{arguments:?}");
    }
}

#[test]
fn diff_says_what_changed_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let capture = |name: &str, port: &str, recording_name: &str| {
        // The server before this one has been told to end; it takes a moment.
        let began = Instant::now();
        while TcpListener::bind(port).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "{port} is not given back");
            thread::sleep(Duration::from_millis(20));
        }
        let server = crate::support::serve_at(recording(recording_name), port);
        let path = directory.path().join(name).to_str().unwrap().to_owned();
        let captured = run(&["capture", "--no-ports", &server.address, "-o", &path]);
        assert_eq!(captured.code, 0, "{captured:?}");
        path
    };
    // One address for all, as if it were one server at several times.
    let before = capture("before", "127.88.0.1:9221", "v2.3.6/standalone/standalone");
    let same = capture("same", "127.88.0.1:9221", "v2.3.6/standalone/standalone");
    let after = capture("after", "127.88.0.1:9221", "v2.3.6/slave-read-only-master/master");

    let nothing = run(&["diff", &before, &same]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "nothing changed\n"), "{nothing:?}");
    let changed = run(&["diff", &before, &after]);
    assert_eq!(changed.code, 1, "{changed:?}");
    assert!(
        changed.stdout.starts_with("ok -> CRITICAL node/writable 127.88.0.1:9221\n"),
        "{}",
        changed.stdout
    );
    assert!(
        changed.stdout.contains("nodes.127.88.0.1:9221.config.slave-read-only: no -> yes"),
        "{}",
        changed.stdout
    );
    let json = json_of(&run(&["diff", &before, &after, "--json"]));
    let schema: Value = serde_json::from_str(&run(&["schema", "difference"]).stdout).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json), "{json}");
    assert_eq!(json["findings"][0]["after"], "critical");
    let back = json_of(&run(&["diff", &after, &before, "--json"]));
    assert_eq!(back["findings"].as_array().unwrap().len(), json["findings"].as_array().unwrap().len());
    assert_eq!(run(&["diff", &before, &same, "--lang", "zh"]).stdout, "没有变化\n");
}
