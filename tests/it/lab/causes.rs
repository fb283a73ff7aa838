//! With one thing wrong, every format begins with that one, and has at most one more.

use pikadoctor::lab::scenario::Scenario;
use pikadoctor::model::finding::{Report, State};
use pikadoctor::model::text::Language;
use pikadoctor::render::options::{Format, RenderOptions};
use pikadoctor::render::render;

use super::played::all_played;

/// `state check target` of all that stands for itself, in the order of the report.
fn causes(report: &Report) -> Vec<String> {
    let state = |check: &str, target: &str| {
        let mut findings = report.findings.iter();
        let finding = findings.find(|finding| finding.check == check && finding.target == target);
        finding.map_or("none", |finding| finding.state.word())
    };
    let line = |it: &pikadoctor::model::diagnosis::Diagnosis| {
        format!("{} {} {}", state(&it.check, &it.target), it.check, it.target)
    };
    report.diagnosis.iter().map(line).collect()
}

/// Where another one comes first: the replica names its master by an address of which nobody knows whose it is, so that
/// the link is judged as one that would be made, too.
const TOLD_APART: [&str; 1] = ["second-address-full-2.3.0"];

/// The scenarios that name a cause, each with what is found.
async fn ill() -> impl Iterator<Item = (&'static Scenario, Report)> {
    let played = all_played()
        .await
        .iter()
        .filter(|played| !played.scenario.cause.is_empty())
        .filter(|played| !TOLD_APART.contains(&&*played.scenario.name));
    played.map(|played| (&played.scenario, played.report(Language::En)))
}

fn look() -> RenderOptions {
    RenderOptions {
        color: false,
        width: 80,
        least: State::Warning,
        fail_on: Some(State::Warning),
        always: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_comes_first_and_at_most_one_more() {
    let mut wrong = Vec::new();
    for (scenario, report) in ill().await {
        let causes = causes(&report);
        if causes.first() != scenario.cause.first()
            || causes.iter().any(|cause| !scenario.cause.contains(cause))
        {
            wrong.push(format!("{}\n  wanted {:?}\n  causes {causes:?}", scenario.name, scenario.cause));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_begins_with_the_fault() {
    const FORMATS: [Format; 10] = [
        Format::Human,
        Format::Json,
        Format::Short,
        Format::Nagios,
        Format::Sarif,
        Format::Github,
        Format::Markdown,
        Format::Junit,
        Format::Tap,
        Format::Prometheus,
    ];
    let mut wrong = Vec::new();
    for (scenario, report) in ill().await {
        let checks: Vec<&str> = report.findings.iter().map(|finding| &*finding.check).collect();
        let cause = scenario.cause[0].split(' ').nth(1).unwrap();
        for format in FORMATS {
            let text = render(&report, format, look());
            // The list of rules of SARIF, and what was seen in JSON, are no findings.
            let text = match format {
                Format::Sarif => text.split_once("\"results\"").map_or(&*text, |(_, results)| results),
                _ => &text,
            };
            let first = checks.iter().filter_map(|check| Some((text.find(check)?, *check))).min();
            if first.map(|(_, check)| check) != Some(cause) {
                wrong.push(format!("{} {format:?}: {first:?} instead of {cause}", scenario.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_line_of_nagios_names_the_fault_in_eighty_characters() {
    let mut wrong = Vec::new();
    for (scenario, report) in ill().await {
        let text = render(&report, Format::Nagios, look());
        let line = text.lines().next().unwrap_or_default();
        let line = line.split_once(" | ").map_or(line, |(words, _)| words);
        let cause = scenario.cause[0].split(' ').nth(1).unwrap();
        let words = line.split(": ").nth(1).unwrap_or_default();
        let rest = words.trim_start_matches(|c: char| c.is_ascii_digit());
        let begins_with_number = rest.len() < words.len() && !rest.starts_with('.');
        if !line.chars().take(80).collect::<String>().contains(cause) || begins_with_number {
            wrong.push(format!("{}: {line}", scenario.name));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a person has to read first, for each fault: `cargo test --test it how_much -- --nocapture` prints it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_much_is_found_of_a_fault_and_how_much_of_it_stands() {
    let (mut faults, mut findings, mut standing, mut most) = (0, 0, 0, (0, 0));
    for played in all_played().await.iter().filter(|played| !played.scenario.cause.is_empty()) {
        let report = played.report(Language::En);
        let found = report.findings.iter().filter(|finding| finding.state.matters()).count();
        faults += 1;
        findings += found;
        standing += report.diagnosis.len();
        most = (most.0.max(found), most.1.max(report.diagnosis.len()));
    }
    println!(
        "{faults} faults, {findings} findings (at most {}), {standing} causes (at most {})",
        most.0, most.1
    );
    // One cause for a fault, and one more for every fourth at most.
    assert!(standing * 4 <= faults * 5, "{standing} causes of {faults} faults");
}
