//! Evaluates the checks over the facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};
use serde_json::Value as Json;

use super::language::environment;
use super::phrases::Phrases;
use super::subjects::{Variables, subjects};
use super::tree::{Missing, example_tree, missing_of, place_of, tree};
use crate::catalog::check_file::for_each_parts;
use crate::model::absence::{Absence, AbsenceKind};
use crate::model::catalogue::Catalogue;
use crate::model::check::{Case, Check, CheckFile, Example, Param, Target};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Metric, Problem, State};
use crate::model::policy::Parameters;
use crate::model::text::{Language, Source, Template};

/// Evaluates checks in one language.
pub struct Judge<'c> {
    checks: &'c [Check],
    env: Environment<'static>,
    phrases: Arc<Phrases>,
    language: Language,
}

impl<'c> Judge<'c> {
    /// A judge with the checks and the knowledge of `catalogue`.
    pub fn new(catalogue: &'c Catalogue, language: Language) -> Self {
        let knowledge = Arc::new(catalogue.knowledge.clone());
        let phrases = Arc::new(Phrases::new(&knowledge.phrases, language));
        let env = environment(&knowledge, &phrases, language);
        Self { checks: &catalogue.checks, env, phrases, language }
    }

    /// One finding for each check and target.
    pub fn judge(&self, facts: &Facts, parameters: &Parameters) -> Vec<Finding> {
        let none = BTreeMap::new();
        let mut findings = Vec::new();
        for &target in Target::ALL {
            for (name, variables) in subjects(facts, target) {
                for check in self.checks_of(target) {
                    let set = parameters.get(&check.id).unwrap_or(&none);
                    findings.push(self.evaluate(check, &name, variables.clone(), set));
                }
            }
        }
        findings
    }

    fn checks_of(&self, target: Target) -> impl Iterator<Item = &'c Check> {
        self.checks.iter().filter(move |check| check.file.target == target)
    }

    /// What a check says of an example. The example's facts are all that it may look at.
    pub fn try_example(&self, check: &Check, example: &Example) -> Finding {
        self.evaluate(check, "example", example_variables(check, example), &example.params)
    }

    /// The indexes of the cases that an example leads to.
    pub fn cases_of_example(&self, check: &Check, example: &Example) -> Vec<usize> {
        let mut variables = example_variables(check, example);
        variables.insert("params".to_owned(), params(&check.file, &example.params));
        let scopes = self.scopes(&check.file, &variables).unwrap_or_default();
        let first = |scope| self.first_case(&check.file.cases, scope).ok().flatten().map(|(index, _)| index);
        scopes.iter().filter_map(first).collect()
    }

    fn evaluate(
        &self,
        check: &Check,
        target: &str,
        mut variables: Variables,
        set: &BTreeMap<String, Json>,
    ) -> Finding {
        let file = &check.file;
        variables.insert("params".to_owned(), params(file, set));
        let mut finding = Finding {
            check: check.id.clone(),
            target: target.to_owned(),
            state: State::Ok,
            title: self.text(&file.title, &variables),
            problems: Vec::new(),
            note: String::new(),
            metrics: Vec::new(),
            missing: None,
            accepted: None,
        };
        match self.outcome(file, &variables) {
            Ok(Outcome::NotApplicable(note)) => {
                finding.state = State::NotApplicable;
                finding.note = note;
                return finding;
            }
            Ok(Outcome::Judged(problems, note)) => {
                finding.state =
                    problems.iter().map(|p| p.state).min_by_key(|s| s.rank()).unwrap_or(State::Ok);
                if finding.state == State::Skipped {
                    // Nothing is wrong: what the cases found are the reasons.
                    let mut reasons: Vec<String> =
                        problems.into_iter().map(|problem| problem.found).collect();
                    reasons.dedup();
                    finding.note = reasons.join("; ");
                } else {
                    finding.note = note;
                    finding.problems = problems;
                }
            }
            Err(error) => {
                let (state, note) = self.unanswered(&error);
                finding.state = state;
                finding.note = note;
                finding.missing = missing_of(&error).map(|missing| missing.path.clone());
            }
        }
        finding.metrics = file.metrics.iter().filter_map(|rule| self.metric(rule, &variables)).collect();
        finding
    }

    fn outcome(&self, file: &CheckFile, variables: &Variables) -> Result<Outcome, Error> {
        if let Some(when) = &file.when
            && !self.holds(when, variables)?
        {
            let note = match &file.otherwise {
                Some(otherwise) => self.text(otherwise, variables),
                None => when.text.clone(),
            };
            return Ok(Outcome::NotApplicable(note));
        }
        let mut problems = Vec::new();
        for scope in self.scopes(file, variables)? {
            let Some((_, case)) = self.first_case(&file.cases, &scope)? else { continue };
            let state = case.state;
            let found = self.text(&case.found, &scope);
            match state {
                State::Ok if file.for_each.is_none() => return Ok(Outcome::Judged(problems, found)),
                State::Ok => {}
                State::NotApplicable if file.for_each.is_none() => return Ok(Outcome::NotApplicable(found)),
                _ => problems.push(Problem {
                    state,
                    found,
                    needed: case.needed.as_ref().map(|needed| self.text(needed, &scope)),
                    fix: case.fix.as_ref().map(|fix| self.text(fix, &scope)),
                    place: item_of(file, &scope).and_then(place_of),
                    identity: identity(case, item_of(file, &scope)),
                    may_pass: match &case.may_pass {
                        // What cannot be known may pass; the finding itself is certain.
                        Some(condition) => self.holds(condition, &scope).unwrap_or(true),
                        None => false,
                    },
                }),
            }
        }
        problems.sort_by_key(|problem| problem.state.rank());
        let note = if problems.is_empty() { self.text(&file.ok, variables) } else { String::new() };
        Ok(Outcome::Judged(problems, note))
    }

    /// The variables of each evaluation: one, or one for each item of `for_each`.
    fn scopes(&self, file: &CheckFile, variables: &Variables) -> Result<Vec<Variables>, Error> {
        let Some((name, expression)) = file.for_each.as_ref().and_then(|source| for_each_parts(&source.text))
        else {
            return Ok(vec![variables.clone()]);
        };
        let items = self.env.compile_expression(expression)?.eval(variables)?;
        let mut scopes = Vec::new();
        for item in items.try_iter()? {
            let mut scope = variables.clone();
            scope.insert(name.to_owned(), item);
            scopes.push(scope);
        }
        Ok(scopes)
    }

    fn first_case<'f>(
        &self,
        cases: &'f [Case],
        variables: &Variables,
    ) -> Result<Option<(usize, &'f Case)>, Error> {
        for (index, case) in cases.iter().enumerate() {
            if self.holds(&case.condition, variables)? {
                return Ok(Some((index, case)));
            }
        }
        Ok(None)
    }

    fn holds(&self, condition: &Source, variables: &Variables) -> Result<bool, Error> {
        Ok(self.env.compile_expression(&condition.text)?.eval(variables)?.is_true())
    }

    /// A text with its values. A text that needs an absent fact must not hide the finding it belongs to.
    fn text(&self, template: &Template, variables: &Variables) -> String {
        let source = &template.get(self.language).text;
        match self.env.render_str(source, variables) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => match missing_of(&error) {
                Some(missing) => format!("({})", self.without(missing)),
                None => format!("({error})"),
            },
        }
    }

    fn metric(&self, rule: &crate::model::check::MetricRule, variables: &Variables) -> Option<Metric> {
        let evaluate = |source: &Source| self.env.compile_expression(&source.text)?.eval(variables);
        let value = match evaluate(&rule.value) {
            Ok(value) if value.is_none() => return None,
            Ok(value) => f64::try_from(value).ok().filter(|value| value.is_finite()),
            // Without the fact there is nothing to measure on this release; otherwise say that it is missing.
            Err(error) => match missing_of(&error) {
                Some(missing) if missing.kind == AbsenceKind::NotInRelease => return None,
                _ => None,
            },
        };
        let range = |source: &Option<Source>| {
            source
                .as_ref()
                .and_then(|source| evaluate(source).ok())
                .filter(|v| !v.is_none())
                .map(|v| v.to_string())
        };
        Some(Metric {
            name: rule.name.clone(),
            value,
            unit: rule.unit.clone(),
            warn: range(&rule.warn),
            crit: range(&rule.crit),
        })
    }

    /// What to make of an expression that could not be answered.
    fn unanswered(&self, error: &Error) -> (State, String) {
        match missing_of(error) {
            Some(missing) => {
                let state = match missing.kind {
                    AbsenceKind::Failed => State::Unknown,
                    AbsenceKind::NoAccess => State::Skipped,
                    AbsenceKind::NotInRelease => State::NotApplicable,
                };
                (state, self.without(missing))
            }
            None => (State::Unknown, format!("the check itself failed: {error}")),
        }
    }

    /// Which fact is missing, and why.
    fn without(&self, missing: &Missing) -> String {
        format!("{}: {}", missing.path, self.phrases.localized(&missing.reason))
    }
}

