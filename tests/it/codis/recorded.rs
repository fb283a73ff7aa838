//! A Codis is looked at over HTTP and judged; what was recorded from real ones is found by the checks, and nothing else.

use std::fs;
use std::time::Duration;

use crate::support::chinese::report_is_all_chinese;
use crate::support::codis::{
    Page, Pages, Place, cause, json, serve_changed, serve_recorded, serve_with_auth,
};
use crate::support::proxy::relay;
use crate::support::{Run, answering, listener, pikadoctor, recording, recordings_directory, run, serve};
use pikadoctor::lab::recorded::{RecordedReply, Recording};
use serde_json::Value;

/// Looks at `url` alone, not at the servers behind it.
fn look(url: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["check", "--codis", url, "--no-servers", "--format", "json"];
    arguments.extend(["--connect-timeout", "500ms"]);
    arguments.extend(more);
    let run = run(&arguments);
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    report_is_all_chinese(&report);
    report
}

fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("no {check}: {report}"))
}

fn state<'r>(report: &'r Value, check: &str) -> &'r str {
    finding(report, check)["state"].as_str().unwrap()
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
fn a_person_sees_first_which_codis_it_was() {
    let head = |url: &str, language: &str| {
        let run =
            run(&["check", "--codis", url, "--no-servers", "--lang", language, "--connect-timeout", "500ms"]);
        run.stdout.lines().nth(1).unwrap().trim().to_owned()
    };
    let (_place, served) = serve_recorded("04-fs-migrated");
    assert_eq!(head(&served, "en"), "demo-fs  Codis 3.2  2 groups, 2 servers, 1 proxy");
    assert_eq!(head(&served, "zh"), "demo-fs  Codis 3.2  2 个 group，2 个服务器，1 个 proxy");
    assert_eq!(head("http://127.0.0.1:1", "en"), "http://127.0.0.1:1  no Codis answered");
}

#[test]
fn what_is_no_dashboard_has_a_clear_state() {
    let outcome = |url: &str, more: &[&str]| {
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
        let (code, state, text) = outcome(&url, &[]);
        assert_eq!((code, state.as_str()), (2, "critical"), "{says}: {text}");
        assert!(text.contains(says), "{says}: {text}");
    }
    let (code, slow, text) = outcome(&silent, &["--reply-timeout", "300ms"]);
    assert_eq!((code, slow.as_str()), (2, "critical"));
    assert!(text.contains("in time"), "{text}");
    let wrong = run(&["check", "--codis", "ftp://127.0.0.1/"]);
    assert_eq!(wrong.code, 3, "{wrong:?}");
    // The groups of 2.0 are read; the rest is in its coordinator.
    let groups = r#"[{"id": 1, "product_name": "old", "servers": [
        {"type": "slave", "group_id": 1, "addr": "10.0.0.2:9221"}, {"type": "master", "group_id": 1, "addr": "10.0.0.1:9221"}]}]"#;
    let two = page("/api/server_groups", json(groups));
    let (code, old, text) = outcome(&two, &[]);
    assert_eq!((code, old.as_str()), (3, "unknown"), "{text}");
    assert!(text.contains("2.0") && text.contains("--zookeeper"), "{text}");
    let report = look(&two, &[]);
    let codis = &report["facts"]["codis"][0];
    assert_eq!((codis["name"].as_str(), codis["release"].as_str()), (Some("old"), Some("2.0")));
    assert_eq!(codis["groups"][0]["servers"][0]["server"], "10.0.0.1:9221");
    // Paths that write on 2.0, though they are GETs, are never asked for.
    let asked = place.asked().join("\n");
    for path in ["action/gc", "force_remove_locks", "remove_fence", "group/info", "sentinels/info"] {
        assert!(!asked.contains(path), "{asked}");
    }
}

#[test]
fn a_dashboard_that_waits_for_a_lock_is_found_and_a_second_one_beside_it() {
    let place = Place::new();
    let model = place.recorded("08-zk-digest-auth", "topom-model").unwrap();
    let waits = place.serve(
        0,
        Pages::from([
            ("/topom".to_owned(), cause("topom is not online")),
            ("/topom/model".to_owned(), json(model)),
        ]),
    );
    let report = look(&waits, &[]);
    assert_eq!(report["exit_code"], 2);
    let text = finding(&report, "codis/dashboard")["problems"][0].to_string();
    assert!(text.contains("topom is not online") && text.contains("--remove-lock"), "{text}");
    assert_eq!(state(&report, "codis/slots"), "unknown", "nothing is said about what is not known");

    let (_first, one) = serve_recorded("07-zk-online");
    let (_second, two) =
        serve_changed("07-zk-online", |topom| topom.replacen("\"token\": \"", "\"token\": \"f", 1));
    let report = look(&one, &["--codis", &two]);
    assert_eq!(report["facts"]["codis"].as_array().unwrap().len(), 1, "they are of one product");
    assert_eq!(state(&report, "codis/one-dashboard"), "critical");
    assert_eq!(state(&look(&one, &["--codis", &one]), "codis/one-dashboard"), "ok", "the same one twice");
}

