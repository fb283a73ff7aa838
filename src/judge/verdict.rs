//! Puts findings into a report: order, causes, counts, and the one exit code of the run.

use super::diagnosis::diagnose;
use crate::model::check::Check;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::finding::{self, Counts, Finding, Report, State};
use crate::model::text::Language;

/// Moves the gate: states that are less bad than `fail_on` no longer fail the run; `None`: nothing does. A run
/// that judged nothing stays unknown.
pub fn move_gate(report: &mut Report, fail_on: Option<State>) {
    let judged = report.findings.iter().any(|finding| finding.state.rank() <= State::Ok.rank());
    let fails = fail_on.is_some_and(|gate| report.state.rank() <= gate.rank());
    if judged && !fails {
        report.exit_code = exit::OK;
    }
}

/// The report of a run. It is made once, before anything is rendered, so every format has the same
/// exit code. `checks` are those that the findings come from.
pub fn report(mut findings: Vec<Finding>, facts: Facts, checks: &[Check], language: Language) -> Report {
    findings
        .sort_by(|a, b| (a.state.rank(), &a.target, &a.check).cmp(&(b.state.rank(), &b.target, &b.check)));
    let diagnosis = diagnose(&mut findings, &facts, checks);
    let mut counts = Counts::default();
    for finding in &findings {
        *match finding.state {
            State::Ok => &mut counts.ok,
            State::Warning => &mut counts.warning,
            State::Waived => &mut counts.waived,
            State::Critical => &mut counts.critical,
            State::Unknown => &mut counts.unknown,
            State::Skipped => &mut counts.skipped,
            State::NotApplicable => &mut counts.not_applicable,
        } += 1;
    }
    // A run that judged nothing proves nothing.
    let judged = counts.ok + counts.waived + counts.warning + counts.critical + counts.unknown;
    let worst = findings.first().map_or(State::Unknown, |finding| finding.state);
    let (state, exit_code) =
        if judged == 0 { (State::Unknown, exit::UNKNOWN) } else { (worst, worst.exit_code()) };
    Report {
        schema: finding::SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        language,
        state,
        exit_code,
        counts,
        gate: None,
        remarks: Vec::new(),
        diagnosis,
        findings,
        facts,
    }
}
