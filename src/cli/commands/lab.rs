//! `pikadoctor lab`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::catalog;
use crate::cli::args::output::LanguageArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::runtime;
use crate::i18n::texts;
use crate::lab::scenario::{LinkPlan, Mode, Run, Scenario};
use crate::lab::scenarios;
use crate::lab::stage::Stage;
use crate::model::exit;
use crate::model::release::Version;
use crate::model::text::Language;

/// Run simulated servers, for practice and for testing alerts
///
/// Each scenario starts servers on loopback addresses of its own. They answer as real ones of their
/// release did; none of them is a real Pika.
#[derive(Debug, clap::Args)]
pub struct LabCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the scenarios, those of several releases in one line
    List {
        /// List only scenarios with this in their name, one per line
        part: Option<String>,
        #[command(flatten)]
        output: LanguageArgs,
    },
    /// Start the servers of a scenario, and keep them running until Ctrl-C
    Run {
        /// A name from `pikadoctor lab list`
        name: String,
        #[command(flatten)]
        output: LanguageArgs,
    },
}

pub fn run(arguments: &LabCommand) -> Result<CommandOutcome, CliError> {
    match &arguments.action {
        Action::List { part, output } => list(part.as_deref(), output.language()),
        Action::Run { name, output } => stay_up(name, output.language()),
    }
}

fn list(part: Option<&str>, language: Language) -> Result<CommandOutcome, CliError> {
    let mut scenarios = scenarios::all()?;
    scenarios.retain(|scenario| part.is_none_or(|part| scenario.name.contains(part)));
    if scenarios.is_empty() {
        let part = part.unwrap_or_default();
        return Err(CliError::Usage(format!(
            "no scenario has `{part}` in its name; `pikadoctor lab list` names them all"
        )));
    }
    let document =
        if part.is_some() { one_by_one(&scenarios, language) } else { by_family(&scenarios, language) };
    Ok(CommandOutcome { document, exit_code: exit::OK })
}

fn one_by_one(scenarios: &[Scenario], language: Language) -> String {
    scenarios.iter().fold(String::new(), |document, scenario| {
        document + &format!("{:<34} {}\n", scenario.name, scenario.title.get(language))
    })
}

/// Scenarios that differ in their release only, in one line each.
fn by_family(scenarios: &[Scenario], language: Language) -> String {
    let mut document = String::new();
    let mut families: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
    for scenario in scenarios {
        families.entry(&scenario.family).or_default().push(scenario);
    }
    for (family, members) in families {
        let title = members[0].title.get(language);
        let mut releases: Vec<&str> =
            members.iter().filter_map(|member| member.name[family.len()..].strip_prefix('-')).collect();
        releases.sort_by_key(|release| release.parse::<Version>().ok());
        let of = if releases.is_empty() { String::new() } else { format!("  [{}]", releases.join(" ")) };
        let _ = writeln!(document, "{family:<33} {title}{of}");
    }
    let _ = writeln!(document, "\n{}", texts::LAB_HINT.get(language));
    document
}

fn stay_up(name: &str, language: Language) -> Result<CommandOutcome, CliError> {
    let scenario = scenarios::named(name)?;
    let knowledge = Arc::new(catalog::built_in().knowledge);
    runtime::run(async {
        let stage = Stage::start(scenario, &knowledge).await?;
        let mut out = anstream::stdout();
        // A reader that went away is no reason to end: the servers are there for others.
        let _ = out.write_all(introduction(&stage, language).as_bytes()).and_then(|()| out.flush());
        // Ctrl-C ends the process as it ends any other.
        std::future::pending::<()>().await;
        Ok(CommandOutcome { document: String::new(), exit_code: exit::OK })
    })?
}

/// The commands that look at a scenario whose servers are at `addresses`.
pub fn commands(scenario: &Scenario, addresses: &BTreeMap<String, SocketAddr>) -> Vec<String> {
    let Scenario { links, run, parameters, .. } = scenario;
    let address = |name: &String| addresses[name].to_string();
    let mut set = String::new();
    for (check, values) in parameters {
        for (name, value) in values {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(set, " --set {check}.{name}={value}");
        }
    }
    if links.is_empty() {
        return addresses.values().map(|address| format!("pikadoctor check {address}{set}")).collect();
    }
    let command = |link: &LinkPlan| {
        let (replica, master) = (address(&link.replica), address(&link.master));
        match (run, link.mode) {
            (Run::Forecast, _) => format!("pikadoctor forecast {replica} {master}"),
            (Run::Check, Mode::Replica) => format!("pikadoctor check {replica} --master {master}{set}"),
            (Run::Check, Mode::DoubleMaster) => format!("pikadoctor check {replica} --peer {master}{set}"),
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
    let (simulated, attempt) = (texts::LAB_SIMULATED.get(language), texts::LAB_TRY.get(language));
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
        let passwords = texts::LAB_PASSWORDS.get(language);
        let _ = writeln!(text, "\n{passwords} (PIKADOCTOR_PASSWORD): {}", secrets.join(", "));
    }
    if !stage.scenario.links.is_empty() {
        let _ = writeln!(text, "\n{}", texts::LAB_LOOPBACK.get(language));
    }
    let _ = writeln!(text, "\n{}", texts::LAB_END.get(language));
    text
}
