//! From types to JSON.
//!
//! A type is made into a value first, so that its code is written for one serialiser; the text is made of the value.

use serde::Serialize;
use serde_json::{Error, Value};

/// A type as a value.
///
/// # Errors
/// When a key of a map is no text, which no type of the model has.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
}

/// A type as JSON in one line. Errors as in [`to_value`].
pub fn to_json<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(to_value(value)?.to_string())
}

/// A type as JSON that a person can read as well. Errors as in [`to_value`].
pub fn to_pretty_json<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(format!("{:#}", to_value(value)?))
}
