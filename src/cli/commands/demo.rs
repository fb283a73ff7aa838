//! `pikadoctor demo`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lab::commands;
use crate::catalog;
use crate::cli::args::output::{LanguageArgs, terminal_options};
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::runtime;
use crate::i18n::texts;
use crate::lab::pika::Home;
use crate::lab::real::RealStage;
use crate::lab::scenario::{Run, Scenario};
use crate::lab::scenarios;
use crate::lab::stage::Stage;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::{DEMO_CANARY_TIMEOUT, DEMO_REAL_CANARY_TIMEOUT};
use crate::model::text::{Language, Words};
use crate::pipeline::error::PipelineError;
use crate::pipeline::judgement::judge;
use crate::render::options::{Format, RenderOptions};
use crate::render::render;

/// Show the diagnosis of simulated servers
///
/// The binary simulates the servers of a migration on loopback addresses, and looks at them. With --pika the
/// same story is played on real servers of 2.3.0 and 2.3.6, which are started on 127.0.0.1 and ended again.
#[derive(Debug, clap::Args)]
pub struct DemoCommand {
    /// Play it on real servers: DIR/2.3.0/pika and DIR/2.3.6/pika; without DIR, pika-2.3.0 and pika-2.3.6
    /// in PATH
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = IN_PATH)]
    pika: Option<PathBuf>,
    #[command(flatten)]
    output: LanguageArgs,
}

/// What stands for the directories of PATH.
const IN_PATH: &str = "PATH";

/// A scene of the demo: a scenario of the laboratory and what is told of it.
struct Scene {
    scenario: &'static str,
    story: Words,
    /// A check that is shown whatever comes of it.
    shows: Option<&'static str>,
}

const SCENES: [Scene; 3] = [
    Scene { scenario: "mix-2.3.0-2.3.6-forecast", story: texts::DEMO_FORECAST, shows: Some("link/forecast") },
    Scene { scenario: "mix-2.3.0-2.3.6-joined", story: texts::DEMO_JOINED, shows: None },
    Scene { scenario: "healthy-pair-2.3.6", story: texts::DEMO_HEALTHY, shows: Some("link/canary") },
];

/// The servers of a scene.
enum Servers {
    Simulated(Stage),
    Real(RealStage),
}

impl Servers {
    async fn start(
        home: Option<&Home>,
        scenario: Scenario,
        knowledge: &Arc<Knowledge>,
    ) -> Result<Self, CliError> {
        match home {
            Some(home) => RealStage::start(home, scenario).await.map(Self::Real),
            None => Stage::start(scenario, knowledge).await.map(Self::Simulated),
        }
        .map_err(CliError::Lab)
    }

    fn scenario(&self) -> &Scenario {
        match self {
            Self::Simulated(stage) => &stage.scenario,
            Self::Real(stage) => &stage.scenario,
        }
    }

    fn addresses(&self) -> &BTreeMap<String, SocketAddr> {
        match self {
            Self::Simulated(stage) => &stage.addresses,
            Self::Real(stage) => &stage.addresses,
        }
    }

    async fn collect(&self, catalogue: &Catalogue) -> Result<Facts, PipelineError> {
        match self {
            Self::Simulated(stage) => stage.collect(catalogue, DEMO_CANARY_TIMEOUT).await,
            Self::Real(stage) => stage.collect(catalogue, DEMO_REAL_CANARY_TIMEOUT).await,
        }
    }
}

pub fn run(arguments: &DemoCommand) -> Result<CommandOutcome, CliError> {
    let language = arguments.output.language();
    let home = arguments.pika.clone().map(|directory| {
        if directory == Path::new(IN_PATH) { Home::Path } else { Home::Directory(directory) }
    });
    let document = runtime::run(play(home.as_ref(), language))??;
    Ok(CommandOutcome { document, exit_code: exit::OK })
}

async fn play(home: Option<&Home>, language: Language) -> Result<String, CliError> {
    let built_in = catalog::built_in();
    let knowledge = Arc::new(built_in.knowledge.clone());
    let mut out = String::new();
    let introduction =
        if home.is_some() { texts::DEMO_REAL_INTRODUCTION } else { texts::DEMO_SIMULATED_INTRODUCTION };
    let _ = writeln!(out, "{}\n", introduction.get(language));
    for (index, scene) in SCENES.iter().enumerate() {
        let scenario = scenarios::named(scene.scenario)?;
        let mut catalogue = built_in.clone();
        if scenario.run == Run::Forecast {
            catalogue.checks.retain(|check| check.target.is_about_links() || check.id == "node/reachable");
        }
        let parameters = scenario.parameters.clone();
        let servers = Servers::start(home, scenario, &knowledge).await?;
        let facts = servers.collect(&catalogue).await?;
        let report = judge(facts, &catalogue, &parameters, language);
        let _ = writeln!(out, "{}. {}\n", index + 1, scene.story.get(language));
        for (name, address) in servers.addresses() {
            let release = servers.scenario().servers[name].played_release().trim_start_matches('v');
            let kind = if home.is_some() { texts::DEMO_REAL } else { texts::DEMO_SIMULATED };
            let kind = kind.get(language);
            let comma = texts::COMMA.get(language);
            let _ = writeln!(out, "   {name:<8} {address}  Pika {release}{comma}{kind}");
        }
        out.push('\n');
        for command in commands(servers.scenario(), servers.addresses()) {
            let _ = writeln!(out, "$ {command}");
        }
        out.push_str(&render(
            &report,
            Format::Human,
            RenderOptions { always: scene.shows, ..terminal_options() },
        ));
        out.push('\n');
    }
    let _ = writeln!(out, "{}", texts::DEMO_END.get(language));
    Ok(out)
}
