//! Snapshots in the words of the JSON, so that no name of Rust is in them, and one for each unit that is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pikadoctor::model::finding::State;
use serde::Serialize;

/// A value as the JSON has it: strings bare, and `-` for none.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Findings that somebody has to read, as `state check, check: text`: those with the same text follow one another.
pub fn by_text<'f>(findings: impl Iterator<Item = (State, &'f str, String)>) -> Vec<String> {
    let mut groups: Vec<(State, String, Vec<&str>)> = Vec::new();
    for (state, check, text) in findings {
        if matches!(state, State::Ok | State::NotApplicable | State::Skipped) {
            continue;
        }
        match groups.iter_mut().find(|(other, same, _)| (*other, same.as_str()) == (state, &text)) {
            Some((_, _, checks)) => checks.push(check),
            None => groups.push((state, text, vec![check])),
        }
    }
    groups
        .into_iter()
        .map(|(state, text, checks)| format!("{} {}: {text}", word(&state), checks.join(", ")))
        .collect()
}

/// Compares each text with the snapshot of its name in a folder of its own below `tests/it/`, which has no others.
pub fn one_snapshot_each(folder: &str, texts: BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(folder);
    // As insta names the file.
    let expected: BTreeSet<String> = texts.keys().map(|name| name.replace('/', "__")).collect();
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_snapshot = path.extension().is_some_and(|extension| extension == "snap");
        assert!(!is_snapshot || expected.contains(&name), "{} is of nothing", path.display());
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in texts {
            insta::assert_snapshot!(name, text);
        }
    });
}
