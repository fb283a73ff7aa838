//! What several modules need: servers that misbehave, what is recorded, and what is expected of reports.

#[path = "../../support/mod.rs"]
mod shared;

pub mod chinese;
pub mod codis;
pub mod compared;
pub mod coordinator;
pub mod data_server;
pub mod measured;
pub mod pair;
pub mod reports;
pub mod sentinel;
pub mod site;
pub mod snapshots;

mod answering;
mod network;

pub use answering::answering;
pub use network::{RecordedNetwork, all_recordings};
pub use shared::recorded::Served;
pub use shared::*;

/// A `HOST:PORT` at which nobody listens, and nobody will: a port that was only given back may be taken by another test.
pub fn closed_address() -> String {
    format!("{}:9", own_address())
}
