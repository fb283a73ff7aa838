//! Finds the mistakes in a check that would otherwise show up when it is too late: expressions that do
//! not compile, and names of facts, settings, functions, filters and tests that do not exist.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind};
use serde_json::Value as Json;

use super::language::{environment, functions};
use super::phrases::Phrases;
use crate::catalog::check_file::{CatalogueError, for_each_parts};
use crate::model::check::Check;
use crate::model::knowledge::Knowledge;
use crate::model::release::Releases;
use crate::model::schema;
use crate::model::text::{Language, Source};

/// Everything that is wrong with the expressions and texts of a check.
pub fn faults(check: &Check, knowledge: &Knowledge) -> Vec<CatalogueError> {
    let file = &check.file;
    let env = plain_environment(knowledge);
    let mut checker = Checker { check, knowledge, env, loop_variable: None, faults: Vec::new() };

    let texts = [Some(&file.title), file.otherwise.as_ref(), Some(&file.ok)];
    for template in texts.into_iter().flatten() {
        checker.template(&template.en);
        checker.template(&template.zh);
    }
    if let Some(when) = &file.when {
        checker.expression(when);
    }
    if let Some(source) = &file.for_each
        && let Some((name, expression)) = for_each_parts(&source.text)
    {
        let inner = Source { text: expression.to_owned(), ..source.clone() };
        checker.expression(&inner);
        checker.loop_variable = Some(LoopVariable { name: name.to_owned(), schema: item_schema(expression) });
    }
    for case in &file.cases {
        checker.expression(&case.condition);
        if let Some(may_pass) = &case.may_pass {
            checker.expression(may_pass);
        }
        for template in [Some(&case.found), case.needed.as_ref(), case.fix.as_ref()].into_iter().flatten() {
            checker.template(&template.en);
            checker.template(&template.zh);
        }
    }
    checker.loop_variable = None;
    for metric in &file.metrics {
        for source in [Some(&metric.value), metric.warn.as_ref(), metric.crit.as_ref()].into_iter().flatten()
        {
            checker.expression(source);
        }
    }
    checker.faults
}

/// Names are the same in every language.
fn plain_environment(knowledge: &Knowledge) -> Environment<'static> {
    let phrases = Arc::new(Phrases::new(&[], Language::En));
    environment(&Arc::new(knowledge.clone()), &phrases, Language::En)
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
            wrong.extend(releases_in(&condition.text));
            wrong.extend(words_in(&condition.text, &env));
            wrong.into_iter().map(|message| format!("{origin}: {message}")).collect()
        }
    }
}

struct LoopVariable {
    name: String,
    /// Absent: its items come from a function, whose names are verified when it is evaluated.
    schema: Option<&'static Json>,
}

struct Checker<'c> {
    check: &'c Check,
    knowledge: &'c Knowledge,
    env: Environment<'static>,
    loop_variable: Option<LoopVariable>,
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
                let inside = jinja_parts(&source.text);
                self.names(source, names.into_iter().collect(), &inside);
            }
        }
    }

    fn names(&mut self, source: &Source, names: BTreeSet<String>, code: &str) {
        let mut messages = Vec::new();
        for path in names {
            messages.extend(self.unknown_name(&path));
            let below_root = path.split_once('.').map_or("", |(_, below)| below);
            messages.extend(
                below_root.strip_prefix("config.").and_then(|name| unknown_setting(name, self.knowledge)),
            );
        }
        messages.extend(settings_in(code, self.knowledge));
        messages.extend(releases_in(code));
        messages.extend(words_in(code, &self.env));
        for message in messages {
            self.wrong(source, message);
        }
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
        if let Some(variable) = &self.loop_variable
            && root == variable.name
        {
            return variable.schema.and_then(|schema| unknown_fact(path, schema));
        }
        if self.check.file.target.roots().contains(&root)
            && let Some(schema) = schema_of(root)
        {
            return unknown_fact(path, schema);
        }
        if functions().any(|known| known == root) || BUILT_IN_FUNCTIONS.contains(&root) {
            return None;
        }
        let mut known: Vec<String> =
            self.check.file.target.roots().iter().copied().chain(functions()).map(str::to_owned).collect();
        known.push("params".to_owned());
        known.extend(self.loop_variable.as_ref().map(|variable| variable.name.clone()));
        Some(format!("`{root}` is not a name here; known are {}", known.join(", ")))
    }
}

