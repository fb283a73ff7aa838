//! What may be written in a check file, and what it stands for.
//!
//! Beside the plain fields there are four shapes that save repetition: a text that is the same in both languages is
//! written once, a name (`let`) stands for an expression, a text, a table or a choice, a case may be a table of cases
//! (`match` and `rows`), and a state may be an expression.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::check::{
    Appendix, Binding, Bindings, Case, CheckFile, Each, Example, Explains, MetricRule, Param, Pattern,
    PossibleCause, RemedyChoice, RemedyUse, StateRule, Status, Table, Target,
};
use crate::model::finding::State;
use crate::model::text::{Source, Spanned, Template};
use crate::parse::document::json::from_value;

/// A check file.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "CheckFile"))]
pub struct CheckSyntax {
    /// What is true when the check is ok, in a few words.
    title: Template,
    /// What the check is evaluated for.
    target: Target,
    /// The release of pikadoctor that had it first. Left out: it was there from the beginning.
    #[serde(default)]
    since: Option<String>,
    /// How much it may still change.
    #[serde(default)]
    status: Status,
    /// The ids that it had before. They go on to work wherever a person writes an id.
    #[serde(default)]
    renamed_from: Vec<String>,
    /// Names for values that are used more than once, or that make a text readable.
    #[serde(default, rename = "let")]
    bindings: Ordered<BindingSyntax>,
    /// A condition without which the check is not applicable.
    #[serde(default)]
    when: Option<Source>,
    /// What to say when `when` does not hold.
    #[serde(default)]
    not_applicable: Option<Template>,
    /// Why it matters, for `explain`. Plain text, paragraphs are kept.
    why: Template,
    /// Evaluate the cases once for each item: `NAME in EXPRESSION`.
    #[serde(default)]
    for_each: Option<Source>,
    /// Numbers and words that the conditions compare with, and that a plan may set.
    #[serde(default)]
    params: BTreeMap<String, Param>,
    /// The first one that holds decides. None of them: ok.
    #[serde(default)]
    cases: Vec<CaseSyntax>,
    /// What a warning or critical problem of the check suffices to explain.
    #[serde(default)]
    explains: Vec<Explains>,
    /// What was seen when it is ok.
    ok: Template,
    /// What was measured, whatever the state.
    #[serde(default)]
    metrics: Vec<MetricRule>,
    /// A table of the knowledge that `explain` shows with the check.
    #[serde(default)]
    appendix: Option<Appendix>,
    /// Where the knowledge comes from.
    #[serde(default)]
    references: Vec<String>,
    /// Facts and what the check must say of them. Every case needs at least one.
    #[serde(default)]
    examples: Vec<Example>,
}

/// One of the ordered cases of a check, or a table of them.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Case"))]
struct CaseSyntax {
    /// A name by which other checks can say that they explain what this case found; it may have values in it.
    #[serde(default)]
    name: Option<Template>,
    /// The condition. Left out: it holds always.
    #[serde(default, rename = "if")]
    condition: Option<Source>,
    /// An expression whose value chooses one of the `rows`. Without a row for the value the case does not hold.
    #[serde(default, rename = "match")]
    subject: Option<Source>,
    /// A case for each value of `match`; what a row leaves out is taken from here. Values that share a row are
    /// written `a | b`; `else` is for all others.
    #[serde(default)]
    rows: Option<Ordered<RowSyntax>>,
    /// Names for values within the case.
    #[serde(default, rename = "let")]
    bindings: Ordered<BindingSyntax>,
    /// What it leads to: a state, or an expression that gives the name of one.
    #[serde(default)]
    state: Option<Source>,
    /// Whether, or a condition under which, it can go away while one waits, without anybody changing anything.
    #[serde(default)]
    transient: Option<Source>,
    /// What was found, with the values. A case that is ok needs none.
    #[serde(default)]
    found: Option<Template>,
    /// What was needed instead.
    #[serde(default)]
    needed: Option<Template>,
    /// A sentence on how it is mended. Commands stand in `remedies`.
    #[serde(default)]
    fix: Option<Template>,
    /// What a problem of this case suffices to explain, beside what the file says.
    #[serde(default)]
    explains: Vec<Explains>,
    /// Causes that fit what was found, the likeliest first, where it does not tell the cause.
    #[serde(default)]
    possible: Vec<PossibleCause>,
    /// Recipes that mend it, the best first. The first one whose conditions hold is advised.
    #[serde(default)]
    remedies: Option<RemediesSyntax>,
}

