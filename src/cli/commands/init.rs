//! `pikadoctor init`

use std::path::PathBuf;

use crate::catalog::built_in;
use crate::cli::args::cluster::ClusterArgs;
use crate::cli::args::connection::{ConnectionArgs, TargetRole, collect_by, withheld};
use crate::cli::args::output::LanguageArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::said::say;
use crate::collect::files::write::{expect_output, would_be_lost, write_output};
use crate::collect::net::deadlines::Deadlines;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::limits::MAX_INIT_SERVERS;
use crate::parse::address::pika_address;
use crate::pipeline::request::CollectionPlan;
use crate::pipeline::trust::Trusted;
use crate::pipeline::{INIT, NODES};
use crate::plan::write::{neighbours, plan_text};

/// Generate a plan from running servers; follows their masters, replicas and double masters, a Codis and Sentinels
///
/// The plan says what is now; complete it with what shall be. Nothing is written to any server.
#[derive(Debug, clap::Args)]
pub struct InitCommand {
    /// Servers to start from
    #[arg(required_unless_present_any = ["codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"], value_name = "HOST:PORT", value_parser = pika_address)]
    servers: Vec<Address>,

    /// Write the plan to this file instead of the standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Overwrite the file
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    connecting: ConnectionArgs,

    #[command(flatten)]
    language: LanguageArgs,
}

pub fn run(arguments: &InitCommand) -> Result<CommandOutcome, CliError> {
    if let Some(path) = arguments.output.as_ref().filter(|path| would_be_lost(path) && !arguments.force) {
        return Err(CliError::Exists(path.clone()));
    }
    if let Some(path) = &arguments.output {
        expect_output(path).map_err(|source| CliError::Write { path: path.clone(), source })?;
    }
    let facts = follow(arguments)?;
    let language = arguments.language.language();
    let text = plan_text(&facts, &arguments.cluster.named(), arguments.output.as_deref(), language);
    let answered = facts.nodes.iter().filter(|node| node.version.is_some()).count();
    // A plan without a server that answers is worth nothing, and nobody should believe that it was found.
    if answered == 0 {
        let names: Vec<&str> = facts.nodes.iter().map(|node| node.name.as_str()).collect();
        let names = if names.is_empty() { "any address".to_owned() } else { names.join(", ") };
        return Err(CliError::NoAnswer(names));
    }
    let Some(path) = &arguments.output else {
        return Ok(CommandOutcome { document: text, exit_code: exit::OK });
    };
    write_output(path, text.as_bytes()).map_err(|source| CliError::Write { path: path.clone(), source })?;
    let document = format!(
        "{}: {answered} of {} servers answered\ncheck it with:  pikadoctor check -f {}\n",
        path.display(),
        facts.nodes.len(),
        path.display()
    );
    Ok(CommandOutcome { document, exit_code: exit::OK })
}

/// Looks at the servers that were named, at those that they name, and so on.
fn follow(arguments: &InitCommand) -> Result<Facts, CliError> {
    let catalogue = built_in();
    let (mut facts, deadlines, mut trusted) = first(arguments, &catalogue)?;
    let mut next = neighbours(&facts);
    let mut withheld_from = Vec::new();
    while !next.is_empty() {
        let named: Vec<(TargetRole, &Address)> =
            next.iter().map(|address| (TargetRole::Server, address)).collect();
        // A host that was named by its name is known again by the address at which it was reached.
        for node in facts.nodes.iter().filter(|node| trusted.holds(&node.address)).collect::<Vec<_>>() {
            node.reached_at.iter().for_each(|host| trusted.add(host));
        }
        let mut targets = arguments.connecting.targets(&named)?;
        for target in targets.iter_mut().filter(|target| !trusted.holds(&target.address)) {
            if target.password.take().is_some() {
                withheld_from.push(target.name.clone());
            }
        }
        let skip_ports = arguments.connecting.skips_ports();
        let plan = CollectionPlan { targets, skip_ports, ..CollectionPlan::default() };
        let seen = collect_by(deadlines, &plan, NODES, &catalogue.knowledge)?;
        facts.nodes.extend(seen.nodes);
        // Half of a plan is worth nothing, and nobody should believe that it is the whole.
        if deadlines.is_over() {
            return Err(CliError::TimeOver(facts.nodes.len()));
        }
        next = neighbours(&facts);
        let room = MAX_INIT_SERVERS.saturating_sub(facts.nodes.len());
        if next.len() > room {
            return Err(CliError::TooManyServers(MAX_INIT_SERVERS));
        }
    }
    withheld_from
        .retain(|name| facts.node(name).is_some_and(|node| node.authentication.admitted == Some(false)));
    if !withheld_from.is_empty() {
        say(&withheld(&withheld_from.join(", ")));
    }
    Ok(facts)
}

/// The servers that were named, and those that a Codis, a coordinator or Sentinels name; the end of the run, and who may see passwords.
fn first(arguments: &InitCommand, catalogue: &Catalogue) -> Result<(Facts, Deadlines, Trusted), CliError> {
    let connecting = &arguments.connecting;
    let named: Vec<(TargetRole, &Address)> =
        arguments.servers.iter().map(|address| (TargetRole::Server, address)).collect();
    let targets = connecting.targets(&named)?;
    let skip_ports = connecting.skips_ports();
    let plan = CollectionPlan { targets, skip_ports, ..CollectionPlan::default() };
    let plan = arguments.cluster.add(plan, connecting)?;
    let deadlines = connecting.deadlines(plan.is_large());
    let facts = collect_by(deadlines, &plan, INIT, &catalogue.knowledge)?;
    Ok((facts, deadlines, Trusted::of(&plan)))
}
