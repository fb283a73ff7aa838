//! `pikadoctor logs`

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::args::files::requests;
use crate::cli::args::output::ReportArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::runtime;
use crate::cli::watch::watch_for_signals;
use crate::collect::logs::Window;
use crate::collect::net::deadlines::Deadlines;
use crate::model::policy::Parameters;
use crate::parse::duration::window;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::request::{CollectionPlan, LogsRequest};
use crate::pipeline::{self, LOGS};

/// Find known problems in the logs of Pika, Codis and Sentinel, and their remedies
///
/// Files of glog, the standard error of a start, and what systemd's journal, Docker or Kubernetes kept of it are read, and
/// logs of Codis proxies and dashboards and of redis-sentinel. No server is asked. What counts is the time (--since) before the newest line that was read. With --master the log is
/// that of a replica, and what both logs tell about one fault becomes one finding. Only the ends of long files are
/// read. Nothing is kept of lines that hold a password.
#[derive(Debug, clap::Args)]
pub struct LogsCommand {
    /// The directories that log-path names, or files in them, each judged by itself
    #[arg(required = true, value_name = "DIR|FILE")]
    logs: Vec<PathBuf>,

    /// The log of the master; the other log is that of its replica
    #[arg(long, value_name = "DIR|FILE")]
    master: Option<PathBuf>,

    /// How far back messages count, from the newest line
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = window)]
    since: Duration,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &LogsCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    for (index, log) in arguments.logs.iter().enumerate() {
        let name = log.display();
        if arguments.logs[..index].contains(log) {
            return Err(CliError::Usage(format!("{name} is named twice")));
        }
        if arguments.master.as_ref() == Some(log) {
            return Err(CliError::Usage(format!(
                "{name} cannot be the log of the replica and of its master"
            )));
        }
    }
    let catalogue = catalogue_with(&[])?;
    let window = Window { length: arguments.since, until_now: false };
    let master = arguments.master.as_deref();
    let name = |log: &PathBuf| match master {
        Some(master) => format!("{} <- {}", log.display(), master.display()),
        None => log.display().to_string(),
    };
    let logs = arguments.logs.iter().map(|log| LogsRequest {
        name: Some(name(log)),
        server: None,
        logs: requests(log, master),
        window,
    });
    let plan = CollectionPlan { logs: logs.collect(), ..CollectionPlan::default() };
    watch_for_signals();
    let facts = runtime::run(pipeline::collect(&plan, LOGS, &catalogue.knowledge, Deadlines::far()))??;
    arguments.report.outcome(facts, &catalogue, &Parameters::new())
}
