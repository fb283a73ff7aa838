//! What may be written in a recipe of `checks/knowledge/remedies/`, and what it stands for.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::check_file::{CatalogueError, for_each_parts, read};
use super::check_syntax::{BindingSyntax, Ordered, resolve_bindings};
use crate::model::check::RemedyUse;
use crate::model::recipe::{ActionRule, Parameter, PlaceRule, Recipe, StepRule, WordRule};
use crate::model::remedy::{FileFormat, Loses, ServiceAction};
use crate::model::text::{Source, Spanned, Template};

/// A recipe.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "RecipeFile"))]
pub struct RecipeSyntax {
    /// What it does, in a few words. It may hold values of its parameters.
    title: Template,
    /// What it needs to be told, by name.
    parameters: Ordered<Parameter>,
    /// Names for values, as in a check.
    #[serde(default, rename = "let")]
    bindings: Ordered<BindingSyntax>,
    /// A condition without which it is not offered: releases, states. A fact that could not be had: not offered.
    #[serde(default)]
    when: Option<Source>,
    /// What must be so before the first step, and only a person can see.
    #[serde(default)]
    before: Vec<Template>,
    /// Whose data it costs.
    loses: Loses,
    /// The same in a sentence; `loses: nothing` does without.
    #[serde(default)]
    loss: Option<Template>,
    /// What clients notice of it.
    clients: Template,
    /// What to do, in this order.
    steps: Vec<StepSyntax>,
    /// Where it is known from: file and tag of the source, or what was measured.
    #[serde(default)]
    references: Vec<String>,
}

/// A step. It has one of `run`, `wait`, `edit`, `service`, `use`, or none of them: then a person decides.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Step"))]
struct StepSyntax {
    /// The step is left out when it does not hold.
    #[serde(default, rename = "if")]
    condition: Option<Source>,
    /// The step is there once for each item: `NAME in EXPRESSION`.
    #[serde(default)]
    each: Option<Source>,
    /// What is done and why, in a sentence. No command, no path: those stand in the step itself.
    #[serde(default)]
    says: Option<Template>,
    /// An expression that gives the server that `run` or `wait` is sent to with redis-cli.
    #[serde(default)]
    redis: Option<Source>,
    /// An expression that gives the host, or a server of the host, on which the step is done.
    #[serde(default)]
    host: Option<Source>,
    /// A command, word by word. It is run once.
    #[serde(default)]
    run: Option<Vec<WordSyntax>>,
    /// With `run`: what it answers when it did what it should.
    #[serde(default)]
    reply: Option<Template>,
    /// With `run`: the name of a file in which its output is kept.
    #[serde(default)]
    into: Option<String>,
    /// A command, word by word, that changes nothing. It is run until its output is as `shows` or `lacks` say.
    #[serde(default)]
    wait: Option<Vec<WordSyntax>>,
    /// With `wait`: until a line of the output holds this.
    #[serde(default)]
    shows: Option<Template>,
    /// With `wait`: until no line of the output holds this.
    #[serde(default)]
    lacks: Option<Template>,
    /// A line of a configuration file.
    #[serde(default)]
    edit: Option<EditSyntax>,
    /// What is done to the server that `host` gives.
    #[serde(default)]
    service: Option<ServiceAction>,
    /// The steps of another recipe, in place of this one.
    #[serde(default)]
    r#use: Option<Source>,
    /// With `use`: the parameters of that recipe.
    #[serde(default)]
    with: Ordered<BindingSyntax>,
    /// What the step changes. Left out: nothing.
    #[serde(default)]
    changes: Option<Template>,
    /// How that is taken back, or that it cannot be. Whatever changes something has one.
    #[serde(default)]
    undo: Option<Template>,
}

