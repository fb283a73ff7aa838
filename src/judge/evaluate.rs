//! Evaluates the checks over the facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value};
use serde_json::Value as Json;

use super::fingerprint::fingerprint;
use super::remedies::remedies;
use super::subjects::subjects;
use super::template::environment::environment;
use super::template::facts::{NOT_STATED, example_tree, missing_of, place_of, tree};
use super::template::possible::possible_of;
use super::template::scope::{Scope, Variables};
use crate::catalog::check_file::for_each_parts;
use crate::i18n::texts;
use crate::model::catalogue::Catalogue;
use crate::model::check::{
    Case, Check, CheckFile, Example, Explains, MetricRule, Param, PossibleCause, StateRule, Target,
};
use crate::model::diagnosis::{Claim, Look, Possibility};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Metric, Problem, State};
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_PROBLEMS;
use crate::model::policy::Parameters;
use crate::model::range::Range;
use crate::model::text::{Language, Source, Template};
use crate::model::unavailable::{Unavailable, UnavailableKind};
use crate::parse::document::json::from_value;

/// Evaluates checks in one language.
pub struct Judge<'c> {
    checks: &'c [Check],
    env: Arc<Environment<'static>>,
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl<'c> Judge<'c> {
    /// A judge with the checks and the knowledge of `catalogue`.
    pub fn new(catalogue: &'c Catalogue, language: Language) -> Self {
        let knowledge = Arc::new(catalogue.knowledge.clone());
        let env = Arc::new(environment(&knowledge, language));
        Self { checks: &catalogue.checks, env, knowledge, language }
    }

    /// One finding for each check and target.
    pub fn judge(&self, facts: &Facts, parameters: &Parameters) -> Vec<Finding> {
        let none = BTreeMap::new();
        let mut findings = Vec::new();
        for &target in Target::ALL {
            for (name, variables) in subjects(facts, target, self.language) {
                for check in self.checks_of(target) {
                    let set = parameters.get(&check.id).unwrap_or(&none);
                    findings.push(self.evaluate(check, &name, variables.clone(), set));
                }
            }
        }
        findings
    }

    fn checks_of(&self, target: Target) -> impl Iterator<Item = &'c Check> {
        self.checks.iter().filter(move |check| check.target == target)
    }

    /// What a check says of an example. The example's facts are all that it may look at.
    pub fn try_example(&self, check: &Check, example: &Example) -> Finding {
        self.evaluate(check, "example", example_variables(check, example, self.language), &example.params)
    }

    /// The indexes of the cases that an example leads to.
    pub fn cases_of_example(&self, check: &Check, example: &Example) -> Vec<usize> {
        let scope =
            self.scope(&check.file, example_variables(check, example, self.language), &example.params);
        let scopes = scopes(&check.file, &scope).unwrap_or_default();
        let first = |scope| first_case(&check.file.cases, scope).ok().flatten().map(|(index, ..)| index);
        scopes.iter().filter_map(first).collect()
    }

    /// What the expressions of a check see.
    fn scope(&self, file: &CheckFile, mut variables: Variables, set: &BTreeMap<String, Json>) -> Arc<Scope> {
        variables.insert("params".to_owned(), params(file, set));
        Scope::new(&self.env, self.language, variables, &Arc::new(file.bindings.clone()))
    }

    /// Why recipes of an example came to nothing, though nothing says that they do not fit.
    pub fn failed_remedies_of_example(&self, check: &Check, example: &Example) -> Vec<String> {
        let scope =
            self.scope(&check.file, example_variables(check, example, self.language), &example.params);
        let mut failed = Vec::new();
        for scope in scopes(&check.file, &scope).unwrap_or_default() {
            let Ok(Some((_, case, scope))) = first_case(&check.file.cases, &scope) else { continue };
            // What is worse than one that fits may need what the example does not state.
            let tried = remedies(&case.remedies, &scope, &self.knowledge).into_iter();
            let errors = tried.take_while(|one| !matches!(one, Ok(Some(_)))).filter_map(Result::err);
            // What the example says to be absent is absent on servers, too.
            let is_absent =
                |error: &Error| missing_of(error).is_some_and(|missing| missing.reason != NOT_STATED);
            failed.extend(errors.filter(|error| !is_absent(error)).map(|error| error.to_string()));
        }
        failed
    }

    fn evaluate(
        &self,
        check: &Check,
        target: &str,
        variables: Variables,
        set: &BTreeMap<String, Json>,
    ) -> Finding {
        let file = &check.file;
        let scope = self.scope(file, variables, set);
        let mut finding = Finding {
            check: check.id.clone(),
            target: target.to_owned(),
            state: State::Ok,
            title: text(&file.title, &scope),
            problems: Vec::new(),
            note: String::new(),
            metrics: Vec::new(),
            missing: None,
            accepted: None,
            explained_by: Vec::new(),
        };
        match self.outcome(file, &scope) {
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
                let (state, note) = Self::unanswered(&error);
                finding.state = state;
                finding.note = note;
                finding.missing = missing_of(&error).map(|missing| missing.path.clone());
            }
        }
        finding.metrics = file.metrics.iter().filter_map(|rule| metric(rule, &scope)).collect();
        finding
    }

    fn outcome(&self, file: &CheckFile, scope: &Arc<Scope>) -> Result<Outcome, Error> {
        if let Some(when) = &file.when
            && !scope.holds(when)?
        {
            let note = match &file.not_applicable {
                Some(not_applicable) => text(not_applicable, scope),
                None => when.text.clone(),
            };
            return Ok(Outcome::NotApplicable(note));
        }
        let mut held: Vec<(State, &Case, Arc<Scope>)> = Vec::new();
        for scope in scopes(file, scope)? {
            let Some((_, case, scope)) = first_case(&file.cases, &scope)? else { continue };
            let state = state_of(&case.state, &scope)?;
            let found = || case.found.as_ref().map(|found| text(found, &scope));
            match state {
                State::Ok if file.for_each.is_none() => {
                    let note = found().unwrap_or_else(|| text(&file.ok, &scope));
                    return Ok(Outcome::Judged(Vec::new(), note));
                }
                State::Ok => {}
                State::NotApplicable if file.for_each.is_none() => {
                    return Ok(Outcome::NotApplicable(found().unwrap_or_default()));
                }
                _ => held.push((state, case, scope)),
            }
        }
        // The state of each counts; the texts of the first tell a person what it is about, and a server must not choose
        // how long a report is.
        held.sort_by_key(|(state, ..)| state.rank());
        let rest: Vec<State> = held.iter().skip(MAX_PROBLEMS).map(|(state, ..)| *state).collect();
        held.truncate(MAX_PROBLEMS);
        let told = held.iter().map(|(state, case, scope)| self.problem(file, *state, case, scope));
        let problems: Vec<Problem> = told.chain(self.rest(&rest)).collect();
        let note = if problems.is_empty() { text(&file.ok, scope) } else { String::new() };
        Ok(Outcome::Judged(problems, note))
    }

    /// What a case that holds says.
    fn problem(&self, file: &CheckFile, state: State, case: &Case, scope: &Arc<Scope>) -> Problem {
        let item = item_of(file, scope);
        Problem {
            needed: case.needed.as_ref().map(|needed| text(needed, scope)),
            // It may hold commands: no value of a server is more than a word there.
            fix: case.fix.as_ref().map(|fix| text(fix, &scope.quoted())),
            // A remedy of which something is not known is none.
            remedies: remedies(&case.remedies, scope, &self.knowledge)
                .into_iter()
                .filter_map(|remedy| remedy.ok().flatten())
                .collect(),
            place: item.and_then(place_of),
            identity: identity(case, item),
            may_pass: match &case.transient {
                // What cannot be known may pass; the finding itself is certain.
                Some(condition) => scope.holds(condition).unwrap_or(true),
                None => false,
            },
            case: case.name.as_ref().map(|name| text(name, scope)),
            possible: possible(case, item, scope),
            claims: claims(file, case, scope),
            ..Problem::new(state, case.found.as_ref().map(|found| text(found, scope)).unwrap_or_default())
        }
    }

    /// Says how many problems are not told one by one. Another number is another problem: a baseline accepts no more
    /// than there were.
    fn rest(&self, states: &[State]) -> Option<Problem> {
        let worst = states.iter().min_by_key(|state| state.rank())?;
        let identity = format!("more-{}", states.len());
        Some(Problem { identity, ..Problem::new(*worst, texts::and_more(self.language, states.len())) })
    }

    /// What to make of an expression that could not be answered.
    fn unanswered(error: &Error) -> (State, String) {
        match missing_of(error) {
            Some(missing) => {
                let state = match missing.kind {
                    UnavailableKind::Failed => State::Unknown,
                    UnavailableKind::NoAccess => State::Skipped,
                    UnavailableKind::NotInRelease => State::NotApplicable,
                };
                (state, missing.to_string())
            }
            None => (State::Unknown, format!("the check itself failed: {error}")),
        }
    }
}

