//! Finds the mistakes in a check that would otherwise show up when it is too late: expressions that do
//! not compile, and names of facts, settings, functions, filters and tests that do not exist.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use minijinja::Environment;
use serde_json::Value as Json;

use super::expressions::pieces;
use super::template::environment::environment;
use super::template::functions;
use super::vocabulary::{eras_in, releases_in, settings_in, unknown_setting, use_faults, words_in};
use crate::catalog::check_file::{CatalogueError, for_each_parts};
use crate::model::check::{Binding, Bindings, Check, Explains, RemedyChoice, StateRule};
use crate::model::knowledge::Knowledge;
use crate::model::schema;
use crate::model::text::{Language, Source, Template};
use crate::parse::nearest::did_you_mean;

/// Everything that is wrong with the expressions and texts of a check.
pub fn faults(check: &Check, knowledge: &Knowledge) -> Vec<CatalogueError> {
    let file = &check.file;
    let env = plain_environment(knowledge);
    let mut checker =
        Checker { check, knowledge, env, local: Vec::new(), used: BTreeSet::new(), faults: Vec::new() };

    // What the names of the file stand for may need the item of `for_each`: they are only known beside it then.
    let item = file.for_each.as_ref().and_then(|source| for_each_parts(&source.text));
    let of_item = item.map_or_else(BTreeSet::new, |(name, _)| checker.dependents(&file.bindings, name));
    checker.order(&file.bindings);
    for (name, binding) in file.bindings.iter().filter(|(name, _)| !of_item.contains(name)) {
        checker.bind(name, binding);
    }
    for template in [Some(&file.title), file.not_applicable.as_ref(), Some(&file.ok)].into_iter().flatten() {
        checker.text(template);
    }
    if let Some(when) = &file.when {
        checker.expression(when);
    }
    for metric in &file.metrics {
        for source in [Some(&metric.value), metric.warn.as_ref(), metric.crit.as_ref()].into_iter().flatten()
        {
            checker.expression(source);
        }
    }
    if let Some(source) = &file.for_each
        && let Some((name, expression)) = item
    {
        checker.expression(&Source { text: expression.to_owned(), ..source.clone() });
        let schema = checker.item_schema(expression);
        checker.local.push(Local { name: name.to_owned(), schema, place: None });
    }
    for (name, binding) in file.bindings.iter().filter(|(name, _)| of_item.contains(name)) {
        checker.bind(name, binding);
    }
    for case in &file.cases {
        let outside = checker.local.len();
        checker.order(&case.bindings);
        for (name, binding) in &case.bindings {
            checker.bind(name, binding);
        }
        let state = match &case.state {
            StateRule::Expression(source) => Some(source),
            StateRule::Fixed(_) => None,
        };
        let subject = case.row.as_ref().map(|(subject, _)| subject);
        let expressions = [case.condition.as_ref(), subject, case.transient.as_ref(), state];
        expressions.into_iter().flatten().for_each(|source| checker.expression(source));
        for template in [&case.name, &case.found, &case.needed, &case.fix].into_iter().flatten() {
            checker.text(template);
        }
        // What the file explains is judged beside each case, and knows what every case does.
        checker.explains(&case.explains);
        for cause in &case.possible {
            cause.condition.iter().for_each(|condition| checker.expression(condition));
            cause.texts().for_each(|template| checker.text(template));
        }
        checker.remedies(&case.remedies);
        checker.leave(outside);
    }
    checker.explains(&file.explains);
    checker.leave(0);
    checker.faults.sort_by_key(|fault| match fault {
        CatalogueError::Wrong { line, column, .. } => (*line, *column),
        CatalogueError::Malformed { .. } => (0, 0),
    });
    checker.faults
}

/// Names are the same in every language.
pub fn plain_environment(knowledge: &Knowledge) -> Environment<'static> {
    environment(&Arc::new(knowledge.clone()), Language::En)
}

