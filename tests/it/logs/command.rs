//! `pikadoctor logs`, and `check --logs`: what they print, what they never print, and what they say of logs that
//! cannot be read.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{Run, pikadoctor, recordings_directory, run};

const FORMATS: [&str; 10] =
    ["human", "short", "json", "nagios", "prometheus", "sarif", "github", "markdown", "junit", "tap"];

fn excerpt(name: &str) -> String {
    recordings_directory().join("logs").join(name).to_string_lossy().into_owned()
}

fn logs(path: &Path, more: &[&str]) -> Run {
    Run::of(pikadoctor().arg("logs").arg(path).args(more))
}

/// A directory with a log of one level.
fn directory_with(text: &[u8]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("pika.host.root.log.INFO.20261122-180000.7"), text).unwrap();
    directory
}

#[test]
fn both_ends_make_one_finding_with_the_command_that_mends_it() {
    let replica = excerpt("v2.3.6-rsync-missing-slave-when-master-lacks-rsync");
    let master = excerpt("v2.3.6-rsync-missing-master-when-master-lacks-rsync");
    let both = run(&["logs", &replica, "--master", &master]);
    assert_eq!(both.code, 2, "{both:?}");
    for words in [
        "1 critical",
        "log/full-sync",
        "Error 32512 is exit code 127: the shell finds no rsync program",
        "master, 1 x, last 2026-11-22 18:51:38: rsync send file failed!",
        "replica, 1 x",
        "Need wait to sync",
        "apt-get install rsync",
        "WARNING.20261122-180000.7:",
    ] {
        assert!(both.text().contains(words), "{words}:\n{}", both.stdout);
    }
    let chinese = run(&["logs", &replica, "--master", &master, "--lang", "zh"]);
    assert!(chinese.text().contains("退出码 127"), "{}", chinese.stdout);
    assert_eq!(chinese.code, 2);
}

#[test]
fn the_same_from_a_report() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let directory = excerpt("v2.3.6-dump-failed-master");
    let json = run(&["logs", &directory, "--format", "json"]);
    fs::write(report.path(), &json.stdout).unwrap();
    let live = run(&["logs", &directory]);
    let later = run(&["check", "--from", report.path().to_str().unwrap()]);
    assert_eq!((live.code, later.code), (2, 2));
    assert_eq!(live.stdout, later.stdout);
}

#[test]
fn trouble_that_is_long_past_does_not_fail() {
    let failed = "W20261101 10:00:00.000001 9 pika_trysync_thread.cc:1] Auth with master error: err invalid password\n";
    let quiet = "I20261122 10:00:00.000001 9 pika_server.cc:1] host: 10.0.0.1 port: 9221\n";
    let directory = directory_with(format!("{failed}{quiet}").as_bytes());
    assert_eq!(logs(directory.path(), &[]).code, 0);
    let month = logs(directory.path(), &["--since", "30d"]);
    assert_eq!(month.code, 2, "{}", month.stdout);
    assert!(month.text().contains("log/authentication"));
}

#[test]
fn no_password_reaches_any_output() {
    const SECRET: &str = "Pl4nted-s3cret";
    let line = |text: &str| format!("I20261122 10:00:00.000001 9 {text}\n");
    let text = [
        line("pika_trysync_thread.cc:40] *2\n$4\nauth\n$14\nPl4nted-s3cret\n"),
        line("base_conf.cc:336] 18 requirepass Pl4nted-s3cret"),
        line("base_conf.cc:336] 19 masterauth Pl4nted-s3cret"),
        line("pika_client_conn.cc:1] command: \"AUTH\" \"Pl4nted-s3cret\", start_time(s): 1, duration(us): 20000"),
        line("pika_client_conn.cc:1] command: \"config\" \"set\" \"userpass\" \"Pl4nted-s3cret\""),
        // Known messages that go on with a password, as none of a real server does.
        line("pika_trysync_thread.cc:1] Auth with master error: err invalid password, masterauth: Pl4nted-s3cret"),
        line("pika_server.cc:1] backup failed :IO error: requirepass Pl4nted-s3cret"),
        line("pika_trysync_thread.cc:1] Need wait to sync Pl4nted-s3cret"),
    ]
    .concat();
    let directory = directory_with(text.as_bytes());
    for format in FORMATS {
        for more in [&["-v"][..], &["--lang", "zh"]] {
            let run = logs(directory.path(), &[&["--format", format][..], more].concat());
            assert!(!format!("{run:?}").contains(SECRET), "{format}: {run:?}");
        }
    }
    let report = logs(directory.path(), &[]);
    assert!(report.text().contains("lines hold a password"), "{}", report.stdout);
    assert!(
        report.text().contains("log/authentication"),
        "the messages themselves are seen: {}",
        report.stdout
    );
}

