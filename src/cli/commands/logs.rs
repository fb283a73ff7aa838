//! `pikadoctor logs`

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::args::local_files::{parse_window, requests};
use crate::cli::args::options::Printing;
use crate::cli::outcome::{Failure, Outcome};
use crate::collect::clock;
use crate::collect::logs::Window;
use crate::model::facts::{self, Facts};
use crate::model::policy::Parameters;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::files::read_logs;

/// Read the logs of Pika servers and say what went wrong, and what mends it
///
/// No server is asked. What counts is the time (--since) before the newest line that was read. With --master the log is
/// that of a replica, and what both logs tell about one fault becomes one finding. Only the ends of long files are
/// read. Nothing is kept of lines that hold a password.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The directories that log-path names, or files in them, each judged by itself
    #[arg(required = true, value_name = "DIR|FILE")]
    logs: Vec<PathBuf>,

    /// The log of the master; the other log is that of its replica
    #[arg(long, value_name = "DIR|FILE")]
    master: Option<PathBuf>,

    /// How far back trouble counts, from the newest line
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_window)]
    since: Duration,

    #[command(flatten)]
    printing: Printing,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.printing.validate()?;
    for (index, log) in arguments.logs.iter().enumerate() {
        let name = log.display();
        if arguments.logs[..index].contains(log) {
            return Err(Failure(format!("{name} is named twice")));
        }
        if arguments.master.as_ref() == Some(log) {
            return Err(Failure(format!("{name} cannot be the log of the replica and of its master")));
        }
    }
    let catalogue = catalogue_with(&[]).map_err(Failure::new)?;
    let window = Window { length: arguments.since, until_now: false };
    let master = arguments.master.as_deref();
    let name = |log: &PathBuf| match master {
        Some(master) => format!("{} <- {}", log.display(), master.display()),
        None => log.display().to_string(),
    };
    let views = arguments
        .logs
        .iter()
        .map(|log| read_logs(&name(log), &requests(log, master), window, &catalogue.knowledge));
    let facts = Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        logs: views.collect(),
        ..Facts::default()
    };
    arguments.printing.outcome(facts, &catalogue, &Parameters::new())
}
