//! From facts to a report.

use crate::judge::evaluate::Judge;
use crate::judge::policy::Policy;
use crate::judge::verdict;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::finding::Report;
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
