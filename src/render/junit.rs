//! JUnit XML: a suite for each target, a case for each check. The suite with the first cause is the first one, and its
//! first case is that cause.
//!
//! A failure is something that is not as it should be; an error is something that could not be found out.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::causes::{all_causes_first, follows_from, standing};
use super::remedy::mend_text;
use super::words::accepted;
use crate::i18n::texts;
use crate::model::finding::{Finding, Report, State};
use crate::model::text::{Language, escape_control};
use crate::render::options::RenderOptions;

/// What becomes of a test case.
enum Outcome {
    Success,
    Skipped { message: String },
    Failure { element: &'static str, kind: &'static str, message: String },
}

/// How many cases there are, and how they ended.
#[derive(Default)]
struct Counts {
    tests: usize,
    skipped: usize,
    errors: usize,
    failures: usize,
}

/// The report as JUnit XML.
pub fn render(report: &Report, options: RenderOptions) -> String {
    let mut suites: Vec<(&str, Vec<(&Finding, Outcome)>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in all_causes_first(report) {
        let place = *places.entry(&finding.target).or_insert_with(|| {
            suites.push((&finding.target, Vec::new()));
            suites.len() - 1
        });
        suites[place].1.push((finding, outcome(finding, options, report.language)));
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 4);
    match write(&mut writer, &suites, report.language) {
        Ok(()) => String::from_utf8_lossy(&writer.into_inner()).into_owned(),
        // Writing to memory does not fail.
        Err(error) => format!("<!-- {error} -->\n"),
    }
}

fn write(
    writer: &mut Writer<Vec<u8>>,
    suites: &[(&str, Vec<(&Finding, Outcome)>)],
    language: Language,
) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let total = count(suites.iter().flat_map(|(_, cases)| cases));
    let mut element = BytesStart::new("testsuites");
    element.push_attribute(("name", "pikadoctor"));
    for (name, count) in [("tests", total.tests), ("failures", total.failures), ("errors", total.errors)] {
        element.push_attribute((name, count.to_string().as_str()));
    }
    writer.write_event(Event::Start(element))?;
    for (target, cases) in suites {
        let counts = count(cases);
        let mut element = BytesStart::new("testsuite");
        element.push_attribute(("name", escape_control(target).as_str()));
        for (name, count) in [
            ("tests", counts.tests),
            ("disabled", counts.skipped),
            ("errors", counts.errors),
            ("failures", counts.failures),
        ] {
            element.push_attribute((name, count.to_string().as_str()));
        }
        writer.write_event(Event::Start(element))?;
        for (finding, outcome) in cases {
            write_case(writer, finding, outcome, language)?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    writer.write_event(Event::Eof)?;
    writer.write_indent()
}

fn count<'a>(cases: impl IntoIterator<Item = &'a (&'a Finding, Outcome)>) -> Counts {
    let mut counts = Counts::default();
    for (_, outcome) in cases {
        counts.tests += 1;
        match outcome {
            Outcome::Success => {}
            Outcome::Skipped { .. } => counts.skipped += 1,
            Outcome::Failure { element: "error", .. } => counts.errors += 1,
            Outcome::Failure { .. } => counts.failures += 1,
        }
    }
    counts
}

fn write_case(
    writer: &mut Writer<Vec<u8>>,
    finding: &Finding,
    outcome: &Outcome,
    language: Language,
) -> io::Result<()> {
    let mut case = BytesStart::new("testcase");
    case.push_attribute(("name", finding.check.as_str()));
    case.push_attribute(("classname", escape_control(&finding.target).as_str()));
    writer.write_event(Event::Start(case))?;
    match outcome {
        Outcome::Success => write_text(writer, BytesStart::new("system-out"), &described(finding, language))?,
        Outcome::Skipped { message } => {
            let mut skipped = BytesStart::new("skipped");
            skipped.push_attribute(("message", message.as_str()));
            writer.write_event(Event::Empty(skipped))?;
        }
        Outcome::Failure { element, kind, message } => {
            let mut failure = BytesStart::new(*element);
            failure.push_attribute(("message", message.as_str()));
            failure.push_attribute(("type", *kind));
            write_text(writer, failure, &described(finding, language))?;
        }
    }
    writer.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_text(writer: &mut Writer<Vec<u8>>, element: BytesStart<'_>, text: &str) -> io::Result<()> {
    let end = element.to_end().into_owned();
    writer.write_event(Event::Start(element))?;
    writer.write_event(Event::Text(BytesText::new(text)))?;
    writer.write_event(Event::End(end))
}

fn outcome(finding: &Finding, options: RenderOptions, language: Language) -> Outcome {
    match finding.state {
        State::Ok => Outcome::Success,
        State::Skipped | State::NotApplicable => Outcome::Skipped { message: escape_control(&finding.note) },
        State::Waived => {
            Outcome::Skipped { message: escape_control(&accepted(finding, language).unwrap_or_default()) }
        }
        // Below the gate it is told, and fails nothing.
        state if !options.fails(state) => Outcome::Success,
        state => {
            let first = standing(finding).first().map_or(finding.note.as_str(), |it| it.found.as_str());
            Outcome::Failure {
                element: if state == State::Unknown { "error" } else { "failure" },
                kind: match state {
                    State::Warning => "warning",
                    State::Critical => "critical",
                    _ => "unknown",
                },
                message: escape_control(first),
            }
        }
    }
}

/// Everything that a finding says, its own line breaks kept.
fn described(finding: &Finding, language: Language) -> String {
    // The title says what should be true; above what is not it would read as a statement.
    let title = &finding.title;
    let mut lines = if finding.state.matters() {
        vec![format!("{}: {title}", texts::LABEL_CHECK.get(language))]
    } else {
        vec![title.clone()]
    };
    lines.extend((!finding.note.is_empty()).then(|| finding.note.clone()));
    lines.extend(follows_from(&finding.explained_by, language));
    for problem in &finding.problems {
        lines.push(format!("found: {}", problem.found));
        lines.extend(problem.needed.iter().map(|needed| format!("needed: {needed}")));
        lines.extend(mend_text(problem, language).map(|fix| format!("fix: {fix}")));
    }
    lines.iter().flat_map(|line| line.lines()).map(escape_control).collect::<Vec<_>>().join("\n")
}
