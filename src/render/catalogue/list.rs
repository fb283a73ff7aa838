//! `list`: the checks, a line each.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use crate::i18n::texts;
use crate::model::catalogue::Catalogue;
use crate::model::text::Language;

/// All checks as a table.
pub fn list(catalogue: &Catalogue, language: Language) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([texts::LIST_CHECK.get(language), texts::LIST_OK_MEANS.get(language)]);
    for check in &catalogue.checks {
        table.add_row([check.id.as_str(), check.title.get(language).text.as_str()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let topics: Vec<&str> = catalogue.knowledge.topics.iter().map(|topic| topic.id.as_str()).collect();
    format!("{}\n\n{}: {}\n", lines.join("\n"), texts::LIST_TOPICS.get(language), topics.join(", "))
}

/// All checks as JSON.
pub fn list_json(catalogue: &Catalogue) -> String {
    let checks: Vec<_> = catalogue
        .checks
        .iter()
        .map(|check| {
            json!({
                "id": check.id,
                "target": check.target,
                "title": *check.title,
                "why": check.file.why,
                "params": check.file.params.iter().map(|(name, param)| (name.clone(), param.default.clone())).collect::<serde_json::Map<_, _>>(),
                "references": check.file.references,
            })
        })
        .collect();
    serde_json::to_string_pretty(&checks).unwrap_or_default() + "\n"
}
