//! Causes that fit, where knowledge and not the check says which they are.

use minijinja::value::Value;

use super::value::plain;
use crate::model::diagnosis::Possibility;
use crate::parse::document::json::from_value;

/// The possible causes that an item brings along: what knowledge says of it, in words already.
pub fn possible_of(item: &Value) -> Vec<Possibility> {
    let Ok(causes) = item.get_attr("possible").and_then(|causes| plain(&causes)) else { return Vec::new() };
    let causes: Vec<Possibility> = from_value(&causes).unwrap_or_default();
    let nothing = |cause: Possibility| Possibility {
        speaks_for: cause.speaks_for.filter(|words| !words.is_empty()),
        ..cause
    };
    causes.into_iter().map(nothing).collect()
}