/// The same for the conditions in the knowledge. `names` are the variables that they may use.
pub fn condition_faults(
    origin: &str,
    condition: &Source,
    names: &[&str],
    knowledge: &Knowledge,
) -> Vec<String> {
    let env = plain_environment(knowledge);
    match env.compile_expression(&condition.text) {
        Err(error) => vec![format!("{origin}: {error}")],
        Ok(compiled) => {
            let mut wrong: Vec<String> = compiled
                .undeclared_variables(true)
                .into_iter()
                .filter_map(|path| {
                    let root = path.split('.').next().unwrap_or_default();
                    if !names.contains(&root) {
                        return Some(format!("`{path}` is not a name here"));
                    }
                    if root != "node" {
                        return None;
                    }
                    let setting =
                        path.strip_prefix("node.config.").and_then(|name| unknown_setting(name, knowledge));
                    setting.or_else(|| unknown_fact(&path, schema_of("node")?))
                })
                .collect();
            wrong.extend(settings_in(&condition.text, knowledge));
            wrong.extend(releases_in(&condition.text, knowledge));
            wrong.extend(eras_in(&condition.text, knowledge));
            wrong.extend(words_in(&condition.text, &env));
            wrong.into_iter().map(|message| format!("{origin}: {message}")).collect()
        }
    }
}

/// A name that is known within a part of the file.
struct Local {
    name: String,
    /// What can be read of it. Absent: it comes from a function or a formula, and is verified when it is evaluated.
    schema: Option<&'static Json>,
    /// Where the file defines it. Absent: it is the item of a loop.
    place: Option<Source>,
}

struct Checker<'c> {
    check: &'c Check,
    knowledge: &'c Knowledge,
    env: Environment<'static>,
    local: Vec<Local>,
    /// Names that were read, of those in `local`.
    used: BTreeSet<String>,
    faults: Vec<CatalogueError>,
}

