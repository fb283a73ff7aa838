//! What Sentinels say is judged: recorded sets are as they were, each trap is found by its id, a healthy set is silent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::support::chinese::is_all_chinese;
use crate::support::sentinel::{RecordedSet, set_field};
use crate::support::snapshots::word;
use pikadoctor::catalog::built_in;
use pikadoctor::collect::link::Live;
use pikadoctor::collect::net::deadlines::Deadlines;
use pikadoctor::judge::evaluate::Judge;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Finding, State};
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::request::{CollectionPlan, LinkProbeOptions, SentinelRequest, ServerTarget};
use pikadoctor::pipeline::{CHECK, collect};
use serde_json::json;

/// Asks the Sentinels of a set, and the servers that they watch.
fn look(set: &RecordedSet, catalogue: &Catalogue, follow: bool) -> Facts {
    let _served = set.serve();
    let sentinels = set.sentinels().into_iter().map(|name| {
        let (host, port) = name.rsplit_once(':').unwrap();
        let address = pikadoctor::model::address::Address { host: host.into(), port: port.parse().unwrap() };
        ServerTarget { name: name.clone(), address, password: None }
    });
    let sentinels = SentinelRequest { sentinels: sentinels.collect(), follow, password: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let second = Duration::from_secs(1);
        let deadlines = Deadlines::starting_now(30 * second, 5 * second, 5 * second);
        // What may be written where somebody names a link must not be written where a Sentinel does.
        let live = Live { write: true, canary_wait: second };
        let probes = LinkProbeOptions { live: Some(live), forced: false };
        let plan = CollectionPlan { sentinels, probes, skip_ports: true, ..CollectionPlan::default() };
        collect(&plan, CHECK, &catalogue.knowledge, deadlines).await.unwrap()
    })
}

/// The findings about Sentinels that are not fine.
fn findings(set: &RecordedSet, follow: bool) -> Vec<Finding> {
    let catalogue = built_in();
    let facts = look(set, &catalogue, follow);
    is_all_chinese(&facts);
    let judge = Judge::new(&catalogue, Language::En);
    let mut findings = judge.judge(&facts, &Parameters::new());
    findings.retain(|finding| {
        finding.check.starts_with("sentinel/")
            && !matches!(finding.state, State::Ok | State::NotApplicable | State::Skipped)
    });
    findings
}

