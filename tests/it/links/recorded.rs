//! Recorded pairs of real servers, looked at as links: what is found is a snapshot that is read in review,
//! and what must never be missed is asserted by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use crate::support::snapshots::{by_text, one_snapshot_each, word};
use crate::support::{RecordedNetwork, recording, recordings_directory};
use futures_util::StreamExt as _;
use pikadoctor::catalog::built_in;
use pikadoctor::collect::link::Live;
use pikadoctor::collect::net::deadlines::Deadlines;
use pikadoctor::model::address::Address;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Finding, Report, State};
use pikadoctor::model::link::{
    AuthVerdict, Cause, Credential, Link, LinkMode, Outcome, Prospect, Relation, Step,
};
use pikadoctor::model::network::AddressKind;
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::reason::Reason;
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::judgement::judge;
use pikadoctor::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest, ServerTarget};
use pikadoctor::pipeline::{LINKS, collect};

/// The releases of which every scenario was recorded.
const RELEASES: [&str; 8] = ["v2.3.0", "v2.3.3", "v2.3.6", "v3.0.16", "v3.1.0", "v3.3.6", "v3.5.5", "v4.0.1"];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(built_in);

/// As many cases as there are networks to spare, for each test here.
const SIDE_BY_SIDE: usize = 30;

/// Two recordings and the places at which they are served.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    master: (String, &'static str),
    replica: (String, &'static str),
    mode: LinkMode,
    forced: bool,
}

impl Case {
    fn new(name: impl Into<String>, master: impl Into<String>, replica: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            master: (master.into(), "1:9221"),
            replica: (replica.into(), "2:9221"),
            mode: LinkMode::Replica,
            forced: false,
        }
    }

    fn double_master(mut self) -> Self {
        self.mode = LinkMode::DoubleMaster;
        self
    }

    fn forced(mut self) -> Self {
        self.forced = true;
        self
    }
}

/// What was found on one pair.
struct Seen {
    case: Case,
    report: Report,
}

impl Seen {
    fn link(&self) -> &Link {
        &self.report.facts.links[0]
    }

    fn finding(&self, check: &str) -> Option<&Finding> {
        self.report.findings.iter().find(|finding| finding.check == check)
    }

    fn state(&self, check: &str) -> State {
        self.finding(check).unwrap_or_else(|| panic!("{}: no {check}", self.case.name)).state
    }

    fn forecast(&self) -> (Prospect, Cause) {
        let forecast = self.link().forecast.as_ref().unwrap();
        (forecast.prospect, forecast.cause)
    }

    fn steps(&self) -> Vec<Step> {
        self.link().flow.iter().flatten().map(|flow| flow.step).collect()
    }
}

/// Looks at all pairs side by side.
async fn look_at(cases: Vec<Case>) -> Vec<Seen> {
    futures_util::stream::iter(cases.into_iter().map(look)).buffered(SIDE_BY_SIDE).collect().await
}

async fn look(case: Case) -> Seen {
    let mut servers = Vec::new();
    for (name, place) in [&case.master, &case.replica] {
        // A server that is down has no recording, and one that would follow itself has one place.
        if !name.is_empty() && servers.iter().all(|(_, taken)| taken != place) {
            servers.push((recording(name), *place));
        }
    }
    let network = RecordedNetwork::of(&servers).await;
    let target = |name: &str, place: &str| {
        let (host, port) = place.split_once(':').unwrap();
        let address = Address { host: format!("{}{host}", network.prefix), port: port.parse().unwrap() };
        ServerTarget { name: name.into(), address, password: None }
    };
    let targets = [target("master", case.master.1), target("replica", case.replica.1)];
    let request = LinkRequest { replica: "replica".into(), master: "master".into(), mode: case.mode };
    let deadlines =
        Deadlines::starting_now(Duration::from_secs(60), Duration::from_secs(10), Duration::from_secs(20));
    // A recording cannot replicate, so nothing is written.
    let live = Some(Live { write: false, canary_wait: Duration::ZERO });
    let probes = LinkProbeOptions { live, forced: case.forced };
    let plan =
        CollectionPlan { skip_ports: true, ..CollectionPlan::of(targets.into(), vec![request], probes) };
    let facts = collect(&plan, LINKS, &CATALOGUE.knowledge, deadlines).await.unwrap();
    let text = serde_json::to_string(&facts).unwrap();
    let mut facts: Facts = serde_json::from_str(&network.as_recorded(&text)).unwrap();
    // What the addresses are was derived from those of the replay.
    for address in facts.links.iter_mut().filter_map(|link| link.address.as_mut()) {
        address.kind = AddressKind::of(&address.host);
    }
    Seen { case, report: judge(facts, &CATALOGUE, &Parameters::new(), Language::En) }
}

