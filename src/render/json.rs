//! The whole report as JSON.

use crate::model::finding::Report;

/// Pretty-printed, so that a person can read it as well.
pub fn render(report: &Report) -> String {
    let mut text =
        serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}
