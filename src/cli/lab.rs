//! `pikadoctor lab`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use super::options::Output;
use super::{Failure, Outcome};
use crate::judge::catalogue;
use crate::lab::scenario::{self, Mode, Run, SCENARIOS, Scenario};
use crate::lab::stage::Stage;
use crate::model::exit;
use crate::model::text::Language;

/// Simulated servers to practise on, and to test alerting with
///
/// Each scenario starts servers on loopback addresses of its own. They answer as real ones of their
/// release did; none of them is a real Pika.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Name all scenarios
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Start the servers of a scenario, and keep them until Ctrl-C
    Run {
        /// A name from `pikadoctor lab list`
        name: String,
        #[command(flatten)]
        output: Output,
    },
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    match &arguments.action {
        Action::List { output } => list(output.language()),
        Action::Run { name, output } => stay_up(name, output.language()),
    }
}

fn list(language: Language) -> Result<Outcome, Failure> {
    let mut document = String::new();
    for (name, text) in SCENARIOS {
        let scenario = scenario::read(name, text).map_err(Failure)?;
        let _ = writeln!(document, "{name:<32} {}", scenario.title.get(language));
    }
    Ok(Outcome { document, exit_code: exit::OK })
}

fn stay_up(name: &str, language: Language) -> Result<Outcome, Failure> {
    let scenario = scenario::named(name).map_err(Failure)?;
    let knowledge = Arc::new(catalogue::built_in().knowledge);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    runtime.block_on(async {
        let stage = Stage::start(scenario, &knowledge).await.map_err(Failure)?;
        let mut out = anstream::stdout();
        // A reader that went away is no reason to end: the servers are there for others.
        let _ = out.write_all(introduction(&stage, language).as_bytes()).and_then(|()| out.flush());
        // Ctrl-C ends the process as it ends any other.
        std::future::pending::<()>().await;
        Ok(Outcome { document: String::new(), exit_code: exit::OK })
    })
}

/// The commands that look at a scenario whose servers are at `addresses`.
pub fn commands(scenario: &Scenario, addresses: &BTreeMap<String, SocketAddr>) -> Vec<String> {
    let Scenario { links, run, .. } = scenario;
    let address = |name: &String| addresses[name].to_string();
    if links.is_empty() {
        return addresses.values().map(|address| format!("pikadoctor check {address}")).collect();
    }
    let command = |link: &scenario::LinkPlan| {
        let (replica, master) = (address(&link.replica), address(&link.master));
        match (run, link.mode) {
            (Run::Forecast, _) => format!("pikadoctor forecast {replica} {master}"),
            (Run::Check, Mode::Replica) => format!("pikadoctor check {replica} --master {master}"),
            (Run::Check, Mode::DoubleMaster) => format!("pikadoctor check {replica} --peer {master}"),
        }
    };
    links.iter().map(command).collect()
}

fn introduction(stage: &Stage, language: Language) -> String {
    let mut text = format!("{}\n\n", stage.scenario.title.get(language));
    for (name, address) in &stage.addresses {
        let plan = &stage.scenario.servers[name];
        let release = plan.played_release();
        let _ = writeln!(text, "  {name:<10} {address}  Pika {}", release.trim_start_matches('v'));
    }
    let (simulated, attempt, passwords, loopback, end) = match language {
        Language::En => (
            "These servers are simulated.",
            "Try:",
            "The passwords of this scenario",
            "On links, link/master-address warns of the loopback addresses, and is right: no real replica \
             should have one.",
            "Ctrl-C ends them.",
        ),
        Language::Zh => (
            "以上服务器均为模拟。",
            "可以尝试：",
            "本场景的密码",
            "检查主从连接时，link/master-address 会对环回地址发出警告，这是对的：真实的从库不应使用环回地址。",
            "按 Ctrl-C 结束。",
        ),
    };
    let _ = writeln!(text, "\n{simulated} {attempt}\n");
    for command in commands(&stage.scenario, &stage.addresses) {
        let _ = writeln!(text, "  {command}");
    }
    let secrets: Vec<String> = stage
        .scenario
        .servers
        .iter()
        .filter_map(|(name, plan)| Some(format!("{name} {}", plan.password.as_ref()?)))
        .collect();
    if !secrets.is_empty() {
        let _ = writeln!(text, "\n{passwords} (PIKADOCTOR_PASSWORD): {}", secrets.join(", "));
    }
    if !stage.scenario.links.is_empty() {
        let _ = writeln!(text, "\n{loopback}");
    }
    let _ = writeln!(text, "\n{end}");
    text
}