/// Every recorded pair, in the order of the table.
fn recorded_pairs() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in RELEASES {
        let mut scenarios: Vec<String> = std::fs::read_dir(recordings_directory().join(version))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        scenarios.sort();
        for scenario in &scenarios {
            cases.extend(pairs_of(version, scenario));
        }
    }
    cases
}

fn pairs_of(version: &str, scenario: &str) -> Vec<Case> {
    let directory = format!("{version}/{scenario}");
    let exists = |file: &str| recordings_directory().join(format!("{directory}/{file}.json")).is_file();
    let pair = |master: &str, replica: &str| {
        let name = if replica == "slave" || scenario.starts_with("double") {
            directory.clone()
        } else {
            format!("{directory}/{replica}")
        };
        let of = |file: &str| if file.is_empty() { String::new() } else { format!("{directory}/{file}") };
        Case::new(name, of(master), of(replica))
    };
    match scenario {
        "master-down" => vec![pair("", "slave")],
        "chain-sid-clash" => {
            let mut below = pair("middle", "leaf");
            (below.master.1, below.replica.1) = ("2:9221", "1:9421");
            vec![pair("top", "middle"), below]
        }
        "double-master-peer-down" => {
            let mut alone = pair("", "a").double_master();
            (alone.master.1, alone.replica.1) = ("2:9221", "1:9221");
            vec![alone]
        }
        _ if scenario.starts_with("double-master") => {
            let mut pair = pair("b", "a").double_master();
            (pair.master.1, pair.replica.1) = ("2:9221", "1:9221");
            vec![pair]
        }
        "slaveof-noop" => vec![pair("master", "slave-error")],
        "port-blocked" => ["1000", "2000", "3000", "10001"]
            .iter()
            .flat_map(|port| ["drop", "reject"].map(|how| format!("{port}-{how}")))
            .map(|which| (format!("master-{which}"), format!("slave-{which}")))
            .filter(|(master, replica)| exists(master) && exists(replica))
            .map(|(master, replica)| pair(&master, &replica))
            .collect(),
        _ => [
            "",
            "-force",
            "-running",
            "-finished",
            "-after",
            "-after-slaveof-again",
            "-after-clearreplicationid",
        ]
        .iter()
        .map(|moment| (format!("master{moment}"), format!("slave{moment}")))
        .filter(|(master, replica)| exists(master) && exists(replica))
        .map(|(master, replica)| pair(&master, &replica))
        .collect(),
    }
}