/// A line of a configuration file.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Edit"))]
struct EditSyntax {
    /// An expression that gives the path. Left out: the pika.conf of the server.
    #[serde(default)]
    file: Option<Source>,
    /// How a line of it looks.
    #[serde(default)]
    format: FileFormat,
    /// An expression that gives the key.
    key: Source,
    /// An expression that gives the new value. Left out: the line is taken out.
    #[serde(default)]
    value: Option<Source>,
}

/// A word of a command: a text, or `{each: EXPRESSION}` for a word for each item of a list.
struct WordSyntax(WordRule);

enum WordForm {
    One(String),
    Each(EachSyntax),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EachSyntax {
    each: Source,
}

impl<'de> Deserialize<'de> for WordForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor;

        impl<'de> Visitor<'de> for WordVisitor {
            type Value = WordForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word of a command (a number in quotes), or `each: EXPRESSION`")
            }

            fn visit_str<E>(self, text: &str) -> Result<WordForm, E> {
                Ok(WordForm::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordForm, A::Error> {
                EachSyntax::deserialize(MapAccessDeserializer::new(map)).map(WordForm::Each)
            }
        }

        deserializer.deserialize_any(WordVisitor)
    }
}

impl<'de> Deserialize<'de> for WordSyntax {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Spanned::<WordForm>::deserialize(deserializer)?;
        Ok(Self(match form.value {
            WordForm::One(text) => WordRule::One(Source { text, line: form.line, column: form.column }),
            WordForm::Each(each) => WordRule::Each(each.each),
        }))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for WordSyntax {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let source = generator.subschema_for::<Source>();
        schemars::json_schema!({
            "description": "A word of a command, or a word for each item of a list.",
            "anyOf": [
                {"type": "string"},
                {"type": "object", "properties": {"each": source}, "required": ["each"],
                 "additionalProperties": false}
            ]
        })
    }
}

/// Reads a recipe. `file` names it in errors.
pub fn read_recipe(file: &str, text: &str) -> Result<Recipe, CatalogueError> {
    read::<RecipeSyntax>(file, text)?.resolve().map_err(|(at, message)| CatalogueError::Wrong {
        file: file.to_owned(),
        line: at.line,
        column: at.column,
        message,
    })
}

impl RecipeSyntax {
    /// What the file says.
    ///
    /// # Errors
    /// What does not fit together, and where.
    pub fn resolve(self) -> Result<Recipe, (Source, String)> {
        let place = self.title.en.clone();
        if self.steps.is_empty() {
            return Err((place, "a recipe needs `steps`".to_owned()));
        }
        if (self.loses == Loses::Nothing) != self.loss.is_none() {
            let message = "`loss` says what is lost, and stands there unless `loses` is `nothing`";
            return Err((place, message.to_owned()));
        }
        let steps = self.steps.into_iter().map(|step| step.resolve(&place)).collect::<Result<_, _>>()?;
        Ok(Recipe {
            title: self.title,
            parameters: self.parameters.0,
            bindings: resolve_bindings(self.bindings),
            when: self.when,
            before: self.before,
            loses: self.loses,
            loss: self.loss,
            clients: self.clients,
            steps,
            references: self.references,
        })
    }
}