impl Checker<'_> {
    fn wrong(&mut self, source: &Source, message: String) {
        self.faults.push(CatalogueError::Wrong {
            file: self.check.origin.clone(),
            line: source.line,
            column: source.column,
            message,
        });
    }

    /// The names that `binding` reads, without what follows the first dot.
    fn reads(&self, binding: &Binding) -> BTreeSet<String> {
        let (mut expressions, mut texts) = (Vec::new(), Vec::new());
        sources(binding, &mut expressions, &mut texts);
        let of_expression = |source: &&Source| {
            let expression = self.env.compile_expression(&source.text).ok()?;
            Some(expression.undeclared_variables(false))
        };
        let of_text = |source: &&Source| {
            let template = self.env.template_from_str(&source.text).ok()?;
            Some(template.undeclared_variables(false))
        };
        let of_expressions = expressions.iter().filter_map(of_expression).flatten();
        of_expressions.chain(texts.iter().filter_map(of_text).flatten()).collect()
    }

    /// The names that need `name`, directly or through another name.
    fn dependents(&self, bindings: &Bindings, name: &str) -> BTreeSet<String> {
        let reads: Vec<_> = bindings.iter().map(|(name, binding)| (name, self.reads(binding))).collect();
        let mut dependents = BTreeSet::from([name.to_owned()]);
        loop {
            let more = |(name, reads): &&(&String, BTreeSet<String>)| {
                !dependents.contains(*name) && !reads.is_disjoint(&dependents)
            };
            let Some((found, _)) = reads.iter().find(more) else { break };
            dependents.insert((*found).clone());
        }
        dependents.remove(name);
        dependents
    }

    /// A name may need those before it. That keeps circles out, and a file readable from the top.
    fn order(&mut self, bindings: &Bindings) {
        for (index, (name, binding)) in bindings.iter().enumerate() {
            let reads = self.reads(binding);
            if let Some((later, _)) = bindings[index..].iter().find(|(later, _)| reads.contains(later)) {
                let message = format!("`{name}` needs `{later}`, which must stand before it");
                self.wrong(place_of(binding), message);
            }
        }
    }

    /// Verifies what a name stands for, and makes it known.
    fn bind(&mut self, name: &str, binding: &Binding) {
        let place = place_of(binding).clone();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(is_word) || name.starts_with(|c: char| c.is_ascii_digit()) {
            self.wrong(&place, format!("`{name}` is no name: small letters, digits and underscores"));
        }
        let taken = self.check.target.roots().contains(&name)
            || ["params", "loop"].contains(&name)
            || BUILT_IN_FUNCTIONS.contains(&name)
            || functions::names().any(|function| function == name)
            || self.local.iter().any(|local| local.name == name);
        if taken {
            self.wrong(&place, format!("the name `{name}` is taken"));
        }
        self.binding(binding);
        let schema = match binding {
            Binding::Expression(source) => self.path_schema(&source.text),
            _ => None,
        };
        self.local.push(Local { name: name.to_owned(), schema, place: Some(place) });
    }

    fn binding(&mut self, binding: &Binding) {
        match binding {
            Binding::Expression(source) => self.expression(source),
            Binding::Text(template) => self.text(template),
            Binding::Table(table) => {
                self.expression(&table.subject);
                table.rows.iter().for_each(|(_, binding)| self.binding(binding));
            }
            Binding::Choice(alternatives) => {
                for (condition, binding) in alternatives {
                    if let Some(condition) = condition {
                        self.expression(condition);
                    }
                    self.binding(binding);
                }
            }
            Binding::Each(each) => {
                let Some((name, items)) = for_each_parts(&each.items.text) else {
                    let message =
                        format!("`each: {}` is not of the form `NAME in EXPRESSION`", each.items.text);
                    self.wrong(&each.items, message);
                    return;
                };
                self.expression(&Source { text: items.to_owned(), ..each.items.clone() });
                let (outside, schema) = (self.local.len(), self.item_schema(items));
                self.local.push(Local { name: name.to_owned(), schema, place: None });
                self.order(&each.bindings);
                each.bindings.iter().for_each(|(name, binding)| self.bind(name, binding));
                each.condition.iter().for_each(|condition| self.expression(condition));
                self.text(&each.text);
                self.leave(outside);
            }
        }
    }

    /// Forgets the names that were made known since there were `outside` of them.
    fn leave(&mut self, outside: usize) {
        for local in self.local.split_off(outside) {
            if let Some(place) = &local.place
                && !self.used.remove(&local.name)
            {
                self.wrong(place, format!("nothing reads `{}`", local.name));
            }
        }
    }

    fn explains(&mut self, all: &[Explains]) {
        for one in all {
            one.condition.iter().for_each(|condition| self.expression(condition));
            one.cases.iter().for_each(|name| self.text(name));
        }
    }

    /// Recipes that are there, with the parameters that they have.
    fn remedies(&mut self, choice: &RemedyChoice) {
        let uses = match choice {
            RemedyChoice::Named(uses) => uses,
            RemedyChoice::Known(source) => return self.expression(source),
        };
        for one in uses {
            one.condition.iter().for_each(|condition| self.expression(condition));
            one.with.iter().for_each(|(_, binding)| self.binding(binding));
            for message in use_faults(one, self.knowledge) {
                self.wrong(&one.recipe, message);
            }
        }
    }

    fn text(&mut self, template: &Template) {
        self.template(&template.en);
        if template.zh != template.en {
            self.template(&template.zh);
        }
    }

    fn expression(&mut self, source: &Source) {
        match self.env.compile_expression(&source.text) {
            Err(error) => self.wrong(source, format!("`{}`: {error}", source.text)),
            Ok(expression) => {
                let names = expression.undeclared_variables(true);
                self.names(source, names.into_iter().collect(), &source.text);
            }
        }
    }

    fn template(&mut self, source: &Source) {
        match self.env.template_from_str(&source.text) {
            Err(error) => self.wrong(source, error.to_string()),
            Ok(template) => {
                let names = template.undeclared_variables(true);
                let inside = pieces(&source.text).collect::<Vec<_>>().join("\n");
                self.names(source, names.into_iter().collect(), &inside);
            }
        }
    }

    fn names(&mut self, source: &Source, names: BTreeSet<String>, code: &str) {
        let mut messages = Vec::new();
        for path in names {
            let root = path.split('.').next().unwrap_or_default();
            self.used.insert(root.to_owned());
            messages.extend(self.unknown_name(&path));
            let below_root = path.split_once('.').map_or("", |(_, below)| below);
            messages.extend(
                below_root.strip_prefix("config.").and_then(|name| unknown_setting(name, self.knowledge)),
            );
        }
        messages.extend(settings_in(code, self.knowledge));
        messages.extend(releases_in(code, self.knowledge));
        messages.extend(eras_in(code, self.knowledge));
        messages.extend(words_in(code, &self.env));
        for message in messages {
            self.wrong(source, message);
        }
    }

    /// The schema of what an expression gives, when it is a path of facts.
    fn path_schema(&self, expression: &str) -> Option<&'static Json> {
        let mut keys = expression.trim().split('.');
        let root = keys.next()?;
        let first = match self.local.iter().rev().find(|local| local.name == root) {
            Some(local) => local.schema?,
            None if self.check.target.roots().contains(&root) => schema_of(root)?,
            None => return None,
        };
        keys.try_fold(first, step)
    }

    /// The schema of the items of what an expression gives, when it is a path of facts.
    fn item_schema(&self, expression: &str) -> Option<&'static Json> {
        items_of(self.path_schema(expression)?)
    }

    fn unknown_name(&self, path: &str) -> Option<String> {
        let mut keys = path.split('.');
        let root = keys.next().unwrap_or_default();
        if root == "params" {
            return match keys.next() {
                Some(name) if self.check.file.params.contains_key(name) => None,
                Some(name) => Some(format!("there is no `{name}` under `params`")),
                None => None,
            };
        }
        if let Some(local) = self.local.iter().rev().find(|local| root == local.name) {
            return local.schema.and_then(|schema| unknown_fact(path, schema));
        }
        if self.check.target.roots().contains(&root)
            && let Some(schema) = schema_of(root)
        {
            return unknown_fact(path, schema);
        }
        if functions::names().any(|known| known == root) || BUILT_IN_FUNCTIONS.contains(&root) {
            return None;
        }
        let mut known: Vec<String> =
            self.check.target.roots().iter().copied().chain(functions::names()).map(str::to_owned).collect();
        known.push("params".to_owned());
        known.extend(self.local.iter().map(|local| local.name.clone()));
        Some(format!("`{root}` is not a name here; known are {}", known.join(", ")))
    }
}

