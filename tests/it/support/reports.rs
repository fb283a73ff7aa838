//! Reports that no server is needed for.

use pikadoctor::judge::verdict::report;
use pikadoctor::model::diagnosis::{Look, Possibility};
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{
    Acceptance, AcceptedBy, Ended, Finding, Gate, Metric, Problem, Report, State, Verdict,
};
use pikadoctor::model::text::Language;

/// A report with `text` wherever a server or a check file could put it.
pub fn hostile_report(text: &str, state: State) -> Report {
    let problem = Problem {
        needed: Some(text.into()),
        fix: Some(text.into()),
        case: Some(text.into()),
        possible: vec![Possibility {
            cause: text.into(),
            speaks_for: Some(text.into()),
            look: Look { on: text.into(), run: text.into() },
        }],
        ..Problem::new(state, text.into())
    };
    let bad = matches!(state, State::Critical | State::Warning | State::Unknown | State::Waived);
    let accepted = Acceptance {
        state: State::Critical,
        by: AcceptedBy::Waiver,
        place: text.into(),
        reason: Some(text.into()),
        owner: Some(text.into()),
        expires: Some(text.into()),
        expired: state != State::Waived,
    };
    let finding = Finding {
        check: "node/x".into(),
        target: text.into(),
        state,
        title: text.into(),
        problems: if bad { vec![problem] } else { Vec::new() },
        note: text.into(),
        metrics: vec![
            Metric {
                name: "it's = a metric".into(),
                value: Some(1e21),
                unit: "B".into(),
                warn: "10".parse().ok(),
                crit: None,
            },
            Metric { name: "none".into(), value: None, unit: String::new(), warn: None, crit: None },
        ],
        missing: Some(text.into()),
        accepted: Some(accepted),
        explained_by: Vec::new(),
    };
    let facts = Facts::default();
    let mut report = report(vec![finding], facts, &[], Language::En);
    report.remarks = vec![text.into()];
    report.gate =
        Some(Gate { verdict: Verdict::NoGo, rounds: 3, waited_seconds: 61.5, ended: Ended::TimeOver });
    report
}
