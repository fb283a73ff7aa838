//! What is found of every scenario of the laboratory, looked at once for all tests of this program.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::support::chinese::is_all_chinese;
use futures_util::StreamExt as _;
use pikadoctor::catalog::built_in;
use pikadoctor::lab::scenario::{Run, Scenario};
use pikadoctor::lab::scenarios;
use pikadoctor::lab::stage::Stage;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::Report;
use pikadoctor::model::knowledge::Knowledge;
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::judgement::judge;
use tokio::sync::OnceCell;

pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(built_in);
pub static KNOWLEDGE: LazyLock<Arc<Knowledge>> = LazyLock::new(|| Arc::new(built_in().knowledge));

/// How many scenarios run beside each other.
pub const SIDE_BY_SIDE: usize = 48;

/// Longer than any delay of a scenario that is no fault, shorter than those that are.
pub const CANARY_WAIT: Duration = Duration::from_millis(4500);

/// A scenario, and what was seen of it.
pub struct Played {
    pub scenario: Scenario,
    pub facts: Facts,
}

impl Played {
    /// What it means.
    pub fn report(&self, language: Language) -> Report {
        report(&self.scenario, self.facts.clone(), language)
    }
}

/// What the facts of a scenario mean.
pub fn report(scenario: &Scenario, facts: Facts, language: Language) -> Report {
    let mut catalogue = CATALOGUE.clone();
    // A forecast is about the links; what the nodes are like otherwise is for `check`.
    if scenario.run == Run::Forecast {
        catalogue.checks.retain(|check| check.file.target.is_about_links() || check.id == "node/reachable");
    }
    judge(facts, &catalogue, &scenario.parameters, language)
}

/// Stages a scenario and looks at it.
pub async fn play(scenario: Scenario) -> Played {
    let stage = Stage::start(scenario.clone(), &KNOWLEDGE).await.unwrap_or_else(|error| panic!("{error}"));
    let facts = stage.collect(&CATALOGUE, CANARY_WAIT).await.unwrap();
    is_all_chinese(&facts);
    Played { scenario, facts }
}

/// All scenarios that the program carries.
pub fn all() -> Vec<Scenario> {
    scenarios::all().unwrap_or_else(|error| panic!("{error}"))
}

/// All of them, played.
pub async fn all_played() -> &'static [Played] {
    static PLAYED: OnceCell<Vec<Played>> = OnceCell::const_new();
    let play_all = || async {
        futures_util::stream::iter(all().into_iter().map(play)).buffered(SIDE_BY_SIDE).collect().await
    };
    PLAYED.get_or_init(play_all).await
}
