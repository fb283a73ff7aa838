//! What the language of conditions and texts says about two servers.

use std::sync::Arc;

use minijinja::{Environment, Error, State, Value, context};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::super::facts::{quoted, unquoted};
use super::super::value::{fact, is_not_in_release, list, refuse, version_of};
use crate::derive::look_up;
use crate::i18n::texts;
use crate::model::knowledge::Knowledge;
use crate::model::link::{Basis, Cause, Prospect};
use crate::model::release::Version;
use crate::model::replication_rules::DialectRule;
use crate::model::text::{Bilingual, Language};
use crate::parse::document::json::from_value;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 5] =
    ["dialect_rules", "forecast_notes", "forecast_words", "pair_states", "ways_out"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    let words = LinkWords { knowledge: knowledge.clone(), language };
    let w = words.clone();
    env.add_function(
        "dialect_rules",
        move |state: &State<'_, '_>, link: Value, master: Value, replica: Value| {
            w.dialect_rules(state, &link, &master, &replica)
        },
    );
    let w = words.clone();
    env.add_function("ways_out", move |state: &State<'_, '_>, master: Value, replica: Value| {
        w.ways_out(state, &master, &replica)
    });
    let w = words.clone();
    env.add_function(
        "forecast_notes",
        move |state: &State<'_, '_>, link: Value, master: Value, replica: Value| {
            w.forecast_notes(state, &link, &master, &replica)
        },
    );
    let w = words.clone();
    env.add_function(
        "forecast_words",
        move |state: &State<'_, '_>, link: Value, master: Value, replica: Value| {
            w.forecast_words(state, &link, &master, &replica)
        },
    );
    env.add_function("pair_states", move |state: &State<'_, '_>, node: Value| {
        words.pair_states(state, &node)
    });
}

/// A word of one of the vocabularies of the model.
fn named<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    let word = value.as_str().ok_or_else(|| refuse(format!("`{value}` is not a word")))?;
    from_value(&Json::from(word)).map_err(|error| refuse(error.to_string()))
}

