//! What a report of the laboratory advises first is done, on simulated servers: it must mend what it is for, and cost
//! no more than it says. With `UPDATE_TRIALS=1` what was tried is added to `data/lab/remedies-tried.txt`, from which a page of
//! the book is made. `PIKADOCTOR_SCENARIOS` chooses scenarios by a part of their name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use pikadoctor::lab::scenario::{Scenario, ServerPlan};
use pikadoctor::lab::stage::Stage;
use pikadoctor::model::finding::Report;
use pikadoctor::model::remedy::{Placeholder, Remedy, RemedyStep, ServiceAction};
use pikadoctor::model::text::Language;
use tempfile::TempDir;

use super::played::{CANARY_WAIT, CATALOGUE, KNOWLEDGE, SIDE_BY_SIDE, all, report};
use crate::support::trial::{Keys, Site, Trial, has_redis_cli, try_remedies};

const TRIED: &str = "tests/it/data/lab/remedies-tried.txt";

/// Simulated servers, whose configuration files are real.
struct Simulated {
    scenario: Scenario,
    stage: Stage,
    directory: TempDir,
}

impl Simulated {
    async fn start(scenario: Scenario) -> Self {
        let stage =
            Stage::start(scenario.clone(), &KNOWLEDGE).await.unwrap_or_else(|error| panic!("{error}"));
        let directory = tempfile::tempdir().unwrap();
        for name in scenario.servers.keys() {
            let lines = stage.settings(name).into_iter().map(|(key, value)| format!("{key} : {value}\n"));
            fs::write(directory.path().join(name), lines.collect::<String>()).unwrap();
        }
        Self { scenario, stage, directory }
    }
}

impl Site for Simulated {
    async fn look(&mut self) -> Report {
        let facts = self.stage.collect(&CATALOGUE, CANARY_WAIT).await.unwrap();
        report(&self.scenario, facts, Language::En)
    }

    async fn keys(&mut self) -> Keys {
        let keys = |name: &String| self.stage.keys(name).into_iter().map(|(db, key)| format!("{db} {key}"));
        let servers = self.scenario.servers.keys();
        servers
            .map(|name| (name.clone(), keys(name).filter(|key| !key.contains("pikadoctor:")).collect()))
            .collect()
    }

    fn servers(&self) -> BTreeMap<String, SocketAddr> {
        self.stage.addresses.clone()
    }

    fn causes(&self) -> Vec<String> {
        self.scenario.causes()
    }

    fn name_of(&self, address: &str) -> Option<String> {
        let is_it = |known: &SocketAddr| known.to_string() == address || known.ip().to_string() == address;
        self.stage.addresses.iter().find(|(_, known)| is_it(known)).map(|(name, _)| name.clone())
    }

    fn password(&self, server: &str) -> Option<String> {
        self.scenario.servers[server].password.clone()
    }

    fn conf(&mut self, server: &str) -> PathBuf {
        self.directory.path().join(server)
    }

    fn fill_in(&self, placeholder: &Placeholder) -> Option<String> {
        if placeholder.placeholder == "address" {
            // What the log of the master says of itself.
            return self.stage.addresses.get("master").map(|address| address.ip().to_string());
        }
        let server = self.name_of(placeholder.of.as_ref()?)?;
        self.stage.settings(&server).get(&placeholder.placeholder).cloned()
    }

    async fn service(&mut self, server: &str, what: ServiceAction) -> Result<(), String> {
        if what != ServiceAction::Start {
            self.stage.stop(server);
        }
        if what != ServiceAction::Stop {
            let conf = fs::read_to_string(self.conf(server)).unwrap();
            let pairs = conf.lines().filter_map(|line| line.split_once(':'));
            let settings = pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            self.stage.start_again(server, settings.collect(), &KNOWLEDGE).await.unwrap();
        }
        Ok(())
    }

    async fn decide(&mut self, remedy: &Remedy, step: &RemedyStep) -> bool {
        let recipe = step.recipe.as_ref().unwrap_or(&remedy.recipe);
        let known = self.scenario.by_hand.contains(recipe);
        if known {
            self.stage.mend_surroundings(&KNOWLEDGE).await.unwrap();
        }
        known
    }

    async fn wait(&mut self) {
        self.stage.end_copies();
    }
}

/// A release of Pika, by its tag without the letter.
fn release(scenario: &Scenario) -> String {
    let servers: BTreeSet<&str> = scenario.servers.values().map(ServerPlan::played_release).collect();
    servers.into_iter().map(|tag| tag.trim_start_matches('v')).collect::<Vec<_>>().join(" + ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_advised_first_mends_what_it_is_for() {
    if !has_redis_cli() {
        println!("redis-cli is not installed (Debian: redis-tools): no remedy was tried");
        return;
    }
    let only = std::env::var("PIKADOCTOR_SCENARIOS").unwrap_or_default();
    // Of what ends by itself nobody could say that a remedy did it.
    let fits = |scenario: &Scenario| {
        scenario.faults() > 0 && !scenario.changes_by_itself() && scenario.name.contains(&only)
    };
    let scenarios = all().into_iter().filter(fits);
    let runs = scenarios.map(async |scenario| {
        let mut site = Simulated::start(scenario.clone()).await;
        (scenario, try_remedies(&mut site).await)
    });
    let seen: Vec<(Scenario, Vec<Trial>)> =
        futures_util::stream::iter(runs).buffered(SIDE_BY_SIDE).collect().await;
    let mut tried: BTreeSet<String> = fs::read_to_string(TRIED).unwrap().lines().map(str::to_owned).collect();
    let mut wrong = Vec::new();
    for (scenario, trial) in
        seen.iter().flat_map(|(scenario, all)| all.iter().map(move |one| (scenario, one)))
    {
        let line = |recipe: &str| format!("{recipe}\t{}\t{}", release(scenario), scenario.family);
        if let Some(why) = &trial.untried {
            println!("{}: {}: {why}", scenario.name, trial.recipe);
        } else if trial.faults.is_empty() {
            tried.extend(trial.proven().into_iter().map(|recipe| line(recipe)));
        } else {
            tried.remove(&line(&trial.recipe));
            let faults = trial.faults.join("\n    ");
            wrong.push(format!("{}: {} of {}:\n    {faults}", scenario.name, trial.recipe, trial.check));
        }
    }
    if std::env::var_os("UPDATE_TRIALS").is_some() {
        fs::write(TRIED, tried.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
