//! Why a scenario cannot be staged.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use nix::errno::Errno;

use super::fault::{LinkFault, ServerFault};

/// Why a scenario cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The release was not recorded.
    #[error("release `{tag}` was not recorded; there are {}", known.join(", "))]
    NotRecorded {
        /// The tag.
        tag: String,
        /// The tags that were recorded.
        known: Vec<&'static str>,
    },
    /// A recording cannot be read.
    #[error("{tag}: {source}")]
    Recording {
        /// The tag.
        tag: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no binary of a release.
    #[error("there is no {0}")]
    NoBinary(String),
    /// The binary cannot be run.
    #[error("{}: {source}", binary.display())]
    Start {
        /// The binary.
        binary: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The server was started and does not listen.
    #[error("{} does not listen: {output}", binary.display())]
    DoesNotListen {
        /// The binary.
        binary: PathBuf,
        /// The last lines that it printed.
        output: String,
    },
    /// A server was told to end, and did not.
    #[error("{0} does not end")]
    DoesNotEnd(SocketAddr),
    /// A server did not answer in time.
    #[error("{address}: no answer to {command}")]
    NoAnswer {
        /// The server.
        address: SocketAddr,
        /// The command.
        command: String,
    },
    /// A server could not be asked.
    #[error("{address}: {source}")]
    Ask {
        /// The server.
        address: SocketAddr,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The fault of a server is one of simulated servers.
    #[error("{0:?} cannot be staged on a real server")]
    NotOnRealServers(ServerFault),
    /// The fault of a link is one of simulated servers.
    #[error("{0:?} cannot be staged between real servers")]
    NotBetweenRealServers(LinkFault),
    /// The address of a server is none.
    #[error("{0} is no address")]
    Address(String),
    /// No port is free with all that are counted from it.
    #[error("there are no free ports")]
    NoFreePorts,
    /// Every network of the loopback that was tried is taken.
    #[error("something listens in every network that was tried")]
    NoFreeNetwork,
    /// A signal cannot be sent.
    #[error(transparent)]
    Signal(#[from] Errno),
    /// The operating system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}
