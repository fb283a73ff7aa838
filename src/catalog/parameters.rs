//! Sets parameters of checks, as a plan or a person writes them. Pure.

use serde_json::Value as Json;

use crate::model::catalogue::Catalogue;
use crate::model::check::Check;
use crate::model::policy::Parameters;
use crate::parse::nearest::nearest;

/// Why a parameter cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// There is no such check.
    #[error("there is no check `{id}`{hint}")]
    NoCheck {
        /// What was taken for its id.
        id: String,
        /// `; did you mean …?`
        hint: String,
    },
    /// The check has no such parameter.
    #[error("`{id}` has no parameter `{name}`; it has {known}")]
    NoParameter {
        /// The check.
        id: String,
        /// What was taken for a name of its parameters.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// The value is of another type than the default.
    #[error("`{value}` is not {kind}")]
    WrongType {
        /// The value.
        value: String,
        /// What it should be.
        kind: &'static str,
    },
}

/// Sets a parameter to what a person wrote. The value has the type of the default.
pub fn set_text(
    parameters: &mut Parameters,
    catalogue: &Catalogue,
    id: &str,
    name: &str,
    text: &str,
) -> Result<(), ParameterError> {
    // A word that is no number is a text, and whether a text will do is for the default to say.
    let parsed = match default(catalogue, id, name)? {
        Json::String(_) => Json::from(text),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
    };
    set(parameters, catalogue, id, name, &parsed)
}

/// Sets a parameter to a value of the type of its default.
pub fn set(
    parameters: &mut Parameters,
    catalogue: &Catalogue,
    id: &str,
    name: &str,
    value: &Json,
) -> Result<(), ParameterError> {
    let default = default(catalogue, id, name)?;
    let same_kind = (default.is_number() && value.is_number())
        || (default.is_boolean() && value.is_boolean())
        || (default.is_string() && value.is_string());
    if !same_kind {
        let kind = match default {
            Json::Number(_) => "a number",
            Json::Bool(_) => "true or false",
            _ => "a text",
        };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Err(ParameterError::WrongType { value, kind });
    }
    parameters.entry(id.to_owned()).or_default().insert(name.to_owned(), value.clone());
    Ok(())
}

fn default<'c>(catalogue: &'c Catalogue, id: &str, name: &str) -> Result<&'c Json, ParameterError> {
    let check = catalogue.checks.iter().find(|check| check.id == id).ok_or_else(|| {
        ParameterError::NoCheck { id: id.to_owned(), hint: nearest_check(id, &catalogue.checks) }
    })?;
    let param = check.file.params.get(name).ok_or_else(|| {
        let known: Vec<&str> = check.file.params.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        ParameterError::NoParameter { id: id.to_owned(), name: name.to_owned(), known }
    })?;
    Ok(&param.default)
}

/// `; did you mean …?`, or where the ids are to be had.
pub fn nearest_check(id: &str, checks: &[Check]) -> String {
    let known = checks.iter().flat_map(|check| {
        // People leave out the group; compare with the last part, too.
        let short = check.id.rsplit('/').next().unwrap_or(&check.id);
        [(check.id.as_str(), &check.id), (short, &check.id)]
    });
    match nearest(id, known, 4) {
        Some(id) => format!("; did you mean `{id}`?"),
        None => "; `pikadoctor list` names them".to_owned(),
    }
}
