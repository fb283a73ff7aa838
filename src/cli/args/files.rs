//! The files of a server that are looked at beside it: its logs and its configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::error::CliError;
use crate::collect::logs::{LogRequest, Window};
use crate::model::logs::LogSide;
use crate::parse::duration::window;
use crate::pipeline::request::{CollectionPlan, LogsRequest, ServerConfRequest};

/// What counts as recent.
const WINDOW: &str = "24h";

/// Files beside the servers.
#[derive(Debug, clap::Args)]
pub struct FileArgs {
    /// Also check the log of the server: the directory in its log-path, or a file
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "from")]
    logs: Option<PathBuf>,

    /// Also read the log of its master, and judge both together
    #[arg(long, value_name = "DIR|FILE", requires = "logs", conflicts_with = "from")]
    master_logs: Option<PathBuf>,

    /// Compare the server with this configuration file [default: the one that it names, if it runs on this host]
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    conf: Option<PathBuf>,

    /// How far back log messages count
    #[arg(long, value_name = "DURATION", default_value = WINDOW, value_parser = window)]
    since: Duration,
}

impl FileArgs {
    /// Refuses what belongs to a server where none is named.
    pub fn validate(&self, servers: usize) -> Result<(), CliError> {
        let option = match (&self.logs, &self.conf) {
            (Some(_), _) => "--logs",
            (None, Some(_)) => "--conf",
            (None, None) => return Ok(()),
        };
        if servers > 0 {
            return Ok(());
        }
        Err(CliError::Usage(format!(
            "{option} belongs to a server, and none is named; see `pikadoctor logs` and `lint`"
        )))
    }

    /// Adds the files to what is collected. They belong to the server that was named `first`.
    pub fn add(&self, plan: &mut CollectionPlan, first: Option<String>) {
        let Some(first) = first else { return };
        if let Some(path) = &self.conf {
            // It counts more than the one that a plan names.
            let conf = ServerConfRequest { server: first.clone(), path: path.clone(), judged: false };
            plan.server_confs.insert(0, conf);
        }
        if let Some(logs) = &self.logs {
            plan.logs.push(LogsRequest {
                name: None,
                server: Some(first),
                logs: requests(logs, self.master_logs.as_deref()),
                window: Window { length: self.since, until_now: true },
            });
        }
    }
}

/// The logs to read: one of whatever end, or those of both ends.
pub fn requests(logs: &Path, master: Option<&Path>) -> Vec<LogRequest> {
    let side = if master.is_some() { LogSide::Replica } else { LogSide::Any };
    let own = LogRequest { path: logs.to_owned(), side };
    let other = master.map(|path| LogRequest { path: path.to_owned(), side: LogSide::Master });
    std::iter::once(own).chain(other).collect()
}
