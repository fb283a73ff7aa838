//! What Codis keeps in its coordinator is read, and every trap in it is found by its id.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use crate::support::chinese::report_is_all_chinese;
use crate::support::codis::serve_recorded;
use crate::support::coordinator::{
    FakeZookeeper, Honest, Manner, Tree, Znode, etcd_answers, recorded_etcd, recorded_tree, replaced,
    serve_dashboard, serve_http, with_proxies_at_work,
};
use crate::support::{Run, closed_address, listener, pikadoctor};
use serde::Deserialize;
use serde_json::{Value, json};

/// What lets in to the protected product of the recording.
const PASSWORD: &str = "codis:sesame";

fn check(arguments: &[&str], password: &str) -> Run {
    let arguments = ["check", "--format", "json", "--connect-timeout", "1s"].iter().chain(arguments);
    Run::of(
        pikadoctor()
            .args(arguments)
            .env("PIKADOCTOR_ZOOKEEPER_AUTH", password)
            .env("PIKADOCTOR_ETCD_AUTH", ""),
    )
}

fn report(run: &Run) -> Value {
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    report_is_all_chinese(&report);
    report
}

/// The checks that are not fine.
fn found(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| matches!(finding["state"].as_str().unwrap(), "critical" | "warning" | "unknown"))
        .map(|finding| finding["check"].as_str().unwrap().to_owned())
        .collect()
}

/// Everything that is not fine, with what was found, as a text for a snapshot.
fn table(report: &Value) -> String {
    let mut table = String::new();
    for finding in report["findings"].as_array().unwrap() {
        let state = finding["state"].as_str().unwrap();
        if matches!(state, "ok" | "not-applicable") {
            continue;
        }
        let word = |key: &str| finding[key].as_str().unwrap();
        let _ = writeln!(table, "{state} {} ({}){}", word("check"), word("target"), word("note"));
        for problem in finding["problems"].as_array().unwrap() {
            let _ = writeln!(table, "    {}", problem["found"].as_str().unwrap());
        }
    }
    table
}

fn zookeeper(tree: Tree) -> FakeZookeeper {
    FakeZookeeper::start(tree, Honest, Some(PASSWORD))
}

#[test]
fn what_is_found_in_each_recorded_coordinator() {
    let mut snapshot = String::new();
    for (name, password) in [
        ("07-zk-online", ""),
        ("08-zk-digest-auth", ""),
        ("08-zk-digest-auth", PASSWORD),
        ("08-zk-after-dashboard-kill9", PASSWORD),
    ] {
        let tree = recorded_tree(name);
        // The dashboard of demo-zk ran all the time, that of demo-zkauth was killed for the last one.
        let alive = serve_dashboard("595167b1d65e78a8532a397d80c30700", "demo-zk");
        let mut tree = replaced(&tree, "127.0.0.1:28081", &alive);
        let other = serve_dashboard("664c9c9f61a311b33562b3a66bef2856", "demo-zkauth");
        if name == "08-zk-digest-auth" {
            tree = replaced(&tree, "127.0.0.1:28084", &other);
        }
        let (tree, moved) = with_proxies_at_work(&tree);
        let zookeeper = zookeeper(tree);
        let run = check(&["--zookeeper", &zookeeper.address], password);
        let mut table = table(&report(&run)).replace(&zookeeper.address, "ZK");
        for (address, recorded) in moved {
            table = table.replace(&address, &recorded);
        }
        let table = table.replace(&alive, "127.0.0.1:28081").replace(&other, "127.0.0.1:28084");
        let with = if password.is_empty() { "without" } else { "with" };
        let _ = writeln!(snapshot, "{name}, {with} a password: exit {}\n{table}", run.code);
    }
    let alive = serve_dashboard("916a3d36ad7d62c52e12522af6a1383f", "demo-etcd");
    let proxy = listener(drop);
    let text = recorded_etcd().to_string().replace("127.0.0.1:28082", &alive);
    let text = text.replace("127.0.0.1:21084", &proxy);
    let etcd = serve_http(etcd_answers(serde_json::from_str(&text).unwrap()));
    let run = check(&["--etcd", &etcd], "");
    let table = table(&report(&run)).replace(&etcd, "ETCD").replace(&alive, "127.0.0.1:28082");
    let table = table.replace(&proxy, "127.0.0.1:21084");
    let _ = writeln!(snapshot, "19-etcd: exit {}\n{table}", run.code);
    insta::assert_snapshot!(snapshot);
}

