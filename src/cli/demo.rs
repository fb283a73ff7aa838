//! `pikadoctor demo`

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::lab::commands;
use super::options::{Output, look};
use super::{Failure, Outcome};
use crate::judge;
use crate::judge::catalogue;
use crate::judge::evaluate::Parameters;
use crate::lab::scenario::{self, Run};
use crate::lab::stage::Stage;
use crate::model::exit;
use crate::model::text::Language;
use crate::render::{Format, render};

/// See a diagnosis without a server
///
/// The binary simulates the servers of a migration on loopback addresses, and looks at them.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    output: Output,
}

/// A scene of the demo: a scenario of the laboratory and what is told of it.
struct Scene {
    scenario: &'static str,
    en: &'static str,
    zh: &'static str,
}

const SCENES: [Scene; 3] = [
    Scene {
        scenario: "mix-2.3.0-2.3.6-forecast",
        en: "An old master of 2.3.0, and a new server of 2.3.6 that is to become its replica. Nobody has sent \
             slaveof yet.",
        zh: "一台旧的 2.3.0 主库，和一台准备成为其从库的新 2.3.6。还没有人执行 slaveof。",
    },
    Scene {
        scenario: "mix-2.3.0-2.3.6-joined",
        en: "Somebody sent it all the same. INFO of both is green: up, repl_state 3, online.",
        zh: "还是有人执行了 slaveof。两边的 INFO 都显示正常：up、repl_state 3、online。",
    },
    Scene {
        scenario: "healthy-pair-2.3.6",
        en: "What it should look like: two servers of 2.3.6, and a key that really arrives.",
        zh: "正常的样子：两台 2.3.6，写入的键确实到达。",
    },
];

/// How long a key may take in the demo: simulated links carry it at once or never.
const CANARY_WAIT: Duration = Duration::from_millis(800);

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let language = arguments.output.language();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let document = runtime.block_on(play(language))?;
    runtime.shutdown_background();
    Ok(Outcome { document, exit_code: exit::OK })
}

async fn play(language: Language) -> Result<String, Failure> {
    let built_in = catalogue::built_in();
    let knowledge = Arc::new(built_in.knowledge.clone());
    let mut out = String::new();
    let introduction = match language {
        Language::En => {
            "These servers are not real ones: this program simulates them, from what real servers answered."
        }
        Language::Zh => "以下服务器并非真实运行：本程序根据真实服务器的应答进行模拟。",
    };
    let _ = writeln!(out, "{introduction}\n");
    for (index, scene) in SCENES.iter().enumerate() {
        let scenario = scenario::named(scene.scenario).map_err(Failure)?;
        let forecast = scenario.run == Run::Forecast;
        let stage = Stage::start(scenario, &knowledge).await.map_err(Failure)?;
        let mut catalogue = built_in.clone();
        if forecast {
            catalogue
                .checks
                .retain(|check| check.file.target.is_about_links() || check.id == "node/reachable");
        }
        let facts = stage.examine(&catalogue, CANARY_WAIT).await;
        let report = judge(facts, &catalogue, &Parameters::new(), language);
        let story = match language {
            Language::En => scene.en,
            Language::Zh => scene.zh,
        };
        let _ = writeln!(out, "{}. {story}\n", index + 1);
        for command in commands(&stage) {
            let _ = writeln!(out, "$ {command}");
        }
        out.push_str(&render(&report, Format::Human, look()));
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