enum Outcome {
    NotApplicable(String),
    /// Problems, worst first, and what to say when there are none.
    Judged(Vec<Problem>, String),
}

/// The item that `for_each` has come to.
fn item_of<'v>(file: &CheckFile, scope: &'v Variables) -> Option<&'v Value> {
    let (name, _) = for_each_parts(&file.for_each.as_ref()?.text)?;
    scope.get(name)
}

/// The same for the same problem of another run, and another one for every other problem: the condition that held,
/// and what the item is called. An item without a name is known by everything that it says.
fn identity(case: &Case, item: Option<&Value>) -> String {
    const NAMES: [&str; 8] = ["id", "key", "name", "role", "port", "db", "ip", "host"];
    let case = &blake3::hash(case.condition.text.as_bytes()).to_hex()[..8];
    let Some(item) = item else { return case.to_owned() };
    let named: Vec<String> = NAMES
        .iter()
        .filter_map(|name| item.get_attr(name).ok())
        .filter(|value| matches!(value.kind(), ValueKind::String | ValueKind::Number))
        .map(|value| value.to_string())
        .collect();
    let name = if named.is_empty() { item.to_string() } else { named.join(" ") };
    format!("{case}-{}", &blake3::hash(name.as_bytes()).to_hex()[..8])
}

/// The facts of an example, and nothing else.
fn example_variables(check: &Check, example: &Example) -> Variables {
    let mut variables = Variables::new();
    for root in check.file.target.roots() {
        if let Some(facts) = example.facts.get(*root) {
            let absences: Vec<Absence> = facts
                .get("errors")
                .and_then(|errors| serde_json::from_value(errors.clone()).ok())
                .unwrap_or_default();
            variables.insert((*root).to_owned(), example_tree(root, facts, absences));
        }
    }
    variables
}

/// The parameters of a check: their defaults, and what was set.
fn params(file: &CheckFile, set: &BTreeMap<String, Json>) -> Value {
    let value =
        |(name, param): (&String, &Param)| (name.clone(), set.get(name).unwrap_or(&param.default).clone());
    tree("params", &Json::Object(file.params.iter().map(value).collect()), Vec::new())
}
