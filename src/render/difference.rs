//! What changed between two runs, for a person.

use std::fmt::Write as _;

use super::armour::armoured_text;
use super::short::one_line;
use super::words::state as state_word;
use crate::difference::Difference;
use crate::i18n::texts;
use crate::model::finding::State;
use crate::model::text::Language;

/// The changes, worst first.
pub fn render(difference: &Difference, language: Language) -> String {
    let mut out = String::new();
    let word = |state: Option<State>| state.map_or("-", |state| state_word(state, language));
    for change in &difference.findings {
        let states = format!("{} -> {}", word(change.before), word(change.after));
        let _ = writeln!(out, "{}", one_line(&format!("{states}  {}  {}", change.check, change.target)));
        if let Some(found) = change.found.as_ref().filter(|found| !found.is_empty()) {
            let _ = writeln!(out, "    {}", one_line(found));
        }
    }
    if !difference.findings.is_empty() && !difference.facts.is_empty() {
        out.push('\n');
    }
    for change in &difference.facts {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let line = format!("{}: {} -> {}", change.path, value(&change.before), value(&change.after));
        let _ = writeln!(out, "{}", one_line(&line));
    }
    let (findings, facts) = (difference.findings.len(), difference.facts.len());
    let _ = writeln!(out, "{}", texts::changed(language, findings, facts));
    if findings + facts == 0 {
        return texts::NOTHING_CHANGED.get(language).to_owned();
    }
    armoured_text(&out)
}
