//! What counts in a run: parameters, requirements, waivers and a baseline, applied to the findings in this order.
//! Pure.

use jiff::civil::Date;

use super::baseline::Baseline;
use super::requirements::{Required, require};
use super::waivers::{Waiver, waive};
use crate::model::facts::Facts;
use crate::model::finding::Finding;
use crate::model::limits::MAX_VERIFIED_AGE;
use crate::model::policy::Parameters;
use crate::model::text::Language;

/// What counts in a run.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Parameters of checks that differ from their defaults.
    pub parameters: Parameters,
    /// What must be visible.
    pub require: Vec<Required>,
    /// How old a comparison of data may be that is required, in seconds.
    pub verified_seconds: u64,
    /// What is accepted for a time.
    pub waivers: Vec<Waiver>,
    /// What was found earlier, and fails nothing.
    pub baseline: Option<Baseline>,
    /// The day by which waivers expire, UTC.
    pub today: Date,
}

impl Default for Policy {
    /// Nothing is required and nothing is accepted.
    fn default() -> Self {
        Self {
            parameters: Parameters::new(),
            require: Vec::new(),
            verified_seconds: MAX_VERIFIED_AGE.as_secs(),
            waivers: Vec::new(),
            baseline: None,
            today: Date::MIN,
        }
    }
}

impl Policy {
    /// Applies everything but the parameters, which belong to the evaluation. Returns what somebody should know
    /// about the policy itself.
    pub fn apply(&self, findings: &mut Vec<Finding>, facts: &Facts, language: Language) -> Vec<String> {
        require(&self.require, self.verified_seconds, findings, facts, language);
        let mut remarks = waive(&self.waivers, findings, self.today, facts, language);
        if let Some(baseline) = &self.baseline {
            remarks.extend(baseline.accept(findings, language));
        }
        remarks
    }
}
