//! The facts as expressions see them.
//!
//! A fact that could not be had must never look like a fact that is false. Reading one therefore ends
//! the evaluation, whatever the expression does with it, and the error carries the reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use serde_json::Value as Json;

use crate::i18n::localized;
use crate::model::conf::Place;
use crate::model::reason::Reason;
use crate::model::text::{Language, escape_control};
use crate::model::unavailable::{Unavailable, UnavailableKind};

/// The reason of a fact that an example does not state.
pub const NOT_STATED: &str = "the example reads this fact and does not state it";

/// An expression read a fact that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The whole path, for example `node.data.fatal`.
    pub path: String,
    /// What follows from it.
    pub kind: UnavailableKind,
    /// Why, in the language of the report.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for Missing {}

/// The missing fact that ended an evaluation, if that is what ended it.
pub fn missing_of(error: &Error) -> Option<&Missing> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(missing) = error.downcast_ref() {
            return Some(missing);
        }
        source = error.source();
    }
    None
}

/// What is known about the absence of facts.
#[derive(Debug)]
struct Rules {
    /// The variable that the tree is known by.
    root: String,
    absences: Arc<[Unavailable]>,
    /// The language that reasons are read in.
    language: Language,
    /// In an example a fact that is not stated is a mistake of its author.
    strict: bool,
    /// Whether every text is quoted for a shell.
    quoted: bool,
}

#[derive(Clone, Debug)]
enum Fact {
    Null,
    Value(Value),
    List(Arc<ListFact>),
    Map(Arc<MapFact>),
}

#[derive(Debug)]
struct MapFact {
    rules: Arc<Rules>,
    path: String,
    entries: Arc<[(String, Fact)]>,
}

#[derive(Debug)]
struct ListFact {
    rules: Arc<Rules>,
    path: String,
    items: Arc<[Fact]>,
}

/// A tree of facts as a value for expressions. `root` is the variable's name.
pub fn tree(root: &str, facts: &Json, absences: Vec<Unavailable>, language: Language) -> Value {
    let absences = absences.into();
    let rules = Rules { root: root.to_owned(), absences, language, strict: false, quoted: false };
    build(&Arc::new(rules), "", facts).value()
}

/// The same for an example, in which every fact that is read must be stated.
pub fn example_tree(root: &str, facts: &Json, absences: Vec<Unavailable>, language: Language) -> Value {
    let absences = absences.into();
    let rules = Rules { root: root.to_owned(), absences, language, strict: true, quoted: false };
    build(&Arc::new(rules), "", facts).value()
}

fn build(rules: &Arc<Rules>, path: &str, json: &Json) -> Fact {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    // A reason is a text, in the language of the report.
    if let Json::Object(map) = json
        && map.contains_key("text")
        && let Some(reason) = Reason::from_json(json)
    {
        return Fact::Value(Value::from(localized(&reason, rules.language).as_ref()));
    }
    match json {
        Json::Null => Fact::Null,
        Json::Object(map) => Fact::Map(Arc::new(MapFact {
            rules: rules.clone(),
            path: path.to_owned(),
            entries: map.iter().map(|(key, value)| (key.clone(), build(rules, &below(key), value))).collect(),
        })),
        Json::Array(items) => Fact::List(Arc::new(ListFact {
            rules: rules.clone(),
            path: path.to_owned(),
            items: items
                .iter()
                .enumerate()
                .map(|(index, item)| build(rules, &below(&index.to_string()), item))
                .collect(),
        })),
        Json::Bool(value) => Fact::Value(Value::from(*value)),
        Json::String(text) => Fact::Value(Value::from(text.as_str())),
        Json::Number(number) => Fact::Value(match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        }),
    }
}

impl Fact {
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::from(()),
            Self::Value(value) => value.clone(),
            Self::List(list) => Value::from_dyn_object(list.clone()),
            Self::Map(map) => Value::from_dyn_object(map.clone()),
        }
    }
}

