//! What a report advises first is done on real servers. `PIKADOCTOR_SCENARIOS` chooses scenarios by a part of their
//! name; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`, from which a page of the book is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use pikadoctor::catalog::built_in;
use pikadoctor::lab::pika::Home;
use pikadoctor::lab::real::{RealStage, can_be_staged};
use pikadoctor::lab::scenario::{Run, Scenario, ServerPlan};
use pikadoctor::lab::scenarios;
use pikadoctor::model::finding::Report;
use pikadoctor::model::remedy::{Placeholder, Remedy, RemedyStep, ServiceAction};
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::judgement::judge;

use crate::support::real::home;
use crate::support::trial::{Keys, Site, Trial, has_redis_cli, try_remedies};

/// Old releases reserve 1.4 GB each.
const SIDE_BY_SIDE: usize = 3;

/// A healthy link carries a key within a second.
const CANARY_WAIT: Duration = Duration::from_secs(4);

/// From the last step until the heartbeats of a new link have come.
const REST: Duration = Duration::from_secs(4);

const FAULTS: &str = "tests/live/data/faults";

const TRIED: &str = "tests/live/data/remedies-tried.txt";

struct Real {
    scenario: Scenario,
    stage: RealStage,
}

impl Site for Real {
    async fn look(&mut self) -> Report {
        self.stage.learn_passwords();
        tokio::time::sleep(REST).await;
        let mut catalogue = built_in();
        if self.scenario.run == Run::Forecast {
            let about_links = |id: &str| id == "node/reachable";
            catalogue.checks.retain(|check| check.file.target.is_about_links() || about_links(&check.id));
        }
        let facts = self.stage.collect(&catalogue, CANARY_WAIT).await.unwrap();
        judge(facts, &catalogue, &self.scenario.parameters, Language::En)
    }

    async fn keys(&mut self) -> Keys {
        self.stage.learn_passwords();
        let mut all = Keys::new();
        for name in self.scenario.servers.keys() {
            let mut keys = self.stage.keys(name).await.unwrap_or_default();
            keys.retain(|key| !key.contains("pikadoctor:"));
            all.insert(name.clone(), keys);
        }
        all
    }

    fn servers(&self) -> BTreeMap<String, SocketAddr> {
        self.stage.addresses.clone()
    }

    fn causes(&self) -> Vec<String> {
        self.scenario.causes()
    }

    fn name_of(&self, address: &str) -> Option<String> {
        let mut known = self.stage.addresses.iter();
        known.find(|(_, known)| known.to_string() == address).map(|(name, _)| name.clone())
    }

    fn password(&self, server: &str) -> Option<String> {
        // What a step has set counts from then on.
        let own = self.stage.running(server).and_then(|server| server.setting("requirepass"));
        own.filter(|own| !own.is_empty()).or_else(|| self.scenario.servers[server].password.clone())
    }

    fn conf(&mut self, server: &str) -> PathBuf {
        self.stage.server(server).map(|server| server.conf()).unwrap_or_default()
    }

    fn fill_in(&self, placeholder: &Placeholder) -> Option<String> {
        if placeholder.placeholder == "password" {
            return Some("chosen".to_owned());
        }
        if placeholder.placeholder == "address" {
            // What the log of the master says of itself.
            return self.stage.addresses.get("master").map(|address| address.ip().to_string());
        }
        let server = self.name_of(placeholder.of.as_ref()?)?;
        self.scenario.servers[&server].settings.get(&placeholder.placeholder).cloned()
    }

    async fn service(&mut self, server: &str, what: ServiceAction) -> Result<(), String> {
        let Some(server) = self.stage.server(server) else { return Ok(()) };
        if what != ServiceAction::Start {
            server.stop().await.map_err(|error| error.to_string())?;
        }
        if what != ServiceAction::Stop {
            server.start_again().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn decide(&mut self, remedy: &Remedy, step: &RemedyStep) -> bool {
        let recipe = step.recipe.as_ref().unwrap_or(&remedy.recipe);
        let known = self.scenario.by_hand.contains(recipe);
        if known {
            self.stage.mend_surroundings().await.unwrap();
        }
        known
    }

    async fn wait(&mut self) {}
}

/// Faults for which no servers are simulated. Each file begins with the recipe that must come first, and `--`.
fn staged_for_trials() -> Vec<Scenario> {
    let files = fs::read_dir(FAULTS).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        scenarios::read(&name, &fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{error}"))
    };
    files.flat_map(read).collect()
}

fn release(scenario: &Scenario) -> String {
    let servers: BTreeSet<&str> = scenario.servers.values().map(ServerPlan::played_release).collect();
    servers.into_iter().map(|tag| tag.trim_start_matches('v')).collect::<Vec<_>>().join(" + ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
async fn what_is_advised_first_mends_real_servers() {
    assert!(has_redis_cli(), "redis-cli is needed (Debian: redis-tools)");
    let only = std::env::var("PIKADOCTOR_SCENARIOS").unwrap_or_default();
    let home = Home::Directory(home());
    let all = scenarios::all().unwrap().into_iter().chain(staged_for_trials());
    let scenarios = all.filter(|it| it.faults() > 0 && can_be_staged(it).is_ok() && it.name.contains(&only));
    let has_all = |it: &Scenario| {
        it.servers.values().all(|it| home.binary(it.played_release().trim_start_matches('v')).is_ok())
    };
    let runs = scenarios.filter(has_all).map(async |scenario| {
        let stage = RealStage::start(&home, scenario.clone()).await;
        let mut site = match stage {
            Ok(stage) => Real { scenario: scenario.clone(), stage },
            Err(error) => return (scenario, Err(error.to_string())),
        };
        let trials = try_remedies(&mut site).await;
        // Whoever ends a long run sees how far it came.
        eprintln!(
            "{}: {:?}",
            scenario.name,
            trials.iter().map(|it| (&it.recipe, &it.faults)).collect::<Vec<_>>()
        );
        (scenario, Ok(trials))
    });
    let seen: Vec<(Scenario, Result<Vec<Trial>, String>)> =
        futures_util::stream::iter(runs).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let mut tried: BTreeSet<String> = fs::read_to_string(TRIED).unwrap().lines().map(str::to_owned).collect();
    let mut wrong = Vec::new();
    for (scenario, trials) in &seen {
        let line = |recipe: &str| format!("{recipe}\t{}\t{}", release(scenario), scenario.family);
        let trials = match trials {
            Ok(trials) => trials,
            Err(error) => {
                wrong.push(format!("{}: {error}", scenario.name));
                continue;
            }
        };
        let advised: Vec<&str> = trials.iter().map(|trial| &*trial.recipe).collect();
        match scenario.family.split_once("--") {
            Some((recipe, _)) if !advised.contains(&recipe) => {
                wrong.push(format!("{}: {advised:?} are advised first", scenario.name));
            }
            _ if advised.is_empty() => eprintln!("{}: no remedy is advised first", scenario.name),
            _ => {}
        }
        for trial in trials {
            if let Some(why) = &trial.untried {
                eprintln!("{}: {}: {why}", scenario.name, trial.recipe);
            } else if trial.faults.is_empty() {
                eprintln!("{}: {} did what it says", scenario.name, trial.recipe);
                tried.extend(trial.proven().into_iter().map(|recipe| line(recipe)));
            } else {
                tried.remove(&line(&trial.recipe));
                let faults = trial.faults.join("\n    ");
                wrong.push(format!("{}: {} of {}:\n    {faults}", scenario.name, trial.recipe, trial.check));
            }
        }
    }
    if std::env::var_os("UPDATE_TRIALS").is_some() {
        fs::write(TRIED, tried.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
}