#[test]
fn hostile_lines_do_no_harm() {
    let mut text = Vec::new();
    text.extend_from_slice(
        b"W20261122 10:00:00.000001 9 a.cc:1] backup failed :IO error: \x1b[31m\x07\xff\xfe evil \x00 nul\n",
    );
    text.extend_from_slice(b"\x00\x00\x00\n\xff\xff\n");
    text.extend_from_slice(
        b"W20261122 10:00:00.000002 9 a.cc:1] Error master ip port: \xe2\x80\xae10.0.0.1:1\n",
    );
    // A line without an end.
    text.extend_from_slice(b"W20261122 10:00:00.000003 9 a.cc:1] backup failed :IO error: ");
    text.resize(text.len() + 3_000_000, b'A');
    let directory = directory_with(&text);
    for format in FORMATS {
        let run = logs(directory.path(), &["--format", format]);
        let escape = run.stdout.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}');
        assert!(!escape, "{format}: {:?}", run.stdout);
        assert!(run.stdout.len() < 100_000, "{format}: {} bytes", run.stdout.len());
    }
    assert_eq!(logs(directory.path(), &[]).code, 2);
}

#[track_caller]
fn assert_unread(path: &Path, sentence: &str) {
    let run = logs(path, &[]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.text().contains(sentence), "`{sentence}` is not in:\n{}", run.stdout);
}

#[test]
fn what_cannot_be_read_has_its_sentence_each() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    assert_unread(&path("nowhere"), "it does not exist");
    assert_unread(directory.path(), "the directory is empty");
    fs::write(path("write2file0"), b"binlog").unwrap();
    assert_unread(directory.path(), "no file that is named as a log of Pika is");
    symlink("pika.host.root.log.INFO.20261122-180000.7", path("pika.INFO")).unwrap();
    assert_unread(directory.path(), "rotated away");
    assert_unread(&path("pika.INFO"), "rotated away");
    fs::write(path("pika.WARNING"), b"").unwrap();
    assert_unread(directory.path(), "the files are empty");
    fs::write(path("pika.WARNING"), b"2026-11-22 something else\n").unwrap();
    assert_unread(directory.path(), "no line looks like one of Pika, Codis or Sentinel");
    assert_unread(Path::new("/dev/null"), "neither a file nor a directory");
}

#[test]
fn a_file_that_may_not_be_read_is_no_silence() {
    let directory = directory_with(b"I20261122 10:00:00.000001 9 a.cc:1] x\n");
    let locked = directory.path().join("pika.host.root.log.ERROR.20261122-180000.7");
    fs::write(&locked, b"E20261122 10:00:00.000001 9 a.cc:1] x\n").unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&locked).is_ok() {
        // Root may read everything; what is left to see is that nothing breaks.
        assert_eq!(logs(directory.path(), &[]).code, 0);
        return;
    }
    let run = logs(directory.path(), &[]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.text().contains("not all of its files can be read"), "{}", run.stdout);
}

#[test]
fn a_line_counts_once_although_glog_writes_it_into_several_files() {
    let line =
        b"W20261122 10:00:00.000001 9 a.cc:1] slave already exist, slave ip: 10.0.0.2slave port: 9221\n";
    let directory = directory_with(line);
    let warnings = directory.path().join("pika.host.root.log.WARNING.20261122-180000.7");
    fs::File::create(&warnings).unwrap().write_all(line).unwrap();
    symlink(&warnings, directory.path().join("pika.WARNING")).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&logs(directory.path(), &["--format", "json"]).stdout).unwrap();
    assert_eq!(report["facts"]["logs"][0]["sources"][0]["messages"][0]["count"], 1);
    assert_eq!(
        report["facts"]["logs"][0]["sources"][0]["files"].as_array().unwrap().len(),
        2,
        "the link is no file"
    );
}