/// Functions of minijinja itself.
const BUILT_IN_FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// The schema of what a check is evaluated for, by the name that its expressions use.
fn schema_of(root: &str) -> Option<&'static Json> {
    // Lists in the facts, and lists of their items.
    let lists: &[&str] = match root {
        "node" | "master" | "replica" | "a" | "b" => &["nodes"],
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

/// The schema of the items of `node.a.b`, when the expression is such a path.
fn item_schema(expression: &str) -> Option<&'static Json> {
    let mut keys = expression.trim().split('.');
    let mut at = schema_of(keys.next()?)?;
    for key in keys {
        at = step(at, key)?;
    }
    items_of(at)
}

/// The schema of the items of a list.
fn items_of(list: &'static Json) -> Option<&'static Json> {
    let items = resolve(list).into_iter().find_map(|variant| variant.get("items"))?;
    resolve(items).into_iter().next()
}

/// A sentence when `root.a.b` leads to nothing in the schema of `root`.
fn unknown_fact(path: &str, schema: &'static Json) -> Option<String> {
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

/// Names of settings in `config['…']` that are not asked for.
fn settings_in(code: &str, knowledge: &Knowledge) -> Vec<String> {
    let names = code.split("config[").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        rest[1..].split(quote).next()
    });
    names.filter_map(|name| unknown_setting(name, knowledge)).collect()
}

fn unknown_setting(name: &str, knowledge: &Knowledge) -> Option<String> {
    let names = knowledge.settings.iter().map(|setting| setting.name.as_str());
    if names.clone().any(|known| known == name) {
        return None;
    }
    Some(format!("the setting `{name}` is not asked for{}", did_you_mean(name, names)))
}

/// `; did you mean …?` when one of the names is near.
fn did_you_mean<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    match known.map(|known| (strsim::damerau_levenshtein(known, name), known)).min() {
        Some((distance, nearest)) if distance <= 3 => format!("; did you mean `{nearest}`?"),
        _ => String::new(),
    }
}

/// Sets of releases in `in_releases('…')` that cannot be read.
fn releases_in(code: &str) -> Vec<String> {
    code.split("in_releases(")
        .skip(1)
        .filter_map(|rest| {
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            rest[1..].split(quote).next()
        })
        .filter_map(|releases| releases.parse::<Releases>().err().map(|error| error.to_string()))
        .collect()
}

/// Filters and tests that do not exist. Compiling does not find them: they are looked up when used.
fn words_in(code: &str, env: &Environment<'_>) -> Vec<String> {
    let bare = without_strings(code);
    let mut state = env.empty_state();
    let mut unknown = BTreeSet::new();
    for rest in bare.split('|').skip(1) {
        let name = first_word(rest);
        if !name.is_empty()
            && state.apply_filter(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
        {
            unknown.insert(format!("there is no filter `{name}`"));
        }
    }
    for rest in bare.split(" is ").skip(1) {
        let name = first_word(rest.trim_start().strip_prefix("not ").unwrap_or(rest));
        if !name.is_empty()
            && state.perform_test(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownTest)
        {
            unknown.insert(format!("there is no test `{name}`"));
        }
    }
    unknown.into_iter().collect()
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The code with the contents of its strings taken out.
fn without_strings(code: &str) -> String {
    let mut bare = String::with_capacity(code.len());
    let mut quote = None;
    for c in code.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => continue,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => {}
        }
        bare.push(c);
    }
    bare
}

/// What stands between `{{`/`{%` and `}}`/`%}` in a text.
fn jinja_parts(text: &str) -> String {
    let mut parts = String::new();
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        for rest in text.split(open).skip(1) {
            parts.push_str(rest.split(close).next().unwrap_or_default());
            parts.push('\n');
        }
    }
    parts
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
