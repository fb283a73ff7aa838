//! Every scenario of the laboratory is staged and looked at: exactly what it names is found, and each of
//! its faults is what makes it so.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::played::{CATALOGUE, Played, SIDE_BY_SIDE, all, all_played, play};
use futures_util::StreamExt as _;
use pikadoctor::lab::real::can_be_staged;
use pikadoctor::lab::scenario::Scenario;
use pikadoctor::lab::scenarios::{self, ScenarioError};
use pikadoctor::lab::{persona, scenario::Mode};
use pikadoctor::model::text::Language;

/// What was found: `state check target` of all that is not as it should be, and the exit code.
type Found = (BTreeSet<String>, u8);

fn found(played: &Played) -> Found {
    let report = played.report(Language::En);
    let troubles = report.findings.iter().filter(|finding| finding.state.matters());
    let lines =
        troubles.map(|finding| format!("{} {} {}", finding.state.word(), finding.check, finding.target));
    (lines.collect(), report.exit_code)
}

fn expected(scenario: &Scenario) -> Found {
    (scenario.expected(&CATALOGUE.checks), scenario.exit)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scenario_finds_what_it_names_and_nothing_else() {
    let mut wrong = String::new();
    for played in all_played().await {
        let (name, wanted, found) = (&played.scenario.name, expected(&played.scenario), found(played));
        if found != wanted {
            let _ = writeln!(wrong, "{name}: exit {} instead of {}", found.1, wanted.1);
            for extra in found.0.difference(&wanted.0) {
                let _ = writeln!(wrong, "  - {extra}");
            }
            for missing in wanted.0.difference(&found.0) {
                let _ = writeln!(wrong, "    not found: {missing}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_is_switched_off_is_missed() {
    let mut runs = Vec::new();
    for scenario in all() {
        for which in 0..scenario.faults() {
            let (name, wanted, less) =
                (scenario.name.clone(), expected(&scenario), scenario.without_fault(which));
            runs.push(async move { (name, which, wanted == found(&play(less).await)) });
        }
    }
    let idle: Vec<String> = futures_util::stream::iter(runs)
        .buffered(SIDE_BY_SIDE)
        .filter_map(async |(name, which, same)| same.then(|| format!("{name}, fault {}", which + 1)))
        .collect()
        .await;
    assert_eq!(idle, Vec::<String>::new(), "these faults make no difference");
}

/// Servers that answer out of step or in escapes make many things unknown, and none of them is the reason.
const WITHOUT_CAUSE: [&str; 3] = ["hostile-escapes", "hostile-out-of-step", "hostile-reset-in-the-middle"];

#[test]
fn a_scenario_names_its_cause_among_what_is_found() {
    let mut wrong = Vec::new();
    for scenario in all() {
        let (name, causes) = (&scenario.name, &scenario.cause);
        let wanted =
            if scenario.expect.is_empty() || WITHOUT_CAUSE.contains(&&**name) { 0..=0 } else { 1..=2 };
        if !wanted.contains(&causes.len()) {
            wrong.push(format!("{name}: {} causes", causes.len()));
        }
        for cause in causes.iter().filter(|cause| !scenario.expect.contains(cause)) {
            wrong.push(format!("{name}: `{cause}` is not expected"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_persona_has_a_healthy_server_and_a_healthy_pair() {
    let all = all();
    for release in persona::releases() {
        let healthy = |links: usize| {
            all.iter().any(|scenario| {
                scenario.faults() == 0
                    && scenario.expect.is_empty()
                    && scenario.exit == 0
                    && scenario.links.len() == links
                    && scenario.links.iter().all(|link| link.mode == Mode::Replica)
                    && scenario.servers.values().all(|server| server.release == release)
            })
        };
        assert!(healthy(0), "{release}: no healthy server");
        assert!(healthy(1), "{release}: no healthy pair");
    }
}

#[test]
fn a_scenario_that_is_wrong_is_refused_with_its_place() {
    let head = "title: {en: a, zh: b}\nexit: 0\nservers:\n";
    for (text, says) in [
        ("  a: {release: v2.3.6, colour: red}\n", "colour"),
        ("  a: {release: v2.3.6}\nlinks:\n  - {replica: a, master: b}\n", "names the server `b`"),
        ("  a: {release: v2.3.6, faults: [explodes]}\n", "explodes"),
        ("  a: {release: v2.3.6}\nsurprise: 1\n", "surprise"),
        ("  a: {keys: 1}\n", "the server `a` has no release"),
        ("  a: {}\nreleases: [2.3.6]\nby-release:\n  - {releases: [2.3.0], exit: 1}\n", "names 2.3.0"),
        ("  a: {}\nreleases: [2.3.6]\nby-release:\n  - {releases: [2.3.6], run: check}\n", "run"),
    ] {
        let error = scenarios::read("x", &format!("{head}{text}")).unwrap_err().to_string();
        assert!(error.contains(says) && error.starts_with("x.yaml:"), "{error}");
    }
    let error = scenarios::read("x", &format!("{head}  a: {{release: v2.3.6, colour: red}}\n")).unwrap_err();
    assert!(
        matches!(error, ScenarioError::Malformed { .. }) && error.to_string().starts_with("x.yaml:4:24: "),
        "{error}"
    );
}

#[test]
fn a_file_with_releases_is_a_scenario_for_each_of_them() {
    let text = "title: {en: a, zh: b}
releases: [2.3.6, 3.3.6]
servers:
  old: {}
  new: {release: v3.5.5}
expect: [warning node/clients old]
exit: 1
by-release:
  - {releases: [3.3.6], exit: 2, also-expect: [critical node/writable old]}
  - {releases: [2.3.6, 3.3.6], real: true}
";
    let scenarios = scenarios::read("pair", text).unwrap();
    let seen: Vec<_> = scenarios
        .iter()
        .map(|one| {
            (&*one.name, &*one.servers["old"].release, &*one.servers["new"].release, one.exit, one.real)
        })
        .collect();
    assert_eq!(
        seen,
        [("pair-2.3.6", "v2.3.6", "v3.5.5", 1, true), ("pair-3.3.6", "v3.3.6", "v3.5.5", 2, true)]
    );
    assert_eq!(scenarios[0].expect, ["warning node/clients old"]);
    assert_eq!(scenarios[1].expect, ["warning node/clients old", "critical node/writable old"]);
}

#[test]
fn a_scenario_is_found_by_its_name() {
    for known in all() {
        assert_eq!(scenarios::named(&known.name).unwrap().name, known.name);
    }
    let error = scenarios::named("behind-2.3.5").unwrap_err().to_string();
    assert!(error.contains("did you mean `behind-2.3.6`?"), "{error}");
    assert!(scenarios::named("behind").is_err(), "the release belongs to the name");
}

#[test]
fn what_is_marked_can_be_staged_on_real_servers() {
    let marked: Vec<Scenario> = all().into_iter().filter(|scenario| scenario.real).collect();
    for scenario in &marked {
        can_be_staged(scenario).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    }
    assert!(marked.len() >= 60, "{} scenarios are marked", marked.len());
}
