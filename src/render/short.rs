//! One line for each cause, with what follows from it: for a chat message, a log, or `grep`.

use std::fmt::Write as _;

use super::causes::{causes, standing};
use super::words::{counts, state as state_word};
use crate::model::finding::Report;
use crate::model::text::escape_control;
use crate::render::options::RenderOptions;

/// The report in lines.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut out = String::new();
    for cause in causes(report).iter().filter(|cause| look.shows(cause.worst())) {
        let finding = cause.finding;
        let word = state_word(finding.state, report.language);
        let problems = standing(finding);
        let found = problems.iter().map(|problem| match &problem.place {
            Some(place) => format!("{place} {}", problem.found),
            None => problem.found.clone(),
        });
        let note = (!finding.note.is_empty() || problems.is_empty()).then(|| finding.note.clone());
        let texts: Vec<String> = note.into_iter().chain(found).collect();
        for (index, text) in texts.iter().enumerate() {
            let mut line = format!("{word} {} {}: {text}", finding.check, finding.target);
            if index + 1 == texts.len()
                && let Some(names) = cause.consequences_line(report.language)
            {
                let _ = write!(line, " -> {names}");
            }
            let _ = writeln!(out, "{}", one_line(&line));
        }
    }
    for finding in report.findings.iter().filter(|it| !it.state.matters() && look.shows(it.state)) {
        let word = state_word(finding.state, report.language);
        let head = format!("{word} {} {}", finding.check, finding.target);
        let _ = writeln!(out, "{}", one_line(&format!("{head}: {}", finding.note)));
    }
    let _ = writeln!(out, "{}", counts(report));
    out
}

/// A text without line breaks, runs of blanks and control characters.
pub fn one_line(text: &str) -> String {
    escape_control(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
