//! The formats for programs keep the rules of those programs, whatever text a server puts into a report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::reports::hostile_report;
use crate::support::{recording, run, serve};
use pikadoctor::model::finding::{Report, State};
use pikadoctor::render::options::{Format, RenderOptions};
use pikadoctor::render::render;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

const HOSTILE: &str =
    "a|b\u{1b}[31m\r\n::error::x\nok 1 # SKIP\t\u{202e}'\"<&>]]>{{ 7*7 }} `x` \\ 中文 \u{0} %0A,:=";

fn look(fail_on: Option<State>) -> RenderOptions {
    RenderOptions { color: false, width: 80, least: RenderOptions::PROBLEMS, fail_on, always: None }
}

fn reports() -> Vec<Report> {
    State::WORST_FIRST.iter().map(|state| hostile_report(HOSTILE, *state)).collect()
}

fn rendered(report: &Report, format: Format) -> String {
    let text = render(report, format, look(Some(State::Warning)));
    assert!(text.ends_with('\n'), "{format:?} ends its last line");
    text
}

/// Elements of a document that is well-formed, with their attributes.
fn elements(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
            Event::Eof => break,
            event @ (Event::Start(_) | Event::Empty(_)) => {
                let (element, opens) = match event {
                    Event::Start(element) => (element, 1),
                    Event::Empty(element) => (element, 0),
                    _ => unreachable!("only these two were matched"),
                };
                depth += opens;
                let attributes = element
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                        (name, attribute.unescape_value().unwrap().into_owned())
                    })
                    .collect();
                elements.push((String::from_utf8(element.name().as_ref().to_vec()).unwrap(), attributes));
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) => {
                text.decode().unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{xml}");
    elements
}

#[test]
fn junit_tells_failures_from_errors_and_is_well_formed() {
    for (report, expected) in
        reports().iter().zip(["failure", "error", "failure", "skipped", "", "skipped", "skipped"])
    {
        let xml = rendered(report, Format::Junit);
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
        assert!(xml.chars().all(allowed), "{xml:?}");
        let elements = elements(&xml);
        let count = |name: &str| elements.iter().filter(|(element, _)| element == name).count();
        assert_eq!(count("testcase"), 1, "{xml}");
        for kind in ["failure", "error", "skipped"] {
            assert_eq!(count(kind), usize::from(kind == expected), "{:?}: {kind} in {xml}", report.state);
        }
        let case = &elements.iter().find(|(element, _)| element == "testcase").unwrap().1;
        assert_eq!(case["name"], "node/x");
        assert!(case.contains_key("classname"));
    }
    // What does not fail the run does not fail a test.
    let warning = hostile_report("x", State::Warning);
    let xml = render(&warning, Format::Junit, look(Some(State::Critical)));
    assert!(!xml.contains("<failure") && xml.contains("<system-out>"), "{xml}");
}

