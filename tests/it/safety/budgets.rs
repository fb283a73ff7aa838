//! What a server, a coordinator or a file chooses to say costs a bounded amount, and the report says what it left out.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::etcd::serve_http;
use crate::support::{Run, listener, listener_at, own_address, pikadoctor, recording, run, serve};

/// A Pika 3.5.5 that lists so many replicas, and waits before its first answer.
fn pika(
    replicas: usize,
    master: Option<String>,
    wait: Duration,
) -> impl Fn(std::net::TcpStream) + Send + Sync {
    let listed: String = (0..replicas)
        .map(|index| format!("slave{index}:ip=10.9.8.7,port={index},conn_fd=5,lag=(db0:0)\r\n"))
        .collect();
    let role = master.map_or("role:master\r\n".to_owned(), |host| {
        format!("role:slave\r\nmaster_host:{host}\r\nmaster_port:9221\r\nmaster_link_status:up\r\n")
    });
    let info = format!(
        "# Server\r\npika_version:3.5.5\r\nprocess_id:1\r\n# Replication(MASTER)\r\n{role}connected_slaves:{replicas}\r\n{listed}"
    );
    move |stream| {
        let mut out = stream.try_clone().unwrap();
        let mut wait = wait;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let answer = match line.to_ascii_lowercase().as_str() {
                "info" => format!("${}\r\n{info}\r\n", info.len()),
                "config" | "acl" => "-ERR no\r\n".to_owned(),
                _ => continue,
            };
            thread::sleep(std::mem::take(&mut wait));
            if out.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_server_that_lists_more_replicas_than_there_can_be_is_unknown_and_not_ok() {
    for (count, language, words) in [
        (1000, "en", ""),
        (1001, "en", "1001 entries came, and more than 1000 are not read"),
        (1001, "zh", "收到 1001 个条目，最多读取 1000 个"),
    ] {
        let address = listener(pika(count, None, Duration::ZERO));
        let run = run(&["check", &address, "--no-ports", "--lang", language, "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let node = &report["facts"]["nodes"][0];
        assert_eq!(node["replication"].is_null(), count > 1000, "{node}");
        assert!(run.stdout.contains(words), "{words}");
        let listed = run.stdout.matches("10.9.8.7").count();
        assert_eq!(count > 1000, listed == 0, "what is not read is not kept: {listed}");
    }
}

#[test]
fn an_answer_of_more_values_than_there_can_be_is_not_made_into_any() {
    // Two megabytes of text, that were two hundred in memory.
    let body = format!("[{}0]", r#"{"":0},"#.repeat(260_000));
    let codis = serve_http(move |_, _| Some((200, "application/json", body.clone())));
    for (language, words) in
        [("en", "the answer has more than 250000 values"), ("zh", "应答中的值超过 250000 个")]
    {
        let run = run(&["check", "--codis", &format!("http://{codis}"), "--no-servers", "--lang", language]);
        assert!(run.text().replace(' ', "").contains(&words.replace(' ', "")), "{}", run.stdout);
        assert!(matches!(run.code, 2 | 3), "{}", run.stdout);
    }
}

#[test]
fn nothing_is_looked_at_below_a_directory_of_too_many_children() {
    let nodes: Vec<Value> =
        (0..9000).map(|index| json!({"key": format!("/codis3/{index}"), "dir": true})).collect();
    let body = json!({"node": {"key": "/codis3", "dir": true, "nodes": nodes}}).to_string();
    let etcd = serve_http(move |path, _| match path {
        "/version" => {
            Some((200, "application/json", r#"{"etcdserver": "2.3.8", "etcdcluster": "2.3.0"}"#.into()))
        }
        path if path.starts_with("/v2/keys/codis3") => Some((200, "application/json", body.clone())),
        _ => Some((404, "application/json", r#"{"errorCode": 100, "message": "Key not found"}"#.into())),
    });
    let run = run(&["check", "--etcd", &etcd, "--no-servers", "--format", "json"]);
    assert!(run.stdout.contains("9000 children; at most 8192 are looked at"), "{}", run.stdout);
    assert!(!run.stdout.contains("/codis3/8999"), "{}", run.stdout);
    assert_eq!(run.code, 3, "{}", run.stdout);
}

#[test]
fn groups_of_more_servers_than_there_can_be_are_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let groups = directory.path().join("data/codis3/p/group");
    std::fs::create_dir_all(&groups).unwrap();
    let servers: Vec<Value> =
        (0..820).map(|index| json!({"server": format!("10.9.8.7:{}", index + 1)})).collect();
    for group in 1..=5 {
        let text = json!({"id": group, "servers": servers}).to_string();
        std::fs::write(groups.join(format!("group-{group:04}")), text).unwrap();
    }
    let check = || {
        let path = directory.path().to_str().unwrap();
        run(&["check", "--coordinator-dir", path, "--no-servers", "--format", "json"])
    };
    let many = check();
    assert!(many.stdout.contains("4100 entries came, and more than 4096 are not read"), "{}", many.stdout);
    assert_eq!(many.stdout.matches("10.9.8.7").count(), 0, "what is not read is not kept");
    std::fs::remove_file(groups.join("group-0005")).unwrap();
    let fewer = check();
    assert!(
        !fewer.stdout.contains("entries came") && fewer.stdout.contains("10.9.8.7:820"),
        "{}",
        fewer.stdout
    );
}

#[test]
fn the_worst_problems_are_told_and_the_rest_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("house")).unwrap();
    let check = "\
title: {en: Many, zh: 很多}
target: node
why: {en: A server chooses how many., zh: 数量由服务器决定。}
for_each: item in range(5000)
cases:
  - if: item == 4999
    state: critical
    found: {en: \"the worst\", zh: 最严重}
    fix: {en: Look., zh: 查看。}
  - if: true
    state: warning
    found: {en: \"item {{ item }}\", zh: \"项 {{ item }}\"}
    fix: {en: Look., zh: 查看。}
ok: {en: none, zh: 无}
references: [a test]
examples:
  - name: all
    facts: {node: {}}
    state: critical
";
    std::fs::write(directory.path().join("house/many.yaml"), check).unwrap();
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let path = directory.path().to_str().unwrap();
    for (language, words) in [
        ("en", "and 4900 more of the same check, which are not told one by one"),
        ("zh", "另有 4900 个同一检查的问题，不再逐一列出"),
    ] {
        let arguments = ["check", &server.address, "--no-ports", "--checks", path, "--lang", language];
        let run = run(&[&arguments[..], &["--format", "json"]].concat());
        let report: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == "house/many").unwrap();
        let problems = finding["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 101);
        assert_eq!((&problems[0]["state"], &finding["state"]), (&json!("critical"), &json!("critical")));
        assert_eq!(problems[100]["found"], words);
        assert_eq!(problems[100]["state"], "warning");
    }
}

#[test]
fn no_expression_of_a_check_takes_the_stack() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("house")).unwrap();
    let path = directory.path().to_str().unwrap();
    let names: String = (0..2000).map(|index| format!("  n{index}: n{}\n", index + 1)).collect();
    for (condition, names) in [
        (format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)), ""),
        (format!("{}1{}", "[".repeat(3000), "]".repeat(3000)), ""),
        (format!("{}true", "not ".repeat(4000)), ""),
        (format!("{}1", "- ".repeat(8000)), ""),
        (format!("1{}", "|abs".repeat(3900)), ""),
        (format!("1{}", " + 1".repeat(3900)), ""),
        (format!("node{}", ".x".repeat(8000)), ""),
        (format!("{}1", "1 if 1 else ".repeat(1300)), ""),
        (format!("1{}", " and 1".repeat(2700)), ""),
        (format!("1{}", "[1]".repeat(5000)), ""),
        // Each of these ended the program with 134.
        (format!("{}true", "not ".repeat(40_000)), ""),
        (format!("{}1", "-".repeat(40_000)), ""),
        (format!("1{}", "**1".repeat(40_000)), ""),
        (format!("{}1", "1 if 1 else ".repeat(40_000)), ""),
        (format!("1{}", " and 1".repeat(40_000)), ""),
        (format!("1{}", " + 1".repeat(40_000)), ""),
        (format!("1{}", " ~ 1".repeat(40_000)), ""),
        (format!("node{}", "()".repeat(40_000)), ""),
        ("n0".to_owned(), names.as_str()),
    ] {
        let names = if names.is_empty() { String::new() } else { format!("let:\n{names}  n2000: 1\n") };
        let check = format!(
            "title: {{en: a, zh: 一}}\ntarget: node\nwhy: {{en: a, zh: 一}}\n{names}cases:\n  - if: \"{condition}\"\n    \
             state: warning\n    found: {{en: a, zh: 一}}\n    fix: {{en: a, zh: 一}}\nok: {{en: a, zh: 一}}\nreferences: [a]\n\
             examples:\n  - name: a\n    facts: {{node: {{}}}}\n    state: warning\n"
        );
        std::fs::write(directory.path().join("house/deep.yaml"), check).unwrap();
        for arguments in [vec!["test-checks", path], vec!["check", "127.0.0.1:1", "--checks", path]] {
            let run = Run::of(pikadoctor().args(&arguments));
            let begin: String = condition.chars().take(40).collect();
            assert!((0..=3).contains(&run.code), "{begin}: {}", run.stderr);
        }
    }
}

#[test]
fn a_bundle_of_more_than_a_run_can_see_is_refused() {
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let live = run(&["check", &server.address, "--no-ports", "--format", "json"]);
    let mut facts = serde_json::from_str::<Value>(&live.stdout).unwrap()["facts"].take();
    let node = facts["nodes"][0].take();
    facts["nodes"] = vec![node; 1001].into();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, gzip(text.as_bytes())).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let many = write("many", &facts.to_string());
    let small = write("small", &format!("[{}0]", r#"{"":0},"#.repeat(400_000)));
    for (path, words) in [(&many, "servers; this is not a bundle"), (&small, "more than 1000000 values")] {
        for arguments in [vec!["check", "--from", path], vec!["diff", path, path]] {
            let refused = run(&arguments);
            assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
            assert!(refused.stderr.contains(words), "{refused:?}");
        }
    }
}

#[test]
fn a_text_that_is_longer_than_texts_are_is_cut_wherever_it_comes_from() {
    let long = "x".repeat(1_000_000);
    let info = format!("# Server\r\npika_version:3.5.5\r\nos:{long}\r\nrun_id:{long}\r\n");
    let info = info + &format!("# Replication\r\nrole:slave\r\nmaster_host:{long}\r\nmaster_port:1\r\n");
    for info in [info.clone(), info.replace("3.5.5", &long)] {
        let address = listener(move |stream| {
            let mut out = stream.try_clone().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let answer = match line.to_ascii_lowercase().as_str() {
                    "info" => format!("${}\r\n{info}\r\n", info.len()),
                    "config" | "acl" => format!("-ERR {}\r\n", "y".repeat(1_000_000)),
                    _ => continue,
                };
                if out.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        for format in ["json", "human"] {
            let run = run(&["check", &address, "--no-ports", "-v", "--format", format]);
            assert!(run.stdout.len() < 200_000, "{format}: {} bytes", run.stdout.len());
            assert!(format != "json" || run.stdout.contains("xxx…"), "{}", run.stdout);
        }
    }
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let live = run(&["check", &server.address, "--no-ports", "--format", "json"]);
    let mut facts = serde_json::from_str::<Value>(&live.stdout).unwrap()["facts"].take();
    facts["nodes"][0]["name"] = long.into();
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("bundle");
    std::fs::write(&bundle, gzip(facts.to_string().as_bytes())).unwrap();
    let from = run(&["check", "--from", bundle.to_str().unwrap()]);
    assert!(from.stdout.len() < 200_000 && from.stdout.contains("xxx…"), "{}", from.stdout.len());
}

#[test]
fn the_time_of_a_run_ends_what_is_no_waiting_for_servers_either() {
    let mut child = pikadoctor()
        .args(["check", "--from", "/dev/stdin", "-t", "200ms"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It stays open: nothing more comes.
    let stdin = child.stdin.take();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("pikadoctor: the time for the run was over"), "{said}");
    drop(stdin);
}

#[test]
fn a_signal_ends_a_run_with_a_sentence_and_unknown() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (sender, connected) = std::sync::mpsc::channel();
        let mute = listener(move |stream| {
            let _ = sender.send(());
            let _ = BufReader::new(stream).lines().count();
        });
        let mut child = pikadoctor()
            .args(["check", &mute, "-t", "60s", "--reply-timeout", "60s"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        connected.recv().unwrap();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(3), "{signal}: {said}");
        assert!(said.contains("stopped by a signal before there was a report"), "{signal}: {said}");
    }
}

#[test]
fn all_steps_of_init_share_one_time() {
    // Each server names the next one, and takes longer than half of the time to say so.
    let asked = Arc::new(AtomicUsize::new(0));
    let hosts: Vec<String> = (0..8).map(|_| own_address()).collect();
    for (index, host) in hosts.iter().enumerate() {
        let next = pika(0, hosts.get(index + 1).cloned(), Duration::from_millis(700));
        let asked = asked.clone();
        listener_at(&format!("{host}:9221"), move |stream| {
            asked.fetch_add(1, Ordering::SeqCst);
            next(stream);
        });
    }
    let run = Run::of(pikadoctor().args(["init", &format!("{}:9221", hosts[0]), "-t", "1s", "--no-ports"]));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("the time for the run was over after"), "{run:?}");
    assert!(run.stdout.is_empty(), "half of a plan is none: {run:?}");
    // However slow this machine is, no more of them can have answered within the time.
    assert!(asked.load(Ordering::SeqCst) <= 3, "{asked:?}");
}
