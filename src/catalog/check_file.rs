//! Reads the YAML of checks and of knowledge. Pure: text in, typed data or a placed error out.
//!
//! `build.rs` compiles this file too, for the built-in catalogue.

use serde::de::DeserializeOwned;

use super::check_syntax::CheckSyntax;
use crate::model::check::{Check, CheckFile};
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::model::text::Source;

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
    let wrong = |(at, message): (Source, String)| CatalogueError::Wrong {
        file: file.to_owned(),
        line: at.line,
        column: at.column,
        message,
    };
    let resolved = read::<CheckSyntax>(file, text)?.resolve().map_err(wrong)?;
    let check = Check { id: id.to_owned(), origin: file.to_owned(), file: resolved };
    validate(&check.file).map_err(wrong)?;
    Ok(check)
}

/// What the types alone do not say.
fn validate(file: &CheckFile) -> Result<(), (Source, String)> {
    let texts = [Some(&file.title), Some(&file.why), Some(&file.ok), file.not_applicable.as_ref()];
    let case_texts =
        file.cases.iter().flat_map(|case| [case.found.as_ref(), case.needed.as_ref(), case.fix.as_ref()]);
    for template in texts.into_iter().chain(case_texts).flatten() {
        for source in [&template.en, &template.zh] {
            if source.text.trim().is_empty() {
                return Err((source.clone(), "this text is empty".into()));
            }
        }
    }
    if let Some(for_each) = &file.for_each
        && for_each_parts(&for_each.text).is_none()
    {
        let message = format!("`for_each: {}` is not of the form `NAME in EXPRESSION`", for_each.text);
        return Err((for_each.clone(), message));
    }
    let id_is_one = |id: &&String| id.split('/').all(|part| !part.is_empty()) && id.contains('/');
    if let Some(wrong) = file.renamed_from.iter().find(|id| !id_is_one(id)) {
        return Err((file.title.en.clone(), format!("`{wrong}` in `renamed_from` is no id of a check")));
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
pub const KNOWLEDGE_FILES: [&str; 15] = [
    "releases.yaml",
    "eras.yaml",
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
pub fn read_knowledge(texts: &[(String, String); 15]) -> Result<Knowledge, CatalogueError> {
    let [
        releases,
        eras,
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
    let knowledge = Knowledge {
        releases: read(&releases.0, &releases.1)?,
        eras: read(&eras.0, &eras.1)?,
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
    };
    for (index, era) in knowledge.eras.iter().enumerate() {
        let known = |version: &Version| knowledge.releases.iter().any(|tag| tag.version == *version);
        let wrong = if let Some(missing) = era.releases.ends().find(|version| !known(version)) {
            format!("there is no release {missing}")
        } else if knowledge.eras[..index].iter().any(|other| other.name == era.name) {
            "there are two of this name".to_owned()
        } else {
            continue;
        };
        return Err(CatalogueError::Malformed {
            message: format!("{}: era `{}`: {wrong}", eras.0, era.name),
        });
    }
    Ok(knowledge)
}
