//! What a report says first: causes, and below each what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::i18n::texts;
use crate::model::diagnosis::{Diagnosis, FindingRef};
use crate::model::finding::{Finding, Problem, Report, State};
use crate::model::text::{Language, escape_control};

/// A finding that stands for itself, with what follows from it.
pub struct StandingCause<'r> {
    /// The finding.
    pub finding: &'r Finding,
    /// What follows.
    pub consequences: Vec<&'r Finding>,
}

impl StandingCause<'_> {
    /// The worst state of the finding and of what follows from it.
    pub fn worst(&self) -> State {
        let states = self.consequences.iter().map(|finding| finding.state);
        states.chain([self.finding.state]).min_by_key(|state| state.rank()).unwrap_or(self.finding.state)
    }

    /// `link/state, link/canary, node/replicas (10.0.0.1:9221)`; the target only where it is another one. Null: nothing
    /// follows.
    pub fn consequences_line(&self, language: Language) -> Option<String> {
        let (unanswered, known): (Vec<&Finding>, Vec<&Finding>) =
            self.consequences.iter().partition(|finding| finding.problems.is_empty());
        let name = |finding: &&Finding| {
            if finding.target == self.finding.target {
                return finding.check.clone();
            }
            format!("{} ({})", finding.check, escape_control(&finding.target))
        };
        let mut names: Vec<String> = known.iter().map(name).collect();
        if !unanswered.is_empty() {
            names.push(texts::cannot_be_answered(language, unanswered.len()));
        }
        (!names.is_empty()).then(|| names.join(texts::COMMA.get(language)))
    }
}

/// All causes, what is to be done first in front.
pub fn causes(report: &Report) -> Vec<StandingCause<'_>> {
    // Backwards, so that the first of two with one name is found, as it is by who reads the report.
    let by_name: BTreeMap<(&str, &str), &Finding> =
        report.findings.iter().rev().map(|it| ((it.check.as_str(), it.target.as_str()), it)).collect();
    let find = |check: &str, target: &str| by_name.get(&(check, target)).copied();
    let diagnosed: BTreeSet<(&str, &str)> =
        report.diagnosis.iter().map(|it| (it.check.as_str(), it.target.as_str())).collect();
    let is_named = |finding: &&Finding| {
        finding.explained_by.is_empty()
            && !diagnosed.contains(&(finding.check.as_str(), finding.target.as_str()))
    };
    let cause = |it: &Diagnosis| {
        let consequences = it.explains.iter().filter_map(|it| find(&it.check, &it.target)).collect();
        Some(StandingCause { finding: find(&it.check, &it.target)?, consequences })
    };
    let first = report.diagnosis.iter().filter_map(cause);
    // What is in no diagnosis is not lost by that.
    let others = report.findings.iter().filter(|finding| finding.state.matters()).filter(is_named);
    first.chain(others.map(|finding| StandingCause { finding, consequences: Vec::new() })).collect()
}

/// Causes, each before what follows from it and has not been named yet.
pub fn causes_first(report: &Report) -> Vec<&Finding> {
    let mut seen = BTreeSet::new();
    let all =
        causes(report).into_iter().flat_map(|cause| [cause.finding].into_iter().chain(cause.consequences));
    all.filter(|finding| seen.insert(std::ptr::from_ref::<Finding>(finding))).collect()
}

/// Everything: causes with what follows from them, then what needs nobody, as the report has it.
pub fn all_causes_first(report: &Report) -> Vec<&Finding> {
    let mut all = causes_first(report);
    let named: BTreeSet<*const Finding> = all.iter().map(|finding| std::ptr::from_ref(*finding)).collect();
    all.extend(report.findings.iter().filter(|finding| !named.contains(&std::ptr::from_ref(*finding))));
    all
}

/// The problems of a finding that nothing explains; all of them where everything is explained.
pub fn standing(finding: &Finding) -> Vec<&Problem> {
    let is_whole = !finding.explained_by.is_empty();
    finding.problems.iter().filter(|problem| is_whole || problem.explained_by.is_empty()).collect()
}

/// `follows from link/masterauth (10.0.0.2:9221 <- 10.0.0.1:9221)`. Null: it stands for itself.
pub fn follows_from(explained_by: &[FindingRef], language: Language) -> Option<String> {
    let names: Vec<String> =
        explained_by.iter().map(|it| format!("{} ({})", it.check, escape_control(&it.target))).collect();
    (!names.is_empty()).then(|| texts::follows_from(language, names.join(texts::COMMA.get(language))))
}
