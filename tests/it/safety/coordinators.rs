//! A coordinator that is down, slow, hostile or wrong is told as what it is, and nothing secret comes out.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::coordinator::{
    FakeZookeeper, Honest, Manner, Tree, Znode, etcd_answers, recorded_etcd, recorded_tree, replaced,
    serve_dashboard, serve_http,
};
use crate::support::{Run, closed_address, pikadoctor, recording, serve};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

const TIMES: [&str; 6] = ["--connect-timeout", "500ms", "--reply-timeout", "700ms", "--timeout", "6s"];

fn check(arguments: &[&str]) -> Run {
    Run::of(pikadoctor().args(["check"]).args(arguments).args(TIMES))
}

fn json_of(arguments: &[&str]) -> (i32, Value) {
    let run = Run::of(pikadoctor().args(["check", "--format", "json"]).args(arguments).args(TIMES));
    (run.code, serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}")))
}

fn state<'r>(report: &'r Value, check: &str) -> &'r str {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check}"))["state"]
        .as_str()
        .unwrap()
}

fn tree() -> Tree {
    // No dashboard is asked: nobody is there.
    replaced(&recorded_tree("07-zk-online"), "127.0.0.1:28081", &closed_address())
}

#[test]
fn a_zookeeper_that_misbehaves_is_told_as_what_it_does() {
    for (manner, code, words) in [
        (Manner::Silent, 2, "no answer within the time allowed"),
        (Manner::Closes, 2, "as a member does that has no majority"),
        (Manner::RefusesAuth, 2, "refuses the credentials"),
        (Manner::Huge, 2, "an answer has 2147483647 bytes"),
        (Manner::Slow(Duration::from_millis(400)), 3, "no answer within the time allowed"),
        (Manner::ReadOnly, 2, "lost its majority"),
    ] {
        let zookeeper = FakeZookeeper::start(tree(), manner.clone(), None);
        let began = Instant::now();
        let run = Run::of(
            pikadoctor()
                .args(["check", "--zookeeper", &zookeeper.address])
                .args(TIMES)
                .env("PIKADOCTOR_ZOOKEEPER_AUTH", "codis:sesame"),
        );
        assert!(began.elapsed() < Duration::from_secs(9), "{manner:?} held it up");
        assert_eq!(run.code, code, "{manner:?}: {}", run.stdout);
        assert!(run.text().contains(words), "{manner:?}: {}", run.stdout);
    }
}

#[test]
fn half_a_tree_is_not_taken_for_all_of_it() {
    for count in [0, 1, 3, 9, 20, 300, 1000] {
        let zookeeper = FakeZookeeper::start(tree(), Manner::StopsAfter(count), None);
        let (code, report) = json_of(&["--zookeeper", &zookeeper.address]);
        assert_eq!(state(&report, "coordinator/reachable"), "unknown", "after {count}: {report:#}");
        assert!(code >= 2, "after {count}: exit {code}");
        // What was not read is nowhere said to be missing.
        for check in ["coordinator/slot-count", "coordinator/jodis-empty", "coordinator/product"] {
            let findings = report["findings"].as_array().unwrap();
            for finding in findings.iter().filter(|finding| finding["check"] == check) {
                assert!(
                    finding["state"] != "critical" && finding["state"] != "warning",
                    "{count}: {finding}"
                );
            }
        }
    }
}