/// A text with its values. A text that needs an absent fact must not hide the finding it belongs to.
fn text(template: &Template, scope: &Arc<Scope>) -> String {
    match scope.text(template) {
        Ok(text) => text.trim().to_owned(),
        Err(error) => match missing_of(&error) {
            Some(missing) => format!("({missing})"),
            None => format!("({error})"),
        },
    }
}

fn metric(rule: &MetricRule, scope: &Arc<Scope>) -> Option<Metric> {
    let evaluate = |source: &Source| scope.value(&source.text);
    let value = match evaluate(&rule.value) {
        Ok(value) if value.is_none() => return None,
        Ok(value) => f64::try_from(value).ok().filter(|value| value.is_finite()),
        // Without the fact there is nothing to measure on this release; otherwise say that it is missing.
        Err(error) => match missing_of(&error) {
            Some(missing) if missing.kind == UnavailableKind::NotInRelease => return None,
            _ => None,
        },
    };
    let range = |source: &Option<Source>| {
        source
            .as_ref()
            .and_then(|source| evaluate(source).ok())
            .filter(|value| !value.is_none())
            .and_then(|value| value.to_string().parse::<Range>().ok())
    };
    Some(Metric {
        name: rule.name.clone(),
        value,
        unit: rule.unit.clone(),
        warn: range(&rule.warn),
        crit: range(&rule.crit),
    })
}