impl Rules {
    /// What reading the null or missing fact at `path` gives.
    fn nothing(&self, path: &str, stated: bool) -> Value {
        let most_specific = self
            .absences
            .iter()
            .filter(|absence| absence.covers(path))
            .max_by_key(|absence| absence.path.len());
        let whole_path = format!("{}.{path}", self.root);
        let missing = if let Some(absence) = most_specific {
            Missing {
                path: whole_path,
                kind: absence.kind,
                reason: localized(&absence.reason, self.language).into_owned(),
            }
        } else if self.strict && !stated && !path.starts_with("commands.") {
            let reason = NOT_STATED.to_owned();
            Missing { path: whole_path, kind: UnavailableKind::Failed, reason }
        } else {
            return Value::from(());
        };
        let message = missing.to_string();
        Value::from(Error::new(ErrorKind::UndefinedError, message).with_source(missing))
    }
}

impl Object for MapFact {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Some(match self.entries.iter().find(|(name, _)| name == key) {
            None => self.rules.nothing(&path, false),
            Some((_, Fact::Null)) => self.rules.nothing(&path, true),
            Some((_, fact)) => fact.read_by(&self.rules),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.iter().map(|(key, _)| Value::from(key.as_str())).collect())
    }
}

impl Object for ListFact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = usize::try_from(i64::try_from(key.clone()).ok()?).ok()?;
        match self.items.get(index)? {
            Fact::Null => Some(self.rules.nothing(&format!("{}.{index}", self.path), true)),
            fact => Some(fact.read_by(&self.rules)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }
}

/// The same facts with every text quoted for a shell, so that none of them can be more than a word of a command. What
/// functions say of facts (`item`) is text of the catalogue, and stays.
pub fn quoted(value: &Value) -> Value {
    if let Some(map) = value.downcast_object_ref::<MapFact>() {
        return map.rules.quoted().map_or(value.clone(), |rules| Value::from_object(map.by(&rules)));
    }
    if let Some(list) = value.downcast_object_ref::<ListFact>() {
        return list.rules.quoted().map_or(value.clone(), |rules| Value::from_object(list.by(&rules)));
    }
    // What an expression put together of facts: `{'node': a, 'other': b}`.
    match value.kind() {
        ValueKind::Seq => value.try_iter().map(|items| items.map(|item| quoted(&item)).collect::<Value>()),
        ValueKind::Map if value.as_object().is_none_or(|map| map.repr() == ObjectRepr::Map) => {
            let pairs = |key: Value| value.get_item(&key).map(|item| (key, quoted(&item)));
            let pairs =
                value.try_iter().and_then(|keys| keys.map(pairs).collect::<Result<BTreeMap<_, _>, _>>());
            pairs.map(Value::from)
        }
        _ => Ok(quoted_text(value)),
    }
    // A fact that is absent raises its reason wherever it is read.
    .unwrap_or_else(|_| value.clone())
}

/// A text quoted for a shell, where a shell would take it for anything but one plain word.
fn quoted_text(value: &Value) -> Value {
    // A text of the catalogue itself has seen to its values. Nothing stays nothing: conditions ask for it.
    let Some(text) = value.as_str().filter(|text| !text.is_empty() && !value.is_safe()) else {
        return value.clone();
    };
    shlex::try_quote(&escape_control(text))
        .map_or_else(|_| value.clone(), |quoted| Value::from(quoted.into_owned()))
}

/// The text that [`quoted`] made a word of.
pub fn unquoted(text: &str) -> Cow<'_, str> {
    match shlex::split(text).as_deref() {
        Some([word]) if shlex::try_quote(word).is_ok_and(|quoted| quoted == text) => Cow::from(word.clone()),
        _ => Cow::from(text),
    }
}

impl Fact {
    /// The fact within a tree that is read by `rules`. What is quoted is so when it is read: a command names few of the
    /// facts, and the tree of a host with many servers is large.
    fn read_by(&self, rules: &Arc<Rules>) -> Value {
        match self {
            Self::Value(value) if rules.quoted => quoted_text(value),
            Self::List(list) if rules.quoted => Value::from_object(list.by(rules)),
            Self::Map(map) if rules.quoted => Value::from_object(map.by(rules)),
            _ => self.value(),
        }
    }
}

