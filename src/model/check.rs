//! A check as its YAML file says it. The path of the file below `checks/` is the check's id.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diagnosis::Subjects;
use super::finding::State;
use super::lazy::Lazy;
use super::text::{Source, Template};

/// What a check is evaluated for, once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A server; the expressions see it as `node`.
    Node,
    /// A pika.conf; the expressions see it as `conf`.
    Conf,
    /// A replication link; the expressions see it as `link`, and its two nodes as `master` and `replica`.
    Link,
    /// A double master; the expressions see it as `pair`, and its two nodes as `a` and `b`.
    Pair,
    /// A server of a plan; the expressions see it as `node`, and what the plan says as `node.planned`.
    PlannedNode,
    /// A link of a plan; the expressions see it as `link`, and its two nodes as `master` and `replica`.
    PlannedLink,
    /// A host; the expressions see it as `host`.
    Host,
    /// A Pika of a host; the expressions see it as `instance`, and its host as `host`.
    Instance,
    /// A coordinator of Codis; the expressions see it as `coordinator`.
    Coordinator,
    /// A product in a coordinator; the expressions see it as `product`, and where it is as `coordinator`.
    Product,
    /// A Codis; the expressions see it as `codis`.
    Codis,
    /// A server behind a Codis; the expressions see it as `server`, its Codis as `codis` and what was seen of it as `node`.
    Backend,
    /// A configuration file of a program around Pika; the expressions see it as `file`.
    Companion,
    /// A Sentinel; the expressions see it as `sentinel`.
    Sentinel,
    /// A master name that Sentinels watch; the expressions see it as `watched`.
    Watched,
    /// The log of a server, or of the two servers of a link; the expressions see it as `log`.
    Log,
    /// A server and its configuration file; the expressions see it as `drift`.
    Drift,
    /// A comparison of data; the expressions see it as `verification`, the first server of each side as `source` and
    /// `target`, and what is known of the replication between these two as `link`.
    Verification,
}

impl Target {
    /// Whether it is about replication between two servers.
    pub fn is_about_links(self) -> bool {
        matches!(self, Self::Link | Self::Pair | Self::PlannedLink)
    }

    /// Whether it is about a host.
    pub fn is_about_hosts(self) -> bool {
        matches!(self, Self::Host | Self::Instance)
    }

    /// Every target, in the order in which they are judged.
    pub const ALL: &'static [Self] = &[
        Self::Node,
        Self::Conf,
        Self::Link,
        Self::Pair,
        Self::PlannedNode,
        Self::PlannedLink,
        Self::Host,
        Self::Instance,
        Self::Coordinator,
        Self::Product,
        Self::Codis,
        Self::Backend,
        Self::Companion,
        Self::Sentinel,
        Self::Watched,
        Self::Log,
        Self::Drift,
        Self::Verification,
    ];

    /// The names that expressions of such a check may begin with, beside `params` and `knowledge`.
    pub fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Node | Self::PlannedNode => &["node"],
            Self::Conf => &["conf"],
            Self::Link | Self::PlannedLink => &["link", "master", "replica"],
            Self::Pair => &["pair", "a", "b"],
            Self::Host => &["host"],
            Self::Instance => &["instance", "host"],
            Self::Coordinator => &["coordinator"],
            Self::Product => &["product", "coordinator"],
            Self::Codis => &["codis"],
            Self::Backend => &["server", "codis", "node"],
            Self::Companion => &["file"],
            Self::Sentinel => &["sentinel"],
            Self::Watched => &["watched"],
            Self::Log => &["log"],
            Self::Drift => &["drift"],
            Self::Verification => &["verification", "source", "target", "link"],
        }
    }
}

/// How much a check may still change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its id, its parameters and what it means stay.
    #[default]
    Stable,
    /// It is tried out: what it means may change in the next release.
    Preview,
    /// It goes in one of the next releases; `why` names what replaces it.
    Deprecated,
}