/// Functions of minijinja itself.
pub const BUILT_IN_FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// The schema of what a check is evaluated for, by the name that its expressions use.
pub fn schema_of(root: &str) -> Option<&'static Json> {
    // Lists in the facts, and lists of their items.
    let lists: &[&str] = match root {
        "node" | "master" | "replica" | "a" | "b" | "source" | "target" => &["nodes"],
        "conf" => &["conf_files"],
        "link" => &["links"],
        "pair" => &["pairs"],
        "host" => &["hosts"],
        "instance" => &["hosts", "instances"],
        "codis" => &["codis"],
        "server" => &["codis", "servers"],
        "sentinel" => &["sentinels"],
        "watched" => &["watched"],
        "log" => &["logs"],
        "drift" => &["conf_drifts"],
        "verification" => &["verifications"],
        "file" => &["companion_files"],
        "coordinator" => &["coordinators"],
        "product" => &["coordinators", "products"],
        _ => return None,
    };
    lists.iter().try_fold(facts_schema(), |at, key| items_of(step(at, key)?))
}

/// The schema of the facts, read once. References lead to its definitions.
fn facts_schema() -> &'static Json {
    static SCHEMA: LazyLock<Json> = LazyLock::new(|| serde_json::from_str(schema::FACTS).unwrap_or_default());
    &SCHEMA
}