#[test]
fn codis_fe_and_proxies_lead_to_the_product() {
    let place = Place::new();
    let topom = place.recorded("11-pika-2.3.6-semi-async", "topom").unwrap();
    let fe = place.serve(
        0,
        Pages::from([
            ("/list".to_owned(), json("[\"demo-pika\", \"gone\"]")),
            ("/topom?forward=demo-pika".to_owned(), json(topom)),
        ]),
    );
    let report = look(&fe, &["--product", "demo-pika"]);
    let codis = &report["facts"]["codis"];
    assert_eq!(codis.as_array().unwrap().len(), 1);
    assert_eq!(
        (codis[0]["name"].as_str(), codis[0]["sources"][0]["kind"].as_str()),
        (Some("demo-pika"), Some("fe"))
    );
    assert_eq!(state(&report, "codis/slots"), "ok");
    // Without the name both are looked at, and the one without a dashboard is said to be gone.
    let report = look(&fe, &[]);
    assert_eq!(report["exit_code"], 2);
    assert!(complaints(&report).contains("forward=gone"), "{}", complaints(&report));
    let named = look(&format!("{fe}/?forward=demo-pika"), &[]);
    assert_eq!(state(&named, "codis/slots"), "ok");
    let unknown = look(&fe, &["--product", "other"]);
    assert!(complaints(&unknown).contains("does not know other"), "{}", complaints(&unknown));

    let proxy = place.recorded("11-pika-2.3.6-semi-async", "proxy").unwrap();
    let admin = place.serve(0, Pages::from([("/proxy".to_owned(), json(proxy))]));
    let report = look(&admin, &[]);
    assert_eq!(report["exit_code"], 0, "{}", complaints(&report));
    assert_eq!(state(&report, "codis/slots"), "skipped", "a proxy alone does not tell about groups");
}

#[test]
fn addresses_that_lead_nowhere_are_found() {
    let report = |from: &str, to: &str| {
        let (_place, url) = serve_changed("11-pika-2.3.6-semi-async", |topom| topom.replacen(from, to, 1));
        look(&url, &[])
    };
    let proxy_address = |address: &str| {
        let (place, url) = serve_changed("11-pika-2.3.6-semi-async", |topom| {
            let mut json: Value = serde_json::from_str(&topom).unwrap();
            json["stats"]["proxy"]["models"][0]["proxy_addr"] = address.into();
            json.to_string()
        });
        let report = look(&url, &[]);
        drop(place);
        finding(&report, "codis/addresses").clone()
    };
    assert_eq!(state(&report("nothing", "nothing"), "codis/addresses"), "ok", "all on one host");
    let unspecified = proxy_address("0.0.0.0:19000");
    assert!(
        unspecified["problems"][0]["found"].as_str().unwrap().contains("nobody can connect"),
        "{unspecified}"
    );
    let name = proxy_address("codis-node-7.invalid:29006");
    let text = name.to_string();
    assert!(text.contains("has no address here") && text.contains("--host-proxy"), "{text}");
    // Beside an address of a network, loopback is a trap for everybody but its own host.
    let other = proxy_address("10.255.255.1:19000");
    assert_eq!(other["state"], "critical");
    assert!(other.to_string().contains("others end up at themselves"), "{other}");
}

