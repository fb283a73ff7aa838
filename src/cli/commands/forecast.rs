//! `pikadoctor forecast`

use crate::cli::args::connection::{ConnectionArgs, TargetRole};
use crate::cli::args::output::ReportArgs;
use crate::cli::args::ssh::HostArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::model::address::Address;
use crate::model::link::LinkMode;
use crate::model::policy::Parameters;
use crate::parse::address::pika_address;
use crate::pipeline::FORECAST;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest};

/// Predict what `slaveof` would do, without sending it
///
/// Both servers are read, nothing is written and nothing changes. From which address a server connects is decided on
/// its host: this one is looked at where one of them runs here, others with --ssh and --master-ssh. The exit code is 0 when the replica would go
/// on from its position, 1 when a full copy would replace its data, 2 when replication would not work, and 3
/// when it cannot be said.
#[derive(Debug, clap::Args)]
pub struct ForecastCommand {
    /// The server that would be sent `slaveof`
    #[arg(value_name = "REPLICA", value_parser = pika_address)]
    replica: Address,

    /// The server that would be its master, by the address that `slaveof` would name
    #[arg(value_name = "MASTER", value_parser = pika_address)]
    master: Address,

    /// Predict `slaveof … force`
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    hosts: HostArgs,

    #[command(flatten)]
    connecting: ConnectionArgs,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &ForecastCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    let mut catalogue = catalogue_with(&[])?;
    // What the nodes are like otherwise is for `check`.
    let about_ways = ["node/reachable", "host/ssh", "host/route-to-peer", "host/dialled"];
    catalogue.checks.retain(|check| check.target.is_about_links() || about_ways.contains(&check.id.as_str()));
    let named = [(TargetRole::Server, &arguments.replica), (TargetRole::Master, &arguments.master)];
    let targets = arguments.connecting.targets(&named)?;
    let link = LinkRequest {
        replica: arguments.replica.to_string(),
        master: arguments.master.to_string(),
        mode: LinkMode::Replica,
    };
    let probes = LinkProbeOptions { live: None, forced: arguments.force };
    let skip_ports = arguments.connecting.skips_ports();
    let replica = std::slice::from_ref(&arguments.replica);
    let hosts = arguments.hosts.ways(replica, Some(&arguments.master))?;
    let plan = CollectionPlan { skip_ports, hosts, ..CollectionPlan::of(targets, vec![link], probes) };
    let facts = arguments.connecting.collect(&plan, FORECAST, &catalogue.knowledge)?;
    arguments.report.outcome_about(Some("link/forecast"), facts, &catalogue, &Parameters::new())
}
