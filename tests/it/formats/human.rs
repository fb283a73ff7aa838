//! Every format says the same, with the same exit code, and is valid by its own rules.

use std::sync::Arc;

use crate::support::pair::{Fault, RecordedPair};
use crate::support::reports::hostile_report;
use crate::support::{Run, all_recordings, pikadoctor, recording, run, serve};
use pikadoctor::catalog::built_in;
use pikadoctor::judge::verdict::report;
use pikadoctor::lab::scenarios;
use pikadoctor::lab::stage::Stage;
use pikadoctor::model::exit;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Report, State};
use pikadoctor::model::text::Language;
use pikadoctor::render::options::{Format, RenderOptions};
use pikadoctor::render::render;
use unicode_width::UnicodeWidthStr;

const FORMATS: [&str; 10] =
    ["human", "json", "short", "nagios", "junit", "sarif", "github", "prometheus", "tap", "markdown"];

/// Recordings that come to each exit code.
const EXAMPLES: [(&str, u8); 4] = [
    ("v3.5.5/standalone/standalone", exit::OK),
    ("v3.5.5/auth-requirepass-only/standalone-requirepass", exit::WARNING),
    ("v2.3.6/slave-read-only-master/master", exit::CRITICAL),
    ("v2.3.6/auth/standalone-unauthenticated", exit::UNKNOWN),
];

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    for (name, code) in EXAMPLES {
        let server = serve(recording(name));
        for format in FORMATS {
            let run = Run::of(
                pikadoctor()
                    .args(["check", "--no-ports", &server.address, "--format", format])
                    .env("PIKADOCTOR_PASSWORD", if code == 1 { "secret-root" } else { "" }),
            );
            assert_eq!(run.code, i32::from(code), "{name} as {format}:\n{}", run.stdout);
            assert_eq!(run.stderr, "", "{name} as {format}");
        }
    }
}

#[test]
fn what_a_person_sees_fits_eighty_columns_in_both_languages() {
    for (name, _) in EXAMPLES {
        let server = serve(recording(name));
        for language in ["en", "zh"] {
            for verbose in [false, true] {
                let mut arguments = vec!["check", "--no-ports", server.address.as_str(), "--lang", language];
                if verbose {
                    arguments.push("-v");
                }
                for line in run(&arguments).stdout.lines() {
                    // A command line is not broken: it is there to be copied.
                    let is_command =
                        line.trim_start().split("  ").last().is_some_and(|word| !word.contains(' '));
                    assert!(
                        line.width() <= 80 || is_command,
                        "{name} {language}: {} columns: {line}",
                        line.width()
                    );
                }
            }
        }
    }
}

#[test]
fn there_is_no_colour_where_there_is_no_terminal() {
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    assert!(!run(&["check", "--no-ports", &server.address]).stdout.contains('\u{1b}'));
    let forced =
        Run::of(pikadoctor().args(["check", "--no-ports", &server.address]).env("CLICOLOR_FORCE", "1"));
    assert!(forced.stdout.contains("\u{1b}["), "colours can be forced");
    let refused = Run::of(pikadoctor().args(["check", "--no-ports", &server.address]).env("NO_COLOR", "1"));
    assert!(!refused.stdout.contains('\u{1b}'));
}

#[test]
fn a_person_is_told_the_worst_first_and_what_mends_it() {
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let run = run(&["check", "--no-ports", &server.address]);
    let port = server.address.rsplit(':').next().unwrap();
    insta::assert_snapshot!(run.stdout.replace(&server.address, "10.0.0.1:9221").replace(port, "9221"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_readmes_begin_with_the_screen_that_the_tool_prints() {
    const SERVER: &str = r#"
title: {en: "a master that is read only", zh: "只读的主库"}
servers:
  pika: {release: v2.3.6, keys: 20, faults: [{set: {slave-read-only: "yes"}}]}
expect: [critical node/writable pika]
exit: 2
"#;
    let scenario = scenarios::read("the README's server", SERVER).unwrap().remove(0);
    let stage = Stage::start(scenario, &Arc::new(built_in().knowledge)).await.unwrap();
    let address = stage.addresses["pika"];
    // How far words are apart, and where lines break, depends on how long the address is.
    let words = |screen: &str| screen.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (readme, command, language) in [
        ("README.md", "pikadoctor check 10.0.0.1:9221", "en"),
        ("README.zh-CN.md", "pikadoctor check 10.0.0.1:9221 --lang zh", "zh"),
    ] {
        let text = std::fs::read_to_string(readme).unwrap();
        let (_, screen) = text.split_once(&format!("```\n$ {command}\n")).expect(readme);
        let (screen, _) = screen.split_once("\n```").expect(readme);
        let printed = tokio::task::spawn_blocking(move || {
            run(&["check", &address.to_string(), "--lang", language]).stdout
        });
        let printed = printed.await.unwrap().replace(&address.ip().to_string(), "10.0.0.1");
        assert_eq!(words(screen), words(&printed), "{readme}; the tool prints:\n{printed}");
    }
}

#[test]
fn json_is_valid_by_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema", "report"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let facts_schema: serde_json::Value = serde_json::from_str(&run(&["schema", "facts"]).stdout).unwrap();
    let facts_validator = jsonschema::validator_for(&facts_schema).unwrap();
    for (name, code) in EXAMPLES {
        let server = serve(recording(name));
        let run = run(&["check", "--no-ports", &server.address, "--format", "json"]);
        let report: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{name}: {error}"));
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert!(facts_validator.is_valid(&report["facts"]), "{name}");
        // Read back, it is the same report.
        let read: Report = serde_json::from_value(report.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), report, "{name}");
        if code != 1 {
            assert_eq!(read.exit_code, code);
        }
    }
}

#[test]
fn a_report_about_a_link_is_valid_by_its_schema_and_keeps_the_rules_of_nagios() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema", "report"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for fault in [Fault::None, Fault::Lost, Fault::Hollow] {
        let of = |node: &str| recording(&format!("v3.5.5/replica-up/{node}"));
        let pair = RecordedPair::start(of("master"), of("slave"), fault);
        let arguments = |format: &'static str| {
            [
                "check",
                &pair.replica,
                "--master",
                &pair.master,
                "--no-ports",
                "--canary-timeout",
                "500ms",
                "--format",
                format,
            ]
            .map(str::to_owned)
        };
        let json = Run::of(pikadoctor().args(arguments("json")));
        let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{fault:?}: {errors:?}");
        let nagios = Run::of(pikadoctor().args(arguments("nagios")));
        assert_nagios(&nagios.stdout, u8::try_from(nagios.code).unwrap());
        assert_eq!(nagios.code, json.code, "{fault:?}");
    }
}

