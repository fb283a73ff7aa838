//! The laboratory is right: scenarios that can be staged on real servers give the same findings there as on
//! simulated ones. Run with `PIKADOCTOR_PIKA_HOME`; ignored elsewhere. `PIKADOCTOR_SCENARIOS` chooses some by a
//! part of their name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use pikadoctor::catalog::built_in;
use pikadoctor::lab::pika::Home;
use pikadoctor::lab::real::RealStage;
use pikadoctor::lab::scenario::{Run, Scenario};
use pikadoctor::lab::scenarios;
use pikadoctor::model::finding::State;
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::judgement::judge;

/// Real servers beside each other: old releases reserve 1.4 GB each, and all of them want the processor.
const SIDE_BY_SIDE: usize = 3;

/// A healthy link carries a key within a second.
const CANARY_WAIT: Duration = Duration::from_secs(4);

fn marked() -> Vec<Scenario> {
    scenarios::all().unwrap().into_iter().filter(|scenario| scenario.real).collect()
}

async fn play(scenario: Scenario) -> Result<(BTreeSet<String>, u8), String> {
    let mut catalogue = built_in();
    if scenario.run == Run::Forecast {
        catalogue.checks.retain(|check| check.file.target.is_about_links() || check.id == "node/reachable");
    }
    let parameters = scenario.parameters.clone();
    let home = Home::Directory(PathBuf::from(std::env::var_os("PIKADOCTOR_PIKA_HOME").unwrap()));
    let stage = RealStage::start(&home, scenario).await.map_err(|error| error.to_string())?;
    let facts = stage.collect(&catalogue, CANARY_WAIT).await.unwrap();
    let report = judge(facts, &catalogue, &parameters, Language::En);
    let word = |state: State| match state {
        State::Critical => Some("critical"),
        State::Warning => Some("warning"),
        State::Unknown => Some("unknown"),
        _ => None,
    };
    let found = report.findings.iter().filter_map(|finding| {
        word(finding.state).map(|state| format!("{state} {} {}", finding.check, finding.target))
    });
    Ok((found.collect(), report.exit_code))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
async fn real_servers_give_the_same_findings_as_simulated_ones() {
    let part = std::env::var("PIKADOCTOR_SCENARIOS").unwrap_or_default();
    let checks = built_in().checks;
    let runs = marked().into_iter().filter(|scenario| scenario.name.contains(&part)).map(|scenario| {
        let name = scenario.name.clone();
        let wanted = (scenario.expected(&checks), scenario.exit);
        async move { (name, wanted, play(scenario).await) }
    });
    let seen: Vec<_> = futures_util::stream::iter(runs).buffer_unordered(SIDE_BY_SIDE).collect().await;
    assert!(!seen.is_empty(), "no scenario has `{part}` in its name");
    let mut wrong = String::new();
    for (name, wanted, found) in &seen {
        match found {
            Err(error) => _ = writeln!(wrong, "{name}: {error}"),
            Ok(found) if found == wanted => {}
            Ok(found) => {
                let _ = writeln!(wrong, "{name}: exit {} instead of {}", found.1, wanted.1);
                for extra in found.0.difference(&wanted.0) {
                    let _ = writeln!(wrong, "  - only on real servers: {extra}");
                }
                for missing in wanted.0.difference(&found.0) {
                    let _ = writeln!(wrong, "  - only on simulated ones: {missing}");
                }
            }
        }
    }
    eprintln!("{} scenarios were staged on real servers", seen.len());
    assert!(wrong.is_empty(), "\n{wrong}");
}
