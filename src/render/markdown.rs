//! Markdown, for a ticket or the summary of a CI step.

use std::fmt::Write as _;

use super::causes::{causes, standing};
use super::remedy::mend_text;
use super::short::one_line;
use super::words::{counts, gate as gate_words, seen, state as state_word};
use crate::i18n::texts;
use crate::model::finding::{Finding, Gate, Report, Verdict};
use crate::model::text::escape_control;
use crate::render::options::RenderOptions;

/// The report as Markdown.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let language = report.language;
    let mut out = String::new();
    let word = match &report.gate {
        Some(Gate { verdict: Verdict::Go, .. }) => "GO",
        Some(_) => "NO-GO",
        None => state_word(report.state, language),
    };
    let _ = writeln!(out, "## pikadoctor: {word}\n");
    if let Some(gate) = &report.gate {
        let _ = writeln!(out, "{}\n", inline(&gate_words(gate, language)));
    }
    for line in seen(&report.facts, language) {
        let _ = writeln!(out, "- {}", inline(&line));
    }
    let _ = writeln!(out, "\n{}\n", counts(report));
    let causes = causes(report);
    let shown_causes = causes.iter().filter(|cause| look.shows(cause.worst()));
    let mut shown: Vec<(&Finding, Option<String>)> =
        shown_causes.map(|cause| (cause.finding, cause.consequences_line(language))).collect();
    let others = report.findings.iter().filter(|it| !it.state.matters() && look.shows(it.state));
    shown.extend(others.map(|finding| (finding, None)));
    if shown.is_empty() {
        return out;
    }
    let head = texts::TABLE_HEAD.get(language);
    let _ = writeln!(out, "{head}\n|---|---|---|---|");
    for (finding, therefore) in &shown {
        let mut found: Vec<String> = if finding.problems.is_empty() {
            vec![inline(&finding.note)]
        } else {
            standing(finding).iter().map(|problem| inline(&problem.found)).collect()
        };
        found.extend(therefore.as_ref().map(|names| inline(&texts::therefore(language, names))));
        let word = state_word(finding.state, language);
        let _ = writeln!(
            out,
            "| {word} | `{}` | {} | {} |",
            finding.check,
            inline(&finding.target),
            found.join("<br>")
        );
    }
    for (finding, _) in &shown {
        let mut mends: Vec<String> =
            standing(finding).into_iter().filter_map(|problem| mend_text(problem, language)).collect();
        // Many problems of one check are mended alike.
        mends.dedup();
        if mends.is_empty() {
            continue;
        }
        let how = texts::HOW_TO_MEND.get(language);
        let _ = writeln!(out, "\n#### `{}` {}: {how}\n", finding.check, inline(&finding.target));
        for mend in mends {
            // Indented, not fenced: no text can end such a block.
            for line in mend.lines() {
                let _ = writeln!(out, "    {}", escape_control(line));
            }
            out.push('\n');
        }
    }
    out
}

/// A text inside of a line or a cell, in which nothing has a meaning of its own.
fn inline(text: &str) -> String {
    let mut safe = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}
