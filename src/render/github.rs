//! Annotations of GitHub Actions: workflow commands, causes first, within the limit of ten of a kind.

use std::fmt::Write as _;

use super::causes::{causes_first, follows_from};
use super::remedy::mend_text;
use super::words::counts;
use crate::model::diagnosis::FindingRef;
use crate::model::finding::{Report, State};
use crate::model::limits::MAX_GITHUB_ANNOTATIONS;
use crate::model::text::{Language, escape_control};
use crate::render::options::RenderOptions;

/// The report as workflow commands.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut out = String::new();
    let mut lines: Vec<(&str, String)> = Vec::new();
    for finding in causes_first(report).into_iter().filter(|finding| look.shows(finding.state)) {
        let kind = kind(finding.state);
        let title = format!("{} {}", finding.check, finding.target);
        if finding.problems.is_empty() {
            let from = from(&finding.explained_by, report.language);
            let text = data(&format!("{}{from}", finding.note));
            lines.push((kind, format!("::{kind} title={}::{text}", property(&title))));
        }
        for problem in &finding.problems {
            let place = problem.place.as_ref().map_or_else(String::new, |place| {
                format!("file={},line={},col={},", property(&place.file), place.line, place.column)
            });
            let from = from(&problem.explained_by, report.language);
            // What follows from something else is mended with that.
            let fix = mend_text(problem, report.language).filter(|_| from.is_empty());
            let fix = fix.map_or_else(String::new, |fix| format!("\n{fix}"));
            let text = data(&format!("{}{from}{fix}", problem.found));
            lines.push((kind, format!("::{kind} {place}title={}::{text}", property(&title))));
        }
    }
    for kind in KINDS {
        let places: Vec<usize> = (0..lines.len()).filter(|index| lines[*index].0 == kind).collect();
        if places.len() > MAX_GITHUB_ANNOTATIONS {
            // The last one that is shown says that there are more.
            let (kept, dropped) = places.split_at(MAX_GITHUB_ANNOTATIONS - 1);
            let more = format!("::{kind} title=pikadoctor::{} more of this kind: see the log", dropped.len());
            lines[dropped[0]].1 = more;
            let last = dropped[0];
            let mut index = 0;
            lines.retain(|(of, _)| {
                index += 1;
                *of != kind || index - 1 <= last || kept.contains(&(index - 1))
            });
        }
    }
    for (_, line) in lines {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", counts(report));
    out
}

/// The kinds of annotations, each with a limit of its own.
const KINDS: [&str; 3] = ["error", "warning", "notice"];

fn kind(state: State) -> &'static str {
    match state {
        State::Critical => KINDS[0],
        State::Warning => KINDS[1],
        _ => KINDS[2],
    }
}

/// What it follows from, on a line of its own.
fn from(explained_by: &[FindingRef], language: Language) -> String {
    follows_from(explained_by, language).map_or_else(String::new, |from| format!("\n{from}"))
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
