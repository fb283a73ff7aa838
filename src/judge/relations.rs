//! Finds the mistakes in what checks say that they explain: checks and cases that do not exist, subjects that can
//! never be meant, and checks that explain each other in a circle. Pure.

use std::collections::BTreeSet;

use super::kinship::{is_between, is_part, is_single};
use crate::catalog::check_file::CatalogueError;
use crate::model::check::{Case, Check, Explains, Target};
use crate::model::diagnosis::Subjects;
use crate::model::text::{Source, Template};
use crate::parse::nearest::did_you_mean;

/// Everything that is wrong with what a check says that it explains. `checks` are all, with it.
pub fn faults(check: &Check, checks: &[Check]) -> Vec<CatalogueError> {
    let mut faults = Vec::new();
    for explains in all(check) {
        faults.extend(faults_of(explains, check, checks));
    }
    if let Some(circle) = circle(check, checks) {
        let place = all(check).find_map(|explains| explains.checks.first()).unwrap_or(&check.file.title.en);
        faults.push((place.clone(), format!("a circle: {}", circle.join(" explains "))));
    }
    let wrong = |(source, message): (Source, String)| CatalogueError::Wrong {
        file: check.origin.clone(),
        line: source.line,
        column: source.column,
        message,
    };
    faults.into_iter().map(wrong).collect()
}

fn all(check: &Check) -> impl Iterator<Item = &Explains> {
    check.file.explains.iter().chain(check.file.cases.iter().flat_map(|case| &case.explains))
}

fn faults_of(explains: &Explains, check: &Check, checks: &[Check]) -> Vec<(Source, String)> {
    let mut faults = Vec::new();
    if explains.checks.is_empty() && !explains.unknown {
        let place = explains.condition.as_ref().unwrap_or(&check.file.title.en);
        faults.push((place.clone(), "`explains` needs `checks`, or `unknown: true`".to_owned()));
    }
    let is_between_servers = is_between(Some(check.target)) && check.target != Target::Log;
    if matches!(explains.at, Subjects::Replica | Subjects::Master)
        && !matches!(check.target, Target::Link | Target::PlannedLink)
    {
        let place = explains.checks.first().unwrap_or(&check.file.title.en);
        faults.push((place.clone(), "only a check of links has a `master` and a `replica`".to_owned()));
    }
    if matches!(explains.at, Subjects::LinksAsReplica | Subjects::LinksAsMaster) && is_between_servers {
        let place = explains.checks.first().unwrap_or(&check.file.title.en);
        faults.push((place.clone(), "this check is between servers: write `same` or `links`".to_owned()));
    }
    for id in &explains.checks {
        let Some(other) = checks.iter().find(|other| other.id == id.text) else {
            let nearest = did_you_mean(&id.text, checks.iter().map(|other| other.id.as_str()));
            faults.push((id.clone(), format!("there is no check `{}`{nearest}", id.text)));
            continue;
        };
        if !can_be_at(explains.at, check.target, other.target) {
            let what = format!("`{}` is never evaluated for what `at` says", id.text);
            faults.push((id.clone(), what));
        }
    }
    for name in &explains.cases {
        let explained =
            explains.checks.iter().filter_map(|id| checks.iter().find(|other| other.id == id.text));
        let mut cases = explained.flat_map(|other| &other.file.cases);
        if !cases.any(|case| is_name_of(name, case)) {
            faults
                .push((name.en.clone(), format!("no case of these checks has the name `{}`", name.en.text)));
        }
    }
    faults
}

/// Whether a name can be that of a case. What has values in it can be any.
fn is_name_of(name: &Template, case: &Case) -> bool {
    let is_fixed = |name: &Template| !name.en.text.contains("{{");
    case.name.as_ref().is_some_and(|own| own.en.text == name.en.text || !is_fixed(own) || !is_fixed(name))
}

/// Whether checks of `target` are evaluated for subjects of that kind.
fn can_be_at(at: Subjects, own: Target, target: Target) -> bool {
    match at {
        Subjects::Same | Subjects::Anywhere => true,
        Subjects::Replica | Subjects::Master | Subjects::Node => is_single(Some(target)),
        Subjects::Links => is_between(Some(target)),
        Subjects::LinksAsReplica | Subjects::LinksAsMaster => {
            matches!(target, Target::Link | Target::PlannedLink)
        }
        Subjects::Host => target == Target::Host,
        Subjects::Parts => is_part(own, target),
    }
}

/// A case of a check: the check's place among all, and its own among the cases.
type Place = (usize, usize);

/// The way by which a case of `check` explains itself.
fn circle<'c>(check: &Check, checks: &'c [Check]) -> Option<Vec<&'c str>> {
    let index = checks.iter().position(|other| other.id == check.id)?;
    let ids = |way: Vec<Place>| way.into_iter().map(|(check, _)| checks[check].id.as_str()).collect();
    let from = |case| way((index, case), (index, case), checks, &mut BTreeSet::new());
    (0..check.file.cases.len()).find_map(from).map(ids)
}

/// The cases from `from` to `to`, each of which explains the next one.
fn way(from: Place, to: Place, checks: &[Check], seen: &mut BTreeSet<Place>) -> Option<Vec<Place>> {
    let (check, case) = (&checks[from.0], &checks[from.0].file.cases[from.1]);
    for explains in check.file.explains.iter().chain(&case.explains) {
        for id in &explains.checks {
            let Some(index) = checks.iter().position(|other| other.id == id.text) else { continue };
            for (number, explained) in checks[index].file.cases.iter().enumerate() {
                let next = (index, number);
                let is_one = explains.cases.is_empty()
                    || explains.cases.iter().any(|name| is_name_of(name, explained));
                if !is_one {
                    continue;
                }
                if next == to {
                    return Some(vec![from, to]);
                }
                if seen.insert(next)
                    && let Some(mut way) = way(next, to, checks, seen)
                {
                    way.insert(0, from);
                    return Some(way);
                }
            }
        }
    }
    None
}
