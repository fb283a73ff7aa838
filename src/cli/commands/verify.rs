//! `pikadoctor verify`

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::args::connection::{ConnectionArgs, TargetRole};
use crate::cli::args::output::ReportArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::collect::verify::VerifyOptions;
use crate::model::address::Address;
use crate::model::link::LinkMode;
use crate::model::policy::Parameters;
use crate::model::verification::{CompareLevel, Shard};
use crate::parse::address::pika_address;
use crate::parse::duration;
use crate::pipeline::VERIFY;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest, VerificationRequest};

/// Compare the data of two servers
///
/// Keys of all types and databases are compared in both directions: which are there, of which type, with which length and,
/// where that is asked for, with which contents and life. Nothing is written. The exit code is 0 when they are equal, 2
/// when they differ, and 3 when it cannot be said.
#[derive(Debug, clap::Args)]
pub struct VerifyCommand {
    /// The servers where the data should be complete, with commas between them
    #[arg(value_name = "SOURCE", value_parser = server_list)]
    source: ServerList,

    /// The servers that are held against them
    #[arg(value_name = "TARGET", value_parser = server_list)]
    target: ServerList,

    /// How much of each key is compared
    #[arg(long, value_parser = level, default_value = "length")]
    level: CompareLevel,

    /// Also compare remaining lives, which may differ by so much
    #[arg(long, value_name = "DURATION", value_parser = duration::timeout)]
    life: Option<Duration>,

    /// Keys a second that are never exceeded
    #[arg(long, value_name = "KEYS")]
    rate: Option<u64>,

    /// Do not slow down for the reply times of the servers
    #[arg(long)]
    unpaced: bool,

    /// Compare about so many keys, drawn evenly, and say what follows
    #[arg(long, value_name = "KEYS")]
    sample: Option<u64>,

    /// Compare one part of the key space: I/N
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,

    /// Keep the state in this file, and take the run up where it ended
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Write all differences to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,

    #[command(flatten)]
    connecting: ConnectionArgs,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &VerifyCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    let catalogue = catalogue_with(&[])?;
    let named: Vec<(TargetRole, &Address)> = arguments
        .source
        .0
        .iter()
        .chain(&arguments.target.0)
        .map(|address| (TargetRole::Server, address))
        .collect();
    let targets = arguments.connecting.targets(&named)?;
    let written = |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (sources, held) = (written(&arguments.source.0), written(&arguments.target.0));
    let links = match (sources.as_slice(), held.as_slice()) {
        ([master], [replica]) => {
            let (replica, master) = (replica.clone(), master.clone());
            vec![LinkRequest { replica, master, mode: LinkMode::Replica }]
        }
        _ => Vec::new(),
    };
    let options = VerifyOptions {
        level: arguments.level,
        life_tolerance: arguments.life,
        rate: arguments.rate,
        unpaced: arguments.unpaced,
        sample: arguments.sample,
        shard: arguments.shard,
        state: arguments.state.clone(),
        differences: arguments.differences.clone(),
        ..VerifyOptions::default()
    };
    let verifications = vec![VerificationRequest { sources, targets: held, options }];
    let plan = CollectionPlan {
        verifications,
        skip_ports: true,
        ..CollectionPlan::of(targets, links, LinkProbeOptions::default())
    };
    let facts = arguments.connecting.collect(&plan, VERIFY, &catalogue.knowledge)?;
    arguments.report.outcome(facts, &catalogue, &Parameters::new())
}

/// Servers of one side.
#[derive(Clone, Debug)]
struct ServerList(Vec<Address>);

fn server_list(text: &str) -> Result<ServerList, String> {
    let servers = text.split(',').map(|server| pika_address(server).map_err(|error| error.to_string()));
    servers.collect::<Result<_, _>>().map(ServerList)
}

fn level(text: &str) -> Result<CompareLevel, String> {
    [CompareLevel::Exists, CompareLevel::Length, CompareLevel::Value]
        .into_iter()
        .find(|level| level.word() == text)
        .ok_or_else(|| format!("{text}: the levels are exists, length and value"))
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((number, of)) if number >= 1 && number <= of => Ok(Shard { number, of }),
        _ => Err(format!("{text}: write I/N, with I from 1 to N")),
    }
}
