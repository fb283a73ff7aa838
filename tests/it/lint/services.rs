//! `lint` on dashboard.toml, proxy.toml and sentinel.conf.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Run, pikadoctor, run};
use serde_json::Value;

/// A report on files, and where they are.
struct Linted {
    code: i32,
    report: Value,
    _directory: tempfile::TempDir,
}

impl Linted {
    fn of(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = pikadoctor();
        command.current_dir(&directory).args(["lint", "--format", "json"]).args(arguments);
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
            command.arg(name);
        }
        let run = Run::of(&mut command);
        let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        Self { code: run.code, report, _directory: directory }
    }

    /// `check state FILE:LINE:COLUMN` of every problem, without `companion/`.
    fn found(&self) -> Vec<String> {
        let mut found = Vec::new();
        for finding in self.report["findings"].as_array().unwrap() {
            for problem in finding["problems"].as_array().unwrap() {
                let check = finding["check"].as_str().unwrap().replace("companion/", "");
                let place = &problem["place"];
                let place = if place.is_null() {
                    finding["target"].as_str().unwrap().to_owned()
                } else {
                    format!("{}:{}:{}", place["file"].as_str().unwrap(), place["line"], place["column"])
                };
                found.push(format!("{check} {} {place}", problem["state"].as_str().unwrap()));
            }
        }
        found.sort();
        found
    }

    /// The note or the first problem of a check.
    fn said(&self, check: &str) -> String {
        let findings = self.report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == check).unwrap();
        match finding["problems"].as_array().unwrap().first() {
            Some(problem) => problem["found"].as_str().unwrap().to_owned(),
            None => finding["note"].as_str().unwrap().to_owned(),
        }
    }
}

fn stock() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/services");
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// What is said of the file that each release comes with, for a Pika that it suits. It is read once by a person, and
/// kept.
#[test]
fn the_files_that_releases_come_with() {
    let mut table = String::new();
    for path in stock() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let linted = Linted::of(&[(&name, &text)], &["--pika-version", "3.5.5"]);
        let file = &linted.report["facts"]["companion_files"][0];
        let likely: Vec<&str> = file["content"]["likely"]
            .as_array()
            .unwrap()
            .iter()
            .map(|release| release.as_str().unwrap())
            .collect();
        let _ = writeln!(table, "{name}: {} {}", file["kind"].as_str().unwrap(), likely.join(", "));
        for problem in linted.found() {
            let _ = writeln!(table, "    {problem}");
        }
    }
    insta::assert_snapshot!(table);
}

const DASHBOARD: &str = "\
coordinator_name = \"zookeeper\"
coordinator_addr = \"10.0.0.1:2181\"
product_name = \"demo\"
product_auth = \"planted-auth\"
admin_addr = \"10.0.0.1:18080\"
migration_method = \"sync\"
sentinel_quorum = 2
";

const PROXY: &str = "\
product_name = \"demo\"
product_auth = \"planted-auth\"
session_auth = \"planted-session\"
admin_addr = \"10.0.0.2:11080\"
proxy_addr = \"10.0.0.2:19000\"
jodis_name = \"zookeeper\"
jodis_addr = \"10.0.0.1:2181\"
backend_number_databases = 1
";

const SENTINEL: &str = "\
port 26379
bind 10.0.0.9
sentinel myid 60af8bf1aee4129b409858b3cf34c31c78624c15
sentinel monitor demo-1 10.0.0.3 9221 2
sentinel auth-pass demo-1 planted-auth
sentinel down-after-milliseconds demo-1 30000
sentinel known-sentinel demo-1 10.0.0.8 26379 aa
";

const PIKA: &str = "\
port : 9221
requirepass : planted-auth
masterauth : planted-auth
userpass : planted-user
databases : 1
slotmigrate : yes
";

/// The problems of an installation whose pika.conf is a beginning.
fn problems(files: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
    let mut found = Linted::of(files, arguments).found();
    found.retain(|problem| !problem.starts_with("conf/"));
    found
}

