//! Whatever a server, a file or a person calls a thing, no format lets it control a terminal, forge a line, or give a
//! command to the log of a pipeline: the facts of real runs, with hostile text in every place that can hold one.

use clap::ValueEnum;
use pikadoctor::catalog::built_in;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Report, State};
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::{Language, is_treacherous};
use pikadoctor::pipeline::judgement::judge;
use pikadoctor::render::options::{Format, RenderOptions};
use pikadoctor::render::render;
use serde_json::{Value, json};

use crate::support::codis::serve_recorded;
use crate::support::reports::hostile_report;
use crate::support::sentinel::RecordedSet;
use crate::support::{Run, pikadoctor, run};

/// What a name could be made of.
const HOSTILE: [&str; 6] = [
    "x\nPIKA OK - forged | a=1;;\n::stop-commands::t\n##[error]y ##vso[task.complete]z",
    "\r\n::error::forged\r\u{2028}::add-mask::a\u{2029}ok 1 - forged\u{85}not ok",
    "\u{1b}]52;c;cm0gLXJm\u{7}\u{9d}0;t\u{9c}\u{9b}2J\u{8}\u{7f}\u{0}",
    "a\u{202e}b\u{2066}c\u{61c}d\u{200b}e\u{200d}f\u{feff}g\u{ad}h\u{e0041}i",
    "<!-- ]]> --> \" ' \\ `id` $(id) {{ 7*7 }} {% raw %} %0A::error::x | y\t#z",
    "  ::set-output name=a::b",
];

/// What is replaced by a hostile text.
const MARK: &str = "MARK-OF-A-TEXT";

/// Puts the mark behind every text that can be anything; what is read as a word, a number or an address stays. Returns how
/// many there are.
fn mark(facts: &mut Value, pointer: &str) -> usize {
    fn all(value: &mut Value) -> usize {
        match value {
            Value::String(word) => {
                word.push_str(MARK);
                1
            }
            Value::Array(items) => items.iter_mut().map(all).sum(),
            Value::Object(members) => members.values_mut().map(all).sum(),
            _ => 0,
        }
    }
    // A part as a whole, and its parts only where it cannot be read any more.
    let before = facts.pointer(pointer).unwrap().clone();
    let count = all(facts.pointer_mut(pointer).unwrap());
    if count == 0 || serde_json::from_value::<Facts>(facts.clone()).is_ok() {
        return count;
    }
    *facts.pointer_mut(pointer).unwrap() = before.clone();
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let below: Vec<String> = match &before {
        Value::Array(items) => (0..items.len()).map(|index| format!("{pointer}/{index}")).collect(),
        Value::Object(members) => members.keys().map(|name| format!("{pointer}/{}", escaped(name))).collect(),
        _ => Vec::new(),
    };
    below.iter().map(|pointer| mark(facts, pointer)).sum()
}

/// The facts of runs over what has names of its own.
fn recorded_facts() -> Vec<Value> {
    let (_place, codis) = serve_recorded("11-pika-2.3.6-semi-async");
    let set = RecordedSet::load("three-over-pika-3.5.5");
    let _served = set.serve();
    let directory = tempfile::tempdir().unwrap();
    let conf = directory.path().join("pika.conf");
    std::fs::write(&conf, "port : 9221\nnonsense : 1\nslave-priority : x\n").unwrap();
    let runs = [
        run(&["check", "--codis", &codis, "--no-servers", "--format", "json"]),
        run(&["check", "--sentinel", &set.sentinels()[0], "--no-ports", "--format", "json"]),
        run(&["lint", conf.to_str().unwrap(), "--pika-version", "3.3.6", "--format", "json"]),
    ];
    runs.iter().map(|run| serde_json::from_str::<Value>(&run.stdout).unwrap()["facts"].take()).collect()
}

fn assert_harmless(report: &Report, format: Format) {
    let look = RenderOptions {
        color: false,
        width: 80,
        least: State::NotApplicable,
        fail_on: Some(State::Warning),
        always: None,
    };
    let text = render(report, format, look);
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{format:?}, line {}: {line:?}", number + 1);
        assert!(!line.chars().any(is_treacherous), "{}", place());
        assert!(!line.contains("##[") && !line.contains("##vso["), "{}", place());
        let own = format == Format::Github
            && ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
        assert!(own || !line.trim_start().starts_with("::"), "{}", place());
        // A text may have lines of its own: indented, or within an element.
        assert!(format == Format::Junit || !line.starts_with("PIKA OK - forged"), "{}", place());
        assert!(format == Format::Junit || !line.starts_with("ok 1 - forged"), "{}", place());
        if format == Format::Nagios {
            assert!(line.matches('|').count() <= usize::from(number == 0), "{}", place());
        }
    }
    match format {
        Format::Json => {
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read, serde_json::to_value(report).unwrap(), "nothing is lost");
        }
        Format::Sarif => drop(serde_json::from_str::<Value>(&text).unwrap()),
        Format::Tap => {
            for block in text.split("\n  ---\n").skip(1) {
                let block = block.split_once("\n  ...").unwrap().0;
                serde_yaml::from_str::<Value>(block).unwrap_or_else(|error| panic!("{error}: {block}"));
            }
        }
        _ => {}
    }
}

#[test]
fn no_name_in_any_source_reaches_a_reader_as_it_is() {
    let catalogue = built_in();
    for mut facts in recorded_facts() {
        let count = mark(&mut facts, "");
        assert!(count > 10, "only {count} places");
        let facts = facts.to_string();
        for (number, text) in HOSTILE.iter().enumerate() {
            let json = serde_json::to_string(text).unwrap();
            let facts = facts.replace(MARK, json.trim_start_matches('"').strip_suffix('"').unwrap());
            let language = if number % 2 == 0 { Language::En } else { Language::Zh };
            let report =
                judge(serde_json::from_str(&facts).unwrap(), &catalogue, &Parameters::new(), language);
            for format in Format::value_variants() {
                assert_harmless(&report, *format);
            }
        }
    }
}

#[test]
fn no_text_of_a_report_reaches_a_reader_as_it_is() {
    for text in HOSTILE {
        for state in State::WORST_FIRST {
            let report = hostile_report(text, state);
            for format in Format::value_variants() {
                assert_harmless(&report, *format);
            }
        }
    }
}

#[test]
fn what_is_said_beside_the_report_is_no_command_and_no_escape_either() {
    let directory = tempfile::tempdir().unwrap();
    let name = "a\u{1b}]0;x\u{7}\n##[error]b\n::stop-commands::t\u{202e}";
    let missing = directory.path().join(name);
    let missing = missing.to_str().unwrap();
    let plan = directory.path().join("plan.yaml");
    let text = json!({"nodes": {"a": {"addr": "10.0.0.1:9221"}}, "links": [{"from": "a", "to": name}]});
    std::fs::write(&plan, text.to_string()).unwrap();
    for arguments in [
        vec!["check", "--from", missing],
        vec!["diff", missing, missing],
        vec!["check", "127.0.0.1:1", "--baseline", missing],
        vec!["check", "-f", plan.to_str().unwrap()],
        vec!["check", "-f", missing],
        vec!["lint", missing],
        vec!["logs", missing],
        vec!["test-checks", missing],
        vec!["explain", name],
    ] {
        let run = Run::of(pikadoctor().args(&arguments));
        for text in [&run.stderr, &run.stdout] {
            for line in text.lines() {
                assert!(!line.chars().any(is_treacherous), "{arguments:?}: {line:?}");
                assert!(
                    !line.contains("##[") && !line.trim_start().starts_with("::"),
                    "{arguments:?}: {line:?}"
                );
            }
        }
    }
}
