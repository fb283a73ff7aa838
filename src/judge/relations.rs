//! Finds the mistakes in what checks say that they explain: checks and cases that do not exist, subjects that can
//! never be meant, and checks that explain each other in a circle. Pure.

use super::kinship::{is_between, is_single};
use crate::catalog::check_file::CatalogueError;
use crate::model::check::{Check, Explains, Target};
use crate::model::diagnosis::Subjects;
use crate::model::text::Source;
use crate::parse::nearest::did_you_mean;

/// Everything that is wrong with what a check says that it explains. `checks` are all, with it.
pub fn faults(check: &Check, checks: &[Check]) -> Vec<CatalogueError> {
    let mut faults = Vec::new();
    for explains in all(check) {
        faults.extend(faults_of(explains, check, checks));
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
        if !can_be_at(explains.at, other.target) {
            let what = format!("`{}` is never evaluated for what `at` says", id.text);
            faults.push((id.clone(), what));
        }
        if let Some(way) = way(other, &check.id, checks, &mut Vec::new()) {
            let circle = way.join(" explains ");
            faults.push((id.clone(), format!("a circle: {} explains {circle}", check.id)));
        }
    }
    for name in &explains.cases {
        let explained =
            explains.checks.iter().filter_map(|id| checks.iter().find(|other| other.id == id.text));
        let mut cases = explained.flat_map(|other| &other.file.cases);
        if !cases.any(|case| case.name.as_deref() == Some(&name.text)) {
            faults.push((name.clone(), format!("no case of these checks has the name `{}`", name.text)));
        }
    }
    faults
}

/// Whether checks of `target` are evaluated for subjects of that kind.
fn can_be_at(at: Subjects, target: Target) -> bool {
    match at {
        Subjects::Same | Subjects::Anywhere => true,
        Subjects::Replica | Subjects::Master | Subjects::Node => is_single(Some(target)),
        Subjects::Links => is_between(Some(target)),
        Subjects::LinksAsReplica | Subjects::LinksAsMaster => {
            matches!(target, Target::Link | Target::PlannedLink)
        }
        Subjects::Host => target == Target::Host,
    }
}

/// The checks from `from` to `to`, each of which explains the next one.
fn way<'c>(from: &'c Check, to: &str, checks: &'c [Check], seen: &mut Vec<&'c str>) -> Option<Vec<&'c str>> {
    if from.id == to {
        return Some(vec![from.id.as_str()]);
    }
    if seen.contains(&from.id.as_str()) {
        return None;
    }
    seen.push(&from.id);
    for id in all(from).flat_map(|explains| &explains.checks) {
        let Some(next) = checks.iter().find(|other| other.id == id.text) else { continue };
        if let Some(mut way) = way(next, to, checks, seen) {
            way.insert(0, &from.id);
            return Some(way);
        }
    }
    None
}
