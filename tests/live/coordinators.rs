//! Real ZooKeeper and real etcd from Debian's packages, filled with what was recorded. Run with
//! `PIKADOCTOR_NEIGHBOURS=1` where zookeeper and etcd-server are installed; ignored elsewhere.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::etcd::{etcd_answers, recorded_etcd, serve_http};
use crate::support::process::{Ended, free_port, start};
use crate::support::zookeeper::{FakeZookeeper, Honest, Tree, Writer, Znode, recorded_tree};
use crate::support::{Run, pikadoctor};
use serde_json::Value;

/// The address of the servers of this file.
const HOST: &str = "127.83.7.1";

/// A ZooKeeper. Its own class is started: the script of Debian's package reads /etc/zookeeper and /etc/default, and
/// leaves a daemon behind. The manifest of the jar names all others that it needs.
pub fn start_zookeeper(directory: &Path, ensemble: &str, options: &[&str]) -> (String, Ended) {
    let port = free_port(HOST);
    let data = directory.join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("myid"), "1\n").unwrap();
    let conf = directory.join("zoo.cfg");
    let text = format!(
        "tickTime=2000\ninitLimit=5\nsyncLimit=5\ndataDir={}\nclientPort={port}\nclientPortAddress={HOST}\n\
         admin.enableServer=false\nmaxSessionTimeout=120000\n{ensemble}",
        data.display()
    );
    fs::write(&conf, text).unwrap();
    let class = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    let conf = conf.to_str().unwrap();
    let mut arguments = vec!["-Xmx256m"];
    arguments.extend(options);
    arguments.extend(["-cp", "/usr/share/java/zookeeper.jar", class, conf]);
    (format!("{HOST}:{port}"), start((HOST, port), "java", &arguments))
}

fn check(arguments: &[&str], password: &str) -> (i32, Value) {
    let mut command = pikadoctor();
    command.args(["check", "--format", "json", "--connect-timeout", "1s"]).args(arguments);
    let run =
        Run::of(command.env("PIKADOCTOR_ZOOKEEPER_AUTH", password).env("PIKADOCTOR_ETCD_AUTH", password));
    assert!(!run.stdout.contains("sesame") && !run.stderr.contains("sesame"), "{run:?}");
    (run.code, serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}")))
}

/// Everything that is found, with the place left out.
fn findings(report: &Value, place: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut lines: Vec<String> = findings
        .map(|finding| {
            format!("{} {} {}", finding["check"], finding["state"], finding["problems"])
                .replace(place, "PLACE")
        })
        .collect();
    lines.sort();
    lines
}