#[test]
fn garbage_is_no_zookeeper() {
    let zookeeper = FakeZookeeper::start(tree(), Manner::Garbage, None);
    let (code, report) = json_of(&["--zookeeper", &zookeeper.address]);
    assert!(code >= 2, "{report:#}");
    let web = serve_http(|_, _| None);
    let run = check(&["--zookeeper", &web]);
    assert_eq!(run.code, 2, "{run:?}");
    // A real Pika does not become a ZooKeeper either, and does not mind being asked.
    let pika = serve(recording("v3.5.5/standalone/standalone"));
    let run = check(&["--zookeeper", &pika.address]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn one_member_is_enough_and_the_others_are_named() {
    let zookeeper = FakeZookeeper::start(tree(), Honest, None);
    let closes = FakeZookeeper::start(tree(), Manner::Closes, None);
    let down = closed_address();
    let ensemble = format!("{down},{},{}", closes.address, zookeeper.address);
    let (_, report) = json_of(&["--zookeeper", &ensemble]);
    assert_eq!(state(&report, "coordinator/reachable"), "warning", "{report:#}");
    assert_eq!(
        report["facts"]["coordinators"].as_array().unwrap().len(),
        1,
        "an ensemble is one coordinator"
    );
    let members = &report["facts"]["coordinators"][0]["members"];
    let states: Vec<&Value> = (0..3).map(|index| &members[index]["state"]).collect();
    assert_eq!(states, ["refused", "closed", "answered"], "{members:#}");
    assert_eq!(report["facts"]["coordinators"][0]["asked"], json!(zookeeper.address));
}

#[test]
fn what_is_too_large_is_bounded_and_said() {
    let mut large = tree();
    // As large as ZooKeeper lets it be.
    let megabyte = format!("{{\"id\": 1, \"servers\": [], \"x\": \"{}\"}}", "x".repeat(1024 * 1024 - 60));
    large.get_mut("/codis3/demo-zk/group/group-0001").unwrap().data = megabyte.into_bytes();
    let zookeeper = FakeZookeeper::start(large, Honest, None);
    let (code, report) = json_of(&["--zookeeper", &zookeeper.address]);
    assert_eq!((code, state(&report, "coordinator/contents")), (2, "warning"), "{report:#}");
    assert!(report.to_string().len() < 400_000, "it is not carried along");
    assert_eq!(state(&report, "coordinator/groups"), "unknown");

    let mut many = tree();
    for number in 0..100_000 {
        many.insert(format!("/jodis/demo-zk/proxy-{number:032}"), Znode::open("{}"));
    }
    let zookeeper = FakeZookeeper::start(many, Honest, None);
    let run = Run::of(pikadoctor().args(["check", "--format", "json", "--zookeeper", &zookeeper.address]));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(state(&report, "coordinator/contents"), "warning", "{}", run.stdout);
    assert_eq!(state(&report, "coordinator/proxies"), "unknown");
    assert!(run.stdout.contains("10000") && run.stdout.len() < 400_000, "{}", run.stdout.len());
}

#[test]
fn hostile_contents_are_shown_escaped_and_break_nothing() {
    let mut hostile = tree();
    let mut put = |path: &str, text: String| {
        hostile.insert(path.to_owned(), Znode::open(&text));
    };
    put("/codis3/demo-zk/group/group-0003", "[".repeat(200_000));
    put("/codis3/demo-zk/group/group-0004", r#"{"id": 1e400, "servers": "x"}"#.into());
    put(
        "/codis3/demo-zk/group/group-0005",
        r#"{"id": 5, "servers": [1, null, {"server": {}}], "promoting": []}"#.into(),
    );
    put(
        "/codis3/demo-zk/proxy/proxy-evil",
        json!({"token": "evil", "admin_addr": "\u{1b}[2J; reboot:1", "proxy_addr": "$(reboot):1", "id": -7})
            .to_string(),
    );
    put("/codis3/demo-zk/slots/slot-9999999999", r#"{"id": 9999999999, "group_id": -1}"#.into());
    put(
        "/jodis/demo-zk/proxy-\u{202e}x",
        json!({"token": "\u{202e}x", "addr": "a\nb:1", "state": "\u{7}"}).to_string(),
    );
    put("/codis3/\u{1b}[31mred", String::new());
    put(
        "/codis3/\u{1b}[31mred/topom",
        json!({"token": "t", "admin_addr": "http://x/:1", "pid": "x"}).to_string(),
    );
    let zookeeper = FakeZookeeper::start(hostile, Honest, None);
    for format in ["human", "json", "nagios", "markdown", "sarif", "junit", "tap", "prometheus"] {
        let run = check(&["--zookeeper", &zookeeper.address, "--format", format, "--verbose"]);
        assert_eq!(run.code, 2, "{format}: {run:?}");
        // What programs read may hold any character that is not a control character; people read the others.
        let data = matches!(format, "json" | "sarif" | "junit");
        let raw = run.stdout.chars().find(|c| matches!(c, '\u{1b}' | '\u{7}') || (*c == '\u{202e}' && !data));
        assert_eq!(raw, None, "{format}: {}", run.stdout);
        assert!(!run.stdout.contains("the check itself failed"), "{format}: {}", run.stdout);
    }
}

#[test]
fn an_etcd_that_misbehaves_is_told_as_what_it_does() {
    // Without the v2 API, as recorded: 404 and no JSON.
    let v3 = serve_http(|path, _| {
        let version = r#"{"etcdserver":"3.5.9","etcdcluster":"3.5.0"}"#.to_owned();
        (path == "/version").then_some((200, "application/json", version))
    });
    let run = check(&["--etcd", &v3]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.text().contains("etcd 3.5.9 answers, and its v2 API is not there"), "{run:?}");
    assert!(run.text().contains("--enable-v2=true"), "{run:?}");

    let protected = etcd_answers(recorded_etcd());
    let locked = serve_http(move |path, authorization| {
        // root:sesame
        if path == "/version" || authorization == Some("Basic cm9vdDpzZXNhbWU=") {
            return protected(path, authorization);
        }
        let error = r#"{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}"#;
        Some((401, "application/json", error.to_owned()))
    });
    let with = |password: &str| {
        let mut command = pikadoctor();
        command.args(["check", "--etcd", &locked, "--format", "json"]).args(TIMES);
        Run::of(command.env("PIKADOCTOR_ETCD_AUTH", password))
    };
    for refused in [with(""), with("root:wrong")] {
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stdout.contains("it refuses the credentials"), "{refused:?}");
        assert!(!refused.stdout.contains("root:wrong"), "{refused:?}");
    }
    let right = with("root:sesame");
    let report: Value = serde_json::from_str(&right.stdout).unwrap();
    assert_eq!(state(&report, "coordinator/reachable"), "ok", "{report:#}");
    assert!(!right.stdout.contains("sesame"), "{right:?}");

    let html = serve_http(|_, _| Some((200, "text/html", "<html>hello</html>".into())));
    let page = check(&["--etcd", &html]);
    assert_eq!(page.code, 2, "{page:?}");
    assert!(page.text().contains("an HTML page"), "{page:?}");
    let error = serve_http(|path, _| {
        Some(if path == "/version" {
            (200, "application/json", r#"{"etcdserver":"3.4.23"}"#.into())
        } else {
            (500, "application/json", r#"{"errorCode":300,"message":"Raft Internal Error"}"#.into())
        })
    });
    let broken = check(&["--etcd", &error]);
    assert_eq!(broken.code, 3, "{broken:?}");
    assert!(broken.text().contains("Raft Internal Error"), "{broken:?}");
    let down = check(&["--etcd", &closed_address()]);
    assert_eq!(down.code, 2, "{down:?}");
}

#[test]
fn nothing_secret_comes_out() {
    let mut planted = recorded_tree("08-zk-digest-auth");
    let put = |tree: &mut Tree, path: &str, text: String| {
        tree.get_mut(path).unwrap_or_else(|| panic!("{path}")).data = text.into_bytes();
    };
    // Members that Codis does not have, and content that is no JSON.
    put(&mut planted, "/codis3/demo-zk/group/group-0001", json!({"id": 1, "servers": [{"server": "127.0.0.1:1", "auth": "planted-1"}], "product_auth": "planted-2"}).to_string());
    put(&mut planted, "/codis3/demo-zk/group/group-0002", "{\"password\": \"planted-3\" oops".into());
    let dashboard = serve_http(|_, _| {
        Some((200, "application/json", r#"{"token":"x","product_name":"y","auth":"planted-4"}"#.into()))
    });
    let planted = replaced(&planted, "127.0.0.1:28081", &dashboard);
    let zookeeper = FakeZookeeper::start(planted, Manner::ShowsHashes, Some("codis:planted-5"));
    let secrets = ["planted-", "qJkdtFCxhn7Z8Y"];
    let command = |arguments: &[&str], password: &str| {
        let mut command = pikadoctor();
        command.args(arguments).args(TIMES).env("PIKADOCTOR_ZOOKEEPER_AUTH", password);
        Run::of(&mut command)
    };
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("bundle");
    let bundle = bundle.to_str().unwrap();
    for password in ["codis:planted-5", ""] {
        for format in ["human", "json", "nagios", "markdown", "sarif", "junit", "tap", "prometheus", "github"]
        {
            let run = command(
                &["check", "--zookeeper", &zookeeper.address, "--format", format, "--verbose"],
                password,
            );
            assert!(run.code >= 2 && !run.stdout.is_empty(), "{format}: {run:?}");
            for secret in secrets {
                assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{format}: {run:?}");
            }
        }
        let captured = command(&["capture", "--zookeeper", &zookeeper.address, "-o", bundle], password);
        assert_eq!(captured.code, 0, "{captured:?}");
        let mut text = String::new();
        GzDecoder::new(fs::File::open(bundle).unwrap()).read_to_string(&mut text).unwrap();
        assert!(text.contains("demo-zkauth"), "{text}");
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in the bundle");
        }
    }
    // What cannot be used as credentials is refused without being repeated.
    let run = command(&["check", "--zookeeper", &zookeeper.address], "planted-6");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("PIKADOCTOR_ZOOKEEPER_AUTH") && !run.stderr.contains("planted-"), "{run:?}");
    let run = command(&["check", "--etcd", "http://u:planted-7@127.0.0.1:1"], "");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("PIKADOCTOR_ETCD_AUTH"), "{run:?}");
}

#[test]
fn a_bundle_is_judged_as_the_coordinator_was() {
    let dashboard = serve_dashboard("595167b1d65e78a8532a397d80c30700", "demo-zk");
    let tree = replaced(&recorded_tree("07-zk-online"), "127.0.0.1:28081", &dashboard);
    let zookeeper = FakeZookeeper::start(tree, Honest, None);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle");
    let bundle = path.to_str().unwrap();
    let captured = Run::of(pikadoctor().args(["capture", "--zookeeper", &zookeeper.address, "-o", bundle]));
    assert_eq!(captured.code, 0, "{captured:?}");
    let (code, from) = json_of_bundle(bundle);
    let (live_code, live) = json_of(&["--zookeeper", &zookeeper.address]);
    let states = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|finding| (finding["check"].clone(), finding["problems"].clone())).collect::<Vec<_>>()
    };
    assert_eq!((code, states(&from)), (live_code, states(&live)));
    assert_eq!(code, 2);
    let schema = crate::support::run(&["schema", "facts"]).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&from["facts"]));
}

