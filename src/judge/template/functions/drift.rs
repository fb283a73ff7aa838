//! What the language of conditions and texts says about a configuration file beside its server.

use std::sync::Arc;

use minijinja::{Environment, Error, State, Value, context};
use serde_json::Value as Json;

use super::super::value::{fact, list, plain, refuse};
use crate::model::drift::{DriftItem, DriftMatter};
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::parse::conf::number;
use crate::parse::document::json::from_value;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 1] = ["changed_settings"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>) {
    let knowledge = knowledge.clone();
    env.add_function("changed_settings", move |state: &State<'_, '_>, drift: Value| {
        changed_settings(state, &drift, &knowledge)
    });
}

/// The settings that differ although the release takes the value of the file as it stands. A value that it changes or
/// ignores, or that stands for another one, differs after every start; that is a matter of the file alone, and `lint` finds it.
fn changed_settings(state: &State<'_, '_>, drift: &Value, knowledge: &Knowledge) -> Result<Value, Error> {
    let items = plain(&fact(state, drift, ".items")?)?;
    let version = fact(state, drift, ".version")?;
    let version: Version = version
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| refuse("the release is not known"))?;
    let mut changed = Vec::new();
    for item in items.as_array().into_iter().flatten() {
        let typed: DriftItem = from_value(item).map_err(|error| refuse(format!("drift.items: {error}")))?;
        if typed.what == DriftMatter::Differs && !is_changed_by_release(state, &typed, version, knowledge)? {
            changed.push(item.clone());
        }
    }
    Ok(list(changed.into_iter().collect::<Vec<Json>>()))
}

/// Whether the release makes another value of the one in the file.
fn is_changed_by_release(
    state: &State<'_, '_>,
    item: &DriftItem,
    version: Version,
    knowledge: &Knowledge,
) -> Result<bool, Error> {
    let Some(key) = knowledge.config_keys.iter().find(|key| key.name == item.key) else { return Ok(false) };
    let value = item.file_value.as_deref().unwrap_or_default();
    // What depends on other settings changes nothing about this one.
    let rules = key.rules.iter().filter_map(|rule| Some((&rule.releases, rule.in_file()?)));
    let rules = rules.filter(|(_, condition)| !condition.text.contains("others"));
    let stand_ins = key.stands_for.iter().map(|rule| (&rule.releases, &rule.condition));
    for (_, condition) in rules.chain(stand_ins).filter(|(releases, _)| releases.contains(version)) {
        let ctx = context! { value, number => number(value) };
        if state.env().compile_expression(&condition.text)?.eval(ctx)?.is_true() {
            return Ok(true);
        }
    }
    Ok(false)
}