#[test]
fn old_and_new_prefixes_and_the_turn_of_the_year() {
    let directory = tempfile::tempdir().unwrap();
    let text = "W1231 23:59:59.000001 9 a.cc:1] Find Timeout Slave: 10.0.0.2:1\nW0101 00:00:01.000001 9 a.cc:1] Find Timeout Slave: 10.0.0.2:1\n";
    fs::write(directory.path().join("pika.h.u.log.WARNING.20261130-000000.1"), text).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&logs(directory.path(), &["--format", "json"]).stdout).unwrap();
    let message = &report["facts"]["logs"][0]["sources"][0]["messages"][0];
    assert_eq!(message["first"], "2026-12-31 23:59:59.000001");
    assert_eq!(message["last"], "2027-01-01 00:00:01.000001");
    assert_eq!(message["line_number"], 2);
}

#[test]
fn wrong_usage() {
    for (arguments, sentence) in [
        (&["logs"][..], "<DIR|FILE>"),
        (&["logs", "a", "a"], "a is named twice"),
        (&["logs", "a", "--master", "a"], "a cannot be the log of the replica and of its master"),
        (&["logs", "a", "--since", "soon"], "`soon` is not a duration"),
        (&["check", "a:1", "--master-logs", "x"], "--logs"),
    ] {
        let run = run(arguments);
        assert_eq!(run.code, 3, "{arguments:?}: {run:?}");
        let text = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn beside_a_server_the_window_ends_now() {
    let directory =
        directory_with(b"W20201122 10:00:00.000001 9 a.cc:1] Auth with master error: err invalid password\n");
    let run = run(&["check", "127.0.0.1:1", "--logs", directory.path().to_str().unwrap(), "-v"]);
    assert!(run.text().contains("no password was refused within the window"), "{}", run.stdout);
}

/// What the report on one file says, in one line.
fn report_on(name: &str, text: &str) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    logs(&path, &[])
}

#[test]
fn an_end_that_nobody_knows_is_no_silence() {
    let run = report_on(
        "pika.FATAL",
        "F20261122 10:00:00.000001 9 a.cc:1] A new way to end, auth hunter2 >hunter2\n",
    );
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.text().contains("A new way to end"), "{}", run.stdout);
    assert!(!run.stdout.contains("hunter2"), "{}", run.stdout);
    let milder = report_on("pika.ERROR", "E20261122 10:00:00.000001 9 a.cc:1] A new way to end\n");
    assert_eq!(milder.code, 0, "a line that ends nothing: {milder:?}");
}

#[test]
fn starts_that_failed_before_there_was_a_log() {
    let gone = "F20261122 10:00:00.000001 9 pika_binlog.cc:129] Binlog: Open file /data/write2file7 error IO error: /data/write2file7: No such file or directory";
    let limit = "F1122 10:00:00.000001 9 pika.cc:177] your 'limit -n ' of 1024 is not enough for Redis to start. pika can not reconfig it(Operation not permitted), do it by yourself";
    for (name, text, words) in [
        ("stderr", "[FATAL] open kv db failed, Corruption: CURRENT file corrupted\n".to_owned(), "CURRENT file corrupted"),
        ("nohup.out", format!("path : ./pika.conf\n{limit}\n*** Check failure stack trace: ***\n"), "it may open 1024 files"),
        ("journal", format!("Nov 22 10:00:01 db-1 pika[4711]: {gone}\n"), "/data/write2file7"),
        ("journal-iso", format!("2026-11-22T10:00:01+0800 db-1 pika[4711]: {gone}\n"), "/data/write2file7"),
        (
            "unit",
            "Nov 22 10:00:01 db-1 systemd[1]: pika.service: Main process exited, code=dumped, status=6/ABRT\n".to_owned(),
            "6/ABRT",
        ),
        (
            "docker.json",
            "{\"log\":\"[FATAL] open hash db failed, IO error: lock /data/db/hash/LOCK: Resource temporarily unavailable\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-22T10:00:01.5Z\"}\n".to_owned(),
            "fuser -v /data/db/hash/LOCK",
        ),
        ("0.log", format!("2026-11-22T10:00:01.123456789Z stderr F {limit}\n"), "it may open 1024 files"),
        ("compose", format!("pika-1  | {limit}\n"), "it may open 1024 files"),
        (
            "no-log-path",
            format!("COULD NOT CREATE A LOGGINGFILE 20261122-100000.9!{gone}\n"),
            "/data/write2file7",
        ),
    ] {
        let run = report_on(name, &text);
        assert_eq!(run.code, 2, "{name}: {run:?}");
        assert!(run.text().contains(words), "{name}: `{words}` is not in:\n{}", run.stdout);
        assert!(run.text().contains("log/start"), "{name}: {}", run.stdout);
    }
}