impl StepSyntax {
    /// Which key stands without the one that it belongs to.
    fn misplaced(&self) -> Option<&'static str> {
        if self.changes.is_some() != self.undo.is_some() {
            return Some("`changes` and `undo` go together; what cannot be taken back says so in `undo`");
        }
        if self.reply.is_some() && self.run.is_none() {
            return Some("`reply` belongs to `run`");
        }
        if self.into.is_some() && (self.run.is_none() || self.changes.is_none()) {
            return Some("`into` belongs to `run`, and changes a file: `changes` and `undo` say so");
        }
        if (self.shows.is_some() || self.lacks.is_some()) && self.wait.is_none() {
            return Some("`shows` and `lacks` belong to `wait`");
        }
        if self.redis.is_some() && self.run.is_none() && self.wait.is_none() {
            return Some("`redis` belongs to `run` or `wait`");
        }
        if self.r#use.is_none() && !self.with.0.is_empty() {
            return Some("`with` belongs to `use`");
        }
        None
    }

    /// What the step says. `fallback` is a place for errors about a step that has none.
    fn resolve(self, fallback: &Source) -> Result<StepRule, (Source, String)> {
        let at = self.says.as_ref().map(|says| says.en.clone());
        let at = at.or_else(|| self.host.clone()).unwrap_or_else(|| fallback.clone());
        let wrong = |message: &str| Err((at.clone(), message.to_owned()));
        if let Some(each) = &self.each
            && for_each_parts(&each.text).is_none()
        {
            return Err((each.clone(), format!("`{}` is not of the form `NAME in EXPRESSION`", each.text)));
        }
        if let Some(message) = self.misplaced() {
            return wrong(message);
        }
        if let Some(recipe) = self.r#use {
            let is_alone = self.says.is_none()
                && self.redis.is_none()
                && self.host.is_none()
                && self.run.is_none()
                && self.wait.is_none()
                && self.edit.is_none()
                && self.service.is_none()
                && self.changes.is_none();
            if !is_alone {
                return Err((recipe, "beside `use` stand `with`, `if` and `each` only".to_owned()));
            }
            let with = resolve_bindings(self.with);
            return Ok(StepRule {
                condition: self.condition,
                each: self.each,
                says: None,
                action: ActionRule::Use(RemedyUse { recipe, condition: None, with }),
                changes: None,
                undo: None,
            });
        }
        let place = match (self.redis, self.host) {
            (None, None) => PlaceRule::Here,
            (Some(server), None) => PlaceRule::Server(server),
            (None, Some(host)) => PlaceRule::Host(host),
            (Some(_), Some(_)) => return wrong("a step is done by `redis` or on a `host`, not both"),
        };
        let words = |words: Vec<WordSyntax>| words.into_iter().map(|word| word.0).collect::<Vec<_>>();
        let action = match (self.run, self.wait, self.edit, self.service) {
            (Some(run), None, None, None) => {
                ActionRule::Run { place, words: words(run), reply: self.reply, into: self.into }
            }
            (None, Some(wait), None, None) => {
                if self.shows.is_some() == self.lacks.is_some() {
                    return wrong("`wait` needs one of `shows` and `lacks`");
                }
                if self.changes.is_some() {
                    return wrong("the command of a `wait` changes nothing");
                }
                ActionRule::Wait { place, words: words(wait), shows: self.shows, lacks: self.lacks }
            }
            (None, None, Some(edit), None) => {
                let EditSyntax { file, format, key, value } = edit;
                if place == PlaceRule::Here && file.is_none() {
                    return wrong("an `edit` needs a `host`, or a `file` that was named");
                }
                ActionRule::Edit { place, file, format, key, value }
            }
            (None, None, None, Some(what)) => {
                if place == PlaceRule::Here {
                    return wrong("a `service` needs a `host`");
                }
                ActionRule::Service { place, what }
            }
            (None, None, None, None) => ActionRule::Decide,
            _ => return wrong("a step has one of `run`, `wait`, `edit` and `service`"),
        };
        if let ActionRule::Run { words, .. } | ActionRule::Wait { words, .. } = &action
            && words.is_empty()
        {
            return wrong("a command needs words");
        }
        let has_own_words = matches!(action, ActionRule::Edit { .. } | ActionRule::Service { .. });
        if self.says.is_none() && !has_own_words {
            return wrong("a step needs `says`");
        }
        if matches!(action, ActionRule::Edit { .. } | ActionRule::Service { .. }) && self.changes.is_none() {
            return wrong("an `edit` and a `service` change something: `changes` and `undo` say what");
        }
        Ok(StepRule {
            condition: self.condition,
            each: self.each,
            says: self.says,
            action,
            changes: self.changes,
            undo: self.undo,
        })
    }
}