#[test]
fn sarif_has_what_code_scanning_wants() {
    for report in reports() {
        let sarif: Value = serde_json::from_str(&rendered(&report, Format::Sarif)).unwrap();
        assert_eq!(sarif["version"], "2.1.0");
        let run = &sarif["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1, "every check is a rule, whether it found something or not");
        assert!(rules[0]["shortDescription"]["text"].is_string());
        assert_eq!(run["invocations"][0]["exitCode"], report.exit_code);
        let results = run["results"].as_array().unwrap();
        let waived = report.findings[0].state == State::Waived;
        assert_eq!(results.len(), usize::from(report.findings[0].state.matters() || waived));
        for result in results {
            let suppressions = result["suppressions"].as_array().map_or(0, Vec::len);
            assert_eq!(suppressions, usize::from(waived), "{result}");
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(result["ruleId"], rule["id"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(result["message"]["text"].as_str().unwrap().contains("中文"), "nothing is lost");
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:[]%".contains(c);
            assert!(uri.starts_with("pika://") && uri.chars().all(plain), "{uri}");
            assert!(result["partialFingerprints"]["pikadoctor/v1"].as_str().unwrap().len() == 32);
        }
    }
    // The same problem has the same fingerprint, and the place in a file is one.
    let conf = tempfile::tempdir().unwrap();
    let path = conf.path().join("pika.conf");
    fs::write(&path, "port : 9221\nnonsense : 1\nnonsens : 2\n").unwrap();
    let sarif = || -> Value {
        let lint = run(&["lint", path.to_str().unwrap(), "--pika-version", "2.3.6", "--format", "sarif"]);
        serde_json::from_str(&lint.stdout).unwrap()
    };
    let (first, second) = (sarif(), sarif());
    let prints = |sarif: &Value| -> Vec<String> {
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"]["pikadoctor/v1"].to_string()).collect()
    };
    assert_eq!(prints(&first), prints(&second));
    assert_eq!(prints(&first).iter().collect::<BTreeSet<_>>().len(), prints(&first).len());
    let results = first["runs"][0]["results"].as_array().unwrap();
    let unknown_key = results.iter().find(|result| result["ruleId"] == "conf/unknown-key").unwrap();
    assert_eq!(unknown_key["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn github_gets_commands_of_one_line_and_no_more_than_it_shows() {
    for report in reports() {
        let text = rendered(&report, Format::Github);
        let (commands, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("::"));
        let bad = matches!(report.findings[0].state, State::Critical | State::Warning | State::Unknown);
        assert_eq!(commands.len(), usize::from(bad), "{text}");
        assert_eq!(rest.len(), 1, "and one line of counts: {text}");
        for command in commands {
            let (properties, data) = command[2..].split_once("::").unwrap();
            assert!(
                ["error ", "warning ", "notice "].iter().any(|kind| properties.starts_with(kind)),
                "{command}"
            );
            let title = properties.split_once("title=").unwrap().1;
            assert!(!title.contains(':') && !title.contains(','), "{command}");
            assert!(!data.chars().any(char::is_control), "{command:?}");
        }
    }
    let mut many = hostile_report("x", State::Critical);
    many.diagnosis.clear();
    many.findings = std::iter::repeat_n(many.findings[0].clone(), 25).collect();
    let text = rendered(&many, Format::Github);
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(errors.len(), 10);
    assert!(errors[9].contains("16 more of this kind"), "{}", errors[9]);
}

/// Reads the text format strictly: families with their samples.
fn samples(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            rest.split(' ').next().unwrap().clone_into(&mut current);
            assert!(families.insert(current.clone(), Vec::new()).is_none(), "{current} stands twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest, format!("{current} gauge"));
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            value.parse::<f64>().unwrap_or_else(|error| panic!("{error}: {line:?}"));
            let name = series.split('{').next().unwrap();
            assert_eq!(name, current, "{line}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{labels}");
                // Inside of the quotes only what is escaped may stand.
                let mut inside = false;
                let mut characters = labels.chars();
                while let Some(c) = characters.next() {
                    match c {
                        '\\' if inside => {
                            assert!(matches!(characters.next(), Some('\\' | '"' | 'n')), "{labels}");
                        }
                        '"' => inside = !inside,
                        _ => {}
                    }
                }
                assert!(!inside, "{labels}");
            }
            let family = families.get_mut(&current).unwrap();
            assert!(!family.contains(&series.to_owned()), "{series} stands twice");
            family.push(series.to_owned());
        }
    }
    families
}

#[test]
fn prometheus_can_read_it() {
    for report in reports() {
        let text = rendered(&report, Format::Prometheus);
        let families = samples(&text);
        let state = report.findings[0].state;
        // What is waived is nothing to alert on.
        let judged = state.rank() <= State::Ok.rank() && state != State::Waived;
        assert_eq!(families.contains_key("pikadoctor_check_status"), judged, "{text}");
        assert_eq!(families["pikadoctor_exit_code"].len(), 1);
        assert_eq!(families["pikadoctor_findings"].len(), State::WORST_FIRST.len());
    }
    let mut several = hostile_report("a", State::Critical);
    several.findings.push(hostile_report("b", State::Ok).findings[0].clone());
    assert_eq!(samples(&rendered(&several, Format::Prometheus))["pikadoctor_check_status"].len(), 2);
}

#[test]
fn tap_counts_its_tests_and_its_blocks_are_yaml() {
    for (report, verdict) in reports().iter().zip(["not ok", "not ok", "not ok", "not ok", "ok", "ok", "ok"])
    {
        let text = rendered(report, Format::Tap);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 14"));
        assert_eq!(lines.next(), Some("1..1"));
        let first = lines.next().unwrap();
        assert!(first.starts_with(&format!("{verdict} 1 - node/x ")), "{first}");
        let skipped = matches!(report.findings[0].state, State::Skipped | State::NotApplicable);
        // A `#` of the text is escaped; one that is not begins a directive.
        let bare = first.replace("\\\\", "").replace("\\#", "");
        let waived = report.findings[0].state == State::Waived;
        assert_eq!(bare.contains('#'), skipped || waived, "{first}");
        assert_eq!(bare.contains("# TODO"), waived, "{first}");
        assert_eq!(bare.contains("# SKIP"), skipped, "{first}");
        let block: Vec<&str> = lines.collect();
        if verdict == "ok" {
            assert!(block.is_empty(), "{text}");
            continue;
        }
        assert_eq!((block.first(), block.last()), (Some(&"  ---"), Some(&"  ...")), "{text}");
        let yaml: Vec<&str> = block[1..block.len() - 1].iter().map(|line| &line[2..]).collect();
        let value: Value =
            serde_yaml::from_str(&yaml.join("\n")).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value["problems"][0]["found"], HOSTILE, "nothing is lost");
    }
    let warning = hostile_report("x", State::Warning);
    let text = render(&warning, Format::Tap, look(Some(State::Critical)));
    assert!(text.contains("\nok 1 - node/x"), "{text}");
}

#[test]
fn markdown_keeps_its_table_and_short_its_lines() {
    for report in reports() {
        let bad = matches!(report.findings[0].state, State::Critical | State::Warning | State::Unknown);
        let text = rendered(&report, Format::Markdown);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), if bad { 3 } else { 0 }, "{text}");
        for row in rows {
            let bare = row.replace("\\\\", "").replace("\\|", "");
            assert_eq!(bare.matches('|').count(), 5, "{row}");
        }
        let control = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(control), "{text:?}");
        let short = rendered(&report, Format::Short);
        assert_eq!(short.lines().count(), if bad { 3 } else { 1 }, "{short}");
        assert!(!short.contains(control), "{short:?}");
    }
}