#[test]
fn product_auth_is_proved_by_a_hash_and_compared_with_every_member() {
    let (place, url) = serve_with_auth("11-pika-2.3.6-semi-async", "planted-auth", |text| text);
    let check = |auth: &str| {
        let mut command = pikadoctor();
        command.args(["check", "--codis", &url, "--no-servers", "--format", "json"]);
        let run = Run::of(command.env("PIKADOCTOR_PRODUCT_AUTH", auth));
        assert!(!format!("{run:?}").contains("planted"), "{run:?}");
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    assert_eq!(state(&check("planted-auth"), "codis/product-auth"), "ok");
    assert_eq!(state(&check("planted-wrong"), "codis/product-auth"), "critical");
    assert_eq!(state(&check(""), "codis/product-auth"), "critical", "the proxy has one");
    let asked = place.asked().join("\n");
    assert!(!asked.contains("planted"), "{asked}");
    // Without one, nothing that needs it is asked.
    let proofs = || place.asked().iter().filter(|request| request.contains("xping")).count();
    assert_eq!(proofs(), 3);
    assert_eq!(state(&look(&url, &[]), "codis/product-auth"), "not-applicable");
    assert_eq!(proofs(), 3);
}

#[test]
fn no_credential_appears_in_any_format_or_bundle() {
    let (_place, url) = serve_changed("08-zk-digest-auth", |topom| topom.replace("pa55", "planted-zk"));
    for format in
        ["human", "short", "json", "markdown", "nagios", "junit", "tap", "sarif", "github", "prometheus"]
    {
        let mut command = pikadoctor();
        command.args(["check", "--codis", &url, "--no-servers", "--verbose", "--format", format]);
        let run = Run::of(
            command
                .env("PIKADOCTOR_CODIS_AUTH", "planted-user:planted-password")
                .env("PIKADOCTOR_PRODUCT_AUTH", "planted-product")
                .env("PIKADOCTOR_PASSWORD", "planted-pw"),
        );
        assert!(run.stdout.contains("demo-zkauth"), "{format}: {run:?}");
        for secret in ["planted", "pa55"] {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{format}: {run:?}");
        }
    }
    let report = look(&url, &[]);
    assert_eq!(state(&report, "codis/shown-credentials"), "warning", "it is said that it is shown");
    let shown = report["facts"]["codis"][0]["settings"]["coordinator_auth"].as_str().unwrap();
    assert!(shown.starts_with("secret:"), "{shown}");
}

#[test]
fn a_bundle_is_judged_as_the_codis_was() {
    let (_place, url) = serve_recorded("15-pika-2.3.0-semi-async");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("codis.bundle");
    let bundle = path.to_str().unwrap();
    let captured = run(&["capture", "--codis", &url, "--no-servers", "-o", bundle]);
    assert_eq!(captured.code, 0, "{captured:?}");
    let judged = run(&["check", "--from", bundle, "--format", "json"]);
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    let live = look(&url, &[]);
    assert_eq!(complaints(&judged), complaints(&live));
    assert_eq!((judged["exit_code"].as_u64(), live["exit_code"].as_u64()), (Some(2), Some(2)));
    let schema: Value = serde_json::from_str(&run(&["schema", "facts"]).stdout).unwrap();
    jsonschema::validator_for(&schema).unwrap().validate(&judged["facts"]).unwrap();
}

#[test]
fn a_proxy_that_sends_slots_elsewhere_is_found() {
    let elsewhere = |change: &dyn Fn(&mut Value)| {
        let (_place, url) = serve_changed("04-fs-migrated", |topom| {
            let mut json: Value = serde_json::from_str(&topom).unwrap();
            change(&mut json["stats"]);
            json.to_string()
        });
        let report = look(&url, &[]);
        let slots = &report["facts"]["codis"][0]["proxies"][0]["slots"];
        (
            state(&report, "codis/proxy-slots").to_owned(),
            slots["differing"]["ranges"].as_str().unwrap().to_owned(),
        )
    };
    let ok = |ranges: &str| ("ok".to_owned(), ranges.to_owned());
    let wrong = |ranges: &str| ("critical".to_owned(), ranges.to_owned());
    assert_eq!(elsewhere(&|_| {}), ok(""));
    // Group 2 holds 0 to 255.
    assert_eq!(
        elsewhere(&|stats| stats["slots"][7]["group_id"] = 1.into()),
        wrong("7"),
        "it belongs to another group"
    );
    assert_eq!(
        elsewhere(&|stats| stats["slots"][7]["group_id"] = 0.into()),
        wrong("7"),
        "it belongs to none"
    );
    let promoted =
        |stats: &mut Value| stats["group"]["models"][1]["servers"][0]["server"] = "10.0.0.9:9221".into();
    assert_eq!(elsewhere(&promoted), wrong("0-255"), "the group has another master");
    let moving = |stats: &mut Value| {
        promoted(stats);
        for slot in stats["slots"].as_array_mut().unwrap().iter_mut().take(256) {
            slot["action"] = serde_json::json!({"index": 1, "state": "migrating", "target_id": 1});
        }
    };
    assert_eq!(elsewhere(&moving), ok(""), "what is being moved is here and there");
    // Named before its dashboard, a proxy is compared with it all the same.
    let (place, url) = serve_changed("04-fs-migrated", |topom| {
        let mut json: Value = serde_json::from_str(&topom).unwrap();
        promoted(&mut json["stats"]);
        json.to_string()
    });
    let report = look(&format!("http://{}:21080", place.host), &["--codis", &url]);
    assert_eq!(state(&report, "codis/proxy-slots"), "critical");
    assert_eq!(report["facts"]["codis"][0]["proxies"].as_array().unwrap().len(), 1, "it is one proxy");
}

/// A recorded server that also tells about slots, where that was not recorded.
fn with_slots(name: &str, tagged: &str, lists: &str) -> Recording {
    let mut recording = recording(name);
    let said = |words: &[&str], reply: &str| RecordedReply {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        reply: reply.to_owned(),
        at_s: None,
        note: None,
    };
    recording.replies.push(said(&["slotshashkey", "{user1}:a"], tagged));
    recording.replies.push(said(&["slotsinfo"], lists));
    recording
}

#[test]
fn servers_behind_a_codis_are_examined_as_any_other_and_never_written_to() {
    let old =
        serve(with_slots("v2.3.6/slotmigrate-on/source", "*1\r\n:722\r\n", "*1\r\n*2\r\n:5\r\n:22\r\n"));
    let new = serve(with_slots("v3.5.5/standalone/standalone", "*1\r\n:341\r\n", "*0\r\n"));
    let (_place, url) = serve_changed("04-fs-migrated", |topom| {
        let mut json: Value = serde_json::from_str(&topom).unwrap();
        let group = &mut json["stats"]["group"];
        for (index, server) in [&old, &new].into_iter().enumerate() {
            group["models"][index]["servers"][0]["server"] = server.address.clone().into();
            group["stats"][&server.address] = serde_json::json!({"stats": {"role": "master"}});
        }
        json.to_string()
    });
    let run = run(&["check", "--codis", &url, "--before-migration", "--no-ports", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let names: Vec<&str> = report["facts"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [&old.address, &new.address]);
    let of = |check: &str, server: &str| {
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| {
            finding["check"] == check && finding["target"].as_str().unwrap().starts_with(server)
        });
        let found = found.unwrap_or_else(|| panic!("no {check} of {server}"));
        (found["state"].as_str().unwrap().to_owned(), found.to_string())
    };
    assert_eq!(of("node/reachable", &old.address).0, "ok");
    assert_eq!(of("codis/hash-tags", &old.address).0, "critical");
    assert_eq!(of("codis/hash-tags", &new.address).0, "ok");
    assert_eq!(of("codis/migration-method", &old.address).0, "critical", "semi-async");
    assert_eq!(of("codis/upper-case-keys", &new.address).0, "warning");
    assert_eq!(of("codis/slot-lists", &new.address).0, "critical", "slotmigrate is off");
    let (state, text) = of("codis/migration-time", &old.address);
    assert_eq!(state, "ok");
    assert!(text.contains("50 keys: ") && text.contains("3 round trips"), "{text}");
    let servers = &report["facts"]["codis"][0]["servers"];
    assert_eq!(
        (servers[0]["version"].as_str(), servers[0]["index"]["indexed"].as_u64()),
        (Some("2.3.6"), Some(50))
    );
    // Nobody said that slots will be moved: nothing of this is judged.
    let calm = self::run(&["check", "--codis", &url, "--no-ports", "--format", "json"]);
    let calm: Value = serde_json::from_str(&calm.stdout).unwrap();
    assert_eq!(state_of(&calm, "codis/hash-tags"), ["not-applicable", "not-applicable"]);
}

#[test]
fn nothing_is_written_on_servers_that_only_a_codis_named() {
    let (master, replica) = (recording("v2.3.6/replica-up/master"), recording("v2.3.6/replica-up/slave"));
    let (master, replica) = (serve(master), serve(replica));
    let (master, replica) = (relay(&master.address), relay(&replica.address));
    let (_place, url) = serve_changed("04-fs-migrated", |topom| {
        let mut json: Value = serde_json::from_str(&topom).unwrap();
        let group = &mut json["stats"]["group"];
        group["models"][1]["servers"] =
            serde_json::json!([{"server": master.address}, {"server": replica.address}]);
        json.to_string()
    });
    let run =
        run(&["check", "--codis", &url, "--no-ports", "--connect-timeout", "500ms", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let links = report["facts"]["links"].as_array().unwrap();
    assert_eq!(links.len(), 1, "a replica by position is a link");
    assert_eq!(
        (&links[0]["master"], &links[0]["replica"]),
        (&master.address.clone().into(), &replica.address.clone().into())
    );
    for server in [&master, &replica] {
        let sent = server.sent().join("").to_lowercase();
        assert!(sent.contains("replication"), "{sent}");
        for command in
            ["canary", "$3\r\nset\r\n", "$3\r\ndel\r\n", "*3\r\n$7\r\nslaveof", "slotsmgrt", "slotsreload"]
        {
            assert!(!sent.contains(command), "{command}: {sent}");
        }
    }
}

fn state_of(report: &Value, check: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of = findings.iter().filter(|finding| finding["check"] == check);
    of.map(|finding| finding["state"].as_str().unwrap().to_owned()).collect()
}