/// A row of a table of cases.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Row"))]
struct RowSyntax {
    /// A name by which other checks can say that they explain what this row found.
    #[serde(default)]
    name: Option<Template>,
    /// What it leads to.
    #[serde(default)]
    state: Option<Source>,
    /// Whether it can go away while one waits.
    #[serde(default)]
    transient: Option<Source>,
    /// What was found, with the values.
    #[serde(default)]
    found: Option<Template>,
    /// What was needed instead.
    #[serde(default)]
    needed: Option<Template>,
    /// A sentence on how it is mended. Commands stand in `remedies`.
    #[serde(default)]
    fix: Option<Template>,
    /// What a problem of this row suffices to explain, beside what the case and the file say.
    #[serde(default)]
    explains: Vec<Explains>,
    /// Causes that fit what was found, in place of those of the case.
    #[serde(default)]
    possible: Vec<PossibleCause>,
    /// Recipes that mend it, the best first. The first one whose conditions hold is advised.
    #[serde(default)]
    remedies: Option<RemediesSyntax>,
}

/// What a name stands for, where it is more than an expression.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Binding"))]
struct BindingMap {
    /// In a list of alternatives: the condition. The last one may do without.
    #[serde(default, rename = "if")]
    condition: Option<Source>,
    /// An expression.
    #[serde(default)]
    value: Option<Source>,
    /// A text in English.
    #[serde(default)]
    en: Option<Source>,
    /// The same in Chinese.
    #[serde(default)]
    zh: Option<Source>,
    /// A text that is the same in both languages.
    #[serde(default)]
    text: Option<Source>,
    /// An expression whose value chooses one of the `rows`.
    #[serde(default, rename = "match")]
    subject: Option<Source>,
    /// What the name stands for, by the value of `match`: `a | b` for several values, `else` for all others.
    #[serde(default)]
    rows: Option<Ordered<BindingSyntax>>,
    /// `NAME in EXPRESSION`: the name is a list, with a text for each item.
    #[serde(default)]
    each: Option<Source>,
    /// With `each`: names for values of an item.
    #[serde(default, rename = "let")]
    bindings: Ordered<BindingSyntax>,
    /// With `each`: only the items for which it holds.
    #[serde(default, rename = "where")]
    filter: Option<Source>,
}

impl CheckSyntax {
    /// What the file says.
    ///
    /// # Errors
    /// What does not fit together, and where.
    pub fn resolve(self) -> Result<CheckFile, (Source, String)> {
        let mut cases = Vec::new();
        for case in self.cases {
            case.resolve(&self.title.en, &mut cases)?;
        }
        Ok(CheckFile {
            title: self.title,
            target: self.target,
            since: self.since,
            status: self.status,
            renamed_from: self.renamed_from,
            bindings: resolve_bindings(self.bindings),
            when: self.when,
            not_applicable: self.not_applicable,
            why: self.why,
            for_each: self.for_each,
            params: self.params,
            cases,
            explains: self.explains,
            ok: self.ok,
            metrics: self.metrics,
            appendix: self.appendix,
            references: self.references,
            examples: self.examples,
        })
    }
}

pub(super) fn resolve_bindings(bindings: Ordered<BindingSyntax>) -> Bindings {
    bindings.0.into_iter().map(|(name, binding)| (name, binding.0)).collect()
}

impl CaseSyntax {
    /// The cases that it stands for, in their order. `fallback` is a place for errors about a case that has none.
    fn resolve(self, fallback: &Source, cases: &mut Vec<Case>) -> Result<(), (Source, String)> {
        let place = [&self.condition, &self.subject, &self.state]
            .into_iter()
            .find_map(Clone::clone)
            .or_else(|| self.found.as_ref().map(|found| found.en.clone()))
            .unwrap_or_else(|| fallback.clone());
        let own = RowSyntax {
            name: self.name,
            state: self.state,
            transient: self.transient,
            found: self.found,
            needed: self.needed,
            fix: self.fix,
            explains: self.explains,
            possible: self.possible,
            remedies: self.remedies,
        };
        let bindings = resolve_bindings(self.bindings);
        let (subject, rows) = match (self.subject, self.rows) {
            (None, None) => {
                cases.push(own.resolve(&place, self.condition, None, bindings)?);
                return Ok(());
            }
            (Some(subject), Some(rows)) => (subject, rows),
            _ => return Err((place, "`match` and `rows` go together".to_owned())),
        };
        for (pattern, row) in patterns(rows).map_err(|message| (subject.clone(), message))? {
            let row = RowSyntax {
                name: row.name.or_else(|| own.name.clone()),
                state: row.state.or_else(|| own.state.clone()),
                transient: row.transient.or_else(|| own.transient.clone()),
                found: row.found.or_else(|| own.found.clone()),
                needed: row.needed.or_else(|| own.needed.clone()),
                fix: row.fix.or_else(|| own.fix.clone()),
                explains: own.explains.iter().cloned().chain(row.explains).collect(),
                possible: if row.possible.is_empty() { own.possible.clone() } else { row.possible },
                remedies: row.remedies.or_else(|| own.remedies.clone()),
            };
            let chosen = Some((subject.clone(), pattern));
            cases.push(row.resolve(&place, self.condition.clone(), chosen, bindings.clone())?);
        }
        Ok(())
    }
}

