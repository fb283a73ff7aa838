//! Looks at other hosts: runs this very program there over the system's ssh.
//!
//! `~/.ssh/config` holds as for every other use of ssh, nobody is asked for anything (`BatchMode`), and no
//! rights are assumed beyond those of the user that ssh logs in as. What comes back is not believed: its size,
//! its time and its form are bounded.

mod classify;
mod collect;
mod command;
mod decode;
mod output;
pub mod wire;

pub use collect::collect_remote_host;
pub use command::{Destination, InvalidDestination};
pub use decode::RemoteHost;
