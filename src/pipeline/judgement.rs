//! From facts to a report.

use std::collections::BTreeSet;

use crate::judge::evaluate::Judge;
use crate::judge::policy::Policy;
use crate::judge::verdict;
use crate::model::catalogue::Catalogue;
use crate::model::check::{Check, Target};
use crate::model::facts::Facts;
use crate::model::finding::{Report, State};
use crate::model::policy::Parameters;
use crate::model::text::Language;

/// Judges facts. The same facts give the same report.
pub fn judge(facts: Facts, catalogue: &Catalogue, parameters: &Parameters, language: Language) -> Report {
    let policy = Policy { parameters: parameters.clone(), ..Policy::default() };
    judge_by(facts, catalogue, &policy, language)
}

/// Judges facts by what counts in this run: the same facts and the same policy give the same report.
pub fn judge_by(facts: Facts, catalogue: &Catalogue, policy: &Policy, language: Language) -> Report {
    let mut findings = Judge::new(catalogue, language).judge(&facts, &policy.parameters);
    let remarks = policy.apply(&mut findings, &facts, language);
    Report { remarks, ..verdict::report(findings, facts, &catalogue.checks, language) }
}

/// Judges comparisons of data, and nothing else about their servers: equal data is equal, whatever else is wrong, and
/// a server that does not answer says nothing about its data. Where data differs, what explains that is in the report,
/// too.
pub fn judge_data(facts: Facts, catalogue: &Catalogue, policy: &Policy, language: Language) -> Report {
    let with = |chosen: &dyn Fn(&Check) -> bool| Catalogue {
        checks: catalogue.checks.iter().filter(|check| chosen(check)).cloned().collect(),
        knowledge: catalogue.knowledge.clone(),
    };
    let is_own = |check: &Check| check.target == Target::Verification;
    let own = with(&is_own);
    let report = judge_by(facts, &own, policy, language);
    if report.findings.iter().all(|finding| finding.state != State::Critical) {
        return report;
    }
    let ids: BTreeSet<&str> = own.checks.iter().map(|check| check.id.as_str()).collect();
    let explains = |check: &Check| {
        let file = &check.file;
        let all = file.explains.iter().chain(file.cases.iter().flat_map(|case| &case.explains));
        all.flat_map(|explains| &explains.checks).any(|id| ids.contains(id.text.as_str()))
    };
    let causes = with(&|check: &Check| is_own(check) || explains(check));
    let tried = judge_by(report.facts, &causes, policy, language);
    // What explains nothing of it is for `check`.
    let own_findings = tried.findings.iter().filter(|finding| ids.contains(finding.check.as_str()));
    let stand: BTreeSet<String> =
        own_findings.flat_map(|finding| &finding.explained_by).map(|cause| cause.check.clone()).collect();
    let stands = with(&|check: &Check| is_own(check) || stand.contains(&check.id));
    judge_by(tried.facts, &stands, policy, language)
}
