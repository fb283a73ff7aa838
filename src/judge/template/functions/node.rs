//! What expressions can ask about one server.

use std::sync::Arc;

use minijinja::{Environment, Error, State, Value, context};
use serde_json::{Value as Json, json};

use super::super::facts::{quoted, unquoted};
use super::super::filters::in_era;
use super::super::value::{fact, holds, is_not_in_release, list, refuse, version_of};
use crate::derive::look_up;
use crate::i18n::texts;
use crate::model::knowledge::Knowledge;
use crate::model::node::Evidence;
use crate::model::text::{Bilingual, Language};
use crate::parse::conf::read_number;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 6] =
    ["exposed_defects", "known_defects", "link_states", "port_list", "same_era", "setting_faults"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    let functions = NodeFunctions { knowledge: knowledge.clone(), language };
    let f = functions.clone();
    env.add_function("exposed_defects", move |state: &State<'_, '_>, node: Value| {
        f.exposed_defects(state, &node)
    });
    let f = functions.clone();
    env.add_function("known_defects", move |state: &State<'_, '_>, node: Value| {
        f.known_defects(state, &node)
    });
    let f = functions.clone();
    env.add_function("link_states", move |state: &State<'_, '_>, node: Value| f.link_states(state, &node));
    let f = functions.clone();
    env.add_function("port_list", move |state: &State<'_, '_>, node: Value| f.port_list(state, &node));
    let eras = knowledge.clone();
    env.add_function("same_era", move |a: Value, b: Value, names: Value| same_era(&eras, &a, &b, &names));
    let f = functions.clone();
    env.add_function("setting_faults", move |state: &State<'_, '_>, node: Value| {
        f.setting_faults(state, &node)
    });
}

