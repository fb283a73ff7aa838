//! What changed between two runs: what is found, and what was seen. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::finding::{Report, State};

/// The version of this document, in `Difference::schema`.
pub const SCHEMA: &str = "pikadoctor.difference/1";

/// Facts that differ between any two runs and mean nothing: times, counters of this tool's own, and the raw INFO
/// whose typed values are compared.
const VOLATILE: [&str; 12] = [
    "attempts",
    "canary",
    "collected_at",
    "connect_seconds",
    "connected",
    "info",
    "local",
    "readings",
    "round_trips",
    "seconds",
    "uptime_seconds",
    "waited_seconds",
];

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Always `pikadoctor.difference/1`.
    pub schema: String,
    /// Findings whose state differs, worst first.
    pub findings: Vec<FindingChange>,
    /// Facts that differ, by path.
    pub facts: Vec<FactChange>,
}

/// A check that came to something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FindingChange {
    /// The check.
    pub check: String,
    /// What it was evaluated for.
    pub target: String,
    /// What it came to before. Null: it was not evaluated.
    pub before: Option<State>,
    /// What it comes to now. Null: it is not evaluated.
    pub after: Option<State>,
    /// What is found now.
    pub found: Option<String>,
}

/// A fact that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FactChange {
    /// Where it stands: `nodes.10.0.0.1:9221.config.timeout`.
    pub path: String,
    /// Its value before. Null: there was none.
    pub before: Option<String>,
    /// Its value now. Null: there is none.
    pub after: Option<String>,
}

/// Compares two reports.
pub fn difference(before: &Report, after: &Report) -> Difference {
    Difference {
        schema: SCHEMA.to_owned(),
        findings: finding_changes(before, after),
        facts: fact_changes(before, after),
    }
}

fn finding_changes(before: &Report, after: &Report) -> Vec<FindingChange> {
    let states = |report: &Report| -> BTreeMap<(String, String), State> {
        let findings = report.findings.iter();
        findings.map(|finding| ((finding.check.clone(), finding.target.clone()), finding.state)).collect()
    };
    let (old, new) = (states(before), states(after));
    let mut keys: Vec<&(String, String)> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut changes: Vec<FindingChange> = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| {
            let finding =
                after.findings.iter().find(|finding| (&finding.check, &finding.target) == (&key.0, &key.1));
            let found = finding.and_then(|finding| {
                finding
                    .problems
                    .first()
                    .map(|problem| problem.found.clone())
                    .or_else(|| Some(finding.note.clone()))
            });
            let (check, target) = key.clone();
            FindingChange {
                check,
                target,
                before: old.get(key).copied(),
                after: new.get(key).copied(),
                found,
            }
        })
        .collect();
    changes.sort_by_key(|change| change.after.map_or(usize::MAX, State::rank));
    changes
}

fn fact_changes(before: &Report, after: &Report) -> Vec<FactChange> {
    let leaves = |report: &Report| {
        let mut leaves = BTreeMap::new();
        if let Ok(tree) = serde_json::to_value(&report.facts) {
            flatten("", &tree, &mut leaves);
        }
        leaves
    };
    let (old, new) = (leaves(before), leaves(after));
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let changed = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
    changed
        .map(|path| FactChange {
            path: path.clone(),
            before: old.get(path).cloned(),
            after: new.get(path).cloned(),
        })
        .collect()
}

/// Every value below `value` by its path. Items of a list are named by what they are, where they have a name.
fn flatten(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !VOLATILE.contains(&key.as_str())) {
                flatten(&below(key), value, leaves);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let named = ["name", "path", "number"].iter().find_map(|key| item.get(key));
                let name = match named {
                    Some(Value::String(name)) => name.clone(),
                    Some(Value::Number(number)) => number.to_string(),
                    _ => index.to_string(),
                };
                flatten(&below(&name), item, leaves);
            }
        }
        // Each run has tokens of its own; that there is a secret is all that can be compared.
        Value::String(text) if text.starts_with("secret:") => {
            leaves.insert(path.to_owned(), "(secret)".to_owned());
        }
        Value::String(text) => {
            leaves.insert(path.to_owned(), text.clone());
        }
        other => {
            leaves.insert(path.to_owned(), other.to_string());
        }
    }
}
