//! One line for each problem: for a chat message, a log, or `grep`.

use std::fmt::Write as _;

use super::words::{counts, state as state_word};
use crate::model::finding::Report;
use crate::model::text::escape_control;
use crate::render::options::RenderOptions;

/// The report in lines.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut out = String::new();
    for finding in report.findings.iter().filter(|finding| look.shows(finding.state)) {
        let word = state_word(finding.state, report.language);
        let head = format!("{word} {} {}", finding.check, finding.target);
        let notes =
            (!finding.note.is_empty() || finding.problems.is_empty()).then_some(finding.note.as_str());
        let texts = notes.into_iter().chain(finding.problems.iter().map(|problem| problem.found.as_str()));
        for text in texts {
            let _ = writeln!(out, "{}", one_line(&format!("{head}: {text}")));
        }
    }
    let _ = writeln!(out, "{}", counts(report));
    out
}

/// A text without line breaks, runs of blanks and control characters.
pub fn one_line(text: &str) -> String {
    escape_control(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