/// What a check file says.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckFile {
    /// What is true when the check is ok, in a few words.
    pub title: Template,
    /// What the check is evaluated for.
    pub target: Target,
    /// The release of pikadoctor that had it first.
    pub since: Option<String>,
    /// How much it may still change.
    pub status: Status,
    /// The ids that it had before. They go on to work wherever a person writes an id.
    pub renamed_from: Vec<String>,
    /// Names for values, in the order of the file.
    pub bindings: Bindings,
    /// A condition without which the check is not applicable.
    pub when: Option<Source>,
    /// What to say when `when` does not hold.
    pub not_applicable: Option<Template>,
    /// Why it matters, for `explain`. Plain text, paragraphs are kept.
    pub why: Template,
    /// Evaluate the cases once for each item: `NAME in EXPRESSION`.
    pub for_each: Option<Source>,
    /// Numbers and words that the conditions compare with, and that a plan may set.
    pub params: BTreeMap<String, Param>,
    /// The first one that holds decides. None of them: ok.
    pub cases: Vec<Case>,
    /// What a warning or critical problem of the check suffices to explain.
    pub explains: Vec<Explains>,
    /// What was seen when it is ok.
    pub ok: Template,
    /// What was measured, whatever the state.
    pub metrics: Vec<MetricRule>,
    /// A table of the knowledge that `explain` shows with the check.
    pub appendix: Option<Appendix>,
    /// Where the knowledge comes from.
    pub references: Vec<String>,
    /// Facts and what the check must say of them. Every case needs at least one.
    pub examples: Vec<Example>,
}

impl CheckFile {
    /// Whether its cases only pass on what a table of the knowledge says, entry by entry.
    pub fn looks_at_knowledge(&self) -> bool {
        matches!(self.appendix, Some(Appendix::Defects | Appendix::SettingFaults))
    }
}

/// A table of the knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Appendix {
    /// All known defects.
    Defects,
    /// All settings that a release ignores, clamps or misreads.
    SettingFaults,
    /// All keys of pika.conf whose values a release ignores, clamps, misreads or dies of.
    ConfigKeys,
    /// Which release replicates from which.
    Dialects,
    /// All states of a link, in every vocabulary.
    LinkStates,
    /// All releases.
    Releases,
    /// All derived ports.
    Ports,
    /// All messages of logs, and what they mean.
    Messages,
    /// How a full copy that failed is begun anew.
    FullCopies,
}

/// A value that a check compares with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The value when nobody sets another one.
    pub default: Value,
    /// What it means, with its unit.
    pub meaning: Template,
}

/// Names for values, in the order of the file.
pub type Bindings = Vec<(String, Binding)>;

/// What a name stands for. It is evaluated when it is read for the first time.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// The value of an expression.
    Expression(Source),
    /// A text in the language of the report.
    Text(Template),
    /// The row of the value of an expression.
    Table(Box<Table>),
    /// The first alternative whose condition holds. One without a condition holds always.
    Choice(Vec<(Option<Source>, Binding)>),
    /// A text for each item of a list.
    Each(Box<Each>),
}

/// A value for each value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The expression.
    pub subject: Source,
    /// The rows. The first one that fits decides.
    pub rows: Vec<(Pattern, Binding)>,
}

/// A text for each item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// `NAME in EXPRESSION`
    pub items: Source,
    /// Names for values of an item.
    pub bindings: Bindings,
    /// Only those for which it holds.
    pub condition: Option<Source>,
    /// The text.
    pub text: Template,
}

/// The values that a row is for, as they are printed: words, numbers, `true`, `false`, `none`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// One of these.
    Values(Vec<String>),
    /// Everything that the rows before it leave.
    Else,
}

/// What a case leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum StateRule {
    /// Always the same.
    Fixed(State),
    /// The name of a state that an expression gives.
    Expression(Source),
}

/// One of the ordered cases of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// A name by which other checks can say that they explain what this case found.
    pub name: Option<Template>,
    /// The condition. A case without one holds always.
    pub condition: Option<Source>,
    /// The row of a table that it was: an expression, and the values that the case is for.
    pub row: Option<(Source, Pattern)>,
    /// Names for values within the case.
    pub bindings: Bindings,
    /// What it leads to.
    pub state: StateRule,
    /// A condition under which it can go away while one waits, without anybody changing anything: a copy that
    /// runs, a server that starts. Left out: never.
    pub transient: Option<Source>,
    /// What was found, with the values. Only a case that is ok needs none.
    pub found: Option<Template>,
    /// What was needed instead.
    pub needed: Option<Template>,
    /// A sentence on how it is mended. Commands stand in the recipes.
    pub fix: Option<Template>,
    /// What a problem of this case suffices to explain, beside what the file says.
    pub explains: Vec<Explains>,
    /// Causes that fit what was found, the likeliest first, where it does not tell the cause.
    pub possible: Vec<PossibleCause>,
    /// Recipes that mend it, the best first.
    pub remedies: RemedyChoice,
}