/// A tree in which nothing is wrong but that all of it is on this host.
fn healthy_tree(dashboard: &str) -> Tree {
    let mut tree = recorded_tree("07-zk-online");
    tree.retain(|path, _| {
        !path.starts_with("/zk") && !path.contains("d2de05be") && !path.contains("41056f75")
    });
    let tree = replaced(&tree, "192.0.2.2", "127.0.0.1");
    with_proxies_at_work(&replaced(&tree, "127.0.0.1:28081", dashboard)).0
}

/// The token in the lock of the recorded tree.
const TOKEN: &str = "595167b1d65e78a8532a397d80c30700";

/// What is found in a tree that `change` has changed, beside that all of it is on one host.
fn found_after(change: impl FnOnce(&mut Tree)) -> (BTreeSet<String>, Value) {
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    let mut tree = healthy_tree(&dashboard);
    change(&mut tree);
    let zookeeper = zookeeper(tree);
    let report = report(&check(&["--zookeeper", &zookeeper.address], ""));
    let mut found = found(&report);
    let problems = |check: &str| {
        let findings =
            report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
        findings.flat_map(|finding| finding["problems"].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    for check in ["coordinator/addresses", "coordinator/server-addresses"] {
        if problems(check).iter().all(|problem| problem["state"] == "warning") {
            found.remove(check);
        }
    }
    (found, report)
}

#[test]
fn a_proxy_that_is_down_is_found_while_it_is_still_announced() {
    let (found, report) = found_after(|tree| {
        let proxy = PROXY.replace("TOKEN", "1596baf890de3464878cb2dbfca3879c");
        let mut model: Value = serde_json::from_slice(&tree[&proxy].data).unwrap();
        model["admin_addr"] = closed_address().into();
        tree.insert(proxy, Znode::open(&model.to_string()));
    });
    assert_eq!(found, BTreeSet::from(["coordinator/proxies".to_owned()]));
    assert!(table(&report).contains("it is down, and clients still find it"), "{}", table(&report));
}

#[test]
fn a_healthy_tree_is_silent() {
    assert_eq!(found_after(|_| {}).0, BTreeSet::new());
    // The same on several hosts: as no dashboard can be dialled there, its answer is put into the bundle.
    let directory = tempfile::tempdir().unwrap();
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    let zookeeper = zookeeper(healthy_tree(&dashboard));
    let first = check(&["--zookeeper", &zookeeper.address], "");
    let moved = first.stdout.replace("127.0.0.1", "10.79.0.1").replace("\"loopback\"", "\"private\"");
    let path = directory.path().join("report.json");
    fs::write(&path, moved.replace("\"on_one_host\":true", "\"on_one_host\":false")).unwrap();
    let run = check(&["--from", path.to_str().unwrap()], "");
    assert_eq!((run.code, found(&report(&run))), (0, BTreeSet::new()), "{}", table(&report(&run)));
}

/// Below which the product is.
const P: &str = "/codis3/demo-zk";

/// A trap: what is changed, and which checks must say so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trap {
    name: String,
    finds: Vec<String>,
    changes: Vec<Change>,
}

/// A change of a tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    set: Option<String>,
    at: Option<String>,
    remove: Option<String>,
    raw: Option<String>,
    text: Option<String>,
    persistent: Option<String>,
    add: Option<String>,
    r#move: Option<String>,
    to: Option<Value>,
}

