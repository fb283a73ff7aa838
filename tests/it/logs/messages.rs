//! The table of log messages is right in itself, and finds in the logs of real servers what went wrong there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use crate::support::recordings_directory;
use pikadoctor::catalog::built_in;
use pikadoctor::collect::logs::{Level, LogRequest, Recogniser, Window};
use pikadoctor::model::finding::State;
use pikadoctor::model::knowledge::Knowledge;
use pikadoctor::model::logs::{LogSide, LogView};
use pikadoctor::model::messages::LogProgram;
use pikadoctor::model::release::Releases;
use pikadoctor::parse::document::decode::from_yaml;

const DAY: Window = Window { length: Duration::from_secs(24 * 3600), until_now: false };

/// What is read of logs, and what follows from it.
fn read_logs(name: &str, requests: &[LogRequest], window: Window, knowledge: &Knowledge) -> LogView {
    let mut view = pikadoctor::collect::logs::read(name, requests, window, knowledge);
    pikadoctor::derive::logs::complete(&mut view, knowledge);
    view
}

#[test]
fn every_message_has_examples_and_no_line_is_two_messages() {
    let table = built_in().knowledge.messages;
    let recogniser = Recogniser::new(&table);
    let mut ids = BTreeSet::new();
    for rule in &table.messages {
        assert!(ids.insert(&rule.id), "{} twice", rule.id);
        assert!(!rule.examples.is_empty(), "{}: no example", rule.id);
        assert!(!rule.pattern.trim_end_matches('?').ends_with(".*"), "{}: takes in whatever comes", rule.id);
        let is_of_pika = rule.program == LogProgram::Pika;
        assert!(!is_of_pika || rule.releases.is_some(), "{}: of which releases?", rule.id);
        for example in &rule.examples {
            if rule.any_end {
                let found = recogniser.recognise(rule.program, Level::Fatal, example.as_bytes());
                assert_eq!(found.unwrap().message.id, rule.id);
                let mild = recogniser.recognise(rule.program, Level::Error, example.as_bytes());
                assert!(mild.is_none(), "{}: a line that ends nothing", rule.id);
                continue;
            }
            let found = recogniser.all(rule.program, Level::Fatal, example.as_bytes());
            let fits: Vec<&str> = found.map(|found| found.message.id.as_str()).collect();
            let mut expected = vec![rule.id.as_str()];
            expected.extend(rule.before.iter().map(String::as_str));
            assert_eq!(fits, expected, "{}: `{example}`", rule.id);
        }
    }
}

#[test]
fn no_message_keeps_what_may_be_a_password() {
    // Errors repeat what they are about; what a pattern takes in is shown.
    const PLANTED: [&str; 6] = [
        "AUTH Pl4nted",
        "password=Pl4nted",
        "auth-pass 'Pl4nted'",
        "on >Pl4nted ~*",
        "requirepass : Pl4nted",
        "http://root:Pl4nted@10.0.0.1/x",
    ];
    let table = built_in().knowledge.messages;
    let recogniser = Recogniser::new(&table);
    let mut taken_in = BTreeSet::new();
    for (rule, example) in table.messages.iter().flat_map(|rule| rule.examples.iter().map(move |e| (rule, e)))
    {
        let places = (0..=example.len()).filter(|at| example.is_char_boundary(*at));
        for (at, planted) in places.flat_map(|at| PLANTED.map(|planted| (at, planted))) {
            let (before, behind) = example.split_at(at);
            let apart = before.is_empty() || before.ends_with([' ', ':']);
            let close = apart.then(|| format!("{before}{planted}{behind}"));
            for line in close.into_iter().chain([format!("{before} {planted} {behind}")]) {
                for found in recogniser.all(rule.program, Level::Fatal, line.as_bytes()) {
                    let (kept, values) = (found.kept(), found.values());
                    assert!(!kept.contains("Pl4nted"), "{}: `{line}` is kept as `{kept}`", rule.id);
                    assert!(
                        values.values().all(|v| !v.contains("Pl4nted")),
                        "{}: `{line}`: {values:?}",
                        rule.id
                    );
                    if kept.contains("(hidden)") {
                        taken_in.insert(rule.id.as_str());
                    }
                }
            }
        }
    }
    assert!(taken_in.len() > 3, "nothing was taken in that is hidden: {taken_in:?}");
}

