//! Reports that no server is needed for.

use pikadoctor::judge::verdict::report;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Finding, Metric, Problem, Report, State};
use pikadoctor::model::text::Language;

/// A report with `text` wherever a server or a check file could put it.
pub fn hostile_report(text: &str, state: State) -> Report {
    let problem =
        Problem { state, found: text.into(), needed: Some(text.into()), fix: Some(text.into()), place: None };
    let bad = matches!(state, State::Critical | State::Warning | State::Unknown);
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
                warn: Some("10".into()),
                crit: None,
            },
            Metric { name: "none".into(), value: None, unit: String::new(), warn: None, crit: None },
        ],
    };
    let facts = Facts::default();
    report(vec![finding], facts, Language::En)
}
