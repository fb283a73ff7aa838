//! The variables that an expression sees, and the names that a check file gives to values (`let`).
//!
//! A name is evaluated when it is read for the first time, with everything that its scope sees. A fact that is absent
//! therefore ends the evaluation that reads the name, and none that does not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error};

use super::facts::quoted;
use super::value::refuse;
use crate::catalog::check_file::for_each_parts;
use crate::model::check::{Binding, Bindings, Each, Pattern, Table};
use crate::model::limits::MAX_NESTED_NAMES;
use crate::model::text::{Language, Source, Template};

thread_local! {
    /// How many names are being evaluated within each other: each takes a part of the stack.
    static NESTED: Cell<usize> = const { Cell::new(0) };
}

/// Names and their values.
pub type Variables = BTreeMap<String, Value>;

/// What the expressions of a check see.
#[derive(Debug)]
pub struct Scope {
    env: Arc<Environment<'static>>,
    language: Language,
    parent: Option<Arc<Scope>>,
    variables: Variables,
    bindings: Arc<Bindings>,
    known: Mutex<BTreeMap<String, Known>>,
}

/// How far a name is evaluated.
#[derive(Clone, Debug)]
enum Known {
    /// It is being evaluated. Reading it now would never end.
    Running,
    /// Its value, or the error that reading it raises.
    Value(Value),
}

impl Scope {
    /// A scope with facts and the names of a check file.
    pub fn new(
        env: &Arc<Environment<'static>>,
        language: Language,
        variables: Variables,
        bindings: &Arc<Bindings>,
    ) -> Arc<Self> {
        Arc::new(Self {
            env: env.clone(),
            language,
            parent: None,
            variables,
            bindings: bindings.clone(),
            known: Mutex::default(),
        })
    }

    /// The same facts and names with one variable more. The names are evaluated anew, for they may depend on it.
    pub fn with(&self, name: &str, value: Value) -> Arc<Self> {
        let mut variables = self.variables.clone();
        variables.insert(name.to_owned(), value);
        Self::new(&self.env, self.language, variables, &self.bindings)
    }

    /// This scope, and variables and names of its own within it.
    fn inner(self: &Arc<Self>, variables: Variables, bindings: Bindings) -> Arc<Self> {
        Arc::new(Self {
            env: self.env.clone(),
            language: self.language,
            parent: Some(self.clone()),
            variables,
            bindings: Arc::new(bindings),
            known: Mutex::default(),
        })
    }

    /// This scope, and names of its own within it.
    pub fn within(self: &Arc<Self>, bindings: &Bindings) -> Arc<Self> {
        if bindings.is_empty() { self.clone() } else { self.inner(Variables::new(), bindings.clone()) }
    }

    /// A variable that is no name of the check file.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name).or_else(|| self.parent.as_ref()?.variable(name))
    }

    /// The value of an expression.
    pub fn value(self: &Arc<Self>, expression: &str) -> Result<Value, Error> {
        self.env.compile_expression(expression)?.eval(Value::from_dyn_object(self.clone()))
    }

    /// Whether a condition holds.
    pub fn holds(self: &Arc<Self>, condition: &Source) -> Result<bool, Error> {
        Ok(self.value(&condition.text)?.is_true())
    }

    /// Whether the value of an expression is one of a row.
    pub fn fits(self: &Arc<Self>, subject: &Source, pattern: &Pattern) -> Result<bool, Error> {
        Ok(fits(&self.value(&subject.text)?, pattern))
    }

    /// A text with its values, in the language of the report.
    pub fn text(self: &Arc<Self>, template: &Template) -> Result<String, Error> {
        self.rendered(&template.get(self.language).text)
    }

    /// A text with its values.
    pub fn rendered(self: &Arc<Self>, text: &str) -> Result<String, Error> {
        self.env.render_str(text, Value::from_dyn_object(self.clone()))
    }

    /// The same, with every text of the facts quoted for a shell.
    pub fn quoted(&self) -> Arc<Self> {
        let variables = self.variables.iter().map(|(name, value)| (name.clone(), quoted(value)));
        Arc::new(Self {
            env: self.env.clone(),
            language: self.language,
            parent: self.parent.as_ref().map(|parent| parent.quoted()),
            variables: variables.collect(),
            bindings: self.bindings.clone(),
            known: Mutex::default(),
        })
    }

    /// A scope that shares nothing with this one but the language.
    pub fn apart(&self, variables: Variables, bindings: &Arc<Bindings>) -> Arc<Self> {
        Self::new(&self.env, self.language, variables, bindings)
    }

    /// The language of the report.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What a name would stand for here.
    pub fn bound(self: &Arc<Self>, binding: &Binding) -> Result<Value, Error> {
        match binding {
            Binding::Expression(source) => self.value(&source.text),
            // Values in it are escaped; its own line breaks must stay when it becomes a part of another text.
            Binding::Text(template) => self.text(template).map(Value::from_safe_string),
            Binding::Table(table) => self.row(table),
            Binding::Choice(alternatives) => {
                for (condition, binding) in alternatives {
                    if condition.as_ref().map_or(Ok(true), |condition| self.holds(condition))? {
                        return self.bound(binding);
                    }
                }
                Err(refuse("none of the alternatives holds, and the last one has an `if`"))
            }
            Binding::Each(each) => self.each(each),
        }
    }

    fn row(self: &Arc<Self>, table: &Table) -> Result<Value, Error> {
        let value = self.value(&table.subject.text)?;
        match table.rows.iter().find(|(pattern, _)| fits(&value, pattern)) {
            Some((_, binding)) => self.bound(binding),
            None => Err(refuse(format!("there is no row for `{value}` of `{}`", table.subject.text))),
        }
    }

    fn each(self: &Arc<Self>, each: &Each) -> Result<Value, Error> {
        let (name, items) = for_each_parts(&each.items.text).ok_or_else(|| {
            refuse(format!("`{}` is not of the form `NAME in EXPRESSION`", each.items.text))
        })?;
        let mut texts = Vec::new();
        for item in self.value(items)?.try_iter()? {
            let variables = Variables::from([(name.to_owned(), item)]);
            let scope = self.inner(variables, each.bindings.clone());
            if each.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
                texts.push(Value::from_safe_string(scope.text(&each.text)?));
            }
        }
        Ok(Value::from(texts))
    }

    /// The value of a name of this very scope. An error is a value that raises it wherever it is read.
    fn own(self: &Arc<Self>, name: &str) -> Option<Value> {
        let (_, binding) = self.bindings.iter().find(|(known, _)| known == name)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(name) {
            Some(Known::Value(value)) => return Some(value.clone()),
            Some(Known::Running) => {
                return Some(Value::from(refuse(format!("`{name}` is defined by itself"))));
            }
            None => known.insert(name.to_owned(), Known::Running),
        };
        // Evaluating it reads other names of this scope.
        drop(known);
        let depth = NESTED.get();
        let value = if depth < MAX_NESTED_NAMES {
            NESTED.set(depth + 1);
            let value = self.bound(binding).unwrap_or_else(Value::from);
            NESTED.set(depth);
            value
        } else {
            Value::from(refuse(format!(
                "`{name}` is the last of more than {MAX_NESTED_NAMES} names that use each other"
            )))
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), Known::Value(value.clone()));
        Some(value)
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        self.own(name).or_else(|| self.parent.as_ref()?.get_value(key))
    }
}

fn fits(value: &Value, pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Values(values) => {
            let value = value.to_string();
            values.contains(&value)
        }
        Pattern::Else => true,
    }
}
