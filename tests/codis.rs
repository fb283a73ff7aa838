//! A Codis is looked at over HTTP and judged; what was recorded from real ones is found by the checks, and nothing else.

mod common;

use std::fs;
use std::time::Duration;

use common::codis::{Page, Pages, Place, cause, json, serve_recorded};
use common::{answering, listener, recordings_directory, run};
use serde_json::Value;

/// Looks at `url` alone, not at the servers behind it.
fn look(url: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["check", "--codis", url, "--no-servers", "--format", "json"];
    arguments.extend(["--connect-timeout", "500ms"]);
    arguments.extend(more);
    let run = run(&arguments);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("no {check}: {report}"))
}

/// What is not as it should be, in lines.
fn complaints(report: &Value) -> String {
    let mut lines = Vec::new();
    for finding in report["findings"].as_array().unwrap() {
        let state = finding["state"].as_str().unwrap();
        if matches!(state, "critical" | "warning" | "unknown") {
            lines.push(format!(
                "{state} {} {}",
                finding["check"].as_str().unwrap(),
                finding["target"].as_str().unwrap()
            ));
            for problem in finding["problems"].as_array().unwrap() {
                lines.push(format!(
                    "    {}: {}",
                    problem["state"].as_str().unwrap(),
                    problem["found"].as_str().unwrap()
                ));
            }
            if finding["problems"].as_array().unwrap().is_empty() {
                lines.push(format!("    {}", finding["note"].as_str().unwrap()));
            }
        }
    }
    lines.join("\n")
}

fn folders() -> Vec<String> {
    let directory = recordings_directory().join("codis");
    let mut folders: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    folders
}

#[test]
fn what_is_found_in_each_recorded_codis() {
    let mut found = Vec::new();
    for folder in folders() {
        let (place, url) = serve_recorded(&folder);
        let report = look(&url, &[]);
        let exit = &report["exit_code"];
        found.push(format!("# {folder}: exit {exit}\n{}\n", place.as_recorded(&complaints(&report))));
        // Nothing but GETs, and none that makes the dashboard connect somewhere.
        for request in place.asked() {
            let path = request.split(' ').nth(2).unwrap();
            assert!(
                request.starts_with("GET ") && matches!(path, "/topom" | "/proxy"),
                "{folder}: {request}"
            );
        }
    }
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_is_no_dashboard_has_a_clear_state() {
    let state = |url: &str, more: &[&str]| {
        let report = look(url, more);
        let finding = finding(&report, "codis/reachable");
        let text = format!("{} {}", finding["problems"][0]["found"], finding["problems"][0]["fix"]);
        (report["exit_code"].as_u64().unwrap(), finding["state"].as_str().unwrap().to_owned(), text)
    };
    let place = Place::new();
    let page = |path: &str, page: Page| {
        let pages = Pages::from([(path.to_owned(), page)]);
        place.serve(0, pages)
    };
    let html = Page { content_type: "text/html", ..json(b"<html>sign in</html>".to_vec()) };
    let bad_gateway = Page { status: "502 Bad Gateway", ..html.clone() };
    let garbage = json(b"{\"model\": ".to_vec());
    let other = json(b"[1, 2]".to_vec());
    let nobody = format!("http://{}:1", place.host);
    let pika = format!("http://{}", answering(b"-ERR unknown or unsupported command 'GET'\r\n"));
    let silent = format!("http://{}", listener(|_stream| std::thread::sleep(Duration::from_secs(30))));
    for (url, says) in [
        (nobody, "nothing listens"),
        (pika, "does not speak HTTP"),
        (page("/topom", html), "an HTML page"),
        (page("/topom", bad_gateway), "status 502"),
        (page("/topom", garbage), "not JSON"),
        (page("/topom", other), "nothing of Codis"),
        (page("/nothing", json("")), "none of the paths"),
        (page("/topom", cause("invalid product")), "invalid product"),
    ] {
        let (code, state, text) = state(&url, &[]);
        assert_eq!((code, state.as_str()), (2, "critical"), "{says}: {text}");
        assert!(text.contains(says), "{says}: {text}");
    }
    let (code, slow, text) = state(&silent, &["--reply-timeout", "300ms"]);
    assert_eq!((code, slow.as_str()), (2, "critical"));
    assert!(text.contains("in time"), "{text}");
    let wrong = run(&["check", "--codis", "ftp://127.0.0.1/"]);
    assert_eq!(wrong.code, 3, "{wrong:?}");
    // The groups of 2.0 are read; the rest is in its coordinator.
    let groups = r#"[{"id": 1, "product_name": "old", "servers": [
        {"type": "slave", "group_id": 1, "addr": "10.0.0.2:9221"}, {"type": "master", "group_id": 1, "addr": "10.0.0.1:9221"}]}]"#;
    let two = page("/api/server_groups", json(groups));
    let (code, old, text) = state(&two, &[]);
    assert_eq!((code, old.as_str()), (3, "unknown"), "{text}");
    assert!(text.contains("2.0") && text.contains("--zookeeper"), "{text}");
    let report = look(&two, &[]);
    let codis = &report["facts"]["codis"][0];
    assert_eq!((codis["name"].as_str(), codis["line"].as_str()), (Some("old"), Some("2.0")));
    assert_eq!(codis["groups"][0]["master"], "10.0.0.1:9221");
    // Paths that write on 2.0, though they are GETs, are never asked for.
    let asked = place.asked().join("\n");
    for path in ["action/gc", "force_remove_locks", "remove_fence", "group/info", "sentinels/info"] {
        assert!(!asked.contains(path), "{asked}");
    }
}
