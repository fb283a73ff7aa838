//! What is looked at: the servers, the links between them, and how far.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::connection::{Connecting, Side};
use super::options::{parse_address, parse_duration};
use super::sentinel::Watching;
use crate::collect::bundle::read_facts;
use crate::collect::link::Live;
use crate::model::facts::{Address, Facts};
use crate::model::knowledge::Knowledge;
use crate::model::link::LinkMode;
use crate::{LinkRequest, Trial, examine, examine_links, examine_watched};

/// Servers and links.
#[derive(Debug, clap::Args)]
pub struct Looking {
    /// Servers: HOST[:PORT], [IPV6]:PORT; the port is 9221 when none is named
    #[arg(required_unless_present_any = ["from", "sentinel"], value_name = "HOST:PORT", value_parser = parse_address)]
    targets: Vec<Address>,

    /// Look at no server: take what `capture` wrote, or a report of --format json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "master", "peer", "sentinel"])]
    from: Option<PathBuf>,

    /// Look at the replication of each server from this master, too, whether it follows it already or not
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address)]
    master: Option<Address>,

    /// Look at the double master that the server makes with this one (2.3.0 to 3.0.16)
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address, conflicts_with = "master")]
    peer: Option<Address>,

    /// Write nothing, not even a key that expires by itself
    #[arg(long)]
    read_only: bool,

    /// Time for a write to arrive on the replica, for each database
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    canary_timeout: Duration,

    #[command(flatten)]
    watching: Watching,

    #[command(flatten)]
    connecting: Connecting,
}

impl Looking {
    /// Looks.
    pub fn look(&self, knowledge: &Knowledge) -> Result<Facts, Failure> {
        if let Some(path) = &self.from {
            return read_facts(path).map_err(Failure::new);
        }
        let (other, mode) = match (&self.master, &self.peer) {
            (Some(master), _) => (Some((Side::Master, master)), LinkMode::Replica),
            (None, Some(peer)) => (Some((Side::Peer, peer)), LinkMode::DoubleMaster),
            (None, None) => (None, LinkMode::Replica),
        };
        if mode == LinkMode::DoubleMaster && self.targets.len() > 1 {
            return Err(Failure("--peer makes a pair with one server; several are named".into()));
        }
        let named: Vec<(Side, &Address)> =
            self.targets.iter().map(|address| (Side::Server, address)).chain(other).collect();
        let targets = self.connecting.targets(&named)?;
        let request = |replica: &Address, master: &Address| LinkRequest {
            replica: replica.to_string(),
            master: master.to_string(),
            mode,
        };
        let requests: Vec<LinkRequest> = other
            .iter()
            .flat_map(|(_, address)| self.targets.iter().map(|target| request(target, address)))
            .collect();
        let live = Live { write: !self.read_only, canary_wait: self.canary_timeout };
        let trial = Trial { live: Some(live), forced: false };
        let watch = self.watching.watch(&self.connecting, &targets)?;
        self.connecting.run(other.is_some() || watch.follow, async |scope| {
            if self.watching.is_asked() {
                examine_watched(&watch, &targets, &requests, knowledge, scope, trial).await
            } else if requests.is_empty() {
                examine(&targets, knowledge, scope).await
            } else {
                examine_links(&targets, &requests, knowledge, scope, trial).await
            }
        })
    }
}