fn json_of_bundle(path: &str) -> (i32, Value) {
    let run = crate::support::run(&["check", "--from", path, "--format", "json"]);
    (run.code, serde_json::from_str(&run.stdout).unwrap())
}

#[test]
fn the_servers_of_a_product_that_is_named_are_looked_at() {
    let pika = serve(recording("v3.5.5/standalone/standalone"));
    let tree = replaced(&tree(), "127.0.0.1:26381", &pika.address);
    let zookeeper = FakeZookeeper::start(tree, Honest, None);
    let nodes = |arguments: &[&str]| {
        let (_, report) = json_of(arguments);
        let nodes = report["facts"]["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| (node["name"].as_str().unwrap().to_owned(), node["version"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(nodes(&["--zookeeper", &zookeeper.address]), [], "nobody named a product");
    let found = nodes(&["--zookeeper", &zookeeper.address, "--product", "demo-zk", "--no-ports"]);
    assert_eq!(found, [(pika.address.clone(), json!("3.5.5")), ("127.0.0.1:26382".into(), Value::Null)]);
    // One that is named, too, is looked at once.
    let both =
        nodes(&[&pika.address, "--zookeeper", &zookeeper.address, "--product", "demo-zk", "--no-ports"]);
    assert_eq!(both, found);
}

#[test]
fn wrong_usage_is_told() {
    for (arguments, words) in [
        (vec!["--product", "x"], "required"),
        (vec!["10.0.0.1", "--product", "x"], "--product needs --codis"),
        (vec!["--zookeeper", "a b"], "a host name has no ' '"),
        (vec!["--zookeeper", "zk", "--product", "../x"], "a product has letters"),
        (vec!["--etcd", "ftp://x"], "http"),
        (vec!["--from", "x", "--zookeeper", "zk"], "cannot be used with"),
    ] {
        let run = check(&arguments);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {run:?}");
    }
}

#[test]
fn many_products_are_read_whole_and_more_are_not_passed_over_in_silence() {
    let one = tree();
    let copies = |count: usize, keep: &dyn Fn(&str) -> bool| {
        let mut tree: Tree = one
            .iter()
            .filter(|(path, _)| !path.contains("demo-zk"))
            .map(|(p, n)| (p.clone(), n.clone()))
            .collect();
        for number in 0..count {
            let name = format!("product-{number:03}");
            let own = one.iter().filter(|(path, _)| path.contains("demo-zk") && keep(path));
            tree.extend(own.map(|(path, node)| (path.replace("demo-zk", &name), node.clone())));
        }
        FakeZookeeper::start(tree, Honest, None)
    };
    let look = |address: &str| {
        let run = Run::of(pikadoctor().args(["check", "--format", "json", "--zookeeper", address]));
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let twenty = copies(20, &|_| true);
    let report = look(&twenty.address);
    let products = report["facts"]["coordinators"][0]["products"].as_array().unwrap();
    assert_eq!(products.len(), 20);
    assert!(products.iter().all(|product| product["slot_count"] == 1024), "{report:#}");
    assert_eq!(state(&report, "coordinator/reachable"), "ok");
    let many = copies(201, &|path| path.ends_with("demo-zk"));
    let report = look(&many.address);
    assert_eq!(report["facts"]["coordinators"][0]["products"].as_array().unwrap().len(), 200);
    assert_eq!(state(&report, "coordinator/reachable"), "unknown");
    assert!(report.to_string().contains("1 more products are not looked at"), "{report:#}");
}
