//! SARIF 2.1.0, for code scanning: a rule for each check, a result for each problem.

use serde_json::{Value, json};

use super::causes::causes_first;
use super::remedy::mend_text;
use super::words::accepted;
use crate::judge::fingerprint::fingerprint;
use crate::model::conf::Place;
use crate::model::finding::{Finding, Problem, Report, State};
use crate::model::text::Language;

/// The report as SARIF.
pub fn render(report: &Report) -> String {
    let mut rules: Vec<&Finding> = Vec::new();
    for finding in &report.findings {
        if !rules.iter().any(|rule| rule.check == finding.check) {
            rules.push(finding);
        }
    }
    rules.sort_by(|a, b| a.check.cmp(&b.check));
    let mut results = Vec::new();
    let waived = report.findings.iter().filter(|finding| finding.state == State::Waived);
    for finding in causes_first(report).into_iter().chain(waived) {
        let Some(level) = level(finding) else { continue };
        let index = rules.iter().position(|rule| rule.check == finding.check);
        let none = Problem::new(finding.state, finding.note.clone());
        let problems =
            if finding.problems.is_empty() { std::slice::from_ref(&none) } else { &finding.problems };
        for (number, problem) in problems.iter().enumerate() {
            results.push(result(finding, problem, (number, level, index), report.language));
        }
    }
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "pikadoctor",
                "semanticVersion": report.tool_version,
                "rules": rules.iter().map(|rule| json!({
                    "id": rule.check,
                    "shortDescription": {"text": rule.title},
                    "help": {"text": format!("pikadoctor explain {}", rule.check)},
                })).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": true, "exitCode": report.exit_code}],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Ok, skipped and not applicable are no results; what is waived is one that is suppressed.
fn level(finding: &Finding) -> Option<&'static str> {
    let accepted = finding.accepted.as_ref().filter(|_| finding.state == State::Waived);
    match accepted.map_or(finding.state, |accepted| accepted.state) {
        State::Critical => Some("error"),
        State::Warning => Some("warning"),
        State::Unknown => Some("note"),
        State::Waived | State::Ok | State::Skipped | State::NotApplicable => None,
    }
}

fn result(
    finding: &Finding,
    problem: &Problem,
    (number, level, rule): (usize, &str, Option<usize>),
    language: Language,
) -> Value {
    let mut text = format!("{}: {}", finding.target, problem.found);
    for (label, part) in [("needed", &problem.needed), ("fix", &mend_text(problem, language))] {
        if let Some(part) = part {
            text.push_str(&format!("\n{label}: {part}"));
        }
    }
    // Equal for the same problem of another run, whatever the values in its text are.
    let identity = match problem.identity.as_str() {
        "" => format!("{}\n{}\n{number}", finding.check, finding.target),
        identity => format!("{}\n{}\n{identity}", finding.check, finding.target),
    };
    let mut result = json!({
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": text},
        "locations": [{
            "physicalLocation": location(&finding.target, problem.place.as_ref()),
            "logicalLocations": [{"fullyQualifiedName": finding.target}],
        }],
        "partialFingerprints": {"pikadoctor/v1": fingerprint(&identity, 32)},
    });
    let explained_by = match problem.explained_by.as_slice() {
        [] => &finding.explained_by,
        explained_by => explained_by,
    };
    if !explained_by.is_empty() {
        result["properties"] = json!({"explained_by": explained_by});
    }
    if let Some(justification) = accepted(finding, language).filter(|_| finding.state == State::Waived) {
        result["suppressions"] =
            json!([{"kind": "external", "status": "accepted", "justification": justification}]);
    }
    result
}

/// The place in a file, or an address in the place of one: a viewer needs something to show.
fn location(target: &str, place: Option<&Place>) -> Value {
    if let Some(place) = place {
        return json!({
            "artifactLocation": {"uri": uri("", &place.file)},
            "region": {"startLine": place.line.max(1), "startColumn": place.column.max(1)},
        });
    }
    let server = target.split_whitespace().next().unwrap_or("unknown");
    json!({"artifactLocation": {"uri": uri("pika://", server)}})
}

/// A URI reference: everything that has a meaning of its own in one is escaped.
fn uri(scheme: &str, text: &str) -> String {
    let mut escaped = scheme.to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:[]".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
