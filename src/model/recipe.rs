//! A recipe as its file below `checks/knowledge/remedies/` says it.

use super::check::{Bindings, RemedyUse};
use super::remedy::{FileFormat, Loses, ServiceAction};
use super::text::{Source, Template};
use serde::{Deserialize, Serialize};

/// How something is mended, for whatever server it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What it does, in a few words.
    pub title: Template,
    /// What it needs to be told, in the order of the file.
    pub parameters: Vec<(String, Parameter)>,
    /// Names for values, in the order of the file.
    pub bindings: Bindings,
    /// A condition without which it is not offered: releases, states.
    pub when: Option<Source>,
    /// What must be so before the first step, and nobody but a person can see.
    pub before: Vec<Template>,
    /// Whose data it costs.
    pub loses: Loses,
    /// The same in a sentence.
    pub loss: Option<Template>,
    /// What clients notice of it.
    pub clients: Template,
    /// What to do, in this order.
    pub steps: Vec<StepRule>,
    /// Where it is known from.
    pub references: Vec<String>,
}

impl Recipe {
    /// What the parameter `name` is.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, parameter)| parameter)
    }

    /// Whether none of its steps changes anything: it shows what the matter is, and mends nothing. A recipe that uses
    /// another one is no look, whatever that one does.
    pub fn only_looks(&self) -> bool {
        let is_still = |step: &StepRule| step.changes.is_none() && !matches!(step.action, ActionRule::Use(_));
        self.steps.iter().all(is_still)
    }
}

/// Something that a recipe needs to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it is.
    pub kind: ParameterKind,
    /// Whether a check may leave it out. It is none then.
    #[serde(default)]
    pub optional: bool,
}

/// What a parameter of a recipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A server of the facts, or anything else that has an `address`.
    Node,
    /// A link of the facts.
    Link,
    /// A Pika of a host of the facts: a process, or a configuration that shall become one.
    Instance,
    /// A host of the facts, a server (its host is meant), or the name of a host.
    Host,
    /// `HOST:PORT`, or something with a `host` and a `port`.
    Address,
    /// A name of a setting, of a program or of a field: letters, digits and `. _ - /`.
    Key,
    /// A value of a setting, or a placeholder.
    Value,
    /// A path of a file or directory, or a placeholder.
    Path,
    /// A port.
    Port,
    /// A number.
    Number,
    /// Words for a person.
    Text,
    /// A list of whatever.
    List,
    /// True or false.
    Flag,
}

/// A step of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRule {
    /// The step is left out when it does not hold.
    pub condition: Option<Source>,
    /// The step is there once for each item: `NAME in EXPRESSION`.
    pub each: Option<Source>,
    /// What is done and why. Only an edit and a service do without: they have words of their own.
    pub says: Option<Template>,
    /// What is done.
    pub action: ActionRule,
    /// What it changes.
    pub changes: Option<Template>,
    /// How that is taken back.
    pub undo: Option<Template>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionRule {
    /// A command is run.
    Run {
        /// Where.
        place: PlaceRule,
        /// The command, word by word.
        words: Vec<WordRule>,
        /// What it answers.
        reply: Option<Template>,
        /// The file in which its output is kept.
        into: Option<String>,
    },
    /// A command is run until its output is as it should be.
    Wait {
        /// Where.
        place: PlaceRule,
        /// The command, word by word.
        words: Vec<WordRule>,
        /// Until a line holds this.
        shows: Option<Template>,
        /// Until no line holds this.
        lacks: Option<Template>,
    },
    /// A line of a file is written or taken out.
    Edit {
        /// Where.
        place: PlaceRule,
        /// The file. Absent: the pika.conf of the server.
        file: Option<Source>,
        /// How a line of it looks.
        format: FileFormat,
        /// The key.
        key: Source,
        /// The value. Absent: the line is taken out.
        value: Option<Source>,
    },
    /// A server is started or stopped.
    Service {
        /// Which.
        place: PlaceRule,
        /// What is done to it.
        what: ServiceAction,
    },
    /// A person decides.
    Decide,
    /// The steps of another recipe.
    Use(RemedyUse),
}

/// Where a step is done.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceRule {
    /// Anywhere.
    Here,
    /// The command goes to a server: an expression that gives one.
    Server(Source),
    /// On a host: an expression that gives a host, or a server of it.
    Host(Source),
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum WordRule {
    /// A text, which becomes one word whatever its values hold. One that is a single `{{ … }}` can be a placeholder.
    One(Source),
    /// An expression that gives a list: a word for each item.
    Each(Source),
}
