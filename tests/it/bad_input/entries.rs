//! Every parser, each behind one door: any bytes go in, and nothing comes out but that it came to an end.
//!
//! `parsers.rs` calls them with bytes of its own making in each run of the tests; the programs below `fuzz/` call the same
//! functions for as long as somebody lets them. So this file uses nothing but the library.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use pikadoctor::catalog::built_in;
use pikadoctor::catalog::check_file::read_check;
use pikadoctor::collect::codis::read::{groups_of_2, overview, proxy_config};
use pikadoctor::collect::coordinator::tree::{Node, Tree};
use pikadoctor::collect::coordinator::{jute, layout};
use pikadoctor::collect::files::bundle::{read_facts, read_report};
use pikadoctor::collect::logs::{self, Level, LogRequest, Recogniser, Window};
use pikadoctor::collect::pika::{identify, resp, trysync};
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::codis::Codis;
use pikadoctor::model::companion::CompanionKind;
use pikadoctor::model::logs::LogSide;
use pikadoctor::model::messages::LogProgram;
use pikadoctor::parse::conf_text::{ConfText, text_of};
use pikadoctor::parse::document::decode::from_yaml;
use pikadoctor::parse::document::json::from_json;
use pikadoctor::parse::secret::Tokens;
use pikadoctor::parse::{companion, conf, info, manifest};
use pikadoctor::plan::read::read_plan;

/// A parser by its name.
pub type Entry = (&'static str, fn(&[u8]));

/// All of them.
pub const ENTRIES: [Entry; 13] = [
    ("resp", answers),
    ("info", sections),
    ("conf", settings),
    ("plan", plan),
    ("check", check),
    ("toml", services),
    ("sentinel_conf", sentinel_conf),
    ("trysync", frames),
    ("topom", topom),
    ("znodes", znodes),
    ("glog", glog),
    ("bundle", bundle),
    ("manifest", binlog_manifest),
];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(built_in);

/// A file with these bytes, for readers that want one. It is written again and again.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let own = format!("pikadoctor-entry-{}-{:?}-{name}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(own);
    std::fs::write(&path, bytes).expect("the directory of temporary files can be written");
    path
}

pub fn answers(bytes: &[u8]) {
    let _ = identify::from_bytes(bytes);
    let mut parser = redis::Parser::new();
    let mut left = bytes;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is a queue of events");
    runtime.block_on(async { while resp::read_value(&mut parser, &mut left).await.is_ok() {} });
}

pub fn sections(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let sections = info::sections(&text);
    for section in sections.values() {
        let _ =
            (info::process(section), info::clients(section), info::tasks(section), info::data(section, None));
        let _ = (info::replication(section), info::double_master(section), info::keyspace(section));
        let _ = (info::binlog(&[section]), info::commands(section));
    }
}

fn conf_text(bytes: &[u8]) -> ConfText {
    ConfText { name: "x".to_owned(), text: text_of(bytes) }
}

pub fn settings(bytes: &[u8]) {
    for version in ["2.3.6", "3.5.5"] {
        let version = version.parse().ok();
        let _ = conf::read(&[conf_text(bytes)], &CATALOGUE.knowledge, &Tokens::new(), version);
    }
}

pub fn plan(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let environment = |name: &str| (name == "HOST").then(|| "10.0.0.1".to_owned());
    let _ = read_plan("plan.yaml", &text, &CATALOGUE, &environment);
}

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = read_check("a/b", "b.yaml", &text);
    let _ = from_yaml::<serde_json::Value>(&text);
}

fn companion_of(bytes: &[u8], kind: CompanionKind) {
    let text = conf_text(bytes);
    let _ = companion::read(&[(kind, &text)], &[], &CATALOGUE.knowledge, &Tokens::new(), None);
    if let Ok(text) = &text.text {
        let _ = companion::kind_of("x", text, &CATALOGUE.knowledge);
    }
}

pub fn services(bytes: &[u8]) {
    companion_of(bytes, CompanionKind::Dashboard);
    companion_of(bytes, CompanionKind::Proxy);
}

pub fn sentinel_conf(bytes: &[u8]) {
    companion_of(bytes, CompanionKind::Sentinel);
}

pub fn frames(bytes: &[u8]) {
    let _ = trysync::read(bytes);
}

pub fn topom(bytes: &[u8]) {
    let Ok(json) = from_json::<serde_json::Value>(bytes) else { return };
    let tokens = Tokens::new();
    overview(&mut Codis::default(), &json, &tokens);
    groups_of_2(&mut Codis::default(), &json);
    let _ = proxy_config(&json, &tokens);
}

pub fn znodes(bytes: &[u8]) {
    let _ = (jute::opened(bytes).is_ok(), jute::header(bytes).is_ok(), jute::content(bytes).is_ok());
    let _ = (jute::children(bytes, 64), jute::acl(bytes, 64).is_ok());
    let node = |children: &[&str], data: &[u8]| Node {
        children: Ok(children.iter().map(|name| (*name).to_owned()).collect()),
        data: Ok(data.to_vec()),
        ..Node::unread()
    };
    let leaves = ["topom", "group/group-0001", "slots/slot-0001", "proxy/proxy-a"];
    let mut nodes =
        BTreeMap::from([("/codis3/p".to_owned(), node(&["topom", "group", "slots", "proxy"], b""))]);
    for leaf in leaves {
        nodes.insert(format!("/codis3/p/{leaf}"), node(&[], bytes));
        if let Some((directory, name)) = leaf.split_once('/') {
            nodes.insert(format!("/codis3/p/{directory}"), node(&[name], b""));
        }
    }
    nodes.insert("/jodis/p".to_owned(), node(&["proxy-a"], b""));
    nodes.insert("/jodis/p/proxy-a".to_owned(), node(&[], bytes));
    let _ = layout::product(&Tree { nodes, oddities: Vec::new() }, "p", &Tokens::new(), true);
}

pub fn glog(bytes: &[u8]) {
    let recogniser = Recogniser::new(&CATALOGUE.knowledge.messages);
    for program in [LogProgram::Pika, LogProgram::Codis, LogProgram::Sentinel, LogProgram::Bare] {
        for found in recogniser.all(program, Level::Fatal, bytes) {
            let _ = (found.kept(), found.values());
        }
    }
    let path = file("log", bytes);
    let window = Window { length: Duration::from_secs(3600), until_now: false };
    let request = LogRequest { path: path.clone(), side: LogSide::Any };
    let _ = logs::read("x", &[request], window, &CATALOGUE.knowledge);
    let _ = std::fs::remove_file(path);
}

pub fn bundle(bytes: &[u8]) {
    let path = file("bundle", bytes);
    let _ = (read_facts(&path).is_ok(), read_report(&path).is_ok());
    let _ = std::fs::remove_file(path);
}

pub fn binlog_manifest(bytes: &[u8]) {
    let _ = manifest::data_files(bytes).is_ok();
}
