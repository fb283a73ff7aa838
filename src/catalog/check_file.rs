//! Reads the YAML of checks and of knowledge. Pure: text in, typed data or a placed error out.
//!
//! `build.rs` compiles this file too, for the built-in catalogue.

use serde::de::DeserializeOwned;

use crate::model::check::{Check, CheckFile};
use crate::model::finding::State;
use crate::model::knowledge::Knowledge;

/// Why a file of the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not YAML, or not a check: unknown keys, missing keys, wrong types.
    #[error("{message}")]
    Malformed {
        /// `FILE:LINE:COLUMN: what is wrong`, with the excerpt.
        message: String,
    },
    /// YAML of the right shape that makes no sense.
    #[error("{file}:{line}:{column}: {message}")]
    Wrong {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
        /// What is wrong.
        message: String,
    },
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogueError> {
    serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
        CatalogueError::Malformed { message: format!("{file}{place}: {}", error.without_snippet()) }
    })
}

/// Reads one check. `id` is its path below the directory, without `.yaml`; `file` names it in errors.
pub fn read_check(id: &str, file: &str, text: &str) -> Result<Check, CatalogueError> {
    let check = Check { id: id.to_owned(), origin: file.to_owned(), file: read::<CheckFile>(file, text)? };
    validate(&check)?;
    Ok(check)
}

/// What the types alone do not say.
fn validate(check: &Check) -> Result<(), CatalogueError> {
    let file = &check.file;
    let wrong = |at: &crate::model::text::Source, message: String| {
        Err(CatalogueError::Wrong { file: check.origin.clone(), line: at.line, column: at.column, message })
    };
    let texts = [Some(&file.title), Some(&file.why), Some(&file.ok), file.otherwise.as_ref()];
    let case_texts =
        file.cases.iter().flat_map(|case| [Some(&case.found), case.needed.as_ref(), case.fix.as_ref()]);
    for template in texts.into_iter().chain(case_texts).flatten() {
        for source in [&template.en, &template.zh] {
            if source.text.trim().is_empty() {
                return wrong(source, "this text is empty".into());
            }
        }
    }
    if let Some(for_each) = &file.for_each
        && for_each_parts(&for_each.text).is_none()
    {
        return wrong(
            for_each,
            format!("`for_each: {}` is not of the form `NAME in EXPRESSION`", for_each.text),
        );
    }
    for case in &file.cases {
        if case.state == State::Waived {
            return wrong(
                &case.condition,
                "`waived` is what a plan makes of a finding; no check comes to it".into(),
            );
        }
        let needs_fix = matches!(case.state, State::Warning | State::Critical);
        if needs_fix && case.fix.is_none() {
            return wrong(&case.condition, "a warning or critical case needs a `fix`".into());
        }
    }
    Ok(())
}

/// Splits `NAME in EXPRESSION`.
pub fn for_each_parts(text: &str) -> Option<(&str, &str)> {
    let (name, expression) = text.trim().split_once(" in ")?;
    let name = name.trim();
    let is_name = name
        .chars()
        .enumerate()
        .all(|(index, c)| c == '_' || c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit()));
    (is_name && !name.is_empty() && !expression.trim().is_empty()).then_some((name, expression.trim()))
}

/// The files that make up the knowledge, in the order of the fields of [`Knowledge`].
pub const KNOWLEDGE_FILES: [&str; 14] = [
    "releases.yaml",
    "generations.yaml",
    "commands.yaml",
    "info-fields.yaml",
    "settings.yaml",
    "dialects.yaml",
    "forecasts.yaml",
    "link-states.yaml",
    "defects.yaml",
    "upgrades.yaml",
    "config-keys.yaml",
    "messages.yaml",
    "companion-keys.yaml",
    "phrases.yaml",
];

/// Reads the knowledge; `texts` are the files named by [`KNOWLEDGE_FILES`], with the names for errors.
pub fn read_knowledge(texts: &[(String, String); 14]) -> Result<Knowledge, CatalogueError> {
    let [
        releases,
        generations,
        commands,
        info_fields,
        settings,
        dialects,
        forecasts,
        link_states,
        defects,
        upgrades,
        config_keys,
        messages,
        companion_keys,
        phrases,
    ] = texts;
    Ok(Knowledge {
        releases: read(&releases.0, &releases.1)?,
        generations: read(&generations.0, &generations.1)?,
        commands: read(&commands.0, &commands.1)?,
        info_fields: read(&info_fields.0, &info_fields.1)?,
        settings: read(&settings.0, &settings.1)?,
        dialects: read(&dialects.0, &dialects.1)?,
        forecasts: read(&forecasts.0, &forecasts.1)?,
        link_states: read(&link_states.0, &link_states.1)?,
        defects: read(&defects.0, &defects.1)?,
        upgrades: read(&upgrades.0, &upgrades.1)?,
        config_keys: read(&config_keys.0, &config_keys.1)?,
        messages: read(&messages.0, &messages.1)?,
        companion_keys: read(&companion_keys.0, &companion_keys.1)?,
        phrases: read(&phrases.0, &phrases.1)?,
    })
}