#[test]
fn several_formats_of_one_run_each_in_its_file() {
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let (junit, prometheus) = (path("report.xml"), path("pika.prom"));
    fs::write(&prometheus, "old\n").unwrap();
    let formats = ["--format", "short", "--format", "junit", "--format", "prometheus"];
    let files = ["--output", &junit, "--output", &prometheus];
    let mut arguments = vec!["check", "--no-ports", server.address.as_str()];
    arguments.extend(formats);
    arguments.extend(files);
    let checked = run(&arguments);
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(checked.stdout.starts_with("CRITICAL node/writable"), "{}", checked.stdout);
    assert!(elements(&fs::read_to_string(&junit).unwrap()).iter().any(|(name, _)| name == "failure"));
    assert!(samples(&fs::read_to_string(&prometheus).unwrap()).contains_key("pikadoctor_check_status"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no temporary file is left");
    let silent =
        run(&["check", "--no-ports", &server.address, "--format", "json", "-o", &path("report.json")]);
    assert_eq!((silent.code, silent.stdout.as_str()), (2, ""));

    for (wrong, sentence) in [
        (vec!["--format", "json", "--format", "junit"], "2 formats have no --output FILE"),
        (vec!["-o", "a", "-o", "b"], "--output names 2 files for 1 format(s)"),
        (vec!["-o", "no/such/directory/report"], "no/such/directory/report"),
        (vec!["--min-state", "never"], "--min-state never"),
        (vec!["--min-state", "critical", "-v"], "cannot be used with"),
        (vec!["--fail-on", "ok"], "'ok'"),
    ] {
        let mut arguments = vec!["check", "--no-ports", server.address.as_str()];
        arguments.extend(&wrong);
        let refused = run(&arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{wrong:?}: {refused:?}");
        assert!(refused.stderr.contains(sentence), "{wrong:?}: {}", refused.stderr);
    }
}

#[test]
fn the_gate_moves_the_exit_code_and_the_least_state_hides_lines_only() {
    let warned = recording("v3.5.5/auth-requirepass-only/standalone-requirepass");
    let locked = recording("v2.3.6/auth/standalone-unauthenticated");
    let critical = recording("v2.3.6/slave-read-only-master/master");
    for (recording, fail_on, code) in [
        (&critical, "warning", 2),
        (&critical, "critical", 2),
        (&critical, "never", 0),
        (&warned, "warning", 1),
        (&warned, "unknown", 0),
        (&warned, "critical", 0),
        (&locked, "warning", 3),
        (&locked, "unknown", 3),
        (&locked, "critical", 0),
    ] {
        let server = serve(recording.clone());
        for format in ["human", "json", "nagios", "short"] {
            let arguments =
                ["check", "--no-ports", &server.address, "--fail-on", fail_on, "--format", format];
            assert_eq!(run(&arguments).code, code, "{fail_on} {format}");
        }
    }
    let nobody = run(&["check", "--no-ports", "127.0.0.1:1", "--fail-on", "never", "--format", "short"]);
    assert_eq!(nobody.code, 0, "asked for");
    let server = serve(critical);
    let hidden =
        run(&["check", "--no-ports", &server.address, "--min-state", "critical", "--format", "short"]);
    assert_eq!(hidden.code, 2);
    assert!(hidden.stdout.lines().all(|line| !line.starts_with("WARNING")), "{}", hidden.stdout);
}
