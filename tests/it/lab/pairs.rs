//! Two faults at once give two causes: what one finding explains never hides what another fault did. Where one of two
//! faults physically keeps the other from being seen, a table says so, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::StreamExt as _;
use pikadoctor::judge::fingerprint::fingerprint;
use pikadoctor::model::finding::Report;
use pikadoctor::model::text::Language;
use pikadoctor::parse::document::decode::from_yaml;
use serde::Deserialize;

use super::composed::{Composed, Conflict, Ill, compose, ills};
use super::played::{SIDE_BY_SIDE, play, report};

/// Which pairs of a usual run are played.
const SEED: &str = "1";

/// How many of them.
const SAMPLE: usize = 48;

/// What cannot be seen of two faults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    unseen: Vec<Unseen>,
    hides: Vec<Hides>,
}

/// Faults of one server that nothing shows on a pair.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unseen {
    faults: Vec<String>,
    why: String,
}

/// A fault that keeps others from being seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hides {
    faults: Vec<String>,
    hidden: Vec<String>,
    why: String,
}

fn table() -> Table {
    let table: Table =
        from_yaml(include_str!("../data/lab/hidden.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let unseen = table.unseen.iter().map(|row| (&row.why, &row.faults));
    for (why, faults) in unseen.chain(table.hides.iter().map(|row| (&row.why, &row.faults))) {
        assert!(why.split_whitespace().count() > 4, "{faults:?} need a reason, not `{why}`");
    }
    table
}

impl Hides {
    fn covers(&self, one: &Ill, other: &Ill) -> bool {
        self.faults.iter().any(|name| is_meant(name, one))
            && self.hidden.iter().any(|name| is_meant(name, other))
    }
}

/// Whether a word of the table means a fault: its name, with or without the release, `link` or `*@master`.
fn is_meant(word: &str, ill: &Ill) -> bool {
    let is_of = |place: &str| ill.causes.iter().all(|(_, target)| target == place);
    let is_between = ill.causes.iter().any(|(check, _)| !check.starts_with("node/"));
    match word.strip_prefix("*@") {
        Some(place) => is_of(place),
        None if word == "link" => is_between,
        None => word == ill.name || word == format!("{} {}", ill.name, ill.release.trim_start_matches('v')),
    }
}

/// All pairs that can be staged, by name, and how many cannot, by reason.
fn pairs() -> (Vec<Composed>, BTreeMap<Conflict, usize>) {
    let (mut pairs, mut conflicts) = (Vec::new(), BTreeMap::new());
    let unseen = table().unseen;
    let shows = |ill: &Ill| !unseen.iter().flat_map(|row| &row.faults).any(|word| is_meant(word, ill));
    let ills: Vec<Ill> = ills().into_iter().filter(shows).collect();
    for (index, one) in ills.iter().enumerate() {
        for other in ills[index + 1..].iter().filter(|other| other.release == one.release) {
            match compose(one, other) {
                Ok(pair) => pairs.push(pair),
                Err(conflict) => *conflicts.entry(conflict).or_insert(0) += 1,
            }
        }
    }
    (pairs, conflicts)
}

/// What stands as a cause in a report, and how many of its problems stand.
fn causes(report: &Report) -> BTreeMap<(String, String), usize> {
    let stands = |check: &str, target: &str| {
        let finding =
            report.findings.iter().find(|finding| finding.check == check && finding.target == target);
        let problems = finding.map(|finding| finding.problems.iter());
        problems.map_or(0, |problems| problems.filter(|problem| problem.explained_by.is_empty()).count())
    };
    let causes = report.diagnosis.iter();
    causes.map(|it| ((it.check.clone(), it.target.clone()), stands(&it.check, &it.target))).collect()
}

/// What is wrong with the diagnosis of a pair; the row of the table that says which hides the other.
fn verdict(pair: &Composed, report: &Report, table: &Table) -> (Option<String>, Option<usize>) {
    let stands = causes(report);
    // What stands for a fault: its cause, or what explains that and is no cause of the other fault. A port of a server
    // that is closed is told with the link that needs it.
    let seen = |ill: &Ill, besides: &Ill| -> BTreeSet<(String, String)> {
        let findings = || {
            report.findings.iter().filter(|it| ill.causes.contains(&(it.check.clone(), it.target.clone())))
        };
        let above = findings().flat_map(|it| it.problems.iter().flat_map(|problem| &problem.explained_by));
        let above =
            above.map(|by| (by.check.clone(), by.target.clone())).filter(|by| !besides.causes.contains(by));
        ill.causes.iter().cloned().chain(above).filter(|cause| stands.contains_key(cause)).collect()
    };
    let (one, other) = (seen(&pair.one, &pair.other), seen(&pair.other, &pair.one));
    let both: BTreeSet<_> = one.union(&other).collect();
    let told = !one.is_empty()
        && !other.is_empty()
        && (both.len() > 1 || both.iter().all(|cause| stands[*cause] > 1));
    if told {
        return (None, None);
    }
    let row = table.hides.iter().position(|row| {
        row.covers(&pair.one, &pair.other) && !one.is_empty()
            || row.covers(&pair.other, &pair.one) && !other.is_empty()
    });
    if row.is_some() {
        return (None, row);
    }
    let found = |ill: &Ill| {
        let (check, target) = &ill.cause;
        let finding = report.findings.iter().find(|it| it.check == *check && it.target == *target);
        let by = finding.map(|it| it.problems.iter().flat_map(|problem| &problem.explained_by));
        let by: BTreeSet<_> = by.into_iter().flatten().map(|by| by.check.clone()).collect();
        let state = finding.map_or("not there", |it| it.state.word());
        format!("{}: {check} {target} is {state}, explained by {by:?}", ill.name)
    };
    let causes: Vec<_> = stands.keys().map(|(check, target)| format!("{check} {target}")).collect();
    let text = format!(
        "{}\n    {}\n    {}\n    causes: {causes:?}",
        pair.scenario.name,
        found(&pair.one),
        found(&pair.other)
    );
    (Some(text), None)
}

/// What is found of a pair. Where `PIKADOCTOR_PAIRS_SEEN` names a directory, what was seen is kept there and not looked at
/// again: a check that was changed judges the same facts.
async fn seen(pair: &Composed) -> Report {
    let Ok(directory) = std::env::var("PIKADOCTOR_PAIRS_SEEN") else {
        return play(pair.scenario.clone()).await.report(Language::En);
    };
    let file = Path::new(&directory).join(format!("{}.json", pair.scenario.name.replace([' ', '/'], "_")));
    if let Ok(text) = std::fs::read(&file) {
        return report(&pair.scenario, serde_json::from_slice(&text).unwrap(), Language::En);
    }
    let played = play(pair.scenario.clone()).await;
    std::fs::write(&file, serde_json::to_vec(&played.facts).unwrap()).unwrap();
    played.report(Language::En)
}

/// What is wrong with them, and the rows of the table that were needed. What is wrong is printed at once.
async fn look_at(pairs: Vec<Composed>) -> (Vec<String>, Vec<usize>) {
    let table = table();
    let runs = pairs.into_iter().map(async |pair| {
        let (wrong, row) = verdict(&pair, &seen(&pair).await, &table);
        if let Some(wrong) = &wrong {
            println!("{wrong}");
        }
        (wrong, row)
    });
    let seen: Vec<_> = futures_util::stream::iter(runs).buffered(SIDE_BY_SIDE).collect().await;
    let rows = seen.iter().filter_map(|(_, row)| *row).collect();
    (seen.into_iter().filter_map(|(wrong, _)| wrong).collect(), rows)
}

#[test]
fn there_are_a_thousand_pairs_and_every_other_one_cannot_be() {
    let (pairs, conflicts) = pairs();
    println!("{} pairs; not to be staged at once: {conflicts:?}", pairs.len());
    assert!(pairs.len() >= 1000, "{}", pairs.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_faults_at_once_are_two_causes() {
    let (mut pairs, _) = pairs();
    pairs.sort_by_key(|pair| fingerprint(&format!("{SEED} {}", pair.scenario.name), 16));
    pairs.truncate(SAMPLE);
    let (wrong, _) = look_at(pairs).await;
    assert!(wrong.is_empty(), "{} of {SAMPLE}:\n{}", wrong.len(), wrong.join("\n"));
}

/// `PIKADOCTOR_PAIRS` restricts it to the pairs whose names hold one of its words, which `;` separates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes: cargo test --test it all_pairs_of_faults -- --ignored"]
async fn all_pairs_of_faults_are_two_causes() {
    let word = std::env::var("PIKADOCTOR_PAIRS").unwrap_or_default();
    let (mut pairs, conflicts) = pairs();
    pairs.retain(|pair| word.split(';').any(|word| pair.scenario.name.contains(word)));
    let count = pairs.len();
    println!("{count} pairs; not to be staged at once: {conflicts:?}");
    let (wrong, rows) = look_at(pairs).await;
    println!("{} told as two, {} hidden with a reason", count - wrong.len() - rows.len(), rows.len());
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    let idle: Vec<_> = table().hides.into_iter().enumerate().filter(|(row, _)| !rows.contains(row)).collect();
    assert!(!word.is_empty() || idle.is_empty(), "these rows hide nothing: {idle:?}");
}
