//! The files of a server that are looked at beside it: its logs and its configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use crate::cli::outcome::Failure;
use crate::collect::logs::{LogRequest, Window};
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_LOG_WINDOW;
use crate::model::link::Link;
use crate::model::logs::LogSide;
use crate::pipeline::conf_files::compare_conf_files;
use crate::pipeline::files::read_logs;

/// What counts as recent.
const WINDOW: &str = "24h";
/// Files beside the servers.
#[derive(Debug, clap::Args)]
pub struct LocalFiles {
    /// Read the log of the server, too: the directory that log-path names, or a file
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "from")]
    logs: Option<PathBuf>,

    /// Read the log of its master, too, and judge both together
    #[arg(long, value_name = "DIR|FILE", requires = "logs", conflicts_with = "from")]
    master_logs: Option<PathBuf>,

    /// Compare the server with this configuration file [default: the one that it names, where its host is looked at]
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    conf: Option<PathBuf>,

    /// How far back trouble in a log counts
    #[arg(long, value_name = "DURATION", default_value = WINDOW, value_parser = parse_window)]
    since: Duration,
}

impl LocalFiles {
    /// Refuses what belongs to a server where none is named.
    pub fn validate(&self, servers: usize) -> Result<(), Failure> {
        let option = match (&self.logs, &self.conf) {
            (Some(_), _) => "--logs",
            (None, Some(_)) => "--conf",
            (None, None) => return Ok(()),
        };
        if servers > 0 {
            return Ok(());
        }
        Err(Failure(format!(
            "{option} belongs to a server, and none is named; see `pikadoctor logs` and `lint`"
        )))
    }

    /// Adds what the files say to what was seen. They belong to the server that was named `first`, as far as it is
    /// among those that were looked at. `confs`: the configuration files of other servers, by name.
    pub fn add(
        &self,
        facts: &mut Facts,
        first: Option<String>,
        confs: Vec<(String, PathBuf)>,
        knowledge: &Knowledge,
    ) {
        let first = first.filter(|name| facts.node(name).is_some());
        let own = self.conf.iter().filter_map(|path| Some((first.clone()?, path.clone())));
        let confs: Vec<(String, PathBuf)> = own.chain(confs).collect();
        compare_conf_files(facts, &confs, knowledge);
        let of_first = |link: &&Link| Some(&link.replica) == first.as_ref();
        let link = facts.links.iter().find(of_first).map(|link| link.name.clone());
        if let (Some(logs), Some(name)) = (&self.logs, link.or(first)) {
            let requests = requests(logs, self.master_logs.as_deref());
            let window = Window { length: self.since, until_now: true };
            facts.logs.push(read_logs(&name, &requests, window, knowledge));
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

/// Reads `24h`, `90m`, `7d`.
pub fn parse_window(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as 24h, 90m or 7d");
    // A day has 24 hours here; a calendar is not asked.
    let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok());
    let window = match days {
        Some(days) => Duration::from_secs(u64::from(days) * 24 * 3600),
        None => {
            text.parse::<SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok()).ok_or_else(wrong)?
        }
    };
    if window.is_zero() || window > MAX_LOG_WINDOW {
        return Err(format!("`{text}` is not between 1s and 3660d"));
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        assert_eq!(parse_window("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse_window("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(parse_window("1h 30m"), Ok(Duration::from_secs(5400)));
        for text in ["", "0s", "-1h", "soon", "99999d", "d"] {
            assert!(parse_window(text).is_err(), "{text}");
        }
    }
}