impl Change {
    fn apply(&self, tree: &mut Tree) {
        let node = |tree: &Tree, path: &str| tree.get(path).unwrap_or_else(|| panic!("{path}")).clone();
        if let Some(path) = &self.set {
            let mut changed = node(tree, path);
            let mut value: Value = serde_json::from_slice(&changed.data).unwrap();
            *value.pointer_mut(self.at.as_ref().unwrap()).unwrap() = self.to.clone().unwrap_or(Value::Null);
            changed.data = value.to_string().into_bytes();
            tree.insert(path.clone(), changed);
        } else if let Some(prefix) = &self.remove {
            let before = tree.len();
            tree.retain(|path, _| !path.starts_with(prefix));
            assert!(tree.len() < before, "{prefix}");
        } else if let Some(path) = &self.raw {
            let data = self.text.clone().unwrap().into_bytes();
            tree.insert(path.clone(), Znode { data, ..node(tree, path) });
        } else if let Some(path) = &self.persistent {
            tree.insert(path.clone(), Znode { ephemeral: false, ..node(tree, path) });
        } else if let Some(path) = &self.add {
            tree.insert(path.clone(), Znode::open(""));
        } else {
            let moved = tree.remove(self.r#move.as_ref().unwrap()).unwrap();
            tree.insert(self.to.as_ref().unwrap().as_str().unwrap().to_owned(), moved);
        }
    }
}

#[test]
fn each_trap_is_found_and_nothing_else() {
    let text = include_str!("../data/coordinator/traps.yaml");
    let text = text.replace("/P/", &format!("{P}/")).replace("/J/", "/jodis/demo-zk/");
    let text = text.replace("TOKEN", "1596baf890de3464878cb2dbfca3879c");
    let traps: Vec<Trap> = serde_yaml::from_str(&text).unwrap();
    let mut wrong = String::new();
    for trap in traps {
        let (found, report) = found_after(|tree| trap.changes.iter().for_each(|change| change.apply(tree)));
        let expected: BTreeSet<String> = trap.finds.iter().map(|id| format!("coordinator/{id}")).collect();
        if found != expected {
            let name = &trap.name;
            let _ = writeln!(wrong, "{name}: expected {expected:?}, found {found:?}\n{}", table(&report));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn access_is_judged_for_those_who_may_see_it() {
    let protect = |tree: &mut Tree, prefix: &str| {
        for (_, node) in tree.iter_mut().filter(|(path, _)| path.starts_with(prefix)) {
            node.acl = vec![(31, "digest".into(), "codis:qJkdtFCxhn7Z8Y+kF73hXa4DnUw=".into())];
        }
    };
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    let mut tree = healthy_tree(&dashboard);
    protect(&mut tree, "/jodis/demo-zk");
    let half = zookeeper(tree.clone());
    let run = check(&["--zookeeper", &half.address], PASSWORD);
    assert!(found(&report(&run)).contains("coordinator/access"), "{run:?}");
    protect(&mut tree, P);
    let whole = zookeeper(tree.clone());
    let run = check(&["--zookeeper", &whole.address], PASSWORD);
    let access = &report(&run)["facts"]["coordinators"][0]["products"][0]["access"];
    assert!(!found(&report(&run)).contains("coordinator/access"), "{run:?}");
    assert_eq!((&access[0]["schemes"], &access[0]["digests_open"]), (&json!(["digest"]), &json!(false)));
    // Without the password nothing is known, and that is no success.
    let run = check(&["--zookeeper", &whole.address], "");
    assert_eq!((run.code, found(&report(&run))), (3, BTreeSet::from(["coordinator/readable".into()])));
    let mut top = tree.clone();
    protect(&mut top, "/codis3");
    let top = zookeeper(top);
    let run = check(&["--zookeeper", &top.address], "");
    assert_eq!((run.code, found(&report(&run))), (3, BTreeSet::from(["coordinator/product".into()])));
    // With a wrong one ZooKeeper does not say so: it only shows nothing.
    let run = check(&["--zookeeper", &whole.address], "codis:wrong");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("does not show it with these credentials"), "{run:?}");
    // Before 3.4.14 the hash is shown to anyone.
    let old = FakeZookeeper::start(tree, Manner::ShowsHashes, Some(PASSWORD));
    let run = check(&["--zookeeper", &old.address], "");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(found(&report(&run)).contains("coordinator/access"), "{run:?}");
    assert!(!run.stdout.contains("qJkdtFCxhn7Z8Y"), "not even its hash is repeated: {run:?}");
    // A product that is open is accepted unless somebody says that it should not be.
    let open = zookeeper(healthy_tree(&dashboard));
    let run = check(&["--zookeeper", &open.address, "--set", "coordinator/access.open=false"], "");
    assert!(found(&report(&run)).contains("coordinator/access"), "{run:?}");
}

#[test]
fn clients_are_told_where_to_look() {
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    let zookeeper = zookeeper(healthy_tree(&dashboard));
    let expecting = |path: &str| {
        let set = format!("coordinator/jodis-path.expected={path}");
        let run = check(&["--zookeeper", &zookeeper.address, "--set", &set], "");
        (found(&report(&run)).contains("coordinator/jodis-path"), run.stdout)
    };
    assert!(!expecting("/jodis/demo-zk").0);
    let (wrong, text) = expecting("/zk/codis/db_demo-zk/proxy");
    assert!(wrong && text.contains(r#"zkProxyDir(\"/jodis/demo-zk\")"#), "{text}");
}

#[test]
fn a_product_and_a_chroot_are_looked_for() {
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    let mut tree = replaced(&healthy_tree(&dashboard), "/codis3", "/a/b/codis3");
    tree = replaced(&tree, "/jodis", "/a/b/jodis");
    for path in ["/", "/a", "/a/b"] {
        tree.insert(path.into(), Znode::open(""));
    }
    let zookeeper = zookeeper(tree);
    let at = |suffix: &str| format!("{}{suffix}", zookeeper.address);
    let product = |run: &Run| report(run)["facts"]["coordinators"][0]["products"][0]["name"].clone();
    let run = check(&["--zookeeper", &at("/a/b"), "--no-ports", "--product", "demo-zk"], "");
    assert_eq!(product(&run), "demo-zk", "{run:?}");
    let run = check(&["--zookeeper", &at("")], "");
    assert_eq!((run.code, found(&report(&run))), (1, BTreeSet::from(["coordinator/product".into()])));
    let run = check(&["--zookeeper", &at("/a/b"), "--product", "other"], "");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains("there is no product other; there is demo-zk"), "{run:?}");
}

#[test]
fn the_directory_of_the_file_system_coordinator() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().to_str().unwrap();
    let run = check(&["--coordinator-dir", at], "");
    assert_eq!(run.code, 2, "no data/ in it: {run:?}");
    let dashboard = serve_dashboard(TOKEN, "demo-zk");
    for (path, node) in healthy_tree(&dashboard).iter().filter(|(path, _)| path.starts_with(P)) {
        let file = directory.path().join("data").join(&path[1..]);
        fs::create_dir_all(if node.data.is_empty() { file.as_path() } else { file.parent().unwrap() })
            .unwrap();
        if !node.data.is_empty() {
            fs::write(file, &node.data).unwrap();
        }
    }
    let run = check(&["--coordinator-dir", at], "");
    assert!(found(&report(&run)).contains("coordinator/filesystem"), "{run:?}");
    // jodis cannot use it: where clients look is another question.
    let expected = ["addresses", "filesystem", "server-addresses"];
    assert_eq!(
        found(&report(&run)),
        expected.iter().map(|id| format!("coordinator/{id}")).collect(),
        "{run:?}"
    );
    // It can be asked in the same run, and then a proxy that is down is seen.
    let mut announced = healthy_tree(&dashboard);
    announced.retain(|path, _| !path.starts_with("/codis3"));
    let whole = zookeeper(announced.clone());
    announced.remove("/jodis/demo-zk/proxy-1596baf890de3464878cb2dbfca3879c").unwrap();
    let part = zookeeper(announced);
    for (clients, expected) in [(whole, false), (part, true)] {
        let run = check(&["--coordinator-dir", at, "--zookeeper", &clients.address], "");
        let found = found(&report(&run));
        assert_eq!(found.contains("coordinator/proxies"), expected, "{run:?}");
        assert!(!found.contains("coordinator/jodis-empty"), "{run:?}");
    }
    // A link that leads elsewhere is not followed, a pipe is not opened.
    let slot = directory.path().join("data/codis3/demo-zk/slots/slot-0001");
    fs::remove_file(&slot).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &slot).unwrap();
    let run = check(&["--coordinator-dir", at], "");
    assert!(!run.stdout.contains("root:"), "{run:?}");
    assert!(report(&run)["facts"]["coordinators"][0]["products"][0]["slots"].is_null(), "{run:?}");
}

#[test]
fn two_coordinators_with_one_product_are_two_dashboards() {
    let (one, two) = (serve_dashboard(TOKEN, "demo-zk"), serve_dashboard("else", "demo-zk"));
    let first = zookeeper(healthy_tree(&one));
    let second = zookeeper(replaced(&healthy_tree(&two), TOKEN, "else"));
    let run = check(&["--zookeeper", &first.address, "--zookeeper", &second.address], "");
    let text = table(&report(&run));
    assert!(text.contains(&format!("in zookeeper {}", second.address)), "{text}");
    assert!(text.contains(&format!("in zookeeper {}", first.address)), "{text}");
}

#[test]
fn the_dashboard_itself_is_compared_where_it_is_looked_at() {
    let (place, url) = serve_recorded("07-zk-online");
    let recorded = replaced(&recorded_tree("07-zk-online"), "127.0.0.1", &place.host);
    let (recorded, _) = with_proxies_at_work(&recorded);
    let problems = |check_id: &str, change: &dyn Fn(&mut Tree)| {
        let mut tree = recorded.clone();
        change(&mut tree);
        let zookeeper = zookeeper(tree);
        let run = check(&["--codis", &url, "--no-servers", "--zookeeper", &zookeeper.address], "");
        let report = report(&run);
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == check_id).unwrap();
        let problems = finding["problems"].as_array().unwrap().iter();
        problems.map(|problem| problem["found"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let proxy = PROXY.replace("TOKEN", "1596baf890de3464878cb2dbfca3879c");
    assert_eq!(problems("coordinator/dashboard-lock", &|_| {}), "", "it is the one that wrote the lock");
    let as_recorded = problems("coordinator/proxies", &|_| {});
    assert!(as_recorded.contains("d2de05be") && as_recorded.lines().count() == 1, "{as_recorded}");
    let lost = problems("coordinator/proxies", &|tree| drop(tree.remove(&proxy)));
    assert!(
        lost.contains("has proxy-1596baf890de3464878cb2dbfca3879c") && lost.contains("in memory"),
        "{lost}"
    );
    let by_hand = problems("coordinator/proxies", &|tree| {
        let mut value: Value = serde_json::from_slice(&tree[&proxy].data).unwrap();
        value["token"] = json!("hand");
        tree.insert(format!("{P}/proxy/proxy-hand"), Znode::open(&value.to_string()));
    });
    assert!(by_hand.contains("proxy-hand") && by_hand.contains("by hand"), "{by_hand}");
    let other = problems("coordinator/dashboard-lock", &|tree| {
        *tree = replaced(tree, TOKEN, "else");
    });
    assert!(other.contains(&format!("another dashboard holds the same product in {url}")), "{other}");
}

/// Where the dashboard's tree has a proxy.
const PROXY: &str = "/codis3/demo-zk/proxy/proxy-TOKEN";

#[test]
fn a_product_of_codis_2_is_told_as_one() {
    let mut tree = Tree::new();
    for path in
        ["/", "/zk", "/zk/codis", "/zk/codis/db_old", "/zk/codis/db_old/slots", "/zk/codis/db_old/proxy"]
    {
        tree.insert(path.into(), Znode::open(""));
    }
    let entry = |state: &str| {
        let text = json!({"id": "proxy_1", "addr": "10.0.0.1:19000", "last_event": "", "last_event_ts": 0,
            "state": state, "description": "", "debug_var_addr": "10.0.0.1:11000", "pid": 7, "start_at": "x"});
        Znode { ephemeral: true, ..Znode::open(&text.to_string()) }
    };
    for (state, expected) in [("online", vec!["layouts"]), ("mark_offline", vec!["jodis-entries", "layouts"])]
    {
        tree.insert("/zk/codis/db_old/proxy/proxy_1".into(), entry(state));
        let zookeeper = zookeeper(tree.clone());
        let report = report(&check(&["--zookeeper", &zookeeper.address], ""));
        assert_eq!(
            found(&report),
            expected.iter().map(|id| format!("coordinator/{id}")).collect(),
            "{state}"
        );
        let product = &report["facts"]["coordinators"][0]["products"][0];
        assert_eq!((&product["name"], &product["jodis"][0]["flavour"]), (&json!("old"), &json!("codis2")));
        assert!(report.to_string().contains(r#"zkProxyDir(\"/zk/codis/db_old/proxy\")"#), "{report:#}");
    }
}
