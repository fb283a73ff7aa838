//! JUnit XML: a suite for each target, a case for each check.
//!
//! A failure is something that is not as it should be; an error is something that could not be found out.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::words::accepted;
use crate::model::finding::{Finding, Report, State};
use crate::model::text::{Language, escape_control};
use crate::render::options::RenderOptions;

/// The report as JUnit XML.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut document = Document::new("pikadoctor");
    let mut targets: Vec<&str> = report.findings.iter().map(|finding| finding.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    for target in targets {
        let mut suite = TestSuite::new(escape_control(target));
        for finding in report.findings.iter().filter(|finding| finding.target == target) {
            suite.add_test_case(case(finding, look, report.language));
        }
        document.add_test_suite(suite);
    }
    // Writing to a string does not fail; what could is a name with an invalid character, and there is none.
    document.to_string().unwrap_or_else(|error| format!("<!-- {error} -->\n"))
}

fn case(finding: &Finding, look: RenderOptions, language: Language) -> TestCase {
    let status = match finding.state {
        State::Ok => TestCaseStatus::success(),
        State::Skipped | State::NotApplicable => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(escape_control(&finding.note));
            status
        }
        State::Waived => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(escape_control(&accepted(finding, language).unwrap_or_default()));
            status
        }
        // Below the gate it is told, and fails nothing.
        state if !look.fails(state) => TestCaseStatus::success(),
        state => {
            let kind = if state == State::Unknown { NonSuccessKind::Error } else { NonSuccessKind::Failure };
            let mut status = TestCaseStatus::non_success(kind);
            let first =
                finding.problems.first().map_or(finding.note.as_str(), |problem| problem.found.as_str());
            status.set_message(escape_control(first));
            status.set_type(if state == State::Warning {
                "warning"
            } else if state == State::Critical {
                "critical"
            } else {
                "unknown"
            });
            status.set_description(described(finding));
            status
        }
    };
    let told = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(finding.check.clone(), status);
    case.set_classname(escape_control(&finding.target));
    if told {
        case.set_system_out(described(finding));
    }
    case
}

/// Everything that a finding says, its own line breaks kept.
fn described(finding: &Finding) -> String {
    let mut lines = vec![finding.title.clone()];
    lines.extend((!finding.note.is_empty()).then(|| finding.note.clone()));
    for problem in &finding.problems {
        lines.push(format!("found: {}", problem.found));
        lines.extend(problem.needed.iter().map(|needed| format!("needed: {needed}")));
        lines.extend(problem.fix.iter().map(|fix| format!("fix: {fix}")));
    }
    lines.iter().flat_map(|line| line.lines()).map(escape_control).collect::<Vec<_>>().join("\n")
}
