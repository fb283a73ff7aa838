//! The whole report as JSON.

use crate::model::finding::Report;
use crate::parse::document::encode::to_pretty_json;

/// Pretty-printed, so that a person can read it as well.
pub fn render(report: &Report) -> String {
    let mut text = to_pretty_json(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}
