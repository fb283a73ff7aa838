//! What the functions of check expressions are made of: reading facts, refusing, handing out lists.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State, context};
use serde_json::Value as Json;

use super::facts::{ITEM, example_tree, missing_of};
use crate::model::release::{Releases, Version};
use crate::model::text::{Language, Source};
use crate::model::unavailable::UnavailableKind;

/// An error of an expression, in a sentence.
pub fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A number, also one that is written as a text.
pub fn number(value: &Value) -> Result<f64, Error> {
    let parsed = match value.kind() {
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        _ => f64::try_from(value.clone()).ok(),
    };
    parsed
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| refuse(format!("`{value}` is not a number")))
}

/// Reads a fact as an expression would: when it is absent, the reason is raised.
pub fn fact(state: &State<'_, '_>, node: &Value, path: &str) -> Result<Value, Error> {
    state.env().compile_expression(&format!("node{path}"))?.eval(context! { node })
}

/// The release of a server. When it is not known, the reason is raised.
pub fn version_of(state: &State<'_, '_>, node: &Value) -> Result<Version, Error> {
    let version = fact(state, node, ".version")?;
    let text = version.as_str().ok_or_else(|| refuse("the release is not known"))?;
    text.parse().map_err(|error| refuse(format!("{error}")))
}

/// Whether an evaluation ended at a fact that this release does not have.
pub fn is_not_in_release(error: &Error) -> bool {
    missing_of(error).is_some_and(|missing| missing.kind == UnavailableKind::NotInRelease)
}

/// The set of releases that a fact holds.
pub fn releases_in(value: &Value) -> Result<Releases, Error> {
    let text = value.as_str().ok_or_else(|| refuse("a set of releases is a text"))?;
    text.parse().map_err(|error| refuse(format!("{error}")))
}

/// A list for `for_each`. A name that its items do not have is a mistake and must not read as nothing.
pub fn list(items: Vec<Json>) -> Value {
    example_tree(ITEM, &Json::Array(items), Vec::new(), Language::En)
}

/// Whether a condition of the knowledge holds. One that needs a fact which this release does not
/// have cannot be seen to hold.
pub fn holds(state: &State<'_, '_>, condition: &Source, ctx: Value) -> Result<bool, Error> {
    match state.env().compile_expression(&condition.text)?.eval(ctx) {
        Ok(value) => Ok(value.is_true()),
        Err(error) if is_not_in_release(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A value of an expression as JSON.
pub fn plain(value: &Value) -> Result<Json, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(number) => Json::from(number),
            Err(_) => Json::from(f64::try_from(value.clone())?),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            Json::Array(value.try_iter()?.map(|item| plain(&item)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter()? {
                map.insert(key.to_string(), plain(&value.get_item(&key)?)?);
            }
            Json::Object(map)
        }
        _ => Json::from(value.as_str().ok_or_else(|| refuse("a fact that is none"))?),
    })
}
