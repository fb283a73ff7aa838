//! Finds the Pikas that run on a host, for whoever knows the host and not its servers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::Roots;
use super::instance;
use super::look::Wanted;

/// Which of the Pikas that run on a host are meant. Without a process and a port: every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Pikas that run on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Process and client port.
    pub by_port: Vec<(u32, u16)>,
    /// Processes whose port cannot be seen.
    pub unseen: Vec<u32>,
}

impl Search {
    /// Whether one certain Pika is meant.
    pub fn is_for_one(&self) -> bool {
        self.pid.is_some() || self.port.is_some()
    }

    /// The Pikas that are meant, as far as they can be seen; in words, that a certain one is not there.
    pub fn find(&self, roots: &Roots) -> Result<Running, String> {
        let mut running = Running::default();
        for pid in instance::processes(roots) {
            let port = instance::look(roots, &Wanted { pid: Some(pid), ..Wanted::default() }, &[]).port;
            if self.pid.is_some_and(|asked| asked != pid)
                || self.port.is_some_and(|asked| Some(asked) != port)
            {
                continue;
            }
            match port {
                Some(port) => running.by_port.push((pid, port)),
                None => running.unseen.push(pid),
            }
        }
        let found = running.by_port.len() + running.unseen.len() > 0;
        match (self.pid, self.port) {
            (Some(pid), _) if !found => {
                Err(format!("process {pid} is not a Pika that is to be seen on the host"))
            }
            (_, Some(port)) if !found => Err(format!("no Pika with port {port} is to be seen on the host")),
            _ => Ok(running),
        }
    }
}