/// The scope of each evaluation: one, or one for each item of `for_each`.
fn scopes(file: &CheckFile, scope: &Arc<Scope>) -> Result<Vec<Arc<Scope>>, Error> {
    let Some((name, expression)) = file.for_each.as_ref().and_then(|source| for_each_parts(&source.text))
    else {
        return Ok(vec![scope.clone()]);
    };
    let items = scope.value(expression)?;
    Ok(items.try_iter()?.map(|item| scope.with(name, item)).collect())
}

/// A case that holds: its place among the cases, the case, and what its texts see.
type HeldCase<'f> = (usize, &'f Case, Arc<Scope>);

/// The first case that holds.
fn first_case<'f>(cases: &'f [Case], scope: &Arc<Scope>) -> Result<Option<HeldCase<'f>>, Error> {
    for (index, case) in cases.iter().enumerate() {
        let scope = scope.within(&case.bindings);
        let holds = case.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))?;
        if holds && case.row.as_ref().map_or(Ok(true), |(subject, pattern)| scope.fits(subject, pattern))? {
            return Ok(Some((index, case, scope)));
        }
    }
    Ok(None)
}

fn state_of(rule: &StateRule, scope: &Arc<Scope>) -> Result<State, Error> {
    match rule {
        StateRule::Fixed(state) => Ok(*state),
        StateRule::Expression(source) => {
            let value = scope.value(&source.text)?;
            let state = value.as_str().and_then(|word| from_value(&Json::from(word)).ok());
            state.filter(|state| *state != State::Waived).ok_or_else(|| {
                let message = format!("`{value}`, the value of `{}`, is no state of a case", source.text);
                Error::new(ErrorKind::InvalidOperation, message)
            })
        }
    }
}