#[test]
fn what_the_table_names_is_there() {
    let catalogue = built_in();
    let table = &catalogue.knowledge.messages;
    let fault = |id: &str| table.faults.iter().any(|fault| fault.id == id);
    let message = |id: &str| table.messages.iter().any(|rule| rule.id == id);
    let mut faults = BTreeSet::new();
    for entry in &table.faults {
        assert!(faults.insert(&entry.id), "{} twice", entry.id);
        assert!(matches!(entry.state, State::Warning | State::Critical), "{}", entry.id);
        let check = format!("log/{}", entry.class);
        assert!(catalogue.checks.iter().any(|known| known.id == check), "{}: there is no {check}", entry.id);
        for taken in &entry.takes_in {
            assert!(fault(taken), "{}: there is no fault {taken}", entry.id);
        }
        for over in &entry.over_after {
            assert!(message(over), "{}: there is no message {over}", entry.id);
        }
        let by_message = table.messages.iter().any(|rule| rule.fault.as_ref() == Some(&entry.id));
        let by_exit = table
            .rsync_exits
            .iter()
            .any(|exit| [&exit.sending, &exit.receiving].contains(&&Some(entry.id.clone())));
        assert!(by_message || by_exit, "{}: no message tells of it", entry.id);
    }
    for rule in &table.messages {
        assert!(rule.fault.as_deref().is_none_or(fault), "{}: {:?}", rule.id, rule.fault);
        assert!(rule.before.iter().all(|id| message(id)), "{}: {:?}", rule.id, rule.before);
        assert!(!rule.by_exit || rule.pattern.contains("(?<status>"), "{}: no status", rule.id);
    }
    for exit in &table.rsync_exits {
        for id in [&exit.sending, &exit.receiving].into_iter().flatten() {
            assert!(fault(id), "exit {}: there is no fault {id}", exit.code);
        }
    }
}

