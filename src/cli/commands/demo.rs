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
use crate::model::text::Language;
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
    en: &'static str,
    zh: &'static str,
    /// A check that is shown whatever comes of it.
    shows: Option<&'static str>,
}

const SCENES: [Scene; 3] = [
    Scene {
        scenario: "mix-2.3.0-2.3.6-forecast",
        en: "An old master of 2.3.0, and a new server of 2.3.6 that is to become its replica. Nobody has sent \
             slaveof yet.",
        zh: "一台旧的 2.3.0 主库，和一台准备成为其从库的新 2.3.6。还没有人执行 slaveof。",
        shows: None,
    },
    Scene {
        scenario: "mix-2.3.0-2.3.6-joined",
        en: "Somebody sent it all the same. INFO of both is green: up, repl_state 3, online.",
        zh: "还是有人执行了 slaveof。两边的 INFO 都显示正常：up、repl_state 3、online。",
        shows: None,
    },
    Scene {
        scenario: "healthy-pair-2.3.6",
        en: "What it should look like: two servers of 2.3.6, and a key that really arrives.",
        zh: "正常的样子：两台 2.3.6，写入的键确实到达。",
        shows: Some("link/canary"),
    },
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
    let introduction = match (home.is_some(), language) {
        (false, Language::En) => {
            "These servers are not real ones: this program simulates them, from what real servers answered."
        }
        (false, Language::Zh) => "以下服务器并非真实运行：本程序根据真实服务器的应答进行模拟。",
        (true, Language::En) => {
            "These servers are real ones: each scene starts its Pikas on 127.0.0.1 and ends them."
        }
        (true, Language::Zh) => "以下服务器是真实的：每一幕都在 127.0.0.1 上启动 Pika，看完即结束。",
    };
    let _ = writeln!(out, "{introduction}\n");
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
        let story = match language {
            Language::En => scene.en,
            Language::Zh => scene.zh,
        };
        let _ = writeln!(out, "{}. {story}\n", index + 1);
        for (name, address) in servers.addresses() {
            let release = servers.scenario().servers[name].played_release().trim_start_matches('v');
            let kind = match (home.is_some(), language) {
                (false, Language::En) => "simulated",
                (false, Language::Zh) => "模拟",
                (true, Language::En) => "real",
                (true, Language::Zh) => "真实",
            };
            let _ = writeln!(out, "   {name:<8} {address}  Pika {release}, {kind}");
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
    let ending = match language {
        Language::En => {
            "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown. The demo itself ends with 0: it showed what it was \
             to show.\nNext: pikadoctor lab list for servers to practise on; pikadoctor check HOST:PORT with one of \
             yours."
        }
        Language::Zh => {
            "退出码：0 正常，1 警告，2 严重，3 未知。演示本身以 0 结束：该展示的都已展示。\n接下来：用 pikadoctor lab \
             list 找可供练习的服务器，或者用您自己的服务器试试 pikadoctor check HOST:PORT。"
        }
    };
    let _ = writeln!(out, "{ending}");
    Ok(out)
}