enum Outcome {
    NotApplicable(String),
    /// Problems, worst first, and what to say when there are none.
    Judged(Vec<Problem>, String),
}

/// The item that `for_each` has come to.
fn item_of<'v>(file: &CheckFile, scope: &'v Scope) -> Option<&'v Value> {
    let (name, _) = for_each_parts(&file.for_each.as_ref()?.text)?;
    scope.variable(name)
}

/// The same for the same problem of another run, and another one for every other problem: the condition that held,
/// and what the item is called. An item without a name is known by everything that it says.
fn identity(case: &Case, item: Option<&Value>) -> String {
    const NAMES: [&str; 8] = ["id", "key", "name", "role", "port", "db", "ip", "host"];
    let case = fingerprint(&case.title(), 8);
    let Some(item) = item else { return case };
    let named: Vec<String> = NAMES
        .iter()
        .filter_map(|name| item.get_attr(name).ok())
        .filter(|value| matches!(value.kind(), ValueKind::String | ValueKind::Number))
        .map(|value| value.to_string())
        .collect();
    let name = if named.is_empty() { item.to_string() } else { named.join(" ") };
    format!("{case}-{}", fingerprint(&name, 8))
}

/// What a problem that a case found suffices to explain.
fn claims(file: &CheckFile, case: &Case, scope: &Arc<Scope>) -> Vec<Claim> {
    // What is not known for certain explains nothing.
    let holds = |explains: &&Explains| {
        explains.condition.as_ref().is_none_or(|condition| scope.holds(condition).unwrap_or(false))
    };
    let words = |sources: &[Source]| sources.iter().map(|source| source.text.clone()).collect();
    let claim = |explains: &Explains| Claim {
        checks: words(&explains.checks),
        at: explains.at,
        cases: explains.cases.iter().map(|name| text(name, scope)).collect(),
        unknown: explains.unknown,
    };
    file.explains.iter().chain(&case.explains).filter(holds).map(claim).collect()
}

/// The causes that fit what a case found, and those that its item brings along. A fact that is not known rules none of
/// them out.
fn possible(case: &Case, item: Option<&Value>, scope: &Arc<Scope>) -> Vec<Possibility> {
    let fits = |cause: &&PossibleCause| {
        cause.condition.as_ref().is_none_or(|condition| scope.holds(condition).unwrap_or(true))
    };
    let possibility = |cause: &PossibleCause| Possibility {
        cause: text(&cause.cause, scope),
        speaks_for: cause.speaks_for.as_ref().map(|words| text(words, scope)).filter(|text| !text.is_empty()),
        look: Look { on: text(&cause.look.on, scope), run: text(&cause.look.run, &scope.quoted()) },
    };
    let brought = item.map(possible_of).unwrap_or_default();
    case.possible.iter().filter(fits).map(possibility).chain(brought).collect()
}

/// The facts of an example, and nothing else.
fn example_variables(check: &Check, example: &Example, language: Language) -> Variables {
    let mut variables = Variables::new();
    for root in check.target.roots() {
        if let Some(facts) = example.facts.get(*root) {
            let absences: Vec<Unavailable> = facts
                .get("unavailable")
                .and_then(|unavailable| from_value(unavailable).ok())
                .unwrap_or_default();
            variables.insert((*root).to_owned(), example_tree(root, facts, absences, language));
        }
    }
    variables
}

/// The parameters of a check: their defaults, and what was set.
fn params(file: &CheckFile, set: &BTreeMap<String, Json>) -> Value {
    let value =
        |(name, param): (&String, &Param)| (name.clone(), set.get(name).unwrap_or(&param.default).clone());
    let parameters = Json::Object(file.params.iter().map(value).collect());
    tree("params", &parameters, Vec::new(), Language::En)
}
