//! `pikadoctor forecast`

use crate::cli::args::connection::{Connecting, Side};
use crate::cli::args::options::Printing;
use crate::cli::outcome::{Failure, Outcome};
use crate::model::address::Address;
use crate::model::link::LinkMode;
use crate::model::policy::Parameters;
use crate::parse::address::pika_address;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::servers::{LinkRequest, Trial, examine_links};

/// Say what `slaveof` would do, without sending it
///
/// Both servers are read, nothing is written and nothing changes. The exit code is 0 when the replica would go
/// on from its position, 1 when a full copy would replace its data, 2 when replication would not work, and 3
/// when it cannot be said.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server that would be sent `slaveof`
    #[arg(value_name = "REPLICA", value_parser = pika_address)]
    replica: Address,

    /// The server that would be its master, by the address that `slaveof` would name
    #[arg(value_name = "MASTER", value_parser = pika_address)]
    master: Address,

    /// Forecast `slaveof … force`
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    connecting: Connecting,

    #[command(flatten)]
    printing: Printing,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.printing.validate()?;
    let mut catalogue = catalogue_with(&[]).map_err(Failure::new)?;
    // What the nodes are like otherwise is for `check`.
    catalogue.checks.retain(|check| check.file.target.is_about_links() || check.id == "node/reachable");
    let named = [(Side::Server, &arguments.replica), (Side::Master, &arguments.master)];
    let targets = arguments.connecting.targets(&named)?;
    let request = LinkRequest {
        replica: arguments.replica.to_string(),
        master: arguments.master.to_string(),
        mode: LinkMode::Replica,
    };
    let trial = Trial { live: None, forced: arguments.force };
    let facts = arguments.connecting.run(false, async |scope| {
        examine_links(&targets, &[request], &catalogue.knowledge, scope, trial).await
    })?;
    arguments.printing.outcome_about(Some("link/forecast"), facts, &catalogue, &Parameters::new())
}