impl RowSyntax {
    fn resolve(
        self,
        place: &Source,
        condition: Option<Source>,
        row: Option<(Source, Pattern)>,
        bindings: Bindings,
    ) -> Result<Case, (Source, String)> {
        let Some(state) = self.state else {
            return Err((place.clone(), "the case has no `state`".to_owned()));
        };
        let rule = match from_value::<State>(&state.text.as_str().into()) {
            Ok(State::Waived) => {
                let message = "`waived` is what a plan makes of a finding; no check comes to it";
                return Err((state, message.to_owned()));
            }
            Ok(fixed) => StateRule::Fixed(fixed),
            Err(_) => StateRule::Expression(state),
        };
        if self.found.is_none() && rule != StateRule::Fixed(State::Ok) {
            return Err((place.clone(), "a case that is not ok needs a `found`".to_owned()));
        }
        let is_bad = match &rule {
            StateRule::Fixed(state) => matches!(state, State::Warning | State::Critical),
            StateRule::Expression(_) => true,
        };
        if is_bad && self.fix.is_none() && self.remedies.is_none() {
            return Err((place.clone(), "a warning or critical case needs a `fix` or `remedies`".to_owned()));
        }
        Ok(Case {
            name: self.name,
            condition,
            row,
            bindings,
            state: rule,
            transient: self.transient,
            found: self.found,
            needed: self.needed,
            fix: self.fix,
            explains: self.explains,
            possible: self.possible,
            remedies: self.remedies.map_or(RemedyChoice::Named(Vec::new()), |remedies| remedies.0),
        })
    }
}

/// Recipes for a case: a list of them, or an expression that gives those of an entry of the knowledge.
#[derive(Clone)]
struct RemediesSyntax(RemedyChoice);

/// A recipe for a case.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Remedy"))]
struct UseSyntax {
    /// The name of its file below `checks/knowledge/remedies/`, without `.yaml`.
    r#use: Source,
    /// A condition without which it is not right here. The recipe has one of its own beside it.
    #[serde(default, rename = "if")]
    condition: Option<Source>,
    /// The parameters of the recipe: names for values, as in `let`.
    #[serde(default)]
    with: Ordered<BindingSyntax>,
}

impl<'de> Deserialize<'de> for RemediesSyntax {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Spanned::<Form<UseSyntax>>::deserialize(deserializer)?;
        let (line, column) = (form.line, form.column);
        let uses = match form.value {
            Form::Scalar(text) => return Ok(Self(RemedyChoice::Known(Source { text, line, column }))),
            Form::Map(one) => vec![one],
            Form::List(uses) => uses,
        };
        let resolve = |one: UseSyntax| RemedyUse {
            recipe: one.r#use,
            condition: one.condition,
            with: resolve_bindings(one.with),
        };
        Ok(Self(RemedyChoice::Named(uses.into_iter().map(resolve).collect())))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for RemediesSyntax {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Remedies".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = generator.subschema_for::<UseSyntax>();
        schemars::json_schema!({
            "description": "Recipes, or an expression that gives those of an entry of the knowledge.",
            "anyOf": [{"type": "string"}, one, {"type": "array", "items": one}]
        })
    }
}