/// The possible causes of the one problem that log/start finds.
fn possible_causes(text: &str) -> Vec<String> {
    let directory = directory_with(text.as_bytes());
    let run = logs(directory.path(), &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let critical: Vec<_> = findings.iter().filter(|finding| finding["state"] == "critical").collect();
    assert_eq!(critical.len(), 1, "one fault: {}", run.stdout);
    assert_eq!(critical[0]["check"], "log/start");
    let problems = critical[0]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let causes = problems[0]["possible"].as_array().unwrap().iter();
    causes.map(|cause| cause["cause"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn where_several_causes_fit_none_is_stated() {
    let port = "F20261122 10:00:01.000001 9 pika_server.cc:229] Start Rsync Error: bind port 10221 failed, Listen on this port to receive Master FullSync Data\n";
    let alone = possible_causes(port);
    assert!(alone[0].contains("there is no rsync program"), "{alone:?}");
    assert!(alone[1].contains("the port is taken"), "{alone:?}");
    assert_eq!(alone.len(), 3);
    let missing = "W20261122 10:00:01.000000 9 pika_rsync_service.cc:1] Failed to start rsync, path:/data/dbsync/ error : 32512\n";
    let both = possible_causes(&format!("{missing}{port}"));
    assert_eq!(both, alone[..1], "the status says which one it is");
}

#[test]
fn logs_of_codis_and_sentinel() {
    let proxy = "2026/11/22 10:00:00 main.go:104: [WARN] set ncpu = 1, max-ncpu = 2\n\
        2026/11/22 10:00:00 main.go:189: [PANIC] create proxy with config file failed\n\
        product_auth = \"hunter2\"\n\
        [error]: listen tcp4 10.79.0.1:19000: bind: address already in use\n\
        [stack]: \n";
    let run = report_on("proxy.log", proxy);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.text().contains("log/codis") && run.text().contains("address already in use"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("hunter2"), "{}", run.stdout);
    let moving = "2026/11/22 10:00:00 topom.go:232: [WARN] process slot action failed\n[error]: ERR unknown or unsupported command 'slotsmgrttagslot-async'\n";
    let run = report_on(
        "dashboard.log",
        &moving
            .replace("10:00:00", "10:00:01")
            .repeat(3)
            .replacen("10:00:01", "10:00:02", 1)
            .replacen("10:00:01", "10:00:03", 1),
    );
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.text().contains("slotsmgrttagslot-async"), "{}", run.stdout);
    let down = "4711:X 22 Nov 2026 10:00:00.123 # +sdown master m 10.79.0.1 9221\n";
    let abort = "4711:X 22 Nov 2026 10:00:02.123 # -failover-abort-no-good-slave master m 10.79.0.1 9221\n";
    let run = report_on("sentinel.log", &format!("{down}{abort}"));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.text().contains("10.79.0.1 9221") && run.text().contains("no-good-slave"), "{}", run.stdout);
    let back = "4711:X 22 Nov 2026 10:00:05.123 # -sdown master m 10.79.0.1 9221\n";
    let other = back.replace("0.1 9221", "0.1 9222");
    assert_eq!(report_on("sentinel.log", &format!("{down}{back}")).code, 0);
    assert_eq!(report_on("sentinel.log", &format!("{down}{other}")).code, 2, "another server is back");
}
