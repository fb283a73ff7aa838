//! What the largest inputs cost that somebody else chooses, below 32 MB each: at most two seconds of the processor and
//! 150 MB in a build for use.
//!
//! `cargo test --release --test it costs -- --ignored --nocapture` prints the table. `PIKADOCTOR_COSTS_OF=PROGRAM`
//! measures another build of the program beside this one.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::codis::{Place, json as page};
use crate::support::coordinator::{FakeZookeeper, Honest, Tree, Znode, recorded_tree, serve_http};
use crate::support::measured::{Measured, measure_run};
use crate::support::{listener, pikadoctor, recording, run, serve};

/// What one input may cost.
const MOST_CPU: Duration = Duration::from_secs(2);
const MOST_KILOBYTES: u64 = 150 * 1000;

/// An input, and how the program is led to it.
struct Source {
    name: &'static str,
    arguments: Vec<String>,
}

fn source(name: &'static str, arguments: &[&str]) -> Source {
    Source { name, arguments: arguments.iter().map(|word| (*word).to_owned()).collect() }
}

/// A server that answers each command line or array of RESP with what `answer` says to it.
fn resp(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let serve = move |stream: TcpStream| -> Option<()> {
        let mut out = stream.try_clone().ok()?;
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        loop {
            let count: usize = lines.next()?.strip_prefix('*')?.parse().ok()?;
            let mut words = Vec::new();
            for _ in 0..count {
                lines.next()?;
                words.push(lines.next()?);
            }
            out.write_all(answer(&words.join(" ").to_ascii_lowercase()).as_bytes()).ok()?;
        }
    };
    listener(move |stream| {
        serve(stream);
    })
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn list(words: &[String]) -> String {
    let items: String = words.iter().map(|word| bulk(word)).collect();
    format!("*{}\r\n{items}", words.len())
}

/// A master of so many replicas.
fn many_replicas(count: usize) -> String {
    let mut info = format!(
        "# Server\r\npika_version:3.5.5\r\n# Replication(MASTER)\r\nrole:master\r\nconnected_slaves:{count}\r\n"
    );
    for index in 0..count {
        let _ = write!(
            info,
            "slave{index}:ip=10.9.{}.{},port=9221,conn_fd=5,lag=(db0:0)\r\n",
            index / 250,
            index % 250
        );
    }
    resp(move |words| if words.starts_with("info") { bulk(&info) } else { "-ERR no\r\n".to_owned() })
}

/// A Sentinel that watches 16 names, all of them on servers of this host that list so many replicas each.
fn sentinel_of_masters(replicas: usize) -> String {
    let masters: Vec<String> = (0..16).map(|_| many_replicas(replicas)).collect();
    let all: String = masters
        .iter()
        .enumerate()
        .map(|(index, address)| {
            let (host, port) = address.rsplit_once(':').unwrap();
            let name = format!("m{index}");
            let words = ["name", &name, "ip", host, "port", port, "flags", "master", "quorum", "1"];
            list(&words.map(str::to_owned))
        })
        .collect();
    let masters = format!("*16\r\n{all}");
    resp(move |words| match words {
        "sentinel masters" => masters.clone(),
        info if info.starts_with("info") => bulk(
            "# Server\r\nredis_version:6.0.0\r\nredis_mode:sentinel\r\n# Sentinel\r\nsentinel_masters:16\r\n",
        ),
        _ => "*0\r\n".to_owned(),
    })
}

/// A Sentinel that lists so many replicas for one name.
fn sentinel_of_replicas(count: usize) -> String {
    let entry = |name: &str, index: usize, flags: &str| {
        let (ip, port) = (format!("10.9.{}.{}", index / 250, index % 250), "9221".to_owned());
        let words = [
            "name".to_owned(),
            name.to_owned(),
            "ip".into(),
            ip,
            "port".into(),
            port,
            "flags".into(),
            flags.into(),
        ];
        list(&words)
    };
    let master = format!("*1\r\n{}", entry("m", 1, "master"));
    let replicas: String = (0..count).map(|index| entry(&format!("r{index}"), index, "slave")).collect();
    let replicas = format!("*{count}\r\n{replicas}");
    resp(move |words| match words {
        "sentinel masters" => master.clone(),
        words if words.starts_with("sentinel slaves") || words.starts_with("sentinel replicas") => {
            replicas.clone()
        }
        info if info.starts_with("info") => bulk(
            "# Server\r\nredis_version:6.0.0\r\nredis_mode:sentinel\r\n# Sentinel\r\nsentinel_masters:1\r\n",
        ),
        _ => "*0\r\n".to_owned(),
    })
}

/// 400,000 servers in the groups of one product, as large as nodes may be.
fn zookeeper_of_servers(groups: usize, each: usize) -> String {
    let mut tree: Tree = recorded_tree("07-zk-online");
    tree.retain(|path, _| !path.contains("/group/"));
    for group in 1..=groups {
        let servers: Vec<Value> = (0..each)
            .map(|index| json!({"server": format!("10.{}.{}.{}:1", group % 250, index / 250, index % 250)}))
            .collect();
        let text = json!({"id": group, "servers": servers}).to_string();
        tree.insert(format!("/codis3/demo-zk/group/group-{group:04}"), Znode::open(&text));
    }
    FakeZookeeper::start(tree, Honest, None).address
}

/// So many products of one coordinator, each with a lock.
fn zookeeper_of_products(count: usize) -> String {
    let mut tree = Tree::new();
    for root in ["/codis3", "/jodis"] {
        tree.insert(root.to_owned(), Znode::open(""));
    }
    for number in 0..count {
        tree.insert(format!("/codis3/product-{number}"), Znode::open(""));
        let lock = json!({"token": "t", "admin_addr": "10.9.8.7:1", "product_name": "x"}).to_string();
        tree.insert(format!("/codis3/product-{number}/topom"), Znode::open(&lock));
    }
    FakeZookeeper::start(tree, Honest, None).address
}

/// Slots of a product that are all odd, or all in migration.
fn zookeeper_of_slots(count: usize, text: impl Fn(usize) -> String) -> String {
    let mut tree = recorded_tree("07-zk-online");
    tree.retain(|path, _| !path.contains("/slots/"));
    for slot in 0..count {
        tree.insert(format!("/codis3/demo-zk/slots/slot-{slot:04}"), Znode::open(&text(slot)));
    }
    FakeZookeeper::start(tree, Honest, None).address
}

fn etcd(body: String) -> String {
    serve_http(move |path, _| match path {
        "/version" => {
            Some((200, "application/json", r#"{"etcdserver": "2.3.8", "etcdcluster": "2.3.0"}"#.into()))
        }
        path if path.starts_with("/v2/keys/codis3") => Some((200, "application/json", body.clone())),
        _ => Some((404, "application/json", r#"{"errorCode": 100, "message": "Key not found"}"#.into())),
    })
}

fn etcd_of_children(count: usize) -> String {
    let nodes: Vec<Value> =
        (0..count).map(|index| json!({"key": format!("/codis3/{index}"), "dir": true})).collect();
    etcd(json!({"node": {"key": "/codis3", "dir": true, "nodes": nodes}}).to_string())
}

/// The overview of a dashboard with something of it made large.
fn dashboard(change: impl Fn(&mut Value)) -> (Place, String) {
    let place = Place::new();
    let mut overview: Value =
        serde_json::from_str(&place.recorded("02-fs-groups-assigned", "topom").unwrap()).unwrap();
    change(&mut overview);
    let url = place.serve(0, [("/topom".to_owned(), page(overview.to_string()))].into());
    (place, url)
}

fn packed(path: &Path, text: &str) {
    let mut packed = GzEncoder::new(fs::File::create(path).unwrap(), Compression::best());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
}

/// Facts of a run with parts of them a thousand times.
fn bundle_of(change: impl Fn(&mut Value)) -> String {
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let live = run(&["check", &server.address, "--no-ports", "--format", "json"]);
    let mut facts = serde_json::from_str::<Value>(&live.stdout).unwrap()["facts"].take();
    change(&mut facts);
    facts.to_string()
}

fn times(value: &Value, count: usize) -> Value {
    (0..count)
        .map(|index| {
            let mut one = value.clone();
            one["name"] = format!("10.9.{}.{}:9221", index / 250, index % 250).into();
            one
        })
        .collect::<Vec<_>>()
        .into()
}

/// What servers and coordinators say.
fn answers() -> Vec<Source> {
    vec![
        source("a server that behaves", &["check", &many_replicas(2), "--no-ports"]),
        source("60,000 replicas in one INFO", &["check", &many_replicas(60_000), "--no-ports"]),
        source("1,000 replicas in one INFO", &["check", &many_replicas(1000), "--no-ports"]),
        source(
            "a Sentinel of 16 addresses with 50,000 replicas each",
            &["check", "--sentinel", &sentinel_of_masters(50_000), "--no-ports", "-t", "60s"],
        ),
        source(
            "a Sentinel of 16 addresses with 1,000 replicas each",
            &["check", "--sentinel", &sentinel_of_masters(1000), "--no-ports", "-t", "60s"],
        ),
        source(
            "a Sentinel that lists 50,000 replicas",
            &["check", "--sentinel", &sentinel_of_replicas(50_000), "--no-servers"],
        ),
        source(
            "400,000 servers in ZooKeeper",
            &["check", "--zookeeper", &zookeeper_of_servers(100, 4000), "--no-servers", "-t", "60s"],
        ),
        source(
            "4,096 servers in ZooKeeper",
            &["check", "--zookeeper", &zookeeper_of_servers(64, 64), "--no-servers", "-t", "60s"],
        ),
        source(
            "8,192 products in ZooKeeper",
            &["check", "--zookeeper", &zookeeper_of_products(8192), "--no-servers", "-t", "60s"],
        ),
        source(
            "8,192 slots in ZooKeeper, all in migration",
            &[
                "check",
                "--zookeeper",
                &zookeeper_of_slots(8192, |slot| {
                    json!({"id": slot, "group_id": slot % 7, "action": {"state": "migrating", "target_id": 9}}).to_string()
                }),
                "--no-servers",
                "-t",
                "60s",
            ],
        ),
        source(
            "8,192 slots in ZooKeeper that are none",
            &[
                "check",
                "--zookeeper",
                &zookeeper_of_slots(8192, |_| "x".to_owned()),
                "--no-servers",
                "-t",
                "60s",
            ],
        ),
        source("160,000 children in etcd", &["check", "--etcd", &etcd_of_children(160_000), "--no-servers"]),
        source("8,192 children in etcd", &["check", "--etcd", &etcd_of_children(8192), "--no-servers"]),
        source(
            "31 MB of small JSON from etcd",
            &["check", "--etcd", &etcd(format!("[{}0]", r#"{"":0},"#.repeat(4_400_000))), "--no-servers"],
        ),
    ]
}

fn bundles(directory: &Path) -> Vec<Source> {
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let mut all = Vec::new();
    let small = format!("[{}0]", r#"{"":0},"#.repeat(4_400_000));
    packed(&directory.join("small"), &small);
    all.push(source("31 MB of small JSON, packed, as a bundle", &["check", "--from", &file("small")]));
    packed(&directory.join("nodes"), &bundle_of(|facts| facts["nodes"] = times(&facts["nodes"][0], 1000)));
    all.push(source("a bundle of 1,000 servers", &["check", "--from", &file("nodes")]));
    all.push(source("the same, compared", &["diff", &file("nodes"), &file("nodes")]));
    packed(
        &directory.join("nodes-20000"),
        &bundle_of(|facts| facts["nodes"] = times(&facts["nodes"][0], 6000)),
    );
    all.push(source("a bundle of 6,000 servers", &["check", "--from", &file("nodes-20000")]));
    let blank = " ".repeat(31 << 20);
    packed(&directory.join("blank"), &format!("{{{blank}}}"));
    all.push(source("31 MB of blanks, packed, as a bundle", &["check", "--from", &file("blank")]));
    let text = "x".repeat(31 << 20);
    packed(&directory.join("text"), &bundle_of(|facts| facts["nodes"][0]["name"] = text.clone().into()));
    all.push(source("a bundle with a name of 31 MB", &["check", "--from", &file("text")]));
    all
}

fn dashboards(places: &mut Vec<Place>) -> Vec<Source> {
    let mut all = Vec::new();
    for (name, change) in [
        ("65,536 slots of a Codis", slots as fn(&mut Value)),
        ("65,536 slots of a Codis, each in migration", |overview: &mut Value| {
            slots(overview);
            for slot in overview["stats"]["slots"].as_array_mut().unwrap() {
                slot["action"] = json!({"index": slot["id"], "state": "migrating", "target_id": 2});
            }
        }),
        ("1,024 groups of 4 servers of a Codis", |overview: &mut Value| {
            let models: Vec<Value> = (1..=1024)
                .map(|group| {
                    let servers: Vec<Value> = (0..4).map(|index| json!({"server": format!("10.9.{}.{}:{}", group / 250, group % 250, index + 1), "datacenter": ""})).collect();
                    json!({"id": group, "servers": servers, "promoting": {}, "out_of_sync": false})
                })
                .collect();
            overview["stats"]["group"]["models"] = models.into();
        }),
        ("60,000 groups of a Codis", |overview: &mut Value| {
            let models: Vec<Value> = (1..=60_000).map(|group| json!({"id": group, "servers": []})).collect();
            overview["stats"]["group"]["models"] = models.into();
        }),
    ] {
        let (place, url) = dashboard(change);
        places.push(place);
        all.push(source(name, &["check", "--codis", &url, "--no-servers", "-t", "60s"]));
    }
    all
}

fn files(directory: &Path) -> Vec<Source> {
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let mut all = Vec::new();
    let lines: String = (0..5000).map(|index| format!("key-{index} : value\n")).collect();
    fs::write(directory.join("keys.conf"), lines).unwrap();
    all.push(source("a pika.conf of 5,000 unknown keys", &["lint", &file("keys.conf")]));
    fs::write(directory.join("same.conf"), "slaveof : a b\n".repeat(5000)).unwrap();
    all.push(source("a pika.conf of 5,000 lines that are one", &["lint", &file("same.conf")]));
    let names: String =
        (0..20_000).map(|index| format!("sentinel monitor m{index} 10.0.0.1 1 1\n")).collect();
    fs::write(directory.join("sentinel.conf"), &names).unwrap();
    all.push(source("a sentinel.conf of 20,000 names", &["lint", &file("sentinel.conf")]));
    let toml: String = (0..60_000).map(|index| format!("k{index} = 1\n")).collect();
    fs::write(directory.join("dashboard.toml"), format!("coordinator_name = \"x\"\n{toml}")).unwrap();
    all.push(source("a dashboard.toml of 60,000 keys", &["lint", &file("dashboard.toml")]));
    let line = "E1122 18:41:15.146634 2 pika_server.cc:12] Rsync try connect slave rsync service error, slave rsync service(";
    let log: String = (0..200_000)
        .map(|index| format!("{line}10.{}.{}.{}:1)\n", index / 62_500, index / 250 % 250, index % 250))
        .collect();
    fs::write(directory.join("pika.ERROR"), format!("Log file created at: 2026/11/22 18:41:15\n{log}"))
        .unwrap();
    all.push(source("a log of 200,000 hosts", &["logs", &file("pika.ERROR")]));
    let nodes: String = (0..5000).map(|index| format!("  n{index}: {{addr: \"127.0.0.1:1\"}}\n")).collect();
    fs::write(directory.join("plan.yaml"), format!("nodes:\n{nodes}")).unwrap();
    all.push(source("a plan of 5,000 servers", &["check", "-f", &file("plan.yaml"), "--no-ports"]));
    all
}

/// Slots as many as are read.
fn slots(overview: &mut Value) {
    let slots: Vec<Value> = (0..65_536)
        .map(|slot| json!({"id": slot, "group_id": slot % 3 + 1, "action": {}, "locked": false, "backend_addr": "10.0.0.1:1"}))
        .collect();
    overview["stats"]["slots"] = slots.into();
}

#[test]
#[ignore = "takes minutes; asked for by name"]
fn no_input_costs_more_than_is_promised() {
    let directory = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    let program = std::env::var_os("PIKADOCTOR_COSTS_OF");
    let only = std::env::var("PIKADOCTOR_COSTS_ONLY").unwrap_or_default();
    let mut missed = Vec::new();
    println!("| what comes in | exit | CPU | memory | output |\n|---|---|---|---|---|");
    let files = files(directory.path()).into_iter().chain(bundles(directory.path()));
    for Source { name, arguments } in answers().into_iter().chain(dashboards(&mut places)).chain(files) {
        if !name.contains(&only) {
            continue;
        }
        for format in ["human", "json"] {
            // It has a word of its own for it.
            let options: &[&str] = match (arguments[0].as_str(), format) {
                ("diff", "json") => &["--json"],
                ("diff", _) => &[],
                _ => &["--format", format],
            };
            let mut command = match &program {
                Some(program) => Command::new(program),
                None => pikadoctor(),
            };
            command.args(&arguments).args(options).env("PIKADOCTOR_PASSWORD", "");
            let Measured { code, cpu, kilobytes, stdout, stderr, .. } = measure_run(&mut command);
            println!(
                "| {name}, {format} | {code} | {:.2} s | {} MB | {} kB |",
                cpu.as_secs_f64(),
                kilobytes / 1000,
                stdout.len() / 1000
            );
            if code == 3 && stdout.is_empty() {
                println!("  {}", stderr.chars().take(200).collect::<String>());
            }
            // What was not optimised takes ten times as long.
            if kilobytes > MOST_KILOBYTES || (!cfg!(debug_assertions) && cpu > MOST_CPU) {
                missed.push(format!("{name}, {format}: {cpu:?}, {kilobytes} kB"));
            }
        }
    }
    assert!(missed.is_empty() || program.is_some(), "{}", missed.join("\n"));
}