#[test]
fn check_files_are_valid_by_their_schema() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema", "check"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let checks = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/node");
    for file in std::fs::read_dir(checks).unwrap() {
        let path = file.unwrap().path();
        let value: serde_json::Value =
            serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

/// The rules of the plugin guidelines: one line, then long text; `|` once, before performance data.
fn assert_nagios(text: &str, code: u8) {
    let words = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
    let first = text.lines().next().unwrap();
    let (sentence, performance) = first.split_once(" | ").unwrap_or((first, ""));
    assert!(sentence.starts_with(&format!("PIKA {} - ", words[usize::from(code)])), "{sentence}");
    assert!(sentence.chars().count() <= 80, "{} characters: {sentence}", sentence.chars().count());
    assert_eq!(text.matches('|').count(), usize::from(!performance.is_empty()), "{text}");
    assert!(text.len() < 8192, "{} bytes", text.len());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    let mut rest = performance;
    while !rest.is_empty() {
        let (label, after) = if let Some(quoted) = rest.strip_prefix('\'') {
            quoted.split_once("'=").unwrap()
        } else {
            rest.split_once('=').unwrap()
        };
        assert!(!label.is_empty() && !label.contains('='), "{performance}");
        let (value, after) = after.split_once(' ').unwrap_or((after, ""));
        let number = value.split(';').next().unwrap().trim_end_matches(['s', 'B', '%', 'c']);
        assert!(
            number == "U" || number.parse::<f64>().is_ok_and(|_| !number.contains(['e', 'E'])),
            "{value}"
        );
        rest = after;
    }
}

#[test]
fn nagios_output_keeps_the_rules() {
    // Many recordings differ in a word or two; every fifth has all that a format can meet.
    for name in all_recordings().iter().step_by(5) {
        let server = serve(recording(name));
        let run = run(&["check", "--no-ports", &server.address, "--format", "nagios"]);
        assert_nagios(&run.stdout, u8::try_from(run.code).unwrap());
    }
}

#[test]
fn every_state_in_every_format_with_hostile_text() {
    let hostile = "a|b\u{1b}[31m\r\nPIKA OK - fine | x=1\t\u{202e}'\"<&>{{ 7*7 }} 中文 \u{0}";
    for state in State::WORST_FIRST {
        let report = hostile_report(hostile, state);
        let expected = match state {
            State::Critical => 2,
            State::Warning => 1,
            State::Ok | State::Waived => 0,
            // Nothing but skipped or not applicable was judged: nothing is proven.
            State::Unknown | State::Skipped | State::NotApplicable => 3,
        };
        assert_eq!(report.exit_code, expected, "{state:?}");
        let look = RenderOptions {
            color: false,
            width: 80,
            least: State::NotApplicable,
            fail_on: Some(State::Warning),
            always: None,
        };
        let human = render(&report, Format::Human, look);
        assert!(
            !human.contains('\u{1b}') && !human.contains('\u{202e}') && !human.contains('\u{0}'),
            "{human:?}"
        );
        assert_nagios(&render(&report, Format::Nagios, look), expected);
        let json = render(&report, Format::Json, look);
        let read: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(read.findings[0].target, hostile, "JSON keeps what came");
    }
}

#[test]
fn a_run_that_judged_nothing_proves_nothing() {
    let facts = Facts::default();
    assert_eq!(report(Vec::new(), facts, &[], Language::En).exit_code, exit::UNKNOWN);
}

#[test]
fn long_text_for_nagios_is_cut_at_a_line() {
    let mut report = hostile_report("x", State::Critical);
    let one = report.findings[0].clone();
    report.diagnosis.clear();
    report.findings = std::iter::repeat_n(one, 200).collect();
    let text = render(
        &report,
        Format::Nagios,
        RenderOptions {
            color: false,
            width: 80,
            least: RenderOptions::PROBLEMS,
            fail_on: Some(State::Warning),
            always: None,
        },
    );
    assert_nagios(&text, 2);
    assert!(text.ends_with("(more: run pikadoctor by hand)\n"));
}