#[derive(Clone)]
struct LinkWords {
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl LinkWords {
    /// The entry of the table of dialects that decides about two servers: one, or none.
    fn dialect_rules(
        &self,
        state: &State<'_, '_>,
        link: &Value,
        master: &Value,
        replica: &Value,
    ) -> Result<Value, Error> {
        let rule = self.rule(state, master, replica)?;
        let dialect = link.get_attr("dialect")?;
        let basis: Basis = named(&dialect.get_attr("basis")?)?;
        let known = match basis {
            Basis::Measured => texts::DIALECT_MEASURED.get(self.language).to_owned(),
            Basis::Code => texts::DIALECT_FROM_CODE.get(self.language).to_owned(),
            Basis::SameProtocol => {
                let (from, to) =
                    (dialect.get_attr("measured_master")?, dialect.get_attr("measured_replica")?);
                texts::dialect_same_protocol(self.language, from, to)
            }
        };
        let item = |rule: &DialectRule| {
            let sees = rule.sees.as_ref().map(|sees| sees.get(self.language));
            json!({"known": known, "sees": sees, "source": rule.source})
        };
        Ok(list(rule.into_iter().map(item).collect()))
    }

    fn rule(
        &self,
        state: &State<'_, '_>,
        master: &Value,
        replica: &Value,
    ) -> Result<Option<&DialectRule>, Error> {
        let (of_master, of_replica) = (version_of(state, master)?, version_of(state, replica)?);
        let old = match fact(state, replica, ".config['identify-binlog-type']") {
            Ok(value) => value.as_str() == Some("old"),
            Err(error) if is_not_in_release(&error) => false,
            Err(error) => return Err(error),
        };
        Ok(self.knowledge.dialects.pairs.iter().find(|rule| {
            rule.master.contains(of_master)
                && rule.replica.contains(of_replica)
                && rule.binlog_type_old.is_none_or(|wanted| wanted == old)
        }))
    }

    /// Known ways from the release of one server to that of the other.
    fn ways_out(&self, state: &State<'_, '_>, master: &Value, replica: &Value) -> Result<Value, Error> {
        let (a, b) = (version_of(state, master)?, version_of(state, replica)?);
        let leads = |from: Version, to: Version| {
            self.knowledge
                .upgrades
                .paths
                .iter()
                .find(move |path| path.from.contains(from) && path.to.contains(to))
        };
        let path = leads(a, b).or_else(|| leads(b, a));
        Ok(list(
            path.into_iter()
                .map(|path| {
                    let (from, to) = (path.from.to_string(), path.to.to_string());
                    json!({"from": from, "to": to, "way": path.way.get(self.language)})
                })
                .collect(),
        ))
    }

    /// The remarks on a forecast.
    fn forecast_notes(
        &self,
        state: &State<'_, '_>,
        link: &Value,
        master: &Value,
        replica: &Value,
    ) -> Result<Value, Error> {
        let version = version_of(state, replica)?;
        let prospect: Prospect = named(&link.get_attr("forecast")?.get_attr("prospect")?)?;
        let ctx = context! { link, master, replica };
        let mut notes = Vec::new();
        for note in &self.knowledge.forecasts.notes {
            if note.replica.as_ref().is_some_and(|releases| !releases.contains(version))
                || !note.prospects.contains(&prospect)
            {
                continue;
            }
            if let Some(condition) = &note.condition {
                match state.env().compile_expression(&condition.text)?.eval(ctx.clone()) {
                    Ok(value) if value.is_true() => {}
                    Ok(_) => continue,
                    Err(error) if is_not_in_release(&error) => continue,
                    Err(error) => return Err(error),
                }
            }
            let text = state.env().render_str(note.text.get(self.language), ctx.clone())?;
            notes.push(json!({"kind": note.kind, "text": text}));
        }
        Ok(list(notes))
    }

    /// A forecast in words.
    fn forecast_words(
        &self,
        state: &State<'_, '_>,
        link: &Value,
        master: &Value,
        replica: &Value,
    ) -> Result<Value, Error> {
        let forecast = link.get_attr("forecast")?;
        let prospect: Prospect = named(&forecast.get_attr("prospect")?)?;
        let cause: Cause = named(&forecast.get_attr("cause")?)?;
        let words = &self.knowledge.forecasts;
        let ctx = context! { link, master, replica };
        let render = |text: &Bilingual| state.env().render_str(text.get(self.language), ctx.clone());
        let cause = words.causes.get(&cause);
        // Line by line: a line feed in a value is escaped, as it could come from a server.
        let safe = context! { link => quoted(link), master => quoted(master), replica => quoted(replica) };
        let render_fix = |text: &Bilingual| state.env().render_str(text.get(self.language), safe.clone());
        let fix = cause.and_then(|cause| cause.fix.as_ref()).map(render_fix).transpose()?;
        let fix: Vec<&str> = fix.iter().flat_map(|fix| fix.lines()).collect();
        Ok(list(vec![json!({
            "prospect": words.prospects.get(&prospect).map(render).transpose()?,
            "cause": cause.map(|cause| render(&cause.says)).transpose()?,
            "fix": fix,
        })]))
    }

    /// The state of the link to the peer of a double master, in words: one, or none.
    fn pair_states(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let raw = fact(state, node, ".double_master.state.raw")?;
        let raw = unquoted(raw.as_str().unwrap_or_default());
        let word = look_up(&self.knowledge, "double_master.repl_state", &raw, version);
        let fix = match word.and_then(|word| word.fix.as_ref()) {
            Some(fix) => {
                let ctx = context! { node => quoted(node) };
                Json::from(state.env().render_str(fix.get(self.language), ctx)?)
            }
            None => Json::Null,
        };
        Ok(list(vec![json!({
            "raw": raw,
            "stage": word.map(|word| word.stage),
            "meaning": word.map(|word| word.meaning.get(self.language)),
            "fix": fix,
        })]))
    }
}