#[test]
fn a_good_installation_is_silent() {
    let files =
        [("dashboard.toml", DASHBOARD), ("proxy.toml", PROXY), ("sentinel.conf", SENTINEL), ("p", PIKA)];
    let linted = Linted::of(&files, &["--pika-version", "3.5.5"]);
    assert_eq!(problems(&files, &["--pika-version", "3.5.5"]), [] as [&str; 0]);
    assert_eq!(linted.said("companion/codis-jodis"), "clients need  zkProxyDir /jodis/demo");
    let schema: Value = serde_json::from_str(&run(&["schema", "report"]).stdout).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&linted.report));
}

#[test]
fn each_mistake_is_found_at_its_place() {
    type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);
    let mistakes: [Mistake; 32] = [
        (
            "d",
            "migration_method = \"sync\"",
            "migration_method = \"semi-async\"",
            &["codis-migration-method critical d:6:20"],
        ),
        (
            "d",
            "migration_method = \"sync\"",
            "migration_method = \"asynch\"",
            &["codis-migration-method critical d:6:20"],
        ),
        (
            "d",
            "migration_method = \"sync\"",
            "migration_metod = \"sync\"",
            // What is misspelt counts as missing, and that means semi-async.
            &["codis-migration-method warning d", "codis-unknown-key warning d:6:1"],
        ),
        (
            "d",
            "migration_method = \"sync\"",
            "jodis_name = \"\"",
            &["codis-migration-method warning d", "codis-unknown-key warning d:6:1"],
        ),
        ("d", "\"zookeeper\"", "\"filesystem\"", &["codis-coordinator warning d:1:20"]),
        ("d", "\"zookeeper\"", "\"etcd\"", &["codis-coordinator warning d:1:20"]),
        ("d", "\"zookeeper\"", "\"consul\"", &["codis-coordinator critical d:1:20"]),
        ("d", "10.0.0.1:2181", "https://10.0.0.1:2379", &["codis-coordinator critical d:2:20"]),
        ("d", "10.0.0.1:18080", "0.0.0.0:18080", &["codis-addresses warning d:5:14"]),
        ("d", "10.0.0.1:18080", ":18080", &["codis-addresses warning d:5:14"]),
        ("d", "10.0.0.1:18080", "127.0.0.1:18080", &["codis-addresses critical d:5:14"]),
        ("d", "sentinel_quorum = 2", "sentinel_quorum = 1", &["codis-sentinel warning d:7:19"]),
        ("d", "sentinel_quorum = 2", "sentinel_quorum = \"2\"", &["codis-value-type critical d:7:19"]),
        ("d", "sentinel_quorum = 2", "sentinel_parallel_syncs = 3", &["codis-sentinel warning d:7:27"]),
        ("d", "sentinel_quorum = 2", "sentinel_down_after = \"3s\"", &["codis-sentinel warning d:7:23"]),
        ("d", "sentinel_quorum = 2", "sentinel_quorum = ", &["codis-syntax critical d:7:19"]),
        ("d", "sentinel_quorum = 2", "product_name = \"demo\"", &["codis-syntax critical d:7:1"]),
        ("p", "\"zookeeper\"", "\"filesystem\"", &["codis-coordinator critical p:6:14"]),
        // It ends at its start (tried on 3.2.2).
        ("p", "10.0.0.1:2181", "", &["codis-start critical p"]),
        ("p", "databases = 1", "databases = 16", &["codis-databases warning p:8:28"]),
        (
            "p",
            "databases = 1",
            "databases = 1\nmax_slot_num = 512",
            &["codis-replica-reads warning p", "codis-slots warning p:9:16"],
        ),
        ("p", "planted-session", "planted-auth", &["codis-passwords warning p"]),
        ("p", "planted-session", "", &["codis-passwords warning p"]),
        (
            "p",
            "jodis_name = \"zookeeper\"",
            "jodis_compatible = \"true\"",
            &["codis-start critical p", "codis-value-type critical p:6:20"],
        ),
        ("s", "9221 2", "9221 1", &["sentinel-masters warning s:4:10"]),
        ("s", "9221 2", "9221 x", &["sentinel-syntax critical s:4:39"]),
        ("s", "10.0.0.3", "127.0.0.1", &["sentinel-masters critical s:4:10"]),
        ("s", "10.0.0.3", "pika-a", &["sentinel-masters warning s:4:10"]),
        ("s", "30000", "1000", &["sentinel-masters warning s:4:10"]),
        ("s", "down-after-milliseconds", "down-after-miliseconds", &["sentinel-unknown-key critical s:6:10"]),
        ("s", "auth-pass demo-1", "auth-pass demo-2", &["sentinel-syntax critical s:5:20"]),
        ("s", "bind 10.0.0.9", "protected-mode no", &["sentinel-open warning s"]),
    ];
    let mut wrong = String::new();
    for (file, from, to, expected) in mistakes {
        let text = match file {
            "d" => DASHBOARD,
            "p" => PROXY,
            _ => SENTINEL,
        };
        assert!(text.contains(from), "{from}");
        // A file of CRLF lines has the same places.
        for text in [text.replace(from, to), text.replace(from, to).replace('\n', "\r\n")] {
            let version: &[&str] = if from.contains("migration_method = ") && to.contains("semi") {
                &["--pika-version", "3.5.5"]
            } else {
                &[]
            };
            let found = problems(&[(file, &text)], version);
            if found != expected {
                let _ = writeln!(wrong, "{from} -> {to}: {found:?}, not {expected:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn migration_by_release() {
    let method = |method: &str, version: &str| {
        let text = DASHBOARD.replace("\"sync\"", &format!("{method:?}"));
        let linted = Linted::of(&[("d", &text)], &["--pika-version", version]);
        let finding = linted.report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "companion/codis-migration-method")
            .unwrap()
            .clone();
        finding["state"].as_str().unwrap().to_owned()
    };
    for (version, sync, semi_async) in [
        ("2.2.6", "ok", "critical"),
        ("2.3.0", "ok", "critical"),
        ("2.3.1", "ok", "critical"),
        ("2.3.2", "ok", "warning"),
        ("2.3.6", "ok", "warning"),
        ("3.0.16", "critical", "critical"),
        ("3.1.1", "critical", "critical"),
        ("3.2.0", "critical", "warning"),
        ("3.4.1", "critical", "warning"),
        ("3.5.0", "ok", "critical"),
        ("3.5.5", "ok", "critical"),
        ("4.0.1", "ok", "critical"),
    ] {
        assert_eq!(
            (method("sync", version).as_str(), method("semi-async", version).as_str()),
            (sync, semi_async),
            "{version}"
        );
    }
}

/// Each of these was tried on the program of 3.2.2: it ended at its start.
#[test]
fn values_that_end_the_start_are_named() {
    for (file, from, to) in [
        ("dashboard.toml", "product_name = \"demo\"", "product_name = \"\""),
        ("dashboard.toml", "coordinator_addr = \"10.0.0.1:2181\"", "coordinator_addr = \"\""),
        ("dashboard.toml", "sentinel_quorum = 2", "sentinel_quorum = 0"),
        ("dashboard.toml", "sentinel_quorum = 2", "migration_timeout = \"0s\""),
        ("dashboard.toml", "sentinel_quorum = 2", "sentinel_down_after = \"-1s\""),
        ("proxy.toml", "product_name = \"demo\"", "product_name = \"\""),
        ("proxy.toml", "jodis_name = \"zookeeper\"", "jodis_name = \"\""),
        ("proxy.toml", "jodis_addr = \"10.0.0.1:2181\"", "jodis_addr = \"\""),
        ("proxy.toml", "backend_number_databases = 1", "backend_number_databases = 0"),
        ("proxy.toml", "product_auth = \"planted-auth\"", "proto_type = \"udp\""),
        ("proxy.toml", "product_auth = \"planted-auth\"", "session_recv_timeout = -1"),
    ] {
        let text = if file == "dashboard.toml" { DASHBOARD } else { PROXY };
        let state = |text: &str| {
            let linted = Linted::of(&[(file, text)], &[]);
            let findings = linted.report["findings"].as_array().unwrap();
            let finding = findings.iter().find(|finding| finding["check"] == "companion/codis-start");
            finding.unwrap()["state"].as_str().unwrap().to_owned()
        };
        assert_eq!(state(text), "ok", "{file}");
        assert_eq!(state(&text.replace(from, to)), "critical", "{to}");
    }
}

#[test]
fn keys_of_two_releases_and_a_sentinel_conf_without_a_monitor() {
    // session_max_timeout is of 3.0, jodis_name of 3.1 and later.
    let mixed = "product_name = \"demo\"\nproxy_addr = \"10.0.0.2:19000\"\nadmin_addr = \"10.0.0.2:11080\"\n\
                 session_max_timeout = 1800\njodis_name = \"\"\n";
    let linted = Linted::of(&[("proxy.toml", mixed)], &[]);
    let said = linted.said("companion/codis-unknown-key");
    assert!(said.contains("keys of two releases are mixed"), "{said}");
    let linted = Linted::of(&[("conf", "port 26379\ndir /tmp\n")], &[]);
    assert_eq!(linted.report["facts"]["companion_files"][0]["kind"], "sentinel");
    assert!(
        linted.said("companion/sentinel-masters").contains("monitors nothing yet"),
        "{:#}",
        linted.report
    );
}

#[test]
fn a_sentinel_over_one_half_of_a_double_master_is_critical() {
    let half = "port : 9221\ndouble-master-ip : 10.0.0.4\ndouble-master-port : 9221\n\
                double-master-server-id : 2\nserver-id : 1\n";
    let monitors = "port 26379\nsentinel monitor demo-1 10.0.0.3 9221 2\n";
    let linted =
        Linted::of(&[("pika.conf", half), ("sentinel.conf", monitors)], &["--pika-version", "2.3.6"]);
    let said = linted.said("companion/agreement");
    assert!(said.contains("one half of a double master") && linted.code == 2, "{said}");
}

#[test]
fn files_of_one_installation_are_compared() {
    type Pair = (&'static str, &'static str, &'static str, &'static str);
    let pairs: [Pair; 9] = [
        ("proxy.toml", "product_name = \"demo\"", "product_name = \"other\"", "warning proxy.toml:1:16"),
        (
            "proxy.toml",
            "product_auth = \"planted-auth\"",
            "product_auth = \"planted-other\"",
            "critical proxy.toml:2:16",
        ),
        ("proxy.toml", "databases = 1\n", "databases = 16\n", "critical proxy.toml:8:28"),
        ("sentinel.conf", "demo-1", "mymaster", "critical sentinel.conf:4:10"),
        (
            "sentinel.conf",
            "auth-pass demo-1 planted-auth",
            "auth-pass demo-1 planted-other",
            "critical sentinel.conf:4:10",
        ),
        ("sentinel.conf", "sentinel auth-pass demo-1 planted-auth\n", "", "critical sentinel.conf:4:10"),
        ("pika.conf", "slotmigrate : yes", "slotmigrate : no", "warning dashboard.toml:6:20"),
        (
            "pika.conf",
            "requirepass : planted-auth",
            "requirepass : planted-other",
            "critical dashboard.toml:4:16",
        ),
        ("sentinel-2.conf", "2\nsentinel auth", "1\nsentinel auth", "warning sentinel-2.conf:4:10"),
    ];
    for (file, from, to, expected) in pairs {
        let second = SENTINEL.replace("60af", "70af");
        let all = [
            ("dashboard.toml", DASHBOARD),
            ("proxy.toml", PROXY),
            ("sentinel.conf", SENTINEL),
            ("sentinel-2.conf", &second),
            ("pika.conf", PIKA),
        ];
        let changed: Vec<(&str, String)> = all
            .iter()
            .map(|(name, text)| {
                let text = if *name == file { text.replace(from, to) } else { (*text).to_owned() };
                assert!(*name != file || !text.contains(from) || to.is_empty(), "{from}");
                (*name, text)
            })
            .collect();
        let files: Vec<(&str, &str)> = changed.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let found = problems(&files, &["--pika-version", "3.5.5"]);
        let wanted = format!("agreement {expected}");
        assert!(found.contains(&wanted), "{file} {to}: {found:?}, not {wanted}");
    }
    let copied = problems(&[("a.conf", SENTINEL), ("b.conf", SENTINEL)], &[]);
    assert_eq!(copied, ["agreement critical b.conf:3:10"]);
}

#[test]
fn no_password_is_in_any_output() {
    let influx = format!(
        "{PROXY}jodis_auth = \"planted:digest\"\nmetrics_report_influxdb_password = \"planted-influx\"\n"
    );
    let odd = "sentinel auth-pas demo-1 planted-odd\nsentinel monitor demo-1 10.0.0.1 9221 2\nrequirepass planted-own\nsentinel sentinel-pass planted-peer\n";
    let broken = "product_auth = \"planted-broken\nproduct_name = demo planted\nadmin_addr = \"\"\n";
    let directory = tempfile::tempdir().unwrap();
    let files = [
        ("dashboard.toml", DASHBOARD),
        ("proxy.toml", influx.as_str()),
        ("sentinel.conf", SENTINEL),
        ("odd.conf", odd),
        ("broken.toml", broken),
        ("pika.conf", PIKA),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    for format in
        ["human", "json", "nagios", "prometheus", "junit", "sarif", "github", "markdown", "tap", "short"]
    {
        let mut command = pikadoctor();
        command.current_dir(&directory).args(["lint", "-v", "--format", format]);
        command.args(files.iter().map(|(name, _)| name));
        let run = Run::of(&mut command);
        assert!(!run.stdout.contains("planted") && !run.stderr.contains("planted"), "{format}: {run:?}");
    }
}

#[test]
fn a_kind_can_be_said() {
    let linted = Linted::of(&[("x", "product_name = \"demo\"\n")], &["--kind", "proxy"]);
    assert_eq!(linted.report["facts"]["companion_files"][0]["kind"], "proxy");
    let linted = Linted::of(&[("x", "product_name = \"demo\"\n")], &["--kind", "pika"]);
    assert!(linted.report["facts"]["companion_files"].is_null());
    assert_eq!(linted.report["facts"]["conf_files"][0]["name"], "x");
    assert_eq!(run(&["lint", "--kind", "redis", "x"]).code, 3);
}

#[test]
fn a_file_that_cannot_be_read_is_unknown() {
    let missing = run(&["lint", "--kind", "dashboard", "no/such/dashboard.toml", "--format", "json"]);
    assert_eq!(missing.code, 3, "{}", missing.stdout);
    assert!(missing.stdout.contains("cannot read it"), "{}", missing.stdout);
}

#[test]
fn the_exit_code_is_that_of_the_worst_finding() {
    assert_eq!(Linted::of(&[("d", DASHBOARD)], &[]).code, 0);
    assert_eq!(Linted::of(&[("d", &DASHBOARD.replace("zookeeper", "filesystem"))], &[]).code, 1);
    assert_eq!(Linted::of(&[("d", &DASHBOARD.replace("zookeeper", "consul"))], &[]).code, 2);
}

mod hostile {
    use pikadoctor::catalog::built_in;
    use pikadoctor::model::companion::CompanionKind;
    use pikadoctor::parse::companion;
    use pikadoctor::parse::conf_text::{ConfText, text_of};
    use pikadoctor::parse::secret::Tokens;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_text_is_read_without_a_panic(
            text in "(sentinel |monitor |demo-1 |product_auth|=|\"|'|\\[|\\]|\\{|\\}|#|\n|\r|1|\\\\|é|\u{feff}|[ -~]){0,80}"
        ) {
            let knowledge = built_in().knowledge;
            let conf = ConfText { name: "x".into(), text: text_of(text.as_bytes()) };
            for kind in [CompanionKind::Dashboard, CompanionKind::Proxy, CompanionKind::Sentinel] {
                let read = companion::read(&[(kind, &conf)], &[], &knowledge, &Tokens::new(), None);
                prop_assert_eq!(read.len(), 1);
            }
            let _ = companion::kind_of("x", &text, &knowledge);
        }
    }
}