fn state<'r>(report: &'r Value, check: &str, target: &str) -> &'r str {
    let findings = report["findings"].as_array().unwrap();
    let wanted =
        |finding: &&Value| finding["check"] == check && finding["target"].as_str().unwrap().ends_with(target);
    findings.iter().find(wanted).unwrap_or_else(|| panic!("{check}"))["state"].as_str().unwrap()
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs zookeeper: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_zookeeper_with_and_without_access_control() {
    let directory = tempfile::tempdir().unwrap();
    let (address, _zookeeper) = start_zookeeper(directory.path(), "", &[]);
    // It listens before it serves.
    wait_for(&address, |report| state(report, "coordinator/reachable", "") == "ok");
    let (code, report) = check(&["--zookeeper", &address], "");
    assert_eq!((code, state(&report, "coordinator/product", "")), (1, "warning"), "empty: {report:#}");

    let tree = recorded_tree("08-zk-digest-auth");
    let protected: Tree = tree
        .iter()
        .filter(|(path, _)| path.contains("zkauth"))
        .map(|(p, n)| (p.clone(), n.clone()))
        .collect();
    let open: Tree = tree
        .iter()
        .filter(|(path, _)| !path.contains("zkauth"))
        .map(|(p, n)| (p.clone(), n.clone()))
        .collect();
    let mut anyone = Writer::connect(&address, None);
    anyone.fill(&open);
    let mut owner = Writer::connect(&address, Some("codis:sesame"));
    owner.fill(&protected);

    for password in ["", "codis:sesame", "codis:wrong"] {
        let (code, real) = check(&["--zookeeper", &address], password);
        let fake = FakeZookeeper::start(tree.clone(), Honest, Some("codis:sesame"));
        let (fake_code, simulated) = check(&["--zookeeper", &fake.address], password);
        assert_eq!(findings(&real, &address), findings(&simulated, &fake.address), "with `{password}`");
        assert_eq!(code, fake_code);
        let readable = state(&real, "coordinator/readable", "demo-zkauth");
        assert_eq!(readable, if password == "codis:sesame" { "ok" } else { "unknown" });
        let product = |name: &str| {
            let products = real["facts"]["coordinators"][0]["products"].as_array().unwrap();
            products.iter().find(|product| product["name"] == name).unwrap().clone()
        };
        assert_eq!(product("demo-zk")["slot_count"], 1024);
        assert_eq!(product("demo-zk")["jodis"][0]["ephemeral"], true);
        let access = &product("demo-zkauth")["access"];
        match password {
            "codis:sesame" => assert_eq!(access[0]["schemes"][0], "digest"),
            // 3.8 shows the list to nobody who may not read the node.
            _ => assert!(access.is_null(), "{access}"),
        }
    }

    // As large as a node can be, and a directory that is larger than any of Codis.
    let mut large = Tree::new();
    large.insert("/codis3/demo-zk/group/group-0003".into(), Znode::open(&"x".repeat(1_000_000)));
    for number in 0..8200 {
        large.insert(format!("/codis3/demo-zk/proxy/proxy-{number}"), Znode::open("{}"));
    }
    anyone.fill(&large);
    let (_, report) = check(&["--zookeeper", &address, "--product", "demo-zk", "--no-ports"], "");
    assert_eq!(state(&report, "coordinator/contents", "demo-zk"), "warning", "{report:#}");
    assert_eq!(state(&report, "coordinator/proxies", "demo-zk"), "unknown");
    assert_eq!(state(&report, "coordinator/groups", "demo-zk"), "unknown");

    // The sessions of the proxies end, and what they announced goes away.
    drop((anyone, owner));
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs zookeeper: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_zookeeper_without_a_majority() {
    let members: String =
        (1..=3).map(|id| format!("server.{id}={HOST}:{}:{}\n", free_port(HOST), free_port(HOST))).collect();
    let directory = tempfile::tempdir().unwrap();
    let (address, _member) = start_zookeeper(directory.path(), &members, &[]);
    let (code, report) = check(&["--zookeeper", &address], "");
    assert_eq!(code, 2, "{report:#}");
    let detail = report["facts"]["coordinators"][0]["detail"]["text"].as_str().unwrap();
    assert!(detail.contains("has no majority"), "{detail}");

    // A member that may serve reading begins with that some seconds after it has lost the others; whether it gives a
    // session for it depends on another setting.
    for (setting, words) in [("", "gives no session"), ("localSessionsEnabled=true\n", "serves reading only")]
    {
        let directory = tempfile::tempdir().unwrap();
        let ensemble = format!("{setting}{members}");
        let (address, _member) =
            start_zookeeper(directory.path(), &ensemble, &["-Dreadonlymode.enabled=true"]);
        let report = wait_for(&address, |report| report.to_string().contains(words));
        assert_eq!(state(&report, "coordinator/reachable", ""), "critical", "{report:#}");
    }
}

/// Looks until it is as expected.
fn wait_for(address: &str, expected: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let (_, report) = check(&["--zookeeper", address], "");
        if expected(&report) {
            return report;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{report:#}");
        thread::sleep(Duration::from_millis(300));
    }
}

/// Sends a request to an etcd and gives its status.
fn send(address: &str, method: &str, path: &str, kind: &str, body: &str, authorization: &str) -> u16 {
    try_send(address, method, path, kind, body, authorization).unwrap()
}

/// The same to one that may still be starting, and drops connections then.
fn try_send(
    address: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
    authorization: &str,
) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n{authorization}Content-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other(format!("no status: {reply:?}")))
}

