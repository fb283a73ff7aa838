//! Tells causes from consequences. Pure.
//!
//! What a check suffices to explain stands in its file (`explains`); here it is put beside what was found. The unit is
//! the problem: a finding with two problems of which one is explained stands for itself with the other. Nothing is
//! added to the findings and nothing taken away: states, counts and the exit code stay as they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::kinship::{About, Kinship, is_at};
use crate::model::check::{Check, Target};
use crate::model::diagnosis::{Claim, Diagnosis, FindingRef, Subjects};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, State};

/// Something that is not as it should be: a problem of a finding, or that it is unknown for want of a fact.
struct Item {
    /// The finding.
    finding: usize,
    /// The problem. Null: a fact is missing.
    problem: Option<usize>,
    /// The items that explain it.
    explained_by: Vec<usize>,
}

/// Notes at each problem by what it is explained, and returns what is left, what is to be done first before the rest.
pub fn diagnose(findings: &mut [Finding], facts: &Facts, checks: &[Check]) -> Vec<Diagnosis> {
    let kinship = Kinship::new(facts, checks);
    let mut items = items(findings);
    {
        let subjects: Vec<About<'_>> = findings.iter().map(|finding| kinship.subject(finding)).collect();
        let places = Places::of(&items, &subjects);
        for cause in 0..items.len() {
            for other in consequences(cause, &items, findings, &subjects, &places) {
                items[other].explained_by.push(cause);
            }
        }
    }
    let below = roots(&mut items);
    let refs: Vec<FindingRef> = findings.iter().map(reference).collect();
    for item in items.iter().filter(|item| !item.explained_by.is_empty()) {
        let causes: BTreeSet<&FindingRef> =
            item.explained_by.iter().map(|cause| &refs[items[*cause].finding]).collect();
        let explained_by: Vec<FindingRef> = causes.into_iter().cloned().collect();
        match item.problem {
            Some(problem) => {
                let problem = &mut findings[item.finding].problems[problem];
                problem.explained_by = explained_by;
                problem.possible.clear();
            }
            None => findings[item.finding].explained_by = explained_by,
        }
    }
    let stands: BTreeSet<usize> =
        items.iter().filter(|item| item.explained_by.is_empty()).map(|item| item.finding).collect();
    for (index, finding) in findings.iter_mut().enumerate() {
        if finding.state.matters() && !stands.contains(&index) && !finding.problems.is_empty() {
            let causes: BTreeSet<FindingRef> =
                finding.problems.iter().flat_map(|problem| problem.explained_by.iter().cloned()).collect();
            finding.explained_by = causes.into_iter().collect();
        }
    }
    let mut explained: BTreeMap<usize, BTreeSet<usize>> =
        stands.iter().map(|finding| (*finding, BTreeSet::new())).collect();
    for (item, roots) in items.iter().zip(&below).filter(|(item, _)| !stands.contains(&item.finding)) {
        for root in roots {
            explained.entry(items[*root].finding).or_default().insert(item.finding);
        }
    }
    let mut found: Vec<(usize, BTreeSet<usize>)> = explained.into_iter().collect();
    let targets: Vec<Option<Target>> =
        findings.iter().map(|finding| kinship.subject(finding).target).collect();
    found.sort_by_key(|(finding, explained)| {
        let own = &findings[*finding];
        let worst = explained.iter().map(|index| findings[*index].state.rank()).min();
        let place = Target::ALL.iter().position(|target| Some(*target) == targets[*finding]);
        (
            own.state.rank().min(worst.unwrap_or(usize::MAX)),
            own.state.rank(),
            own.problems.iter().any(|problem| !problem.possible.is_empty()),
            Reverse(explained.len()),
            place.unwrap_or(usize::MAX),
            (own.target.clone(), own.check.clone()),
        )
    });
    let diagnosis = |(finding, explained): (usize, BTreeSet<usize>)| {
        let mut explained: Vec<usize> = explained.into_iter().collect();
        explained
            .sort_by_key(|index| (findings[*index].state.rank(), &refs[*index].target, &refs[*index].check));
        let FindingRef { check, target } = refs[finding].clone();
        Diagnosis {
            check,
            target,
            explains: explained.into_iter().map(|index| refs[index].clone()).collect(),
        }
    };
    found.into_iter().map(diagnosis).collect()
}

fn reference(finding: &Finding) -> FindingRef {
    FindingRef { check: finding.check.clone(), target: finding.target.clone() }
}

fn items(findings: &[Finding]) -> Vec<Item> {
    let mut items = Vec::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.state.matters()) {
        let item = |problem| Item { finding: index, problem, explained_by: Vec::new() };
        if finding.problems.is_empty() {
            items.push(item(None));
        }
        let problems = finding.problems.iter().enumerate().filter(|(_, problem)| problem.state.matters());
        items.extend(problems.map(|(problem, _)| item(Some(problem))));
    }
    items
}

/// Where the items about a server or a subject are: of the thousands of a large run a cause can mean a few.
struct Places<'s> {
    by_server: BTreeMap<&'s str, Vec<usize>>,
    by_name: BTreeMap<&'s str, Vec<usize>>,
    by_whole: BTreeMap<&'s str, Vec<usize>>,
    all: Vec<usize>,
}