/// What a check suffices to explain: findings of other checks that are as they are because of what it found.
///
/// Only what follows for certain may stand here: a finding that another fault could have brought about as well would
/// hide that fault.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Explains {
    /// Ids of checks. Left out together with `unknown: true`: every check.
    #[serde(default)]
    pub checks: Vec<Source>,
    /// Of which subjects, seen from that of this check.
    #[serde(default)]
    pub at: Subjects,
    /// A condition over this check's own subject. Left out: it explains them always.
    #[serde(default, rename = "if")]
    pub condition: Option<Source>,
    /// Only what these cases of the explained checks found, by their `name`, which may have values in it. Left out: what any case found.
    #[serde(default)]
    pub cases: Vec<Template>,
    /// Only findings that are unknown for want of a fact.
    #[serde(default)]
    pub unknown: bool,
}

/// One of several causes that fit what a case found.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PossibleCause {
    /// A condition without which it is ruled out. A fact that is not known rules nothing out.
    #[serde(default, rename = "if")]
    pub condition: Option<Source>,
    /// The cause, as something that can be.
    pub cause: Template,
    /// What was seen that speaks for it.
    #[serde(default)]
    pub speaks_for: Option<Template>,
    /// The look that tells whether it is this one.
    pub look: PossibleLook,
}

impl PossibleCause {
    /// All its texts.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        [&self.cause, &self.look.on, &self.look.run].into_iter().chain(&self.speaks_for)
    }
}

/// Where to look, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PossibleLook {
    /// The machine.
    pub on: Template,
    /// The command. Values of servers in it are quoted with `|shell`.
    pub run: Template,
}

/// The recipes of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum RemedyChoice {
    /// Those that the case names.
    Named(Vec<RemedyUse>),
    /// Those that an expression gives: the recipes of an entry of the knowledge.
    Known(Source),
}

/// A recipe for a case.
#[derive(Clone, Debug, PartialEq)]
pub struct RemedyUse {
    /// Its name.
    pub recipe: Source,
    /// A condition without which it is not right here.
    pub condition: Option<Source>,
    /// Its parameters.
    pub with: Bindings,
}

impl Case {
    /// Its condition, as it is written.
    pub fn title(&self) -> String {
        let condition = self.condition.as_ref().map(|condition| condition.text.clone());
        let row = self.row.as_ref().map(|(subject, pattern)| format!("{} is {pattern}", subject.text));
        let parts: Vec<String> = condition.into_iter().chain(row).collect();
        if parts.is_empty() { "true".to_owned() } else { parts.join(" and ") }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => f.write_str(&values.join(" | ")),
            Self::Else => f.write_str("else"),
        }
    }
}

/// A value that a check measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MetricRule {
    /// Its name in performance data.
    pub name: String,
    /// An expression that gives a number.
    pub value: Source,
    /// `s`, `B`, `%`, `c` or nothing.
    #[serde(default)]
    pub unit: String,
    /// An expression that gives a Nagios range.
    #[serde(default)]
    pub warn: Option<Source>,
    /// An expression that gives a Nagios range.
    #[serde(default)]
    pub crit: Option<Source>,
}

/// Facts and what the check must say of them.
///
/// An example states every fact that the check reads: one that it does not state is an error, `null`
/// says that there is nothing, and an entry in the node's `unavailable` that it could not be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The part of the facts that the check looks at: `node: {…}`.
    pub facts: BTreeMap<String, Value>,
    /// Values of `params` that differ from their defaults.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    /// What the check must come to.
    pub state: State,
    /// Words that must stand in the finding's texts in English.
    #[serde(default)]
    pub expect_text: Vec<String>,
    /// The checks that the finding must explain, and no others. Left out: it is not looked at.
    #[serde(default)]
    pub explains: Option<Vec<String>>,
}

/// A check with its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// `node/reachable`
    pub id: String,
    /// Where it was read from, for error messages.
    pub origin: String,
    /// What the check is evaluated for: of all that the file says, what is needed of every check in a run.
    pub target: Target,
    /// The title of the file, for lists.
    pub title: Lazy<Template>,
    /// What the file says.
    pub file: Lazy<CheckFile>,
}