/// What is known about servers, for the functions.
#[derive(Clone)]
struct NodeFunctions {
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl NodeFunctions {
    fn say(&self, text: &Bilingual) -> Json {
        Json::from(self.text(text))
    }

    fn text<'t>(&self, text: &'t Bilingual) -> &'t str {
        text.get(self.language)
    }

    /// Every defect of the release of `node`.
    fn known_defects(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let defects = self.knowledge.defects.iter().filter(|defect| defect.releases.contains(version));
        Ok(list(defects.map(|defect| json!({"id": defect.id, "title": self.say(&defect.title)})).collect()))
    }

    /// The defects of the release of `node` whose condition holds on it.
    fn exposed_defects(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let mut exposed = Vec::new();
        for defect in self.knowledge.defects.iter().filter(|defect| defect.releases.contains(version)) {
            let Some(condition) = &defect.when else { continue };
            if holds(state, condition, context! { node })? {
                // A range without an end holds releases that came after it was written.
                let files =
                    self.knowledge.release(version).is_some_and(|tag| tag.evidence == Evidence::Files);
                let effect = self.text(&defect.effect);
                let effect = if files && !defect.releases.names(version) {
                    let doubt = texts::defect_not_looked_for(self.language, version);
                    format!("{effect} {doubt}")
                } else {
                    effect.to_owned()
                };
                let fixed_in: Vec<String> = defect.fixed_in.iter().map(ToString::to_string).collect();
                exposed.push(json!({
                    "id": defect.id,
                    "state": defect.state,
                    "title": self.say(&defect.title),
                    "effect": effect,
                    "matters": self.say(&defect.matters),
                    "workaround": defect.workaround.as_ref().map(|text| self.say(text)),
                    "fixed_in": fixed_in.join(", "),
                }));
            }
        }
        Ok(list(exposed))
    }

    /// The settings of `node` that do not do what they say.
    fn setting_faults(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let mut faults = Vec::new();
        for setting in self.knowledge.settings() {
            for fault in setting.key.rules.iter().filter(|fault| fault.releases.contains(version)) {
                let Some(condition) = fault.in_answers().filter(|_| setting.readable.contains(version))
                else {
                    continue;
                };
                let value = match fact(state, node, &format!(".config['{}']", setting.name)) {
                    Ok(value) => value,
                    Err(error) if is_not_in_release(&error) => continue,
                    Err(error) => return Err(error),
                };
                let number = read_number(setting.key.kind, value.as_str().unwrap_or_default());
                let ctx =
                    context! { node, value => value.clone(), number, others => node.get_attr("config")? };
                if holds(state, condition, ctx.clone())? {
                    // A token in a sentence tells a person nothing.
                    let shown = if setting.key.secret { "(hidden)".to_owned() } else { value.to_string() };
                    let render =
                        |text: &Bilingual| state.env().render_str(text.get(self.language), ctx.clone());
                    faults.push(json!({
                        "name": setting.name,
                        "value": shown,
                        "kind": fault.kind,
                        "state": fault.state,
                        "found": render(&fault.found)?,
                        "needed": render(&fault.needed)?,
                        "fix": state.env().render_str(
                            fault.fix.get(self.language),
                            context! { node => quoted(node), value => quoted(&value) },
                        )?,
                    }));
                }
            }
        }
        Ok(list(faults))
    }

    /// The states of the link to the master of `node`, in words.
    fn link_states(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let states = fact(state, node, ".replication.master.states")?;
        let (mut words, mut seen) = (Vec::new(), Vec::new());
        for link in states.try_iter()? {
            let text = |key: &str| link.get_attr(key).map(|value| value.as_str().map(str::to_owned));
            let raw = unquoted(&text("raw")?.unwrap_or_default()).into_owned();
            let word = look_up(&self.knowledge, &text("field")?.unwrap_or_default(), &raw, version);
            // 3.5.5 and 4.0 say it twice, in two vocabularies.
            let said = (text("db")?, word.map(|word| word.stage));
            if said.1.is_some() && seen.contains(&said) {
                continue;
            }
            seen.push(said);
            let fix = match word.and_then(|word| word.fix.as_ref()) {
                Some(fix) => {
                    let ctx = context! { node => quoted(node) };
                    Json::from(state.env().render_str(fix.get(self.language), ctx)?)
                }
                None => Json::Null,
            };
            words.push(json!({
                "db": text("db")?,
                "raw": raw,
                "stage": word.map(|word| word.stage),
                "meaning": word.map(|word| self.say(&word.meaning)),
                "fix": fix,
            }));
        }
        Ok(list(words))
    }

    /// The derived ports of `node`, with what they are for and who must reach them.
    fn port_list(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let ports = fact(state, node, ".ports")?;
        let mut list_items = Vec::new();
        for port in ports.try_iter()? {
            let offset = port.get_attr("offset")?;
            let rule = self
                .knowledge
                .generations
                .iter()
                .filter(|entry| entry.releases.contains(version))
                .flat_map(|entry| &entry.ports)
                .find(|rule| Value::from(rule.offset) == offset);
            let text = |key: &str| port.get_attr(key).map(|value| value.as_str().map(str::to_owned));
            list_items.push(json!({
                "number": i64::try_from(port.get_attr("number")?).ok(),
                "offset": i64::try_from(offset.clone()).ok(),
                "role": text("role")?,
                "state": text("state")?,
                "detail": text("detail")?,
                "expected": port.get_attr("expected")?.is_true(),
                "purpose": rule.map(|rule| self.say(&rule.purpose)),
                "dialled_by": rule.map(|rule| self.say(&rule.dialled_by)),
            }));
        }
        Ok(list(list_items))
    }
}

/// Whether one of the named eras has both releases.
fn same_era(knowledge: &Knowledge, a: &Value, b: &Value, names: &Value) -> Result<bool, Error> {
    for name in names.try_iter()? {
        let name = name.as_str().ok_or_else(|| refuse("the name of an era is a text"))?;
        if in_era(knowledge, a, name)? && in_era(knowledge, b, name)? {
            return Ok(true);
        }
    }
    Ok(false)
}
