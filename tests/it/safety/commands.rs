//! Promise 1: it does no harm. A proxy between the tool and any server writes down what is sent to each port.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::harmless::look_through_proxies;
use crate::support::pair::{Fault, RecordedPair};
use crate::support::proxy::{Proxy, commands, relay};
use crate::support::{Run, pikadoctor, recording, serve};
use pikadoctor::catalog::built_in;
use pikadoctor::collect::pika::gate::Gate;
use pikadoctor::lab::recorded::Recording;
use pikadoctor::lab::scenarios;
use pikadoctor::lab::stage::Stage;

const RELEASES: [&str; 8] = ["v2.3.0", "v2.3.3", "v2.3.6", "v3.0.16", "v3.1.0", "v3.3.6", "v3.5.5", "v4.0.1"];

/// Everything that a check sends to a recorded server.
fn sent_to(recording: Recording, password: Option<&str>) -> Vec<String> {
    let server = serve(recording);
    let relay = relay(&server.address);
    let mut command = pikadoctor();
    command.args(["check", "--no-ports", &relay.address]);
    if let Some(password) = password {
        command.env("PIKADOCTOR_PASSWORD", password);
    }
    let run = Run::of(&mut command);
    assert!(run.stdout.contains("pikadoctor"), "{run:?}");
    let sent = relay.sent();
    assert_eq!(sent.len(), 1, "one connection and no more");
    commands(&sent[0])
}