fn start_etcd(directory: &Path, v2: bool) -> (String, Ended) {
    let (port, peer) = (free_port(HOST), free_port(HOST));
    let (client, peer) = (format!("http://{HOST}:{port}"), format!("http://{HOST}:{peer}"));
    let data = directory.join("data");
    let arguments = [
        "--data-dir",
        data.to_str().unwrap(),
        "--listen-client-urls",
        &client,
        "--advertise-client-urls",
        &client,
        "--listen-peer-urls",
        &peer,
        "--initial-advertise-peer-urls",
        &peer,
        "--initial-cluster",
        &format!("default={peer}"),
        &format!("--enable-v2={v2}"),
    ];
    let address = format!("{HOST}:{port}");
    let etcd = start((HOST, port), "etcd", &arguments);
    // It listens before it has elected itself.
    let began = Instant::now();
    while try_send(&address, "GET", "/health", "text/plain", "", "").ok() != Some(200) {
        assert!(began.elapsed() < Duration::from_secs(60), "etcd does not become healthy");
        thread::sleep(Duration::from_millis(100));
    }
    (address, etcd)
}

/// Puts the leaves of a recorded tree into a real etcd.
fn fill_etcd(address: &str, node: &Value) {
    const FORM: &str = "application/x-www-form-urlencoded";
    for below in node["nodes"].as_array().into_iter().flatten() {
        fill_etcd(address, below);
    }
    let (Some(key), Some(value)) = (node["key"].as_str(), node["value"].as_str()) else { return };
    let escaped: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let ttl = if node["ttl"].is_null() { "" } else { "&ttl=600" };
    let status = send(address, "PUT", &format!("/v2/keys{key}"), FORM, &format!("value={escaped}{ttl}"), "");
    assert!(matches!(status, 200 | 201), "{key}: {status}");
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs etcd-server: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_etcd_with_its_v2_api() {
    let directory = tempfile::tempdir().unwrap();
    let (address, _etcd) = start_etcd(directory.path(), true);
    let (code, report) = check(&["--etcd", &address], "");
    assert_eq!((code, state(&report, "coordinator/product", "")), (1, "warning"), "empty: {report:#}");
    fill_etcd(&address, &recorded_etcd()["node"]);
    let simulated = serve_http(etcd_answers(recorded_etcd()));
    for product in [vec![], vec!["--product", "demo-etcd", "--no-ports"]] {
        let (code, real) = check(&[&["--etcd", &address], &*product].concat(), "");
        let (fake_code, fake) = check(&[&["--etcd", &simulated], &*product].concat(), "");
        assert_eq!(findings(&real, &address), findings(&fake, &simulated));
        assert_eq!(code, fake_code);
        assert_eq!(state(&real, "coordinator/etcd-v2", ""), "ok");
        let product = &real["facts"]["coordinators"][0]["products"][0];
        assert_eq!((&product["name"], &product["slot_count"]), (&"demo-etcd".into(), &1024.into()));
        assert_eq!(product["jodis"][0]["ephemeral"], true);
    }

    // root:sesame, and nothing for those without a name.
    let root = "Authorization: Basic cm9vdDpzZXNhbWU=\r\n";
    let json = "application/json";
    let user = r#"{"user":"root","password":"sesame"}"#;
    assert_eq!(send(&address, "PUT", "/v2/auth/users/root", json, user, ""), 201);
    assert_eq!(send(&address, "PUT", "/v2/auth/enable", json, "", ""), 200);
    assert_eq!(send(&address, "DELETE", "/v2/auth/roles/guest", json, "", root), 200);
    for (password, expected) in [("", "critical"), ("root:wrong", "critical"), ("root:sesame", "ok")] {
        let (code, report) = check(&["--etcd", &address], password);
        assert_eq!(state(&report, "coordinator/reachable", ""), expected, "{password}: {report:#}");
        assert!(code > 0, "all of it is on one host");
    }
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs etcd-server: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_etcd_without_its_v2_api() {
    let directory = tempfile::tempdir().unwrap();
    let (address, _etcd) = start_etcd(directory.path(), false);
    let (code, report) = check(&["--etcd", &address], "");
    assert_eq!((code, state(&report, "coordinator/etcd-v2", "")), (2, "critical"), "{report:#}");
    assert!(report.to_string().contains("--enable-v2=true"));
}
