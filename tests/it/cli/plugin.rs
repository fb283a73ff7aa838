//! Under the name `check_pika` the program keeps the rules of a Nagios plugin.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pair::{Fault, RecordedPair};
use crate::support::{Run, listener, recording, serve};

/// The binary under its other name.
struct Plugin {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Plugin {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("check_pika");
        symlink(env!("CARGO_BIN_EXE_pikadoctor"), &path).unwrap();
        Self { _directory: directory, path }
    }

    /// Runs it; nothing may ever come on the standard error.
    fn run(&self, arguments: &[&str]) -> Run {
        let run = Run::of(
            Command::new(&self.path)
                .args(arguments)
                .env_remove("PIKADOCTOR_PASSWORD")
                .env("LANG", "zh_CN.UTF-8"),
        );
        assert_eq!(run.stderr, "", "{arguments:?}: schedulers drop it");
        assert!(!run.stdout.contains('\u{1b}'), "{arguments:?}");
        run
    }

    fn at(&self, address: &str, arguments: &[&str]) -> Run {
        let (host, port) = address.rsplit_once(':').unwrap();
        let mut all = vec!["-H", host, "-p", port];
        all.extend(arguments);
        self.run(&all)
    }
}

#[test]
fn help_version_and_wrong_usage_are_unknown_and_on_the_standard_output() {
    let plugin = Plugin::new();
    for (arguments, sentence) in [
        (&["--help"][..], "Usage: check_pika"),
        (&["-h"], "-H, --hostname"),
        (&["--version"], "check_pika 0.1.0"),
        (&["-V"], "check_pika 0.1.0"),
        (&[], "--hostname"),
        (&["-H", "a", "-p", "0"], "0"),
        (&["-H", "a", "-t", "soon"], "`soon` is not a number of seconds"),
        (&["-H", "a", "-t", "5:maybe"], "`maybe` is not ok"),
        (&["-H", "a", "-w", "10"], "-w 10: name the metric"),
        (&["-H", "a", "-w", "lag=10"], "there is no metric `lag`; there are behind, "),
        (&["-H", "a", "-c", "clients=20:10"], "`20:10` is not a range"),
        (&["-H", "a", "--password-file", "no/such/file"], "no/such/file"),
        (&["-H", "a", "-M", "a:9221"], "a:9221 cannot be its own master"),
        (&["10.0.0.1"], "unexpected argument"),
    ] {
        let run = plugin.run(arguments);
        assert_eq!(run.code, 3, "{arguments:?}: {run:?}");
        assert!(run.stdout.contains(sentence), "{arguments:?}: `{sentence}` is not in {}", run.stdout);
    }
    let help = plugin.run(&["--help"]).stdout;
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
}

#[test]
fn a_server_and_a_link() {
    let plugin = Plugin::new();
    let healthy = serve(recording("v3.5.5/standalone/standalone"));
    let run = plugin.at(&healthy.address, &[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.starts_with("PIKA OK - "), "English, whatever the environment says: {}", run.stdout);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    assert!(plugin.at(&healthy.address, &["-v"]).stdout.lines().count() > 10);
    let read_only = serve(recording("v2.3.6/slave-read-only-master/master"));
    let run = plugin.at(&read_only.address, &[]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stdout.starts_with("PIKA CRITICAL - node/writable"), "{}", run.stdout);

    let of = |node: &str| recording(&format!("v3.5.5/replica-up/{node}"));
    let pair = RecordedPair::start(of("master"), of("slave"), Fault::Lost);
    let run = plugin.at(&pair.replica, &["-M", &pair.master, "-t", "6"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stdout.starts_with("PIKA CRITICAL - link/state"), "{}", run.stdout);
    let pair = RecordedPair::start(of("master"), of("slave"), Fault::Lost);
    plugin.at(&pair.replica, &["-M", &pair.master, "--read-only"]);
    assert!(pair.sent().iter().all(|line| !line.contains(": set ")));
}

#[test]
fn ranges_of_metrics_decide_beside_the_checks() {
    let plugin = Plugin::new();
    let server = serve(recording("v3.5.5/standalone/standalone"));
    for (arguments, code, sentence) in [
        (&["-w", "clients=1000000"][..], 0, "PIKA OK"),
        (&["-w", "clients=1000:"], 1, "PIKA WARNING - threshold/clients: clients is "),
        (&["-w", "clients=1000:", "-c", "clients=500:"], 2, "PIKA CRITICAL - threshold/clients"),
        (&["-c", "connect_time=@0:100"], 2, "threshold/connect_time"),
        // A value that could not be had is not a good one.
        (&["-c", "canary=5"], 3, "PIKA UNKNOWN - threshold/canary: canary was not measured"),
    ] {
        let run = plugin.at(&server.address, arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stdout);
        assert!(run.stdout.contains(sentence), "{arguments:?}: {}", run.stdout);
    }
    let run = plugin.at(&server.address, &["-w", "clients=1000000", "-c", "clients=~:2000000"]);
    assert!(
        run.stdout.contains(";1000000;~:2000000"),
        "the ranges are in the performance data: {}",
        run.stdout
    );
}

#[test]
fn a_socket_that_times_out_is_critical_and_the_own_deadline_is_what_was_asked_for() {
    let plugin = Plugin::new();
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let began = Instant::now();
    let run = plugin.at(&silent, &["-t", "3"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    // `-t 3` ends it long before the server does; the machine may be busy.
    assert!(began.elapsed() < Duration::from_secs(20));
    // Servers that answer, and so slowly that the run does not come to its end.
    let of = |node: &str| recording(&format!("v3.5.5/replica-up/{node}"));
    for (state, code, word) in [("", 3, "UNKNOWN"), (":critical", 2, "CRITICAL"), (":ok", 0, "OK")] {
        let pair = RecordedPair::start(of("master"), of("slave"), Fault::Slow);
        let run = plugin.at(&pair.replica, &["-M", &pair.master, "-t", &format!("1{state}")]);
        assert_eq!(run.code, code, "{state}: {}", run.stdout);
        assert!(run.stdout.starts_with(&format!("PIKA {word} - timed out after 1 s")), "{}", run.stdout);
    }
}

#[test]
fn the_definitions_for_monitoring_systems_name_options_that_exist() {
    let plugin = Plugin::new();
    let help = plugin.run(&["--help"]).stdout;
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib");
    let icinga = fs::read_to_string(contrib.join("icinga2/check_pika.conf")).unwrap();
    let nagios = fs::read_to_string(contrib.join("nagios/check_pika.cfg")).unwrap();
    let quoted = icinga.split('"').skip(1).step_by(2).filter(|word| word.starts_with('-'));
    let bare = nagios.split_whitespace().filter(|word| word.starts_with('-') && word.len() > 1);
    let options: Vec<&str> = quoted.chain(bare).collect();
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        let known = help.split_whitespace().any(|word| word.trim_end_matches(',') == option);
        assert!(known, "{option} is not an option: {help}");
    }
}
