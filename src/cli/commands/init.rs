//! `pikadoctor init`

use std::path::PathBuf;

use crate::catalog::built_in;
use crate::cli::args::around::Around;
use crate::cli::args::connection::{Connecting, Side};
use crate::cli::args::options::{Output, write_at_once};
use crate::cli::outcome::{Failure, Outcome};
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::limits::MAX_INIT_SERVERS;
use crate::parse::address::pika_address;
use crate::pipeline::inquiry::Inquiry;
use crate::pipeline::servers::{Trial, examine};
use crate::plan::write::{neighbours, plan_text};

/// Write a plan from servers: follows their masters, replicas and double masters, a Codis and Sentinels
///
/// The plan says what is now; complete it with what shall be. Nothing is written to any server.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Servers to begin at
    #[arg(required_unless_present_any = ["codis", "zookeeper", "etcd", "coordinator_dir", "sentinel"], value_name = "HOST:PORT", value_parser = pika_address)]
    servers: Vec<Address>,

    /// The file; the standard output when there is none
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace the file
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    around: Around,

    #[command(flatten)]
    connecting: Connecting,

    #[command(flatten)]
    language: Output,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if let Some(path) = arguments.output.as_ref().filter(|path| path.exists() && !arguments.force) {
        return Err(Failure(format!("{} is there already; --force replaces it", path.display())));
    }
    let facts = follow(arguments)?;
    let text = plan_text(&facts, &arguments.around.named(), arguments.language.language());
    let answered = facts.nodes.iter().filter(|node| node.version.is_some()).count();
    // A plan without a server that answers is worth nothing, and nobody should believe that it was found.
    if answered == 0 {
        let names: Vec<&str> = facts.nodes.iter().map(|node| node.name.as_str()).collect();
        let names = if names.is_empty() { "any address".to_owned() } else { names.join(", ") };
        return Err(Failure(format!("no Pika answered at {names}; `pikadoctor check` says why")));
    }
    let Some(path) = &arguments.output else {
        return Ok(Outcome { document: text, exit_code: exit::OK });
    };
    write_at_once(path, text.as_bytes()).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    let document = format!(
        "{}: {answered} of {} servers answered\ncheck it with:  pikadoctor check -f {}\n",
        path.display(),
        facts.nodes.len(),
        path.display()
    );
    Ok(Outcome { document, exit_code: exit::OK })
}

/// Looks at the servers that were named, at those that they name, and so on.
fn follow(arguments: &Arguments) -> Result<Facts, Failure> {
    let catalogue = built_in();
    let mut facts = first(arguments, &catalogue)?;
    let mut next = neighbours(&facts);
    while !next.is_empty() {
        let named: Vec<(Side, &Address)> = next.iter().map(|address| (Side::Server, address)).collect();
        let targets = arguments.connecting.targets(&named)?;
        let seen = arguments
            .connecting
            .run(false, async |scope| examine(&targets, &catalogue.knowledge, scope).await)?;
        facts.nodes.extend(seen.nodes);
        next = neighbours(&facts);
        let room = MAX_INIT_SERVERS.saturating_sub(facts.nodes.len());
        if next.len() > room {
            return Err(Failure(format!(
                "more than {MAX_INIT_SERVERS} servers name each other; write a plan for a part of them"
            )));
        }
    }
    Ok(facts)
}

/// The servers that were named, and those that a Codis, a coordinator or Sentinels name.
fn first(arguments: &Arguments, catalogue: &Catalogue) -> Result<Facts, Failure> {
    let connecting = &arguments.connecting;
    let named: Vec<(Side, &Address)> =
        arguments.servers.iter().map(|address| (Side::Server, address)).collect();
    let targets = connecting.targets(&named)?;
    let trial = Trial { live: None, forced: false };
    let inquiry = Inquiry::of(targets, Vec::new(), trial);
    let inquiry = arguments.around.add(inquiry, connecting)?;
    connecting.run(inquiry.is_large(), async |scope| inquiry.look(&catalogue.knowledge, scope).await)
}
