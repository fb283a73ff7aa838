//! Reads the YAML of checks and of knowledge. Pure: text in, typed data or a placed error out.

use serde::de::DeserializeOwned;

use super::check_syntax::CheckSyntax;
use crate::model::check::{Check, CheckFile};
use crate::model::text::Source;
use crate::parse::document::decode::from_yaml;

/// Why a file of the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not YAML, or not a check: unknown keys, missing keys, wrong types.
    #[error("{message}")]
    Malformed {
        /// `FILE:LINE:COLUMN: what is wrong`.
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

/// Reads a file of the catalogue.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogueError> {
    from_yaml(text).map_err(|error| CatalogueError::Malformed { message: error.in_file(file) })
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
    validate(&resolved).map_err(wrong)?;
    let (target, title) = (resolved.target, resolved.title.clone().into());
    let check = Check { id: id.to_owned(), origin: file.to_owned(), target, title, file: resolved.into() };
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