impl MapFact {
    /// The same facts, read by other rules.
    fn by(&self, rules: &Arc<Rules>) -> Self {
        Self { rules: rules.clone(), path: self.path.clone(), entries: self.entries.clone() }
    }
}

impl ListFact {
    /// The same facts, read by other rules.
    fn by(&self, rules: &Arc<Rules>) -> Self {
        Self { rules: rules.clone(), path: self.path.clone(), items: self.items.clone() }
    }
}

impl Rules {
    /// The same for facts that are quoted. None: they are, or must not be.
    fn quoted(&self) -> Option<Arc<Self>> {
        let quotes = !self.quoted && self.root != ITEM;
        quotes.then(|| {
            Arc::new(Self { root: self.root.clone(), absences: self.absences.clone(), quoted: true, ..*self })
        })
    }
}

/// The root of what functions say of facts.
pub const ITEM: &str = "item";

/// The place of an item that has one.
pub fn place_of(item: &Value) -> Option<Place> {
    let place = item.get_attr("place").ok()?;
    let number = |key| place.get_attr(key).ok().and_then(|value| u32::try_from(value).ok());
    Some(Place {
        file: place.get_attr("file").ok()?.as_str()?.to_owned(),
        line: number("line")?,
        column: number("column")?,
    })
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, UndefinedBehavior, context};
    use serde_json::json;

    use super::*;

    fn eval(
        expression: &str,
        facts: Json,
        absences: &[(&str, UnavailableKind)],
    ) -> Result<bool, Option<Missing>> {
        let absences = absences
            .iter()
            .map(|(path, kind)| Unavailable {
                path: (*path).into(),
                kind: *kind,
                reason: Reason::verbatim("because"),
            })
            .collect();
        let node = tree("node", &facts, absences, Language::En);
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        let expression = env.compile_expression(expression).unwrap();
        expression
            .eval(context! { node })
            .map(|value| value.is_true())
            .map_err(|error| missing_of(&error).cloned())
    }

    #[test]
    fn every_use_of_an_absent_fact_ends_the_evaluation() {
        let facts = json!({"data": {"fatal": null}});
        for expression in [
            "node.data.fatal",
            "node.data.fatal == 1",
            "node.data.fatal != 1",
            "not node.data.fatal",
            "node.data.fatal is none",
            "node.data.fatal is defined",
            "node.data.fatal|default(0) == 0",
            "node.data['fatal'] == 1",
            "1 in [node.data.fatal]",
        ] {
            let missing = eval(expression, facts.clone(), &[("data.fatal", UnavailableKind::NotInRelease)]);
            let missing = missing.unwrap_err().unwrap_or_else(|| panic!("{expression}: no reason"));
            assert_eq!(
                (missing.path.as_str(), missing.kind),
                ("node.data.fatal", UnavailableKind::NotInRelease)
            );
        }
    }

    #[test]
    fn the_most_specific_reason_counts() {
        let facts = json!({"data": null});
        let absences = [("", UnavailableKind::NoAccess), ("data", UnavailableKind::Failed)];
        let missing = eval("node.data.fatal", facts.clone(), &absences).unwrap_err().unwrap();
        assert_eq!(missing.kind, UnavailableKind::Failed);
        let missing = eval("node.replication", facts, &absences).unwrap_err().unwrap();
        assert_eq!(missing.kind, UnavailableKind::NoAccess);
    }

    #[test]
    fn a_null_without_a_reason_means_that_there_is_nothing() {
        let facts = json!({"replication": {"master": null, "replicas": [{"ip": "10.0.0.2"}]}});
        assert_eq!(eval("node.replication.master is none", facts.clone(), &[]), Ok(true));
        assert_eq!(eval("node.replication.replicas|length == 1", facts.clone(), &[]), Ok(true));
        assert_eq!(eval("node.replication.replicas[0].ip == '10.0.0.2'", facts, &[]), Ok(true));
    }
}
