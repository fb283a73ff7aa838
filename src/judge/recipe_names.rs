//! Finds the mistakes in recipes, and in what checks give them, that would otherwise show up when it is too late.

use std::collections::BTreeSet;

use minijinja::Environment;

use super::expressions::{binding_expressions, pieces};
use super::names::{BUILT_IN_FUNCTIONS, plain_environment, schema_of, unknown_fact};
use super::remedies::alone;
use super::template::functions;
use super::vocabulary::{eras_in, releases_in, settings_in, use_faults, words_in};
use crate::catalog::check_file::for_each_parts;
use crate::model::knowledge::Knowledge;
use crate::model::recipe::{ActionRule, ParameterKind, PlaceRule, Recipe, StepRule, WordRule};
use crate::model::text::{Source, Template};

/// Everything that is wrong with the expressions and texts of a recipe.
pub fn recipe_faults(name: &str, recipe: &Recipe, knowledge: &Knowledge) -> Vec<String> {
    let mut checker = Checker {
        env: plain_environment(knowledge),
        recipe,
        knowledge,
        items: BTreeSet::new(),
        used: BTreeSet::new(),
        faults: Vec::new(),
    };
    checker.whole();
    let names = recipe.parameters.iter().map(|(name, _)| name);
    let unused = names.chain(recipe.bindings.iter().map(|(name, _)| name));
    let unused: Vec<String> = unused.filter(|name| !checker.used.contains(*name)).cloned().collect();
    checker.faults.extend(unused.iter().map(|name| format!("nothing reads `{name}`")));
    checker.faults.into_iter().map(|fault| format!("knowledge/remedies/{name}.yaml:{fault}")).collect()
}

struct Checker<'c> {
    env: Environment<'static>,
    recipe: &'c Recipe,
    knowledge: &'c Knowledge,
    /// Items of steps that are there more than once.
    items: BTreeSet<String>,
    used: BTreeSet<String>,
    faults: Vec<String>,
}

impl Checker<'_> {
    fn whole(&mut self) {
        let recipe = self.recipe;
        let texts = [Some(&recipe.title), Some(&recipe.clients), recipe.loss.as_ref()];
        texts.into_iter().flatten().chain(&recipe.before).for_each(|template| self.text(template));
        recipe.when.iter().for_each(|when| self.expression(when, &when.text));
        for (_, binding) in &recipe.bindings {
            let own = binding_items(binding);
            self.items.extend(own.iter().cloned());
            for (source, code) in binding_expressions(binding) {
                let code = for_each_parts(&code).map_or(code.clone(), |(_, list)| list.to_owned());
                self.expression(source, &code);
            }
            for name in &own {
                self.items.remove(name);
            }
        }
        recipe.steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &StepRule) {
        if let Some((each, (item, list))) =
            step.each.as_ref().and_then(|each| Some((each, for_each_parts(&each.text)?)))
        {
            self.expression(each, list);
            self.items.insert(item.to_owned());
        }
        step.condition.iter().for_each(|condition| self.expression(condition, &condition.text));
        let texts = [&step.says, &step.changes, &step.undo].into_iter().flatten();
        texts.for_each(|template| self.text(template));
        match &step.action {
            ActionRule::Run { place, words, reply, .. } => {
                self.command(place, words);
                if let Some(reply) = reply {
                    self.text(reply);
                }
            }
            ActionRule::Wait { place, words, shows, lacks } => {
                self.command(place, words);
                shows.iter().chain(lacks).for_each(|text| self.text(text));
            }
            ActionRule::Edit { place, file, key, value, .. } => {
                self.command(place, &[]);
                let expressions = [Some(key), file.as_ref(), value.as_ref()].into_iter().flatten();
                expressions.for_each(|source| self.expression(source, &source.text));
            }
            ActionRule::Service { place, .. } => self.command(place, &[]),
            ActionRule::Decide => {}
            ActionRule::Use(one) => {
                for (_, binding) in &one.with {
                    for (source, code) in binding_expressions(binding) {
                        self.expression(source, &code);
                    }
                }
                for message in use_faults(one, self.knowledge) {
                    self.wrong(&one.recipe, &message);
                }
            }
        }
        self.items.clear();
    }

    fn command(&mut self, place: &PlaceRule, words: &[WordRule]) {
        if let PlaceRule::Server(of) | PlaceRule::Host(of) = place {
            self.expression(of, &of.text);
        }
        for word in words {
            match word {
                WordRule::Each(list) => self.expression(list, &list.text),
                WordRule::One(source) => match alone(&source.text) {
                    Some(expression) => self.expression(source, expression),
                    None => self.template(source),
                },
            }
        }
    }

    fn text(&mut self, template: &Template) {
        self.template(&template.en);
        self.template(&template.zh);
    }

    fn template(&mut self, source: &Source) {
        match self.env.template_from_str(&source.text) {
            Err(error) => self.wrong(source, &error.to_string()),
            Ok(template) => {
                let names = template.undeclared_variables(true).into_iter().collect();
                self.names(source, names, &pieces(&source.text).collect::<Vec<_>>().join("\n"));
            }
        }
    }

    fn expression(&mut self, source: &Source, code: &str) {
        match self.env.compile_expression(code) {
            Err(error) => self.wrong(source, &format!("`{code}`: {error}")),
            Ok(expression) => {
                let names = expression.undeclared_variables(true).into_iter().collect();
                self.names(source, names, code);
            }
        }
    }

    fn names(&mut self, source: &Source, names: BTreeSet<String>, code: &str) {
        let mut messages = Vec::new();
        for path in names {
            let root = path.split('.').next().unwrap_or_default();
            self.used.insert(root.to_owned());
            messages.extend(self.unknown(root, &path));
        }
        messages.extend(settings_in(code, self.knowledge));
        messages.extend(releases_in(code, self.knowledge));
        messages.extend(eras_in(code, self.knowledge));
        messages.extend(words_in(code, &self.env));
        for message in messages {
            self.wrong(source, &message);
        }
    }

    fn unknown(&self, root: &str, path: &str) -> Option<String> {
        if let Some(parameter) = self.recipe.parameter(root) {
            let facts = match parameter.kind {
                ParameterKind::Node => "node",
                ParameterKind::Link => "link",
                ParameterKind::Instance => "instance",
                _ => return None,
            };
            return unknown_fact(path, schema_of(facts)?);
        }
        let known = self.items.contains(root)
            || self.recipe.bindings.iter().any(|(name, _)| name == root)
            || functions::names().any(|known| known == root)
            || BUILT_IN_FUNCTIONS.contains(&root);
        (!known).then(|| format!("`{root}` is not a name here"))
    }

    fn wrong(&mut self, source: &Source, message: &str) {
        self.faults.push(format!("{}:{}: {message}", source.line, source.column));
    }
}

/// The names of the items of loops within a name.
fn binding_items(binding: &crate::model::check::Binding) -> Vec<String> {
    use crate::model::check::Binding;
    match binding {
        Binding::Expression(_) | Binding::Text(_) => Vec::new(),
        Binding::Table(table) => table.rows.iter().flat_map(|(_, row)| binding_items(row)).collect(),
        Binding::Choice(alternatives) => {
            alternatives.iter().flat_map(|(_, binding)| binding_items(binding)).collect()
        }
        Binding::Each(each) => {
            let item = for_each_parts(&each.items.text).map(|(name, _)| name.to_owned());
            let own = each
                .bindings
                .iter()
                .flat_map(|(name, inner)| std::iter::once(name.clone()).chain(binding_items(inner)));
            item.into_iter().chain(own).collect()
        }
    }
}
