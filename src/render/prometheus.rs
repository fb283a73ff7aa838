//! The text format of Prometheus, for the textfile collector of node_exporter. Causes have a family of their own, so
//! that an alert can name one of them instead of all that follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::armour::armoured_text;
use super::causes::{all_causes_first, causes};
use crate::model::finding::{Report, State};
use crate::model::text::escape_control;

/// The report as metrics, without time stamps of its own: the collector refuses files that have any.
pub fn render(report: &Report) -> String {
    let mut families = Families::default();
    for cause in causes(report) {
        let finding = cause.finding;
        let labels = [("check", finding.check.as_str()), ("target", finding.target.as_str())];
        let help = "What stands for itself, and is not explained by another finding: 1 warning, 2 critical, 3 unknown.";
        families.add("pikadoctor_cause_status", help, &labels, value(finding.state).unwrap_or_default());
    }
    for finding in all_causes_first(report) {
        // Nothing was judged, or somebody answers for it: there is nothing to alert on. The waived are counted.
        let Some(value) = value(finding.state) else { continue };
        let labels = [("check", finding.check.as_str()), ("target", finding.target.as_str())];
        families.add(
            "pikadoctor_check_status",
            "What a check came to: 0 ok, 1 warning, 2 critical, 3 unknown.",
            &labels,
            value,
        );
        for metric in &finding.metrics {
            let Some(value) = metric.value else { continue };
            let unit = match metric.unit.as_str() {
                "s" => "_seconds",
                "B" => "_bytes",
                "%" => "_percent",
                _ => "",
            };
            let name = format!("pikadoctor_{}{unit}", identifier(&metric.name));
            families.add(&name, "A value that a check of pikadoctor measured.", &labels, value);
        }
    }
    for state in State::WORST_FIRST {
        let count = u32::try_from(report.counts.of(state)).unwrap_or(u32::MAX);
        families.add(
            "pikadoctor_findings",
            "Findings by state.",
            &[("state", state.word())],
            f64::from(count),
        );
    }
    families.add("pikadoctor_exit_code", "The exit code of the run.", &[], f64::from(report.exit_code));
    if let Ok(collected) = report.facts.collected_at.parse::<jiff::Timestamp>() {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 have 31 bits")]
        let seconds = collected.as_second() as f64;
        families.add("pikadoctor_run_timestamp_seconds", "When the run began, Unix time.", &[], seconds);
    }
    let version = [("version", report.tool_version.as_str())];
    families.add("pikadoctor_build_info", "The version of pikadoctor.", &version, 1.0);
    families.text()
}

/// The number of a state.
fn value(state: State) -> Option<f64> {
    match state {
        State::Ok => Some(0.0),
        State::Warning => Some(1.0),
        State::Critical => Some(2.0),
        State::Unknown => Some(3.0),
        State::Waived | State::Skipped | State::NotApplicable => None,
    }
}

/// Series by family: HELP and TYPE stand once before all of a family, and no series twice.
#[derive(Default)]
struct Families {
    order: Vec<Family>,
    by_name: BTreeMap<String, usize>,
}

struct Family {
    name: String,
    help: &'static str,
    lines: Vec<String>,
    series: BTreeSet<String>,
}

impl Families {
    fn add(&mut self, name: &str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let place = *self.by_name.entry(name.to_owned()).or_insert(self.order.len());
        if place == self.order.len() {
            let family = Family { name: name.to_owned(), help, lines: Vec::new(), series: BTreeSet::new() };
            self.order.push(family);
        }
        let family = &mut self.order[place];
        if family.series.insert(labels.clone()) {
            family.lines.push(format!("{name}{labels} {value}"));
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for Family { name, help, lines, .. } in &self.order {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{}", lines.join("\n"));
        }
        out
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    let safe = armoured_text(&escape_control(text));
    safe.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A part of the name of a metric. Checks of users can call theirs as they like.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