/// What is known of a link, and what is wrong with it, in the words of the JSON.
fn row(seen: &Seen) -> String {
    let mut row = format!("{}\n", seen.case.name);
    for link in &seen.report.facts.links {
        let relation = word(&link.relation);
        let listed = if link.listed.is_some() { ", listed" } else { "" };
        let auth = link.auth.as_ref().map_or("-".to_owned(), |auth| {
            let retries = if auth.retries { ", retries" } else { "" };
            let rsync = if auth.rsync_refuses { ", rsync refuses" } else { "" };
            format!("{} {}{retries}{rsync}", word(&auth.sends), word(&auth.verdict))
        });
        let forecast = link.forecast.as_ref().unwrap();
        let replaces = if forecast.replaces_data { ", replaces data" } else { "" };
        let values = match (&forecast.on_replica, &forecast.on_master) {
            (Some(own), Some(other)) => {
                format!(" [{} | {}]", shortened(own.as_str()), shortened(other.as_str()))
            }
            _ => String::new(),
        };
        let missing = forecast.missing.as_ref().map_or("", Reason::as_str);
        let _ = writeln!(
            row,
            "    {}: {relation}{listed}; auth {auth}\n        {} -> `{}`: {}, {}{replaces}{values} {missing}",
            link.name,
            forecast.command,
            forecast.answer.as_deref().unwrap_or("?"),
            word(&forecast.prospect),
            word(&forecast.cause)
        );
        for flow in link.flow.iter().flatten() {
            let db = flow.db.as_ref().map(|db| format!("{db} ")).unwrap_or_default();
            let _ = writeln!(row, "        {db}{}: {} | {}", word(&flow.step), flow.replica, flow.master);
        }
    }
    let several = seen.report.facts.links.len() > 1;
    let about_links = seen.report.findings.iter().filter(|finding| !finding.check.starts_with("node/"));
    let named: Vec<(State, String, String)> = about_links
        .map(|finding| {
            let text = finding.problems.first().map_or(&finding.note, |problem| &problem.found);
            let text = text.lines().next().unwrap_or_default();
            // How long was watched differs from run to run.
            let text = text.split_inclusive("did not move").next().unwrap_or_default();
            let target = if several { format!(" ({})", finding.target) } else { String::new() };
            (finding.state, format!("{}{target}", finding.check), text.to_owned())
        })
        .collect();
    for line in by_text(named.iter().map(|(state, check, text)| (*state, check.as_str(), text.clone()))) {
        let _ = writeln!(row, "    {line}");
    }
    row.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A replication-id as its beginning.
fn shortened(text: &str) -> String {
    if text.len() == 50 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        format!("{}…", &text[..4])
    } else {
        text.to_owned()
    }
}

