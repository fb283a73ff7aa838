//! Finds the Pikas that run on a host, for whoever knows the host and not its servers.

use serde::{Deserialize, Serialize};

use super::files::Roots;
use super::request::InstanceSelector;
use super::{instance, network, processes};
use crate::i18n::reasons;
use crate::model::reason::Reason;

/// Which of the Pikas that run on a host are meant. Without a process and a port: every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The one of this process.
    pub pid: Option<u32>,
    /// The one with this client port.
    pub port: Option<u16>,
    /// The name of the host, which the names of what is found begin with.
    pub host: String,
    /// The name of the server of the run that they replicate from, or shall.
    pub master: Option<String>,
    /// Whether they replicate, or shall, whatever they say themselves.
    pub replicates: bool,
}

/// A certain Pika that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// That of this process.
    #[error("{}", Reason::from(self))]
    Process(u32),
    /// That with this client port.
    #[error("{}", Reason::from(self))]
    Port(u16),
}

impl From<&SearchError> for Reason {
    fn from(error: &SearchError) -> Self {
        match *error {
            SearchError::Process(pid) => reasons::process_not_pika_on_host(pid),
            SearchError::Port(port) => reasons::no_pika_with_port_on_host(port),
        }
    }
}

/// Pikas that run on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Process and client port, as its configuration has it: who answers there may be another.
    pub by_port: Vec<(u32, u16)>,
    /// Processes that cannot be asked, and why.
    pub skipped: Vec<(u32, Reason)>,
}

impl Running {
    /// The client ports.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.by_port.iter().map(|(_, port)| *port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

impl Search {
    /// Whether one certain Pika is meant.
    pub fn is_for_one(&self) -> bool {
        self.pid.is_some() || self.port.is_some()
    }

    /// The Pikas that are meant, as far as they can be seen. A certain one that is not there is an error.
    pub fn find(&self, roots: &Roots) -> Result<Running, SearchError> {
        let mut running = Running::default();
        for pid in processes::running_pikas(roots) {
            let port = instance::collect_instance(
                roots,
                &InstanceSelector { pid: Some(pid), ..InstanceSelector::default() },
                &[],
            )
            .port;
            if self.pid.is_some_and(|asked| asked != pid)
                || self.port.is_some_and(|asked| Some(asked) != port)
            {
                continue;
            }
            match (port, network::elsewhere(roots, pid)) {
                (_, Some(reason)) => running.skipped.push((pid, reason)),
                (None, None) => running.skipped.push((pid, reasons::client_port_not_known())),
                (Some(port), None) => running.by_port.push((pid, port)),
            }
        }
        let found = running.by_port.len() + running.skipped.len() > 0;
        match (self.pid, self.port) {
            (Some(pid), _) if !found => Err(SearchError::Process(pid)),
            (_, Some(port)) if !found => Err(SearchError::Port(port)),
            _ => Ok(running),
        }
    }
}
