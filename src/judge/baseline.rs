//! What an earlier report says already: it fails nothing, and what is new does. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::i18n::texts;
use crate::model::finding::{Acceptance, AcceptedBy, Finding, Report, State};
use crate::model::text::Language;

/// The findings of an earlier report.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The file, for messages.
    place: String,
    /// By check and target: how bad it was, and which problems it had.
    findings: BTreeMap<(String, String), (State, BTreeSet<String>)>,
}

impl Baseline {
    /// The findings of `report` that are not as they should be. `place` is the file.
    pub fn of(report: &Report, place: &str) -> Self {
        let mut findings = BTreeMap::new();
        for finding in &report.findings {
            let Some(state) = real_state(finding) else { continue };
            findings.insert((finding.check.clone(), finding.target.clone()), (state, problems(finding)));
        }
        Self { place: place.to_owned(), findings }
    }

    /// Marks every finding that is no worse than it was, and whose problems stood there already. Returns a remark
    /// about what is over.
    pub fn accept(&self, findings: &mut [Finding], language: Language) -> Option<String> {
        let mut over = 0;
        for finding in findings {
            let Some((state, known)) = self.findings.get(&(finding.check.clone(), finding.target.clone()))
            else {
                continue;
            };
            over += usize::from(real_state(finding).is_none());
            let as_before = finding.state.rank() >= state.rank() && problems(finding).is_subset(known);
            if !finding.state.matters() || !as_before {
                continue;
            }
            // An expired waiver says more about a finding than that it is old.
            if finding.accepted.as_ref().is_some_and(|accepted| accepted.expired) {
                continue;
            }
            finding.accepted = Some(Acceptance {
                state: finding.state,
                by: AcceptedBy::Baseline,
                place: self.place.clone(),
                reason: None,
                owner: None,
                expires: None,
                expired: false,
            });
            finding.state = State::Waived;
        }
        let place = &self.place;
        (over > 0).then(|| texts::baseline_over(language, place, over))
    }
}

/// How bad a finding is, whether somebody accepts it or not. Nothing for what is as it should be.
fn real_state(finding: &Finding) -> Option<State> {
    let accepted = finding.accepted.as_ref().filter(|_| finding.state == State::Waived);
    let state = accepted.map_or(finding.state, |accepted| accepted.state);
    state.matters().then_some(state)
}

/// What tells the problems of a finding from others: their identity, or their text where they have none, and the
/// fact that is missing.
fn problems(finding: &Finding) -> BTreeSet<String> {
    let missing = finding.missing.iter().cloned();
    let known = finding.problems.iter().map(|problem| match problem.identity.as_str() {
        "" => problem.found.clone(),
        identity => format!("{} {identity}", problem.state.word()),
    });
    known.chain(missing).collect()
}