/// Every recorded set is judged as it was; what is found is read by a person once, and kept.
#[test]
fn recorded_sets_are_judged_as_before() {
    let mut table = String::new();
    for name in ["codis-server", "pika-2.3.6-and-3.3.6", "pika-3.5.5", "three-over-pika-3.5.5"] {
        let set = RecordedSet::load(name);
        let _ = writeln!(table, "{name}");
        for finding in findings(&set, true) {
            let texts: Vec<&str> = finding.problems.iter().map(|problem| problem.found.as_str()).collect();
            let text = if texts.is_empty() { finding.note.clone() } else { texts.join("; ") };
            let text = set.as_recorded(&text);
            let state = word(&finding.state);
            let _ = writeln!(table, "    {state} {} {}: {text}", finding.check, finding.target);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_healthy_set_is_silent() {
    let set = RecordedSet::load("three-over-pika-3.5.5");
    assert_eq!(findings(&set, true), []);
    // Without a look at the servers it is as well as far as Sentinels can tell.
    assert_eq!(findings(&set, false), []);
}

const MASTERS: &str = "sentinel masters";
const SLAVES: &str = "sentinel slaves demo-1";

/// A trap: what is changed, and which checks find it.
type Trap = (&'static str, fn(&mut RecordedSet), &'static [(&'static str, State)]);

const TRAPS: [Trap; 22] = [
    (
        "a release that cannot fail over",
        |set| set.rewrite_server(36401, "pika_version:3.5.5", "pika_version:3.5.4"),
        &[("sentinel/failover-release", State::Critical)],
    ),
    (
        "a quorum above the number of Sentinels",
        |set| set.set_all(MASTERS, "quorum", "4"),
        &[("sentinel/quorum", State::Critical)],
    ),
    ("a quorum of one", |set| set.set_all(MASTERS, "quorum", "1"), &[("sentinel/quorum", State::Warning)]),
    (
        "an even number",
        |set| set.set_all(MASTERS, "num-other-sentinels", "3"),
        &[("sentinel/quorum", State::Warning)],
    ),
    (
        "too few Sentinels up",
        |set| {
            set.answer(
                1,
                "sentinel ckquorum demo-1",
                &json!(
                    "ERR!NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority"
                ),
            );
        },
        &[("sentinel/quorum", State::Critical)],
    ),
    (
        "a short down-after-milliseconds",
        |set| set.set_all(MASTERS, "down-after-milliseconds", "1000"),
        &[("sentinel/timing", State::Warning)],
    ),
    (
        "two re-pointed at a time",
        |set| set.set_all(MASTERS, "parallel-syncs", "2"),
        &[("sentinel/timing", State::Warning)],
    ),
    (
        "one with another quorum",
        |set| set.set(2, MASTERS, "quorum", "3"),
        &[("sentinel/agreement", State::Warning)],
    ),
    (
        "one that does not watch the name",
        |set| {
            set.answer(2, MASTERS, &json!([]));
            set.answer(2, "info sentinel", &json!("sentinel_masters:0\r\nsentinel_tilt:0\r\n"));
        },
        &[("sentinel/agreement", State::Warning), ("sentinel/watches", State::Critical)],
    ),
    (
        "a list that is not whole",
        |set| set.answer(0, "info sentinel", &json!("sentinel_masters:2\r\nsentinel_tilt:0\r\n")),
        &[("sentinel/watches", State::Unknown)],
    ),
    (
        "TILT",
        |set| set.answer(1, "info sentinel", &json!("sentinel_masters:1\r\nsentinel_tilt:1\r\n")),
        &[("sentinel/tilt", State::Critical)],
    ),
    (
        "one id for two",
        |set| set.answer_all("sentinel myid", &json!("87503ce94efd3495747b85647f1ca50654d9149a")),
        &[("sentinel/others", State::Critical)],
    ),
    (
        "one that the others do not know",
        |set| set.answer(0, "sentinel sentinels demo-1", &json!([])),
        &[("sentinel/others", State::Critical)],
    ),
    (
        "a Sentinel that is down for another",
        |set| set.set(0, "sentinel sentinels demo-1", "flags", "s_down,sentinel"),
        &[("sentinel/others", State::Warning)],
    ),
    (
        "a failover that goes on",
        |set| set.set_all(MASTERS, "flags", "master,failover_in_progress"),
        &[("sentinel/state", State::Warning)],
    ),
    (
        "a master without auth-pass",
        |set| {
            set.set_all(MASTERS, "flags", "s_down,o_down,master,disconnected");
            set.rewrite_server(31401, "\"# Server", "\"ERR!NOAUTH Authentication required.");
        },
        &[
            ("sentinel/failover-release", State::Unknown),
            ("sentinel/passwords", State::Critical),
            ("sentinel/state", State::Critical),
        ],
    ),
    (
        "a master that is a replica",
        |set| {
            set.rewrite_server(31401, "role:master", "role:slave");
        },
        &[("sentinel/master-role", State::Critical)],
    ),
    (
        "a replica in a full sync",
        |set| set.rewrite_server(36401, "master_link_status:up", "master_link_status:down"),
        &[("sentinel/ready-replicas", State::Critical)],
    ),
    (
        "slave-priority 0",
        |set| set.set_all(SLAVES, "slave-priority", "0"),
        &[("sentinel/candidates", State::Critical)],
    ),
    (
        "a copied run id",
        |set| {
            let id = "0123456789abcdef0123456789abcdef01234567";
            set.set_all(SLAVES, "runid", id);
            set.set_all(MASTERS, "runid", id);
        },
        &[("sentinel/run-ids", State::Warning)],
    ),
    (
        "a replica that follows another address",
        |set| set.set_all(SLAVES, "master-host", "10.0.0.1"),
        &[("sentinel/replica-master", State::Warning)],
    ),
    (
        "a replica that is nowhere else",
        |set| {
            set.change(1, SLAVES, |reply| {
                let mut gone = reply[0].clone();
                set_field(&mut gone, "ip", "127.0.0.9");
                set_field(&mut gone, "flags", "s_down,slave,disconnected");
                reply.as_array_mut().unwrap().push(gone);
            });
        },
        &[
            ("sentinel/agreement", State::Warning),
            ("sentinel/failover-release", State::Unknown),
            ("sentinel/run-ids", State::Warning),
            ("sentinel/state", State::Warning),
        ],
    ),
];

#[test]
fn each_trap_is_found_by_its_id_and_nothing_else_is() {
    let mut wrong = String::new();
    for (name, change, expected) in TRAPS {
        let mut set = RecordedSet::load("three-over-pika-3.5.5");
        change(&mut set);
        let found = findings(&set, true);
        let states: BTreeMap<&str, State> =
            found.iter().rev().map(|finding| (finding.check.as_str(), finding.state)).collect();
        if states != expected.iter().copied().collect() {
            let _ = writeln!(wrong, "{name}: {found:#?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn two_masters_are_found_and_both_are_looked_at() {
    let mut set = RecordedSet::load("three-over-pika-3.5.5");
    set.set(2, MASTERS, "port", "36401");
    let found = findings(&set, true);
    let agreement = found.iter().find(|finding| finding.check == "sentinel/agreement").unwrap();
    assert_eq!(agreement.state, State::Critical);
    assert!(set.as_recorded(&agreement.problems[0].found).contains("127.0.0.1:36401"), "{agreement:?}");
}

#[test]
fn a_redis_that_a_sentinel_watches_is_no_server_of_the_run() {
    let mut set = RecordedSet::load("three-over-pika-3.5.5");
    for port in [31401, 36401] {
        set.rewrite_server(port, "pika_version:3.5.5", "redis_version:7.0.15");
    }
    let facts = look(&set, &built_in(), true);
    assert!(facts.nodes.is_empty() && facts.links.is_empty(), "{:?}", facts.nodes);
    assert_eq!(findings(&set, true), []);
}

#[test]
fn the_servers_and_their_links_are_looked_at_once() {
    let set = RecordedSet::load("three-over-pika-3.5.5");
    let facts = look(&set, &built_in(), true);
    let names: Vec<String> = facts.nodes.iter().map(|node| set.as_recorded(&node.name)).collect();
    assert_eq!(names, ["127.0.0.1:31401", "127.0.0.1:36401"]);
    let links: Vec<String> = facts.links.iter().map(|link| set.as_recorded(&link.name)).collect();
    assert_eq!(links, ["127.0.0.1:36401 <- 127.0.0.1:31401"]);
    // Nothing is written on a link that only a Sentinel names.
    let canary =
        facts.links[0].unavailable.iter().find(|absence| absence.path.starts_with("canary")).unwrap();
    assert!(canary.reason.as_str().contains("written"), "{canary:?}");
}

#[test]
fn no_text_of_an_example_could_not_be_filled_in() {
    let catalogue = built_in();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let mut tried = 0;
    for check in catalogue
        .checks
        .iter()
        .filter(|check| check.id.starts_with("sentinel/") || check.id.starts_with("companion/"))
    {
        let path = root.join(format!("{}.yaml", check.id));
        let text = std::fs::read_to_string(&path).unwrap();
        let check =
            pikadoctor::catalog::check_file::read_check(&check.id, &path.to_string_lossy(), &text).unwrap();
        for language in [Language::En, Language::Zh] {
            let judge = Judge::new(&catalogue, language);
            for example in &check.file.examples {
                let finding = judge.try_example(&check, example);
                let problems = finding.problems.iter();
                let texts = problems.flat_map(|problem| {
                    [Some(&problem.found), problem.needed.as_ref(), problem.fix.as_ref()]
                        .into_iter()
                        .flatten()
                });
                for text in texts.chain([&finding.note]) {
                    assert!(!text.starts_with('('), "{} `{}`: {text}", check.id, example.name);
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}
