//! `lint`: what each release makes of a pika.conf.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, pikadoctor, run};
use pikadoctor::catalog::built_in;
use pikadoctor::model::facts::{self, Facts};
use pikadoctor::model::finding::{Report, State};
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::Language;
use pikadoctor::parse::conf;
use pikadoctor::parse::conf_text::{ConfText, text_of};
use pikadoctor::parse::secret::Tokens;
use pikadoctor::pipeline::judgement::judge;
use proptest::prelude::*;

/// The report on files that exist in this test only.
fn lint(files: &[(&str, &str)], version: Option<&str>) -> Report {
    let catalogue = built_in();
    let texts: Vec<ConfText> = files
        .iter()
        .map(|(name, text)| ConfText { name: (*name).to_owned(), text: text_of(text.as_bytes()) })
        .collect();
    let version = version.map(|version| version.parse().unwrap());
    let facts = Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: "2026-01-01T00:00:00Z".to_owned(),
        conf_files: conf::read(&texts, &catalogue.knowledge, &Tokens::new(), version),
        ..Facts::default()
    };
    judge(facts, &catalogue, &Parameters::new(), Language::En)
}

/// Every problem as `check line:column`, but for keys that a short file lacks.
fn found(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    for finding in report.findings.iter().filter(|finding| finding.check != "conf/missing-key") {
        for problem in &finding.problems {
            let place = problem.place.as_ref().expect("every such problem has a place");
            found.push(format!("{} {}:{}", finding.check, place.line, place.column));
        }
    }
    found.sort();
    found
}

/// What is said of a check, in one text.
fn said(report: &Report, check: &str) -> String {
    let problems = report.findings.iter().filter(|finding| finding.check == check).flat_map(|f| &f.problems);
    problems
        .map(|problem| format!("{} {}\n", problem.found, problem.needed.clone().unwrap_or_default()))
        .collect()
}