/// The rows of a table with what they are for.
fn patterns<V>(rows: Ordered<V>) -> Result<Vec<(Pattern, V)>, String> {
    if rows.0.is_empty() {
        return Err("a table needs `rows`".to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut patterns = Vec::new();
    for (key, row) in rows.0 {
        if matches!(patterns.last(), Some((Pattern::Else, _))) {
            return Err(format!("the row `{key}` comes after `else` and is never reached"));
        }
        if key == "else" {
            patterns.push((Pattern::Else, row));
            continue;
        }
        let values: Vec<String> = key.split(" | ").map(|value| value.trim().to_owned()).collect();
        if let Some(twice) = values.iter().find(|value| seen.contains(value)) {
            return Err(format!("there are two rows for `{twice}`"));
        }
        seen.extend(values.iter().cloned());
        patterns.push((Pattern::Values(values), row));
    }
    Ok(patterns)
}

impl BindingMap {
    fn resolve(self) -> Result<Binding, String> {
        let text = match (self.en, self.zh, self.text) {
            (Some(en), Some(zh), None) => Some(Template { en, zh }),
            (None, None, Some(text)) => Some(Template { en: text.clone(), zh: text }),
            (None, None, None) => None,
            (_, _, Some(_)) => return Err("`text` is for both languages; leave out `en` and `zh`".into()),
            _ => return Err("a text needs `en` and `zh`".into()),
        };
        if self.each.is_none() && (self.filter.is_some() || !self.bindings.0.is_empty()) {
            return Err("`where` and `let` belong to `each` here".into());
        }
        let bindings = resolve_bindings(self.bindings);
        Ok(match (self.value, text, self.subject, self.rows, self.each) {
            (Some(value), None, None, None, None) => Binding::Expression(value),
            (None, Some(text), None, None, None) => Binding::Text(text),
            (None, Some(text), None, None, Some(items)) => {
                Binding::Each(Box::new(Each { items, bindings, condition: self.filter, text }))
            }
            (None, None, Some(subject), Some(rows), None) => {
                let rows = patterns(rows)?.into_iter().map(|(pattern, row)| (pattern, row.0)).collect();
                Binding::Table(Box::new(Table { subject, rows }))
            }
            _ => {
                return Err("a name stands for one of: `value`; `en` and `zh`; `text`; `match` and `rows`; \
                            `each` with a text"
                    .into());
            }
        })
    }
}

/// What a name stands for: an expression, a map of [`BindingMap`], or a list of alternatives.
pub(super) struct BindingSyntax(Binding);

impl<'de> Deserialize<'de> for BindingSyntax {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Spanned::<Form<BindingMap>>::deserialize(deserializer)?;
        let binding = match form.value {
            Form::Scalar(text) => Binding::Expression(Source { text, line: form.line, column: form.column }),
            Form::Map(map) if map.condition.is_some() => {
                return Err(D::Error::custom("`if` belongs to a list of alternatives"));
            }
            Form::Map(map) => map.resolve().map_err(D::Error::custom)?,
            Form::List(alternatives) => {
                let mut choice: Vec<(Option<Source>, Binding)> = Vec::new();
                for mut alternative in alternatives {
                    if choice.last().is_some_and(|(condition, _)| condition.is_none()) {
                        let message = "an alternative after one without `if` is never reached";
                        return Err(D::Error::custom(message));
                    }
                    let condition = alternative.condition.take();
                    choice.push((condition, alternative.resolve().map_err(D::Error::custom)?));
                }
                Binding::Choice(choice)
            }
        };
        Ok(Self(binding))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for BindingSyntax {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Binding".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let map = generator.subschema_for::<BindingMap>();
        schemars::json_schema!({
            "description": "What a name stands for: an expression, one of the other forms, or a list of alternatives.",
            "anyOf": [{"type": ["string", "number", "boolean"]}, map, {"type": "array", "items": map}]
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// A scalar, a map, or a list of maps.
enum Form<M> {
    Scalar(String),
    Map(M),
    List(Vec<M>),
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for Form<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor<M>(PhantomData<M>);

        impl<'de, M: Deserialize<'de>> Visitor<'de> for FormVisitor<M> {
            type Value = Form<M>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression, a map or a list of alternatives")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Form::Scalar(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Form::Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Form::Scalar(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Form::Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Form::Scalar(value.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                M::deserialize(MapAccessDeserializer::new(map)).map(Form::Map)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Form::List)
            }
        }

        deserializer.deserialize_any(FormVisitor(PhantomData))
    }
}

/// A map whose order counts.
pub(super) struct Ordered<V>(pub(super) Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrderedVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for OrderedVisitor<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(String, V)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("`{key}` is there twice")));
                    }
                    entries.push((key, value));
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(OrderedVisitor(PhantomData))
    }
}

#[cfg(test)]
impl<V: schemars::JsonSchema> schemars::JsonSchema for Ordered<V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("MapOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<V>();
        schemars::json_schema!({"type": "object", "additionalProperties": value})
    }

    fn inline_schema() -> bool {
        true
    }
}
