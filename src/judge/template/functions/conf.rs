//! What expressions can ask about a configuration file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use minijinja::{Environment, Error, State, Value, context};
use serde_json::{Value as Json, json};

use super::super::facts::place_of;
use super::super::facts::quoted;
use super::super::value::{fact, holds, list, refuse, releases_in};
use crate::model::knowledge::{ConfigKey, Knowledge};
use crate::model::release::{Releases, Version};
use crate::model::text::{Bilingual, Language};
use crate::parse::conf::{considered, read_in_mode, read_number};

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 2] = ["missing_keys", "value_faults"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    let functions = ConfFunctions { knowledge: knowledge.clone(), language };
    let f = functions.clone();
    env.add_function("missing_keys", move |state: &State<'_, '_>, conf: Value| f.missing_keys(state, &conf));
    let f = functions.clone();
    env.add_function("value_faults", move |state: &State<'_, '_>, conf: Value| f.value_faults(state, &conf));
}

/// What is known about configuration files, for the functions.
#[derive(Clone)]
struct ConfFunctions {
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl ConfFunctions {
    fn say(&self, text: &Bilingual) -> Json {
        Json::from(text.get(self.language))
    }

    /// The releases that a configuration file was looked at for.
    fn releases_of(&self, state: &State<'_, '_>, conf: &Value) -> Result<Vec<Version>, Error> {
        let version = fact(state, conf, ".version")?;
        let version: Option<Version> = match version.as_str() {
            Some(text) => Some(text.parse().map_err(|error| refuse(format!("{error}")))?),
            None => None,
        };
        if version.is_some_and(|version| self.knowledge.release(version).is_none()) {
            // Which of its keys are misspelt is not known either, and the reason stands there.
            fact(state, conf, ".content.unknown_keys")?;
        }
        Ok(considered(&self.knowledge, version))
    }

    /// The values in a configuration file that do not do what they say.
    fn value_faults(&self, state: &State<'_, '_>, conf: &Value) -> Result<Value, Error> {
        let settings = fact(state, conf, ".content.settings")?;
        let known = self.releases_of(state, conf)?;
        let keys: HashMap<&str, &ConfigKey> =
            self.knowledge.config_keys.iter().map(|key| (key.name.as_str(), key)).collect();
        let mut faults = Vec::new();
        for setting in settings.try_iter()? {
            let name = setting.get_attr("key")?;
            let Some(key) = name.as_str().and_then(|name| keys.get(name)) else { continue };
            let value = setting.get_attr("value")?;
            let value = value.as_str().unwrap_or_default();
            let releases = releases_in(&setting.get_attr("releases")?)?;
            // A token in a sentence tells a person nothing.
            let shown = if key.secret { "(hidden)" } else { value };
            let number = read_number(key.kind, value);
            for rule in &key.rules {
                let concerned =
                    |version: &&Version| rule.releases.contains(**version) && releases.contains(**version);
                let concerned: Vec<Version> = known.iter().filter(concerned).copied().collect();
                let Some(concerned) = Releases::of(&concerned, &known) else { continue };
                let Some(condition) = rule.in_file() else { continue };
                let of_release =
                    &known[known.iter().position(|version| concerned.contains(*version)).unwrap_or(0)];
                let others = self.others(&settings, *of_release)?;
                let mode = others.get_attr("instance-mode")?;
                if !read_in_mode(key, *of_release, mode.as_str().unwrap_or_default()) {
                    continue;
                }
                if !holds(state, condition, context! { value, number, others })? {
                    continue;
                }
                let ctx = context! { value => shown, number };
                let render = |text: &Bilingual| state.env().render_str(text.get(self.language), ctx.clone());
                faults.push(json!({
                    "key": key.name,
                    "value": shown,
                    "place": place_of(&setting),
                    "releases": concerned,
                    "kind": rule.kind,
                    "state": rule.state,
                    "found": render(&rule.found)?,
                    "needed": render(&rule.needed)?,
                    "fix": state.env().render_str(
                        rule.fix.get(self.language),
                        context! { value => quoted(&Value::from(shown)), number },
                    )?,
                }));
            }
        }
        Ok(list(faults))
    }

    /// What a release reads of each key. A key without a line, and one whose name no release knows, is empty.
    fn others(&self, settings: &Value, version: Version) -> Result<Value, Error> {
        let mut others: BTreeMap<String, String> =
            self.knowledge.config_keys.iter().map(|key| (key.name.clone(), String::new())).collect();
        for setting in settings.try_iter()? {
            if releases_in(&setting.get_attr("releases")?)?.contains(version) {
                let name = setting.get_attr("key")?.as_str().unwrap_or_default().to_owned();
                let value = setting.get_attr("value")?.as_str().unwrap_or_default().to_owned();
                others.insert(name, value);
            }
        }
        Ok(Value::from_pairs(others))
    }

    /// The keys whose absence from a configuration file matters. Where nobody said which release it is for,
    /// only those releases count that know the most of the keys that are there: every release lacks
    /// something that another one wants.
    fn missing_keys(&self, state: &State<'_, '_>, conf: &Value) -> Result<Value, Error> {
        let settings = fact(state, conf, ".content.settings")?;
        let likely = releases_in(&fact(state, conf, ".content.likely")?)?;
        let known = self.releases_of(state, conf)?;
        let mut present: HashMap<String, Vec<Releases>> = HashMap::new();
        for setting in settings.try_iter()? {
            let name = setting.get_attr("key")?.as_str().unwrap_or_default().to_owned();
            present.entry(name).or_default().push(releases_in(&setting.get_attr("releases")?)?);
        }
        let mut faults = Vec::new();
        for key in &self.knowledge.config_keys {
            let is_there = |version: Version| {
                present.get(&key.name).is_some_and(|sets| sets.iter().any(|set| set.contains(version)))
            };
            for rule in &key.missing {
                let concerned = |version: &&Version| {
                    rule.releases.contains(**version) && likely.contains(**version) && !is_there(**version)
                };
                let concerned: Vec<Version> = known.iter().filter(concerned).copied().collect();
                let Some(concerned) = Releases::of(&concerned, &known) else { continue };
                faults.push(json!({
                    "key": key.name,
                    "releases": concerned,
                    "kind": rule.kind,
                    "state": rule.state,
                    "found": self.say(&rule.found),
                    "needed": self.say(&rule.needed),
                    "fix": self.say(&rule.fix),
                }));
            }
        }
        Ok(list(faults))
    }
}