/// A file of a directory of its own.
fn in_file(directory: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const STOCK: [&str; 7] = ["2.3.0", "2.3.6", "3.0.16", "3.1.0", "3.3.6", "3.5.5", "4.0.1"];

fn stock(version: &str) -> String {
    format!("{}/tests/it/data/conf/stock-{version}.conf", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn there_is_nothing_to_say_about_a_stock_file_on_its_own_release() {
    for version in STOCK {
        let run = run(&["lint", &stock(version), "--pika-version", version]);
        assert_eq!(run.code, 0, "{version}: {}", run.stdout);
        assert!(run.stdout.contains("9 ok"), "{version}: {}", run.stdout);
    }
}

#[test]
fn a_stock_file_on_another_line_is_told_what_is_not_read_there() {
    let run = run(&["lint", &stock("3.5.5"), "--pika-version", "3.0.16"]);
    assert_eq!(run.code, 2, "3.0.16 and the units of sizes: {}", run.stdout);
    assert!(run.text().contains("3.0.16 does not read slotmigrate"), "{}", run.stdout);
    assert!(!run.text().contains("3.0.16 does not read port"), "{}", run.stdout);
}

#[test]
fn each_mistake_of_form_is_found_at_its_line() {
    for (text, version, expected) in [
        ("port\t: 9221\n", "2.3.6", "conf/syntax 1:5"),
        ("\n slave-read-only :\tyes\n", "3.0.16", "conf/syntax 2:19"),
        ("timeout : 60\nrequirepass : a#b\n", "2.3.8", "conf/syntax 2:16"),
        ("slave-read-only : yes # a replica\n", "3.0.16", "conf/syntax 1:23"),
        ("port : 9221\nport : 9222\n", "3.5.5", "conf/syntax 2:1"),
        ("  port = 9221\n", "3.5.5", "conf/syntax 1:3"),
        ("masterauth : open sesame\n", "3.5.2", "conf/syntax 1:18"),
        ("masterauth : abc \n", "3.5.3", "conf/syntax 1:17"),
    ] {
        let report = lint(&[("pika.conf", text)], Some(version));
        let found = found(&report);
        assert!(found.iter().any(|found| found == expected), "{text:?} on {version}: {found:?}");
        // Beside it only what becomes of the very same line.
        let line = expected.split([' ', ':']).nth(1).unwrap();
        assert!(found.iter().all(|found| found.contains(&format!(" {line}:"))), "{text:?}: {found:?}");
    }
}

#[test]
fn what_only_looks_like_a_mistake_is_none() {
    for (text, version) in [
        ("userpass : x\nrequirepass : a#b\n", "3.0.0"),
        ("masterauth : abc \n", "3.5.2"),
        ("masterauth : open sesame\n", "3.5.3"),
        ("port : 9221 # atoi stops at the blank\n", "3.0.16"),
        ("port :\t9221\n", "2.3.6"),
        ("  # port : 9221\n\t# port : 1\n", "4.0.1"),
        ("requirepass : # none\n", "2.3.8"),
        ("user : a on >x\nuser : b on >y\n", "3.5.5"),
        ("some words without a meaning\n", "2.3.6"),
    ] {
        let report = lint(&[("pika.conf", text)], Some(version));
        assert!(found(&report).is_empty(), "{text:?} on {version}: {:?}", found(&report));
    }
}

#[test]
fn without_a_release_a_finding_names_those_on_which_it_holds() {
    let report = lint(&[("pika.conf", "userpass : x\nrequirepass : a#b\n")], None);
    let said = said(&report, "conf/syntax");
    assert!(said.contains("2.0.0-2.3.8)") || said.contains("2.1.0-2.3.8)"), "{said}");
    assert!(!said.contains("3.0.0"), "{said}");
    let report = lint(&[("pika.conf", "masterauth : abc \n")], None);
    assert!(self::said(&report, "conf/syntax").contains("(3.5.3-3.5.6, 4.0.0-4.0.4)"));
}

#[test]
fn unknown_keys_come_with_the_nearest_known_one() {
    let report = lint(
        &[("pika.conf", "port : 1\nmasterAuth : x\nslave_read_only : yes\nfrobnicate : 1\n")],
        Some("3.3.6"),
    );
    assert_eq!(found(&report), ["conf/unknown-key 2:1", "conf/unknown-key 3:1", "conf/unknown-key 4:1"]);
    let said = said(&report, "conf/unknown-key");
    assert!(said.contains("masterAuth did you mean masterauth?"), "{said}");
    assert!(said.contains("frobnicate a key that Pika knows"), "{said}");
}

#[test]
fn values_are_judged_by_release() {
    let text = "loglevel : debug\n";
    assert_eq!(found(&lint(&[("pika.conf", text)], Some("2.3.6"))), ["conf/value 1:1"]);
    let said = said(&lint(&[("pika.conf", "port : 9221\n")], Some("2.3.6")), "conf/missing-key");
    assert!(said.contains("loglevel is not there"), "{said}");
    assert!(!said.contains("port is not there"), "{said}");
}

/// A double master with nothing wrong about it.
const PAIR: &str = "port : 9221\nserver-id : 101\ndouble-master-ip : 10.0.0.2\ndouble-master-port : 9221\n\
                    double-master-server-id : 102\nslave-read-only : no\nslaveof :\n";

#[test]
fn a_double_master_is_complete_or_told_what_is_wrong() {
    assert!(found(&lint(&[("pika.conf", PAIR)], Some("2.3.6"))).is_empty());
    for (from, to, version, line, words) in [
        ("", "", "3.3.6", 3, "has no double-master mode"),
        ("ip : 10.0.0.2", "ip :", "2.3.6", 4, "the mode is off"),
        ("double-master-port : 9221", "double-master-port :", "2.3.6", 4, "is no port"),
        ("double-master-server-id : 102", "double-master-server-id :", "2.3.6", 5, "echo"),
        ("server-id : 101", "server-id :", "2.3.6", 2, "counts as 1"),
        (
            "double-master-server-id : 102",
            "double-master-server-id : 101",
            "3.0.16",
            5,
            "the same as server-id",
        ),
        ("ip : 10.0.0.2", "ip : 127.0.0.1", "2.3.6", 3, "the server itself"),
        ("ip : 10.0.0.2", "ip : localhost", "3.0.16", 3, "the server itself"),
        ("slave-read-only : no", "slave-read-only : yes", "3.0.4", 6, "refuse all writes"),
        ("slaveof :", "slaveof : 10.0.0.3:9221", "2.3.6", 7, "whichever comes first"),
    ] {
        let report = lint(&[("pika.conf", &PAIR.replacen(from, to, 1))], Some(version));
        let said = said(&report, "conf/double-master");
        assert!(said.contains(words), "{to} on {version}: {said}");
        let place = format!("conf/double-master {line}:");
        assert!(found(&report).iter().any(|found| found.starts_with(&place)), "{to}: {:?}", found(&report));
    }
    let loopback = PAIR.replacen("10.0.0.2", "127.0.0.1", 1).replacen("port : 9221", "port : 9321", 1);
    assert!(
        said(&lint(&[("pika.conf", &loopback)], Some("2.3.6")), "conf/double-master")
            .contains("is this host")
    );
    let read_only = PAIR.replacen("only : no", "only : yes", 1);
    assert!(found(&lint(&[("pika.conf", &read_only)], Some("3.0.5"))).is_empty(), "harmless from 3.0.5 on");
}

#[test]
fn slaveof_names_another_server() {
    for (value, words) in [
        ("10.0.0.1 9221", "without a colon"),
        ("10.0.0.1:pika", "is no port"),
        ("10.0.0.1:0", "is no port"),
        ("10.0.0.1:99999", "is no port"),
        (":9221", "without a host"),
        ("127.0.0.1:9221", "you will slaveof yourself"),
        ("localhost:9221", "waits for itself"),
    ] {
        let text = format!("port : 9221\nslaveof : {value}\n");
        let report = lint(&[("pika.conf", &text)], Some("3.3.6"));
        assert_eq!(found(&report), ["conf/slaveof 2:11"], "{value}");
        assert!(said(&report, "conf/slaveof").contains(words), "{value}: {}", said(&report, "conf/slaveof"));
    }
    for value in ["10.0.0.1:9221", "127.0.0.1:9321", ""] {
        let text = format!("port : 9221\nslaveof : {value}\n");
        assert!(found(&lint(&[("pika.conf", &text)], Some("3.3.6"))).is_empty(), "{value}");
    }
}

#[test]
fn passwords_protect_or_it_is_said() {
    let alone = "requirepass : x\n";
    let check =
        |text: &str, version: &str| said(&lint(&[("pika.conf", text)], Some(version)), "conf/passwords");
    assert!(check(alone, "3.5.2").contains("userblacklist"));
    assert!(check(alone, "3.5.3").contains("AUTH accepts any word"));
    assert_eq!(check("requirepass : x\nuserpass : y\n", "2.3.6"), "");
    assert!(check("masterauth : x\n", "2.3.2").contains("requirepass is not"));
    assert_eq!(check("masterauth : x\n", "2.3.3"), "");
}

#[test]
fn ports_that_do_not_exist_are_told() {
    let check = |port: u32, version: &str| {
        said(&lint(&[("pika.conf", &format!("port : {port}\n"))], Some(version)), "conf/ports")
    };
    assert!(check(60000, "3.5.5").contains("makes the full-sync port 70001"));
    assert_eq!(check(60000, "3.3.6"), "");
    assert!(check(63000, "3.0.16").contains("66000"));
    assert_eq!(check(62535, "3.0.16"), "");
    assert_eq!(check(62536, "3.0.16").lines().count(), 1);
}

#[test]
fn the_new_name_of_a_command_is_not_shown() {
    // Whoever knows it may do what was to be prevented.
    for line in [
        "rename-command : FLUSHALL n3wNameOfIt",
        "rename-command : FLUSHALL\tn3wNameOfIt",
        "rename-command : FLUSHALL n3wNameOfIt # so that nobody calls it",
        "rename-command : eval \"n3wNameOfIt\"",
        "rename-command : FLUSHALL,n3wNameOfIt",
        "rename-command FLUSHALL n3wNameOfIt",
        "rename-commands : FLUSHALL n3wNameOfIt",
    ] {
        let text = format!("port : 9221\n{line}\n");
        for version in ["3.5.2", "3.5.5", "4.0.1", "9.9.9"] {
            for format in ["json", "human"] {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("pika.conf");
                std::fs::write(&path, &text).unwrap();
                let path = path.to_str().unwrap();
                let run = run(&["lint", path, "--pika-version", version, "-v", "--format", format]);
                assert!(
                    !run.stdout.contains("n3wName") && !run.stderr.contains("n3wName"),
                    "{line}: {run:?}"
                );
                let shown = format == "json" && version == "3.5.5" && line.starts_with("rename-command : F");
                assert!(!shown || run.stdout.contains("\"FLUSHALL secret:"), "{line}: {run:?}");
            }
        }
    }
}

#[test]
fn servers_of_one_host_that_would_collide_are_told() {
    for (distance, version, collides) in [
        (0, "3.5.5", true),
        (100, "2.3.6", true),
        (100, "3.0.16", false),
        (100, "2.0.5", true),
        (1000, "2.3.6", true),
        (1000, "3.3.6", true),
        (1000, "3.5.5", false),
        (1100, "2.3.6", true),
        (1100, "3.0.16", false),
        (2000, "2.2.6", true),
        (2000, "3.5.5", true),
        (3000, "3.0.16", true),
        (3000, "3.3.6", false),
        (10001, "3.5.5", true),
        (10001, "3.3.6", false),
        (10, "2.3.6", false),
    ] {
        for (a, b) in [(9221, 9221 + distance), (9221 + distance, 9221)] {
            let (first, second) = (format!("port : {a}\n"), format!("\nport : {b}\n"));
            let report = lint(&[("a.conf", &first), ("b.conf", &second)], Some(version));
            let said = said(&report, "conf/ports");
            assert_eq!(!said.is_empty(), collides, "{a} and {b} on {version}: {said}");
            if collides {
                assert!(said.contains("a.conf"), "{said}");
                assert!(found(&report).iter().all(|found| found == "conf/ports 2:8"), "{:?}", found(&report));
            }
        }
    }
}

#[test]
fn servers_that_share_a_directory_are_told() {
    let first = "port : 9221\ndb-path : /data/pika/db/\nlog-path : ./log/\npidfile : /run/a.pid\n";
    let second = "port : 9231\ndb-path : /data/pika//db\nlog-path : log\npidfile : /run/b.pid\n";
    let report = lint(&[("a.conf", first), ("b.conf", second)], Some("3.3.6"));
    assert_eq!(found(&report), ["conf/shared-paths 2:11", "conf/shared-paths 3:12"]);
    let finding = report
        .findings
        .iter()
        .find(|finding| !finding.problems.is_empty() && finding.check == "conf/shared-paths");
    let states: Vec<State> = finding.unwrap().problems.iter().map(|problem| problem.state).collect();
    assert_eq!(states, [State::Critical, State::Warning], "a relative path may still be another one");
}

#[test]
fn no_password_reaches_any_output() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pika.conf");
    let lines = [
        "requirepass : pw1planted#pw2planted",
        "masterauth : pw3planted pw4planted ",
        "userpass :\tpw5planted",
        "requirepass pw6planted",
        "requirepass pw7planted:pw8planted",
        "requirepas : pw9planted",
        "requirepass=pwAplanted:pwBplanted",
        "userpass : pwCplanted",
        "user : x on >pwDplanted",
        "masterauth\t: pwEplanted",
        "frobnicate : pwFplanted",
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    let file = path.to_str().unwrap();
    for format in ["human", "json", "nagios"] {
        for language in ["en", "zh"] {
            for version in [None, Some("2.3.6"), Some("3.0.16"), Some("3.5.5")] {
                let mut command = pikadoctor();
                command.args(["lint", file, "-v", "--format", format, "--lang", language]);
                command.args(version.iter().flat_map(|version| ["--pika-version", version]));
                let run = Run::of(&mut command);
                assert!(format == "nagios" || run.stdout.contains("conf/syntax"), "{}", run.stdout);
                let shown = run.stdout + &run.stderr;
                assert!(!shown.contains("planted"), "{format} {version:?}: {shown}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_the_others_are_judged() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = directory.path().join("missing.conf").to_str().unwrap().to_owned();
    let cases = [
        (missing.clone(), "No such file"),
        (directory.path().to_str().unwrap().to_owned(), "Is a directory"),
        (write("binary", &[127, b'E', b'L', b'F', 0, 1]), "a NUL at byte 4"),
        (write("huge", &vec![b'a'; 1024 * 1024 + 1]), "larger than 1 MiB"),
        (write("lines", &b"a : b\n".repeat(6000)), "it has 6000 lines"),
    ];
    for (file, words) in &cases {
        for format in ["human", "json", "nagios"] {
            let run = run(&["lint", file, "--format", format]);
            assert_eq!(run.code, 3, "{file}: {}", run.stdout);
            assert!(run.text().contains(words), "{file}: {}", run.stdout);
        }
    }
    let run = run(&["lint", &missing, &stock("2.3.6"), "--pika-version", "2.3.6", "-v"]);
    assert_eq!(run.code, 3);
    assert!(run.text().contains("9 unknown, 9 ok"), "{}", run.stdout);
}

#[test]
fn usage_errors_are_sentences() {
    for (arguments, words) in [
        (vec!["lint"], "FILE"),
        (vec!["lint", "a.conf", "a.conf"], "a.conf is named twice"),
        (vec!["lint", "a.conf", "--pika-version", "2.3"], "not a version number"),
    ] {
        let run = run(&arguments);
        assert_eq!(run.code, 3, "{arguments:?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn of_a_release_that_is_not_known_no_key_and_no_value_is_called_wrong() {
    let wrong = "port : 9221\nfrobnicate : 1\nlog-levle : 1\ndatabases : 99\nslaveof : x\nport 1\n";
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (in_file(&directory, "one.conf", wrong), in_file(&directory, "other.conf", wrong));
    for version in ["2.3.9", "3.5.9", "4.0.9", "4.1.7", "5.0.0"] {
        let run = run(&["lint", &one, "--pika-version", version]);
        assert_eq!(run.code, 3, "{version}: {}", run.stdout);
        let said = format!("release {version} is not known to this version");
        assert!(run.text().contains(&said), "{version}: {}", run.stdout);
        for key in ["frobnicate", "log-levle", "databases", "slaveof is", "CRITICAL", "WARNING"] {
            assert!(!run.stdout.contains(key), "{version}, {key}: {}", run.stdout);
        }
        // Two servers with one port are two servers with one port on any release.
        let run = self::run(&["lint", &one, &other, "--pika-version", version]);
        assert_eq!(run.code, 2, "{version}: {}", run.stdout);
        assert!(run.text().contains("conf/ports"), "{version}: {}", run.stdout);
    }
}

#[test]
fn a_release_that_was_read_and_not_run_is_called_so() {
    let directory = tempfile::tempdir().unwrap();
    let text = "port : 9221\nlog-net-activities : yes\nmax-key-size-in-cache : 1048576\n";
    let file = in_file(&directory, "read.conf", text);
    for version in ["3.5.6", "4.0.2", "4.0.3", "4.0.4"] {
        let run = run(&["lint", &file, "--pika-version", version]);
        assert!(run.text().contains(&format!("for {version} (read, not run)")), "{version}: {}", run.stdout);
        assert!(!run.stdout.contains("conf/unknown-key"), "{version}: {}", run.stdout);
    }
    let run = run(&["lint", &file, "--pika-version", "3.5.5"]);
    assert!(run.text().contains("3.5.5 does not read log-net-activities"), "{}", run.stdout);
    assert!(!run.stdout.contains("not run"), "{}", run.stdout);
}

/// The states of a check on one file for one release.
fn states_of(text: &str, version: &str, check: &str) -> Vec<State> {
    let report = lint(&[("pika.conf", text)], Some(version));
    report.findings.iter().filter(|finding| finding.check == check).map(|finding| finding.state).collect()
}

#[test]
fn a_blacklist_that_forbids_nothing_is_told() {
    let conf = |list: &str| format!("requirepass : a\nuserpass : b\nuserblacklist : {list}\n");
    // Measured: a user logged in with userpass ran FLUSHALL and read requirepass on 2.3.0, and was refused on 2.3.6.
    for (list, version, state) in [
        ("FLUSHALL,CONFIG", "2.3.0", State::Critical),
        ("FLUSHALL,CONFIG", "2.3.3", State::Critical),
        ("FLUSHALL,CONFIG", "2.3.4", State::Ok),
        ("FLUSHALL,CONFIG", "2.3.6", State::Ok),
        ("flushall, config", "2.3.0", State::Ok),
        ("flushall，config", "2.3.6", State::Critical),
        ("flushall;config", "3.3.6", State::Critical),
        ("flushall，config", "4.0.1", State::Critical),
    ] {
        let text = conf(list);
        assert_eq!(states_of(&text, version, "conf/value"), [state], "{list} on {version}");
        if state == State::Critical {
            let report = lint(&[("pika.conf", &text)], Some(version));
            assert!(said(&report, "conf/value").contains("userblacklist"), "{list} on {version}");
        }
    }
    // Without a password everybody is an administrator, and the list is not looked at.
    assert_ne!(states_of("userblacklist : FLUSHALL\n", "2.3.0", "conf/value"), [State::Critical]);
}

#[test]
fn a_comment_behind_a_number_harms_where_it_ends_with_a_unit_only() {
    // Measured on 3.3.6: CONFIG GET answers 268435456.
    for (line, version, is_told) in [
        ("write-buffer-size : 268435456 #256M", "3.3.6", false),
        ("write-buffer-size : 268435456 # bytes", "3.3.6", false),
        ("timeout : 60 # seconds", "3.3.6", false),
        ("binlog-file-size : 104857600 # 100M", "3.4.1", false),
        ("max-conn-rbuf-size : 268435456 # or 64M", "3.3.6", false),
        ("write-buffer-size : 268435456 #256M", "3.5.5", true),
        ("write-buffer-size : 268435456 # bytes", "3.5.5", false),
        ("slave-read-only : no # open", "2.3.6", true),
    ] {
        let found = states_of(&format!("{line}\n"), version, "conf/syntax");
        assert_eq!(found != [State::Ok], is_told, "{line} on {version}");
        // A comment is no unit where none is read.
        if version.starts_with("3.3") || version.starts_with("3.4") {
            let found = states_of(&format!("{line}\n"), version, "conf/value");
            assert_eq!(found, [State::Ok], "{line} on {version}");
        }
    }
}

#[test]
fn what_a_release_or_its_mode_ignores_is_never_critical() {
    let text = "instance-mode : classic\ndefault-slot-num：16\ndouble-master-ip : 10.0.0.2\n";
    for check in ["conf/syntax", "conf/double-master"] {
        assert_eq!(states_of(text, "3.3.6", check), [State::Warning], "{check}");
    }
    assert_eq!(
        states_of("instance-mode : sharding\ndefault-slot-num：16\n", "3.3.6", "conf/syntax"),
        [State::Critical]
    );
    for (mode, state) in [("classic", State::Ok), ("sharding", State::Critical)] {
        let text = format!("instance-mode : {mode}\ndefault-slot-num : 0\n");
        assert_eq!(states_of(&text, "3.3.6", "conf/value"), [state], "{mode}");
    }
}

#[test]
fn a_line_for_the_user_limit_is_compared_with_userpass_and_userblacklist() {
    let line = "user : limit on >x +get ~*\n";
    for (rest, version, state) in [
        ("userblacklist : flushall\n", "3.5.3", State::Critical),
        ("userblacklist : flushall\n", "3.5.4", State::Critical),
        ("userblacklist : flushall\n", "3.5.5", State::Ok),
        ("userpass : b\n", "3.5.4", State::Warning),
        ("userpass : b\n", "3.5.5", State::Ok),
        ("", "3.5.4", State::Ok),
    ] {
        let text = format!("{line}{rest}");
        assert_eq!(states_of(&text, version, "conf/passwords"), [state], "{rest:?} on {version}");
    }
}

#[test]
fn what_is_seen_on_the_server_is_seen_in_its_file() {
    for (text, version, key) in [
        ("slotmigrate : yes\nslotmigrate-thread-num : 8\n", "3.5.3", "slotmigrate-thread-num"),
        ("slotmigrate : yes\ndefault-slot-num : 16\n", "3.5.5", "default-slot-num"),
        ("userpass : b\n", "2.3.6", "userpass"),
        ("userblacklist : flushall\n", "2.3.6", "userblacklist"),
        ("db-path : /data/x\nlog-path : /data/x/\n", "2.3.6", "log-path"),
        ("db-path : /data/x\ndb-sync-path : /data/x/\n", "4.0.1", "db-sync-path"),
    ] {
        let report = lint(&[("pika.conf", text)], Some(version));
        assert!(said(&report, "conf/value").contains(key), "{text:?}: {}", said(&report, "conf/value"));
    }
}

#[test]
fn the_standard_input_is_read_and_places_are_shown() {
    for (format, words) in [("human", "-:2:1"), ("nagios", "-:2:1"), ("json", "\"line\": 2")] {
        let mut child = pikadoctor()
            .args(["lint", "-", "--pika-version", "4.0.1", "--format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"port : 9221\r\nprot : 1\r\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words), "{format}: {text}");
        assert!(text.contains("did you mean port?"), "{format}: {text}");
    }
}

#[test]
fn the_json_fits_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema", "report"]).stdout).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&run(&["lint", &stock("3.5.5"), &stock("2.3.6"), "--format", "json"]).stdout)
            .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn line_ends_and_emptiness_change_nothing() {
    let unix = std::fs::read_to_string(Path::new(&stock("2.3.6"))).unwrap();
    let dos = unix.replace('\n', "\r\n");
    for text in [dos.as_str(), unix.trim_end()] {
        assert!(found(&lint(&[("pika.conf", text)], Some("2.3.6"))).is_empty());
    }
    for text in ["", "\n\n", "# only\n  # comments", "\u{feff}"] {
        let report = lint(&[("pika.conf", text)], Some("3.5.5"));
        assert!(found(&report).is_empty(), "{text:?}: {:?}", found(&report));
        assert!(said(&report, "conf/missing-key").contains("port is not there"), "{text:?}");
    }
}

/// Lines as a pika.conf has them, and lines as it should not have them.
fn conf_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(port|slaveof|db-path|requirepass|server-id|double-master-ip|loglevel|binlog-file-size)[ \t]{0,2}:[ \t]?[ -~]{0,12}",
        "[ -~\t]{0,30}",
        "[#: \t]{0,6}",
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_in_a_file_every_problem_is_in_one_of_its_lines(
        lines in proptest::collection::vec(conf_line(), 0..12),
        version in proptest::option::of(proptest::sample::select(vec!["2.0.0", "2.3.6", "3.0.4", "3.4.1", "3.5.3-alpha", "4.0.1"])),
    ) {
        let text = lines.join("\n");
        let report = lint(&[("a.conf", &text), ("b.conf", &text)], version);
        prop_assert_eq!(report.counts.unknown, 0, "{:?}", report.findings.iter().find(|f| f.state == State::Unknown));
        for problem in report.findings.iter().flat_map(|finding| &finding.problems) {
            if let Some(place) = &problem.place {
                let line = text.lines().nth(place.line as usize - 1);
                prop_assert!(line.is_some_and(|line| place.column as usize <= line.chars().count() + 1));
            }
        }
    }
}
