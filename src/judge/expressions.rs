//! All expressions of a check: its conditions, and what stands between braces in its texts.

use crate::model::check::{Binding, CheckFile, RemedyChoice, StateRule};
use crate::model::text::{Source, Template};

/// An expression, or one piece of a text, and where it stands.
pub type Expression<'c> = (&'c Source, String);

/// All of them.
pub fn expressions(file: &CheckFile) -> Vec<Expression<'_>> {
    let mut all = Collected { found: Vec::new() };
    all.conditions([&file.when, &file.for_each].into_iter().flatten());
    all.texts([Some(&file.title), file.not_applicable.as_ref(), Some(&file.ok)].into_iter().flatten());
    file.bindings.iter().for_each(|(_, binding)| all.binding(binding));
    for case in &file.cases {
        let state = match &case.state {
            StateRule::Expression(source) => Some(source),
            StateRule::Fixed(_) => None,
        };
        let subject = case.row.as_ref().map(|(subject, _)| subject);
        all.conditions(
            [case.condition.as_ref(), subject, state, case.transient.as_ref()].into_iter().flatten(),
        );
        all.texts([&case.name, &case.found, &case.needed, &case.fix].into_iter().flatten());
        for cause in &case.possible {
            all.conditions(cause.condition.iter());
            all.texts(cause.texts());
        }
        case.bindings.iter().for_each(|(_, binding)| all.binding(binding));
        match &case.remedies {
            RemedyChoice::Named(uses) => {
                for one in uses {
                    all.conditions(one.condition.iter());
                    one.with.iter().for_each(|(_, binding)| all.binding(binding));
                }
            }
            RemedyChoice::Known(source) => all.conditions([source].into_iter()),
        }
    }
    for explains in file.explains.iter().chain(file.cases.iter().flat_map(|case| &case.explains)) {
        all.conditions(explains.condition.iter());
        all.texts(explains.cases.iter());
    }
    for metric in &file.metrics {
        all.conditions(
            [Some(&metric.value), metric.warn.as_ref(), metric.crit.as_ref()].into_iter().flatten(),
        );
    }
    all.found
}

/// All expressions of what a name stands for.
pub fn binding_expressions(binding: &Binding) -> Vec<Expression<'_>> {
    let mut all = Collected { found: Vec::new() };
    all.binding(binding);
    all.found
}

struct Collected<'c> {
    found: Vec<Expression<'c>>,
}

impl<'c> Collected<'c> {
    fn conditions(&mut self, sources: impl Iterator<Item = &'c Source>) {
        self.found.extend(sources.map(|source| (source, source.text.trim().to_owned())));
    }

    fn texts(&mut self, templates: impl Iterator<Item = &'c Template>) {
        for source in templates.flat_map(|template| [&template.en, &template.zh]) {
            self.found.extend(pieces(&source.text).map(|piece| (source, piece)));
        }
    }

    fn binding(&mut self, binding: &'c Binding) {
        match binding {
            Binding::Expression(source) => self.conditions([source].into_iter()),
            Binding::Text(template) => self.texts([template].into_iter()),
            Binding::Table(table) => {
                self.conditions([&table.subject].into_iter());
                table.rows.iter().for_each(|(_, row)| self.binding(row));
            }
            Binding::Choice(alternatives) => {
                for (condition, binding) in alternatives {
                    self.conditions(condition.iter());
                    self.binding(binding);
                }
            }
            Binding::Each(each) => {
                self.conditions([&each.items].into_iter().chain(&each.condition));
                self.texts([&each.text].into_iter());
                each.bindings.iter().for_each(|(_, binding)| self.binding(binding));
            }
        }
    }
}

/// What stands between `{{`/`{%` and `}}`/`%}` in a text.
pub fn pieces(text: &str) -> impl Iterator<Item = String> {
    [("{{", "}}"), ("{%", "%}")].into_iter().flat_map(move |(open, close)| {
        text.split(open)
            .skip(1)
            .map(move |rest| rest.split(close).next().unwrap_or_default().trim().to_owned())
    })
}