/// Two servers of the same release or of two, before `slaveof`.
fn before_slaveof() -> Vec<Case> {
    let mut cases = Vec::new();
    for replica in RELEASES {
        for master in RELEASES {
            let alone = |version: &str| format!("{version}/standalone/standalone");
            cases.push(Case::new(format!("{replica} of {master}"), alone(master), alone(replica)));
        }
    }
    for version in RELEASES {
        let alone = format!("{version}/standalone/standalone");
        let of = |file: &str| format!("{version}/{file}");
        let case = |what: &str, master: &str, replica: &str| {
            Case::new(format!("{version}, {what}"), master, replica)
        };
        cases.push(case("forced", &alone, &alone).forced());
        let mut itself = case("itself", &alone, &alone);
        itself.replica.1 = itself.master.1;
        cases.push(itself);
        cases.push(case("a master with a password", &of("missing-masterauth/master"), &alone));
        let mut has_replicas = case("a replica with replicas", &alone, &of("replica-up/master"));
        (has_replicas.master.1, has_replicas.replica.1) = ("3:9221", "1:9221");
        cases.push(has_replicas);
        let mut follows = case("a replica of another master", &alone, &of("replica-up/slave"));
        follows.master.1 = "3:9221";
        cases.push(follows);
        cases.push(
            case("force, and it follows already", &of("replica-up/master"), &of("replica-up/slave")).forced(),
        );
        if !version.starts_with("v2") && version != "v3.0.16" {
            let mut databases = case("two databases and one", &of("databases-mismatch/slave"), &alone);
            databases.master.1 = "3:9221";
            cases.push(databases);
        }
        if ["v3.5.5", "v4.0.1"].contains(&version) {
            let with_id = of("replicationid-mismatch/master");
            cases.push(case("an id and none", &alone, &with_id));
            cases.push(case("none and an id", &with_id, &alone));
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_on_each_recorded_link() {
    let all = look_at(recorded_pairs()).await;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for seen in &all {
        let recording: Vec<&str> = seen.case.name.split('/').take(2).collect();
        texts.entry(recording.join("/")).or_default().push_str(&row(seen));
        promised(seen);
        promised_of_ports_and_releases(seen);
        agrees_with_what_was_measured(seen);
    }
    one_snapshot_each("links/snapshots/recorded", texts);
}

/// What the recordings are known to show, by scenario.
fn promised(seen: &Seen) {
    let name = seen.case.name.as_str();
    let (version, scenario) = name.split_once('/').unwrap();
    let up_to_3_0 = ["v2.3.0", "v2.3.3", "v2.3.6", "v3.0.16"].contains(&version);
    let from_3_5 = ["v3.5.5", "v4.0.1"].contains(&version);
    let link = seen.link();
    let verdict = || {
        let auth = link.auth.as_ref().unwrap();
        (auth.sends, auth.verdict)
    };
    let troubled = || !matches!(seen.state("link/state"), State::Ok);
    match scenario {
        "replica-up"
        | "replica-lagging/slave-after"
        | "masterauth-own-set"
        | "full-sync-running/slave-finished" => {
            assert_eq!(link.relation, Some(Relation::Follows), "{name}");
            assert!(link.listed.is_some(), "{name}");
            assert_eq!(seen.steps(), [Step::Level], "{name}");
            assert_eq!(wrong(seen), Vec::<String>::new(), "{name}");
            let answer = if version == "v2.3.0" { Prospect::Refused } else { Prospect::Nothing };
            assert_eq!(seen.forecast().0, answer, "{name}");
        }
        // Everything in INFO is green, and only the positions tell.
        "chain-sid-clash/middle" => {
            assert_eq!(seen.state("link/state"), State::Ok, "{name}");
            assert_eq!(seen.state("link/dialect"), State::Ok, "{name}");
            assert_eq!(seen.steps(), [Step::Stuck], "{name}");
            assert_eq!(seen.state("link/positions"), State::Critical, "{name}");
        }
        "chain-sid-clash/leaf" => assert_eq!(wrong(seen), Vec::<String>::new(), "{name}"),
        "master-down" => assert_eq!(seen.state("link/state"), State::Critical, "{name}"),
        "wrong-masterauth" => {
            // With its own requirepass empty, 2.3.0 does not even come to compare the passwords.
            let expected = if version == "v2.3.0" { AuthVerdict::AnswersMixedUp } else { AuthVerdict::Wrong };
            assert_eq!(verdict(), (Credential::Masterauth, expected), "{name}");
            assert_eq!(link.auth.as_ref().unwrap().retries, up_to_3_0 && version != "v2.3.0", "{name}");
            assert!(troubled(), "{name}");
        }
        "missing-masterauth" => {
            assert_eq!(verdict(), (Credential::Nothing, AuthVerdict::Missing), "{name}");
            assert!(troubled(), "{name}");
        }
        "masterauth-own-empty" => {
            let expected =
                if version == "v2.3.0" { AuthVerdict::AnswersMixedUp } else { AuthVerdict::Accepted };
            assert_eq!(verdict(), (Credential::Masterauth, expected), "{name}");
            assert_eq!(troubled(), version == "v2.3.0", "{name}");
        }
        "requirepass-fallback" => {
            let expected = if version == "v2.3.0" {
                (Credential::Requirepass, AuthVerdict::Accepted)
            } else {
                (Credential::Nothing, AuthVerdict::Missing)
            };
            assert_eq!(verdict(), expected, "{name}");
            assert_eq!(troubled(), version != "v2.3.0", "{name}");
        }
        "masterauth-without-requirepass" => {
            assert_eq!(verdict(), (Credential::Masterauth, AuthVerdict::Accepted), "{name}");
            assert!(link.auth.as_ref().unwrap().rsync_refuses, "{name}");
            assert!(troubled(), "{name}");
        }
        "slave-ahead" | "slaveof-noop/slave-error" => {
            assert_eq!(seen.steps(), [Step::Ahead], "{name}");
            assert_eq!(seen.state("link/positions"), State::Critical, "{name}");
            assert_eq!(seen.state("link/state"), State::Critical, "{name}");
            let expected = if version == "v2.3.0" {
                (Prospect::Refused, Cause::FollowsAlready)
            } else {
                (Prospect::Nothing, Cause::SameMaster)
            };
            assert_eq!(seen.forecast(), expected, "{name}");
        }
        // From 3.5 on the replica's own data was replaced without a word, and nothing shows it afterwards.
        "slave-ahead-never-paired" => {
            let expected = if from_3_5 { (Step::Level, State::Ok) } else { (Step::Ahead, State::Critical) };
            assert_eq!((seen.steps()[0], seen.state("link/positions")), expected, "{name}");
            assert_eq!(troubled(), !from_3_5, "{name}");
        }
        "databases-mismatch" | "replicationid-mismatch" => {
            assert_eq!(seen.state("link/state"), State::Critical, "{name}");
        }
        "replicationid-mismatch/slave-after-clearreplicationid" => {
            assert_eq!(wrong(seen), Vec::<String>::new(), "{name}");
        }
        // A copy that runs is no reason to begin anew. (3.1.0 has one word for this and for an error.)
        "full-sync-running/slave-running" if version != "v3.1.0" => {
            assert_eq!(seen.state("link/state"), State::Warning, "{name}");
            assert_eq!(seen.state("link/positions"), State::Warning, "{name}");
        }
        "double-master-up" => {
            assert_eq!(seen.report.facts.links.len(), 2, "{name}");
            assert_eq!(wrong(seen), Vec::<String>::new(), "{name}");
        }
        _ => {}
    }
}

/// The same for blocked ports and for two releases, by scenario.
fn promised_of_ports_and_releases(seen: &Seen) {
    let name = seen.case.name.as_str();
    let (version, scenario) = name.split_once('/').unwrap();
    let up_to_3_0 = ["v2.3.0", "v2.3.3", "v2.3.6", "v3.0.16"].contains(&version);
    if let Some((port, how)) =
        scenario.strip_prefix("port-blocked/slave-").and_then(|which| which.split_once('-'))
    {
        assert_ne!(seen.state("link/state"), State::Ok, "{name}");
        if up_to_3_0 {
            let expected = if port == "1000" { State::Critical } else { State::Ok };
            assert_eq!(seen.state("link/binlog-port"), expected, "{name}");
        }
        // The heartbeat is missed, and data flows all the same.
        if up_to_3_0 && port == "2000" {
            assert_eq!(seen.state("link/positions"), State::Ok, "{name}, {how}");
            let text = &seen.finding("link/state").unwrap().problems[0].found;
            assert!(text.contains("lists it as offline"), "{name}: {text}");
        }
    }
    if let Some(master) = scenario.strip_prefix("version-mix-master-") {
        let expected = match (version, master.trim_end_matches("-force")) {
            ("v2.3.0", "v2.3.6") | ("v3.0.16", "v3.0.0") => State::Ok,
            ("v3.3.6", "v3.5.5") => State::Warning,
            _ => State::Critical,
        };
        assert_eq!(seen.state("link/dialect"), expected, "{name}");
        let silent = matches!(seen.link().dialect.as_ref().unwrap().incremental, Outcome::Silent);
        if silent {
            assert_eq!(seen.state("link/state"), State::Ok, "{name}: INFO is green");
            assert_eq!(seen.state("link/positions"), State::Critical, "{name}");
        }
    }
}

/// What is wrong with the link, by check.
fn wrong(seen: &Seen) -> Vec<String> {
    let findings = seen.report.findings.iter().filter(|finding| !finding.check.starts_with("node/"));
    findings
        .filter(|finding| matches!(finding.state, State::Critical | State::Warning | State::Unknown))
        .map(|finding| format!("{:?} {}", finding.state, finding.check))
        .collect()
}

/// While a pair was recorded, a key was written on the master and looked for on the replica. Where it did
/// not arrive, something must be found; where it did, nothing may be critical.
fn agrees_with_what_was_measured(seen: &Seen) {
    if seen.case.mode != LinkMode::Replica || seen.case.master.0.is_empty() {
        return;
    }
    let what = recording(&seen.case.replica.0).what.unwrap_or_default();
    let name = &seen.case.name;
    if what.contains("canary=False") {
        assert_ne!(wrong(seen), Vec::<String>::new(), "{name}: {what}");
    }
    let arrived = what.contains("canary=True") || what.contains("last key arrived: True");
    if arrived && !what.contains("canary=False") {
        let critical: Vec<String> =
            wrong(seen).into_iter().filter(|finding| finding.starts_with("Critical")).collect();
        assert_eq!(critical, Vec::<String>::new(), "{name}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slaveof_would_do_between_recorded_servers() {
    let all = look_at(before_slaveof()).await;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for seen in &all {
        let (name, (prospect, cause)) = (&seen.case.name, seen.forecast());
        let forecast = seen.link().forecast.as_ref().unwrap();
        let (version, what) = name.split_once([',', ' ']).unwrap();
        texts.entry(version.to_owned()).or_default().push_str(&row(seen));
        let up_to_3_0 = ["v2.3.0", "v2.3.3", "v2.3.6", "v3.0.16"].contains(&version);
        match what.trim() {
            "itself" => assert_eq!((prospect, cause), (Prospect::Refused, Cause::SameServer), "{name}"),
            "forced" => {
                assert_eq!((prospect, cause), (Prospect::FullSync, Cause::Forced), "{name}");
                assert!(forecast.replaces_data, "{name}");
            }
            "a master with a password" => assert_eq!((prospect, cause), (Prospect::Error, Cause::Masterauth)),
            "a replica with replicas" if !up_to_3_0 => {
                assert_eq!((prospect, cause), (Prospect::Refused, Cause::HasReplicas), "{name}");
            }
            "a replica of another master" if version == "v2.3.0" => {
                assert_eq!((prospect, cause), (Prospect::Refused, Cause::FollowsAlready), "{name}");
            }
            "force, and it follows already" if version != "v2.3.0" => {
                assert_eq!((prospect, cause), (Prospect::Nothing, Cause::SameMaster), "{name}");
                assert_eq!(seen.state("link/forecast"), State::Warning, "{name}");
            }
            "two databases and one" => {
                assert_eq!((prospect, cause), (Prospect::Error, Cause::Databases), "{name}");
            }
            "an id and none" => assert_eq!((prospect, cause), (Prospect::Error, Cause::ReplicationId)),
            "none and an id" => {
                assert_eq!((prospect, cause), (Prospect::FullSync, Cause::NoReplicationId), "{name}");
                assert_eq!(seen.state("link/forecast"), State::Warning, "{name}: its data is replaced");
            }
            _ => {}
        }
        // Nothing that is promised to replicate was measured not to.
        let dialect = seen.link().dialect.as_ref().unwrap();
        match prospect {
            Prospect::Incremental => assert_eq!(dialect.incremental, Outcome::Works, "{name}"),
            Prospect::FullSync => assert_eq!(dialect.full, Outcome::Works, "{name}"),
            _ => assert_ne!(seen.state("link/forecast"), State::Ok, "{name}"),
        }
    }
    one_snapshot_each("links/snapshots/slaveof", texts);
}
