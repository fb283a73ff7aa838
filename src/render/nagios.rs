//! A Nagios plugin's output: `PIKA STATE - text | performance data`, then long text.

use std::fmt::Write as _;

use super::causes::{StandingCause, causes, standing};
use super::remedy::{MendLine, mend_lines};
use super::words::accepted;
use crate::i18n::texts;
use crate::model::exit;
use crate::model::finding::{Finding, Metric, Report, State};
use crate::model::limits::{MAX_NAGIOS_PERFDATA_BYTES, MAX_NAGIOS_TEXT_BYTES};
use crate::model::text::{Language, escape_control};

/// The length of the first line that fits every display.
const FIRST_LINE: usize = 80;

/// The report for Nagios.
pub fn render(report: &Report, verbose: bool) -> String {
    let mut out = String::new();
    let word = match report.exit_code {
        exit::OK => "OK",
        exit::WARNING => "WARNING",
        exit::CRITICAL => "CRITICAL",
        _ => "UNKNOWN",
    };
    let head = format!("PIKA {word} - ");
    let room = FIRST_LINE.saturating_sub(head.len());
    let _ = write!(out, "{head}{}", cut(&safe(&first_sentence(report)), room));
    let metrics = several_targets(report)
        .flat_map(|(target, finding)| finding.metrics.iter().map(move |metric| performance(metric, target)));
    let mut performance_data = String::new();
    for metric in metrics {
        if performance_data.len() + metric.len() > MAX_NAGIOS_PERFDATA_BYTES {
            break;
        }
        let _ = write!(performance_data, " {metric}");
    }
    if !performance_data.is_empty() {
        let _ = write!(out, " |{performance_data}");
    }
    out.push('\n');
    let mut long = String::new();
    for cause in causes(report) {
        for line in long_lines(cause.finding, cause.consequences_line(report.language), report.language) {
            let _ = writeln!(long, "{line}");
        }
    }
    let others = report.findings.iter().filter(|finding| verbose && !finding.state.matters());
    for line in others.flat_map(|finding| long_lines(finding, None, report.language)) {
        let _ = writeln!(long, "{line}");
    }
    if long.len() > MAX_NAGIOS_TEXT_BYTES {
        let mut end = MAX_NAGIOS_TEXT_BYTES;
        while !long.is_char_boundary(end) {
            end -= 1;
        }
        long.truncate(long[..end].rfind('\n').map_or(end, |line_end| line_end + 1));
        long.push_str("(more: run pikadoctor by hand)\n");
    }
    out + &long
}

/// Findings with their target's name where there are several targets.
fn several_targets(report: &Report) -> impl Iterator<Item = (Option<&str>, &Finding)> {
    let several = report.facts.nodes.len() > 1 || !report.facts.coordinators.is_empty();
    report.findings.iter().map(move |finding| (several.then_some(finding.target.as_str()), finding))
}

fn first_sentence(report: &Report) -> String {
    let causes = causes(report);
    match causes.first() {
        Some(StandingCause { finding, .. }) if report.state.matters() => {
            let text = match standing(finding).first() {
                Some(problem) => problem.found.as_str(),
                None => finding.note.as_str(),
            };
            let more = match causes.len() {
                1 => String::new(),
                count => format!(" (+{})", count - 1),
            };
            format!("{}{more}: {text}", finding.check)
        }
        _ => {
            let nodes = report.facts.nodes.iter().map(|node| node.name.as_str());
            let confs = report.facts.conf_files.iter().map(|conf| conf.name.as_str());
            let coordinators = report.facts.coordinators.iter().map(|coordinator| coordinator.name.as_str());
            let names: Vec<&str> = nodes.chain(confs).chain(coordinators).collect();
            format!("{} ok, {}", report.counts.ok, names.join(" "))
        }
    }
}

fn long_lines(finding: &Finding, therefore: Option<String>, language: Language) -> Vec<String> {
    let word = match finding.state {
        State::Critical => "CRITICAL",
        State::Unknown => "UNKNOWN",
        State::Warning => "WARNING",
        State::Waived => "WAIVED",
        State::Ok => "OK",
        State::Skipped => "SKIPPED",
        State::NotApplicable => "N/A",
    };
    // The title says what should be true, and beside a problem would read as if it were.
    let title = match finding.state.matters() {
        true if finding.problems.is_empty() => {
            format!(": {}: {}", texts::LABEL_CHECK.get(language), finding.title)
        }
        true => String::new(),
        false => format!(": {}", finding.title),
    };
    let mut lines = vec![safe(&format!("[{word}] {} {}{title}", finding.target, finding.check))];
    lines.extend(accepted(finding, Language::En).map(|line| safe(&format!("  {line}"))));
    if !finding.note.is_empty() {
        lines.push(safe(&format!("  {}", finding.note)));
    }
    for problem in standing(finding) {
        let place = problem.place.as_ref().map(|place| format!("{place} ")).unwrap_or_default();
        lines.push(safe(&format!("  found: {place}{}", problem.found)));
        lines.extend(problem.needed.iter().map(|needed| safe(&format!("  needed: {needed}"))));
        for (index, line) in mend_lines(problem, language).iter().enumerate() {
            let label = if index == 0 { "fix:" } else { "    " };
            lines.push(match line {
                MendLine::Text(text) => safe(&format!("  {label} {text}")),
                // Without its `|` it would be another command, and with it the rest would be performance data.
                MendLine::Code(code) if code.contains('|') => {
                    format!("  {label}    {}", texts::COMMAND_WITH_PIPE.get(language))
                }
                MendLine::Code(code) => escape_control(&format!("  {label}    {code}")),
            });
        }
    }
    lines.extend(therefore.map(|names| safe(&format!("  {}", texts::therefore(language, names)))));
    lines
}

/// One line without `|`, which would begin performance data, and without control characters.
fn safe(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let indent = text.len() - text.trim_start().len();
    format!("{}{}", " ".repeat(indent), escape_control(&one_line).replace('|', "/"))
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(3)).collect();
    short.push_str("...");
    short
}

/// `'label'=value[UOM];warn;crit`, with `U` for a value that could not be measured.
fn performance(metric: &Metric, target: Option<&str>) -> String {
    let label = match target {
        Some(target) => format!("{target} {}", metric.name),
        None => metric.name.clone(),
    };
    // A `|` or a line break would begin performance data of its own, or a line.
    let label = safe(&label).replace('=', "_").replace('\'', "''");
    let label = if label.contains(' ') { format!("'{label}'") } else { label };
    let value = match metric.value {
        // Nagios takes no exponents; `{}` on f64 writes none.
        Some(value) => format!("{value}{}", metric.unit),
        None => "U".to_owned(),
    };
    let mut text = format!("{label}={value}");
    if metric.warn.is_some() || metric.crit.is_some() {
        for range in [metric.warn, metric.crit] {
            let _ = write!(text, ";{}", range.map(|range| range.to_string()).unwrap_or_default());
        }
    }
    text.trim_end_matches(';').to_owned()
}