#[test]
fn what_is_sent_to_each_release() {
    let mut table = String::new();
    for release in RELEASES {
        let sent = sent_to(recording(&format!("{release}/standalone/standalone")), None);
        let settings =
            sent.iter().filter_map(|command| command.strip_prefix("config get ")).collect::<Vec<_>>();
        let others: Vec<&str> =
            sent.iter().filter(|command| !command.starts_with("config get ")).map(String::as_str).collect();
        table += &format!("{release}\n  {}\n  config get: {}\n", others.join("\n  "), settings.join(" "));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn what_is_sent_on_a_link_of_each_release() {
    let mut table = String::new();
    for release in RELEASES {
        let of = |node: &str| recording(&format!("{release}/replica-up/{node}"));
        let pair = RecordedPair::start(of("master"), of("slave"), Fault::None);
        let arguments =
            ["check", &pair.replica, "--master", &pair.master, "--no-ports", "--canary-timeout", "1s"];
        Run::of(pikadoctor().args(arguments));
        let mut seen: Vec<String> = Vec::new();
        for line in pair.sent() {
            let (side, command) = line.split_once(": ").unwrap();
            // The examination of each node has a table of its own, and keys are random.
            if ["info ", "config ", "acl "].iter().any(|known| command.starts_with(known)) {
                continue;
            }
            let words: Vec<&str> = command
                .split(' ')
                .map(|word| if word.starts_with("pikadoctor:canary:") { "<canary>" } else { word })
                .map(|word| if word.len() == 32 { "<value>" } else { word })
                .collect();
            let line = format!("{side}: {}", words.join(" "));
            if seen.last() != Some(&line) {
                seen.push(line);
            }
        }
        table += &format!("{release}\n  {}\n", seen.join("\n  "));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn nothing_that_harms_is_ever_sent() {
    for release in RELEASES {
        for command in sent_to(recording(&format!("{release}/standalone/standalone")), Some("secret-root")) {
            let lower = command.to_lowercase();
            let first = lower.split(' ').next().unwrap();
            assert!(["auth", "info", "acl", "config"].contains(&first), "{release}: {command}");
            assert!(first != "config" || lower.starts_with("config get "), "{release}: {command}");
            assert!(
                first != "acl" || ["acl whoami", "acl list"].contains(&lower.as_str()),
                "{release}: {command}"
            );
            assert!(
                !["info", "info all", "info keyspace 1", "info keyspace off", "config get *"]
                    .contains(&lower.as_str()),
                "{release}: {command}"
            );
        }
    }
}

#[test]
fn a_server_that_is_no_pika_is_left_alone() {
    let sent = sent_to(recording("other/redis-7/standalone/standalone"), None);
    assert_eq!(sent, ["info server", "info replication"]);
}

/// A 2.3.6 whose INFO server claims another release.
fn disguised(version: &str) -> Recording {
    let mut recording = recording("v2.3.6/standalone/standalone");
    for reply in &mut recording.replies {
        if reply.command.join(" ") == "INFO server" {
            let text = reply
                .reply
                .split_once("\r\n")
                .unwrap()
                .1
                .replace("pika_version:2.3.6", &format!("pika_version:{version}"));
            reply.reply = format!("${}\r\n{text}", text.len() - 2);
        }
    }
    recording
}

#[test]
fn what_reports_no_number_gets_nothing_but_info() {
    for version in ["2.3.6-custom", "", "9999999999999999999.0.0"] {
        let sent = sent_to(disguised(version), None);
        assert_eq!(sent, ["info server", "info replication"], "release {version:?}");
    }
}

#[test]
fn a_release_that_is_not_known_gets_what_harms_none() {
    // One in a line of its own, and one behind the last one of a line: what a line does says nothing about the next release.
    for version in ["7.0.0", "4.1.7", "4.0.9", "3.3.7", "2.3.9"] {
        let sent = sent_to(disguised(version), None);
        assert_eq!(sent[..4], ["info server", "info replication", "info clients", "info stats"], "{version}");
        let (settings, others): (Vec<_>, Vec<_>) =
            sent[4..].iter().partition(|command| command.starts_with("config get "));
        assert!(others.is_empty(), "{version}: {others:?}");
        assert!(settings.iter().any(|command| **command == "config get masterauth"), "{version}");
    }
}

#[test]
fn info_data_is_not_sent_during_a_full_sync_on_releases_that_can_die_of_it() {
    for (release, expected) in [("v2.3.6", false), ("v3.0.16", true), ("v3.3.6", true)] {
        let sent = sent_to(recording(&format!("{release}/full-sync-running/slave-running")), None);
        assert_eq!(sent.contains(&"info data".to_owned()), expected, "{release}");
    }
}

#[test]
fn the_gate_lets_nothing_through_that_is_not_listed() {
    let knowledge = built_in().knowledge;
    let mut gate = Gate::new(&knowledge.commands);
    let release = "3.5.5".parse().ok();
    for words in [
        &["set", "a", "b"][..],
        &["dbsize"],
        &["DBSIZE"],
        &["info"],
        &["info", "all"],
        &["info", "keyspace", "1"],
        &["INFO", "KEYSPACE", "1"],
        &["info", "keyspace", "off"],
        &["config", "get", "*"],
        &["config", "set", "timeout", "1"],
        &["client", "list"],
        &["slaveof", "no", "one"],
        &["slaveof", "10.0.0.1", "9221"],
        &["shutdown"],
        &[],
    ] {
        for release in [None, release] {
            gate.settle(release, false);
            assert!(gate.permit(words).is_err(), "{words:?} to {release:?}");
        }
    }
    gate.settle(None, false);
    assert!(gate.permit(&["info", "stats"]).is_err(), "the release is not known");
    assert!(gate.permit(&["info", "server"]).is_ok());
    gate.settle(release, false);
    assert!(gate.permit(&["info", "stats"]).is_ok());
    assert!(gate.permit(&["info", "doublemaster"]).is_err(), "3.5.5 has no double master");
    let refusal = gate.permit(&["config", "get", "*"]).unwrap_err();
    assert!(
        refusal.not_sent.reason.as_str().contains("82"),
        "the reason is told: {}",
        refusal.not_sent.reason
    );
}

#[test]
fn what_is_for_sentinels_goes_to_them_alone() {
    let knowledge = built_in().knowledge;
    let mut gate = Gate::new(&knowledge.commands);
    gate.settle("3.5.5".parse().ok(), false);
    assert!(gate.permit(&["sentinel", "masters"]).is_err());
    gate.settle_on_sentinel();
    assert!(gate.permit(&["sentinel", "masters"]).is_ok());
}

#[test]
fn a_form_is_that_of_a_rule_and_of_none_about_keys_of_our_own() {
    let knowledge = built_in().knowledge;
    let mut gate = Gate::new(&knowledge.commands);
    gate.settle("3.5.5".parse().ok(), false);
    gate.allow_canaries();
    assert!(gate.permit_form("strlen <key>").is_ok());
    for pattern in ["auth <password>", "strlen k", "del <canary>", "set <key> <value>", "flushall"] {
        assert!(gate.permit_form(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_password_is_not_shown_by_a_permit() {
    let knowledge = built_in().knowledge;
    let gate = Gate::new(&knowledge.commands);
    let permit = gate.permit(&["auth", "open sesame"]).unwrap();
    assert_eq!(permit.label(), "auth <password>");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_proxies_nothing_harmful_reaches_a_simulated_pair_of_any_release() {
    for release in RELEASES {
        let version = release.trim_start_matches('v');
        let scenario = scenarios::named(&format!("healthy-pair-{version}")).unwrap();
        let stage = Stage::start(scenario, &std::sync::Arc::new(built_in().knowledge)).await.unwrap();
        tokio::task::block_in_place(|| {
            let address = |name: &str| stage.addresses[name].to_string();
            let follow = |proxy: &Proxy| {
                // The replica says that it follows the proxy, so that the ports of its master are dialled there.
                let (host, port) = proxy.address.rsplit_once(':').unwrap();
                stage.make_say("replica", "master_host", host);
                stage.make_say("replica", "master_port", port);
            };
            look_through_proxies(version, &address("master"), &address("replica"), follow);
        });
    }
}

/// What a server says of its double master.
fn double_master(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"*2\r\n$4\r\ninfo\r\n$12\r\ndoublemaster\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touched_port_of_2_3_6_shows_on_the_simulated_server_and_the_tool_leaves_no_such_trace() {
    for (release, changes) in [("2.3.3", true), ("2.3.6", true), ("2.3.0", false), ("3.0.16", false)] {
        let scenario = scenarios::named(&format!("healthy-{release}")).unwrap();
        let stage = Stage::start(scenario, &std::sync::Arc::new(built_in().knowledge)).await.unwrap();
        let address = stage.addresses["pika"];
        tokio::task::block_in_place(|| {
            let before = double_master(&address.to_string());
            let run = Run::of(pikadoctor().args(["check", &address.to_string()]));
            assert_eq!(run.code, 0, "{}", run.stdout);
            assert_eq!(double_master(&address.to_string()), before, "{release}");
            for _ in 0..3 {
                drop(TcpStream::connect((address.ip(), address.port() + 1000)).unwrap());
            }
            std::thread::sleep(Duration::from_millis(200));
            let after = double_master(&address.to_string());
            assert_eq!(after != before, changes, "{release}: {after}");
            assert_eq!(after.contains("repl_state: 3"), changes, "{release}: {after}");
        });
    }
}
