//! The Test Anything Protocol, version 14: a test for each check and target, causes first.

use std::fmt::Write as _;

use super::causes::all_causes_first;
use super::remedy::mend_text;
use super::short::one_line;
use super::words::accepted;
use crate::model::finding::{Report, State};
use crate::model::text::is_treacherous;
use crate::render::options::RenderOptions;

/// The report as TAP.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", report.findings.len());
    for (index, finding) in all_causes_first(report).into_iter().enumerate() {
        let passes = !look.fails(finding.state) && finding.state != State::Waived;
        let verdict = if passes { "ok" } else { "not ok" };
        let name = escaped(&format!("{} {}", finding.check, finding.target));
        let directive = match finding.state {
            State::Skipped | State::NotApplicable => format!(" # SKIP {}", escaped(&finding.note)),
            // A test that is known to fail and does not fail the run is a TODO in this protocol.
            State::Waived => {
                format!(" # TODO {}", escaped(&accepted(finding, report.language).unwrap_or_default()))
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "{verdict} {} - {name}{directive}", index + 1);
        if !finding.state.matters() && finding.state != State::Waived {
            continue;
        }
        let _ = writeln!(out, "  ---");
        let _ = writeln!(out, "  severity: {}", finding.state.word());
        if !finding.note.is_empty() {
            let _ = writeln!(out, "  message: {}", quoted(&finding.note));
        }
        if !finding.explained_by.is_empty() {
            let names = finding.explained_by.iter().map(|it| format!("{} {}", it.check, it.target));
            let names: Vec<String> = names.map(|name| quoted(&name)).collect();
            let _ = writeln!(out, "  explained_by: [{}]", names.join(", "));
        }
        if !finding.problems.is_empty() {
            let _ = writeln!(out, "  problems:");
        }
        for problem in &finding.problems {
            let _ = writeln!(out, "    - found: {}", quoted(&problem.found));
            for (label, part) in [("needed", &problem.needed), ("fix", &mend_text(problem, report.language))]
            {
                if let Some(part) = part {
                    let _ = writeln!(out, "      {label}: {}", quoted(part));
                }
            }
        }
        let _ = writeln!(out, "  ...");
    }
    out
}

/// `#` begins a directive, and `\` escapes.
fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A string of JSON is one of YAML, too, on one line. What must not stand in it as it is has a number in both, but for
/// what is beyond the first 65536 characters, which YAML writes otherwise.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in serde_json::to_string(text).unwrap_or_default().chars() {
        // Two of them begin a command to the log of a pipeline.
        let is_second = c == '#' && quoted.ends_with('#');
        match u32::from(c) {
            _ if !is_treacherous(c) && !is_second => quoted.push(c),
            code @ 0..=0xffff => quoted.push_str(&format!("\\u{code:04x}")),
            code => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted
}
