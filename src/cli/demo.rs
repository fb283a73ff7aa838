//! `pikadoctor demo`

use std::fmt::Write as _;
use std::time::Duration;

use super::options::{Output, look};
use super::{Failure, Outcome};
use crate::collect::clock::Deadlines;
use crate::judge::catalogue;
use crate::judge::evaluate::Parameters;
use crate::lab::recorded::{RecordedServer, Recording};
use crate::model::exit;
use crate::model::facts::Address;
use crate::model::text::Language;
use crate::render::{Format, render};
use crate::{Scope, Target, examine, judge};

/// See a diagnosis without a server
///
/// The binary plays back what real servers said, on free ports of 127.0.0.1, and checks them.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    output: Output,
}

/// A scene of the demo.
struct Scene {
    recording: &'static str,
    en: &'static str,
    zh: &'static str,
}

const SCENES: [Scene; 2] = [
    Scene {
        recording: include_str!("../../tests/recordings/v2.3.6/slave-read-only-master/master.json"),
        en: "A Pika 2.3.6 that is about to take over as master. Somebody copied slave-read-only from the replica's pika.conf.",
        zh: "一台即将接管主库的 Pika 2.3.6。有人从从库的 pika.conf 中照搬了 slave-read-only。",
    },
    Scene {
        recording: include_str!("../../tests/recordings/v3.5.5/standalone/standalone.json"),
        en: "A healthy Pika 3.5.5, with nothing to say about it.",
        zh: "一台健康的 Pika 3.5.5，没有任何问题。",
    },
];

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let language = arguments.output.language();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let document = runtime.block_on(play(language))?;
    runtime.shutdown_background();
    Ok(Outcome { document, exit_code: exit::OK })
}

async fn play(language: Language) -> Result<String, Failure> {
    let catalogue = catalogue::built_in();
    let mut out = String::new();
    let introduction = match language {
        Language::En => {
            "These servers are not real ones: this program plays back what real servers answered."
        }
        Language::Zh => "以下服务器并非真实运行：本程序在回放真实服务器当时的应答。",
    };
    let _ = writeln!(out, "{introduction}\n");
    for (index, scene) in SCENES.iter().enumerate() {
        let recording: Recording = serde_json::from_str(scene.recording).map_err(Failure::new)?;
        let server = RecordedServer::start(recording).await.map_err(Failure::new)?;
        let address = Address { host: server.address.ip().to_string(), port: server.address.port() };
        let target = Target { name: address.to_string(), address: address.clone(), password: None };
        let deadlines =
            Deadlines::starting_now(Duration::from_secs(10), Duration::from_secs(3), Duration::from_secs(5));
        let facts = examine(&[target], &catalogue.knowledge, Scope { deadlines, ports: false }).await;
        let report = judge(facts, &catalogue, &Parameters::new(), language);
        let story = match language {
            Language::En => scene.en,
            Language::Zh => scene.zh,
        };
        let _ = writeln!(out, "{}. {story}\n", index + 1);
        let _ = writeln!(out, "$ pikadoctor check {address}");
        out.push_str(&render(&report, Format::Human, look()));
        out.push('\n');
    }
    let ending = match language {
        Language::En => "Next: pikadoctor check HOST:PORT with a server of yours. Nothing is changed on it.",
        Language::Zh => {
            "接下来：用您自己的服务器试试 pikadoctor check HOST:PORT。它不会改动服务器上的任何东西。"
        }
    };
    let _ = writeln!(out, "{ending}");
    Ok(out)
}
