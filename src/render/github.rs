//! Annotations of GitHub Actions: workflow commands, worst first, within the limit of ten of a kind.

use std::fmt::Write as _;

use super::remedy::mend_text;
use super::words::counts;
use crate::model::finding::{Report, State};
use crate::model::limits::MAX_GITHUB_ANNOTATIONS;
use crate::model::text::escape_control;
use crate::render::options::RenderOptions;

/// The report as workflow commands.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut out = String::new();
    for (kind, state) in [("error", State::Critical), ("warning", State::Warning), ("notice", State::Unknown)]
    {
        if !look.shows(state) {
            continue;
        }
        let mut lines = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.state == state) {
            let title = format!("{} {}", finding.check, finding.target);
            if finding.problems.is_empty() {
                lines.push(format!("::{kind} title={}::{}", property(&title), data(&finding.note)));
            }
            for problem in &finding.problems {
                let place = problem.place.as_ref().map_or_else(String::new, |place| {
                    format!("file={},line={},col={},", property(&place.file), place.line, place.column)
                });
                let fix =
                    mend_text(problem, report.language).map_or_else(String::new, |fix| format!("\n{fix}"));
                let text = data(&format!("{}{fix}", problem.found));
                lines.push(format!("::{kind} {place}title={}::{text}", property(&title)));
            }
        }
        let dropped = lines.len().saturating_sub(MAX_GITHUB_ANNOTATIONS);
        if dropped > 0 {
            // The last one that is shown says that there are more.
            lines.truncate(MAX_GITHUB_ANNOTATIONS - 1);
            lines.push(format!("::{kind} title=pikadoctor::{} more of this kind: see the log", dropped + 1));
        }
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
    }
    let _ = writeln!(out, "{}", counts(report));
    out
}

/// The text of a command.
fn data(text: &str) -> String {
    let safe: Vec<String> = text.lines().map(escape_control).collect();
    safe.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