#[test]
fn what_the_logs_of_real_servers_tell() {
    let mut names: Vec<String> = fs::read_dir(recordings_directory().join("logs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut told = Vec::new();
    for name in names {
        let request = LogRequest { path: excerpt(&name), side: LogSide::Any };
        let troubles = read_logs(&name, &[request], DAY, &built_in().knowledge).troubles.unwrap();
        let going_on: Vec<&str> = troubles
            .iter()
            .filter(|trouble| trouble.over.is_none())
            .map(|trouble| trouble.fault.as_str())
            .collect();
        assert!(!name.contains("replica-up") || going_on.is_empty(), "{name} is well: {going_on:?}");
        told.push(format!("{name}: {}", going_on.join(", ")));
    }
    assert!(told.len() > 30, "{} logs", told.len());
    insta::assert_snapshot!(told.join("\n"));
}

fn excerpt(name: &str) -> std::path::PathBuf {
    recordings_directory().join("logs").join(name)
}

fn troubles_of(requests: &[(&str, LogSide)]) -> BTreeMap<String, (u64, bool, Vec<LogSide>)> {
    let requests: Vec<LogRequest> =
        requests.iter().map(|(name, side)| LogRequest { path: excerpt(name), side: *side }).collect();
    let view = read_logs("x", &requests, DAY, &built_in().knowledge);
    let troubles = view.troubles.unwrap().into_iter();
    troubles
        .filter(|trouble| trouble.over.is_none())
        .map(|t| (t.fault, (t.recent, t.both_ends, t.evidence.iter().map(|e| e.side).collect())))
        .collect()
}

#[test]
fn the_status_of_rsync_says_which_fault_it_is() {
    let faults = |name: &str, side| troubles_of(&[(name, side)]).into_keys().collect::<Vec<_>>();
    let master = faults("v2.3.6-rsync-missing-master-when-master-lacks-rsync", LogSide::Master);
    assert_eq!(master, ["rsync-missing-master"]);
    let replica = faults("v2.3.6-rsync-missing-slave-when-slave-lacks-rsync", LogSide::Replica);
    assert_eq!(replica, ["rsync-missing-replica"], "that it waits belongs to it");
    let start = faults("v3.3.6-rsync-missing-standalone", LogSide::Any);
    assert_eq!(start, ["rsync-service"], "the line about the port came of the program that is missing");
    let port = faults("v3.0.16-full-sync-retry-master", LogSide::Master);
    assert_eq!(port, ["full-sync-port"], "Error: 2560");
}

#[test]
fn what_both_ends_tell_about_one_fault_is_one_trouble() {
    for (case, fault) in [
        ("v2.3.6-rsync-missing-{}-when-master-lacks-rsync", "rsync-missing-master"),
        ("v2.3.6-dump-failed-{}", "dump"),
        ("v3.0.16-full-sync-retry-{}", "full-sync-port"),
    ] {
        let (replica, master) = (case.replace("{}", "slave"), case.replace("{}", "master"));
        let both = troubles_of(&[(&replica, LogSide::Replica), (&master, LogSide::Master)]);
        assert_eq!(both.keys().collect::<Vec<_>>(), [fault]);
        assert!(both[fault].1, "{case}: {both:?}");
        // Alone, the replica knows only that it waits.
        let alone = troubles_of(&[(&replica, LogSide::Any)]);
        assert_eq!(alone.keys().collect::<Vec<_>>(), ["full-sync-unfinished"], "{case}");
    }
}

#[test]
fn what_is_over_is_over_for_that_host_alone() {
    let directory = tempfile::tempdir().unwrap();
    let failed = "W20261122 10:00:00.000001 9 pika_server.cc:1] rsync send file failed! From: hash, To: hash/, At: 10.0.0.2:12221, Error: 2560\n";
    let up = |host: &str| {
        format!(
            "I20261122 10:05:00.000001 9 pika_server.cc:1] New Master-Slave connection established successfully, Slave host: {host}:9221\n"
        )
    };
    let over = |text: String| {
        fs::write(directory.path().join("pika.INFO"), text).unwrap();
        let request = LogRequest { path: directory.path().to_owned(), side: LogSide::Any };
        let view = read_logs("x", &[request], DAY, &built_in().knowledge);
        view.troubles.unwrap()[0].over.clone()
    };
    assert_eq!(over(failed.to_owned()), None);
    assert_eq!(over(format!("{failed}{}", up("10.0.0.3"))), None, "another replica is well");
    assert!(over(format!("{failed}{}", up("10.0.0.2"))).is_some());
    assert_eq!(
        over(format!("{}{failed}", up("10.0.0.2").replace("10:05", "09:05"))),
        None,
        "it was well before"
    );
}

/// A line of `fatal-texts.yaml`.
#[derive(serde::Deserialize)]
struct FatalText {
    text: String,
    releases: Releases,
    #[serde(default)]
    program: LogProgram,
}

#[test]
fn every_text_with_which_a_server_ends_is_known() {
    let texts: Vec<FatalText> = from_yaml(include_str!("../data/logs/fatal-texts.yaml")).unwrap();
    assert!(texts.len() > 100, "{} texts", texts.len());
    let knowledge = built_in().knowledge;
    let recogniser = Recogniser::new(&knowledge.messages);
    for FatalText { text, releases, program } in &texts {
        let found = recogniser.recognise(*program, Level::Fatal, text.as_bytes());
        let rule = found.unwrap_or_else(|| panic!("`{text}` is no message")).message;
        assert!(!rule.any_end, "`{text}` is known only as an end");
        assert!(rule.fault.is_some(), "{}: `{text}` is no fault", rule.id);
        let known = rule.releases.as_ref().unwrap();
        for release in knowledge.releases.iter().map(|release| release.version) {
            let logs = releases.contains(release);
            assert!(!logs || known.contains(release), "{}: {release} logs `{text}`, too", rule.id);
        }
    }
}

#[test]
fn what_the_logs_of_public_reports_tell() {
    // Made-up addresses; the numbers are those of issues of OpenAtomFoundation/pikiwidb and CodisLabs/codis.
    let pika = |level: &str, text: &str| format!("{level}20261122 10:00:00.000001 9 a.cc:1] {text}\n");
    for (issue, text, fault) in [
        ("126", pika("W", "Get all files in log path failed! error:24"), "binlog-dir-unread"),
        ("201", pika("W", "rsync send file failed! From: list, To: list, At: 10.79.0.2:12221, Error: -1"), "rsync-not-run"),
        (
            "960",
            pika("W", "Partition: db0 RSync send file failed! From: sets, To: db0/sets/, At: 10.79.0.2:10221, Error: -1"),
            "rsync-not-run",
        ),
        ("25", pika("W", "rsync send file failed! From: ./dump/a/list/000025.sst, To: list/000025.sst, At: 10.79.0.2:12221, Error: 3072"), "full-sync-failed"),
        ("1106", pika("W", "Partition: db0 TrySync Error"), "trysync-refused"),
        (
            "998",
            pika("W", "Slave offset is not a start point of cur log, Slave ip: 10.79.0.2, Slave port: 9221, Partition: db0, cloest start point, filenum: 645, offset: 16763735"),
            "position",
        ),
        (
            "998, the second one",
            pika("W", "db0 create new backup failed :IO error: While opening a file for sequentially reading: ./db/db0/sets/OPTIONS-000038: No such file or directory"),
            "dump",
        ),
        (
            "1116",
            pika("W", "Activate Binlog Sync failed partition=db0_0,ip_port=10.79.0.2:9221,session id=0 Corruption: Init binlog file reader failedCorruption: partition=db0_0"),
            "binlog-reader",
        ),
        (
            "1169",
            pika("W", "slave offset is larger than mine, slave ip: 10.79.0.2 slave port: 6379 filenum: 0 pro_offset_: 0"),
            "position-unread",
        ),
        ("909", pika("W", "Partition: db0 TrySync Error, Because the invalid filenum and offset"), "position"),
        ("2742", pika("W", "IO error: kRsyncMeta request failed! db is not exist or doing bgsave, retries:0"), "meta-not-given"),
        ("2850", pika("F", "db-instance-num load error"), "conf-value"),
        (
            "codis 1174",
            "2026/11/22 10:00:00 topom.go:222: [WARN] process slot action failed\n[error]: ERR error on slotsrestore, migration failed\n".to_owned(),
            "codis-slot-action",
        ),
        ("codis 807", "2026/11/22 10:00:00 main.go:1: [PANIC] session expired: {Type:EventNotWatching}\n".to_owned(), "codis-ended"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, text).unwrap();
        let view = read_logs("x", &[LogRequest { path, side: LogSide::Any }], DAY, &built_in().knowledge);
        let faults: Vec<String> = view.troubles.unwrap().into_iter().map(|trouble| trouble.fault).collect();
        assert_eq!(faults, [fault], "#{issue}");
    }
    // A padded record at the start of a replica that was synchronised is no fault: #1057.
    let harmless = pika(
        "W",
        "Read BadRecord record, will decode failed, this record may dbsync padded record, not processed here",
    ) + &pika("E", "Binlog Item type error, expect type:1 actualy type: 0")
        + &pika("W", "Binlog item decode failed");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    fs::write(&path, harmless).unwrap();
    let view = read_logs("x", &[LogRequest { path, side: LogSide::Any }], DAY, &built_in().knowledge);
    assert_eq!(view.troubles.unwrap(), [], "#1057");
}