/// The schema of the items of a list.
fn items_of(list: &'static Json) -> Option<&'static Json> {
    let items = resolve(list).into_iter().find_map(|variant| variant.get("items"))?;
    resolve(items).into_iter().next()
}

/// All expressions and texts of a name.
fn sources<'b>(binding: &'b Binding, expressions: &mut Vec<&'b Source>, texts: &mut Vec<&'b Source>) {
    match binding {
        Binding::Expression(source) => expressions.push(source),
        Binding::Text(template) => texts.extend([&template.en, &template.zh]),
        Binding::Table(table) => {
            expressions.push(&table.subject);
            table.rows.iter().for_each(|(_, binding)| sources(binding, expressions, texts));
        }
        Binding::Choice(alternatives) => {
            for (condition, binding) in alternatives {
                expressions.extend(condition);
                sources(binding, expressions, texts);
            }
        }
        Binding::Each(each) => {
            // `NAME in EXPRESSION` is an expression that compares, and reads the same names.
            expressions.push(&each.items);
            expressions.extend(&each.condition);
            each.bindings.iter().for_each(|(_, binding)| sources(binding, expressions, texts));
            texts.extend([&each.text.en, &each.text.zh]);
        }
    }
}

/// The place of what stands nowhere.
static NOWHERE: Source = Source { text: String::new(), line: 0, column: 0 };

/// Where a name is defined.
fn place_of(binding: &Binding) -> &Source {
    match binding {
        Binding::Expression(source) => source,
        Binding::Text(template) => &template.en,
        Binding::Table(table) => &table.subject,
        Binding::Choice(alternatives) => match alternatives.first() {
            Some((Some(condition), _)) => condition,
            Some((None, binding)) => place_of(binding),
            None => &NOWHERE,
        },
        Binding::Each(each) => &each.items,
    }
}

/// A sentence when `root.a.b` leads to nothing in the schema of `root`.
pub fn unknown_fact(path: &str, schema: &'static Json) -> Option<String> {
    let mut at = schema;
    let mut walked = path.split('.').next().unwrap_or_default().to_owned();
    for key in path.split('.').skip(1) {
        let Some(next) = step(at, key) else {
            let known = keys_of(at);
            let nearest = did_you_mean(key, known.iter().map(String::as_str));
            return Some(format!("there is no `{key}` in `{walked}`{nearest}"));
        };
        at = next;
        walked = format!("{walked}.{key}");
    }
    None
}

/// All the shapes that a schema allows: references followed, alternatives laid side by side.
fn resolve(schema: &'static Json) -> Vec<&'static Json> {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| facts_schema().pointer(pointer));
        return target.map(resolve).unwrap_or_default();
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(variants) = schema.get(word).and_then(Json::as_array) {
            return variants.iter().flat_map(resolve).collect();
        }
    }
    vec![schema]
}

fn step(schema: &'static Json, key: &str) -> Option<&'static Json> {
    resolve(schema).into_iter().find_map(|variant| {
        variant.get("properties").and_then(|properties| properties.get(key)).or_else(|| {
            // An open map takes every key; a typed one has `additionalProperties: false`.
            variant.get("additionalProperties").filter(|schema| schema.is_object())
        })
    })
}

fn keys_of(schema: &'static Json) -> Vec<String> {
    resolve(schema)
        .into_iter()
        .filter_map(|variant| variant.get("properties").and_then(Json::as_object))
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{keys_of, schema_of};
    use crate::model::check::Target;

    #[test]
    fn every_name_that_expressions_begin_with_has_a_schema() {
        for root in Target::ALL.iter().flat_map(|target| target.roots()) {
            assert!(!schema_of(root).map(keys_of).unwrap_or_default().is_empty(), "{root}");
        }
    }
}
