//! The text format of Prometheus, for the textfile collector of node_exporter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::finding::{Report, State};

/// The report as metrics, without time stamps of its own: the collector refuses files that have any.
pub fn render(report: &Report) -> String {
    let mut families = Families::default();
    for finding in &report.findings {
        let value = match finding.state {
            State::Ok => 0.0,
            State::Warning => 1.0,
            State::Critical => 2.0,
            State::Unknown => 3.0,
            // Nothing was judged, or somebody answers for it: there is nothing to alert on. The waived are counted.
            State::Waived | State::Skipped | State::NotApplicable => continue,
        };
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

/// Series by family: HELP and TYPE stand once before all of a family, and no series twice.
#[derive(Default)]
struct Families {
    families: BTreeMap<String, (&'static str, BTreeMap<String, f64>)>,
}

impl Families {
    fn add(&mut self, name: &str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let family = self.families.entry(name.to_owned()).or_insert_with(|| (help, BTreeMap::new()));
        family.1.insert(labels, value);
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (name, (help, series)) in &self.families {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in series {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        }
        out
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A part of the name of a metric. Checks of users can call theirs as they like.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