impl<'s> Places<'s> {
    fn of(items: &[Item], subjects: &[About<'s>]) -> Self {
        let mut places = Self {
            by_server: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_whole: BTreeMap::new(),
            all: (0..items.len()).collect(),
        };
        for (index, item) in items.iter().enumerate() {
            let subject = &subjects[item.finding];
            places.by_name.entry(subject.name).or_default().push(index);
            for server in &subject.servers {
                places.by_server.entry(server).or_default().push(index);
            }
            for whole in &subject.within {
                places.by_whole.entry(whole).or_default().push(index);
            }
        }
        places
    }

    /// What can be at `at` of a cause: it has the name or a server of the cause, or is anywhere.
    fn at(&self, at: Subjects, cause: &About<'_>) -> BTreeSet<usize> {
        match at {
            Subjects::Anywhere => return self.all.iter().copied().collect(),
            Subjects::Parts => return self.by_whole.get(cause.name).into_iter().flatten().copied().collect(),
            _ => {}
        }
        let of_servers = cause.servers.iter().filter_map(|server| self.by_server.get(server));
        of_servers.chain(self.by_name.get(cause.name)).flatten().copied().collect()
    }
}

/// The items that one of them explains.
fn consequences(
    cause: usize,
    items: &[Item],
    findings: &[Finding],
    subjects: &[About<'_>],
    places: &Places<'_>,
) -> BTreeSet<usize> {
    let Item { finding: of, problem: Some(problem), .. } = items[cause] else { return BTreeSet::new() };
    let mut explained = BTreeSet::new();
    for claim in &findings[of].problems[problem].claims {
        for index in places.at(claim.at, &subjects[of]) {
            let item = &items[index];
            let finding = &findings[item.finding];
            if item.finding != of
                && (claim.checks.is_empty() || claim.checks.contains(&finding.check))
                && is_meant(claim, finding, item.problem)
                && is_at(claim.at, &subjects[of], &subjects[item.finding])
                && (item.problem.is_some() || lacks(finding, &subjects[of], &subjects[item.finding]))
            {
                explained.insert(index);
            }
        }
    }
    explained
}

/// Whether a claim is about this problem of a finding.
fn is_meant(claim: &Claim, finding: &Finding, problem: Option<usize>) -> bool {
    match problem {
        // That a fact is missing is explained by what says why facts are missing, and by nothing else.
        None => claim.unknown && finding.state == State::Unknown,
        Some(_) if claim.unknown => false,
        Some(problem) => {
            let case = finding.problems[problem].case.as_ref();
            claim.cases.is_empty() || case.is_some_and(|case| claim.cases.contains(case))
        }
    }
}

/// Whether the fact that `finding` lacks is one that the cause is about. What is between servers lacks a fact of one of
/// them, or of both; what is behind a Codis one of the server or one of the Codis.
fn lacks(finding: &Finding, cause: &About<'_>, subject: &About<'_>) -> bool {
    use Target::{Backend, Codis, Coordinator, Host, Instance, Product, Sentinel, Watched};
    let root = finding.missing.as_deref().unwrap_or_default().split('.').next();
    let is_of = |targets: &[Target]| cause.target.is_none_or(|target| targets.contains(&target));
    let of_others = [Host, Codis, Coordinator, Product, Sentinel, Watched];
    match root {
        Some("node" | "replica" | "master" | "a" | "b") if is_of(&of_others) => return false,
        Some("codis" | "server") => return is_of(&[Codis, Backend]),
        Some("coordinator" | "product") => return is_of(&[Coordinator, Product]),
        Some("sentinel" | "watched") => return is_of(&[Sentinel, Watched]),
        Some("host") => return is_of(&[Host, Instance]),
        _ => {}
    }
    let end = match root {
        Some("replica" | "a") => subject.servers.first(),
        Some("master" | "b") => subject.servers.get(1),
        _ => return true,
    };
    end.is_none_or(|server| cause.servers.contains(server))
}

/// Makes sure that everything that is explained hangs below something that is not, and says below what.
fn roots(items: &mut [Item]) -> Vec<BTreeSet<usize>> {
    loop {
        let below = below(items);
        let Some(in_circle) = below.iter().position(BTreeSet::is_empty) else { return below };
        // Checks of a user may explain each other in a circle that no rule sees. The worst one stands then.
        items[in_circle].explained_by.clear();
    }
}

/// For each item the unexplained ones that it follows from; of what is not explained, itself.
fn below(items: &[Item]) -> Vec<BTreeSet<usize>> {
    let mut explains: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    for (index, item) in items.iter().enumerate() {
        for cause in &item.explained_by {
            explains[*cause].push(index);
        }
    }
    let mut below = vec![BTreeSet::new(); items.len()];
    for root in (0..items.len()).filter(|index| items[*index].explained_by.is_empty()) {
        let mut waiting = VecDeque::from([root]);
        while let Some(index) = waiting.pop_front() {
            if below[index].insert(root) {
                waiting.extend(&explains[index]);
            }
        }
    }
    below
}
