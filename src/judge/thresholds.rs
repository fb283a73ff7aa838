//! Thresholds that a monitoring system gives for measured values, beside those of the checks. Pure.

use crate::model::finding::{Finding, Problem, State};
use crate::model::range::Range;

/// A range for a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The name of the metric.
    pub metric: String,
    /// The range outside of which it is bad.
    pub range: Range,
    /// How bad: warning or critical.
    pub state: State,
}

/// One finding for each threshold, and the ranges in the performance data.
pub fn apply(findings: &mut Vec<Finding>, thresholds: &[Threshold]) {
    let mut more = Vec::new();
    for threshold in thresholds {
        let mut measured = 0;
        for finding in findings.iter_mut() {
            for metric in finding.metrics.iter_mut().filter(|metric| metric.name == threshold.metric) {
                let range = Some(threshold.range);
                if threshold.state == State::Critical {
                    metric.crit = range;
                } else {
                    metric.warn = range;
                }
                let Some(value) = metric.value else { continue };
                measured += 1;
                if threshold.range.alerts(value) {
                    more.push(exceeded(threshold, &finding.target, value, &metric.unit));
                }
            }
        }
        if measured == 0 {
            more.push(unmeasured(threshold));
        }
    }
    findings.extend(more);
}

fn finding(threshold: &Threshold, target: &str, state: State, problem: Problem) -> Finding {
    Finding {
        check: format!("threshold/{}", threshold.metric),
        target: target.to_owned(),
        state,
        title: format!("{} is within the range that was given", threshold.metric),
        problems: vec![problem],
        note: String::new(),
        metrics: Vec::new(),
        missing: None,
        accepted: None,
        explained_by: Vec::new(),
    }
}

fn exceeded(threshold: &Threshold, target: &str, value: f64, unit: &str) -> Finding {
    let found = format!("{} is {value}{unit}", threshold.metric);
    let needed = Some(format!("within {}", threshold.range));
    let problem = Problem { needed, may_pass: true, ..Problem::new(threshold.state, found) };
    finding(threshold, target, threshold.state, problem)
}

/// A value that could not be had must not pass for a good one.
fn unmeasured(threshold: &Threshold) -> Finding {
    let found = format!("{} was not measured", threshold.metric);
    let needed = Some(format!("a value within {}", threshold.range));
    let problem = Problem { needed, may_pass: true, ..Problem::new(State::Unknown, found) };
    finding(threshold, "-", State::Unknown, problem)
}
