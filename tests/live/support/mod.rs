//! What only tests on real servers need: the servers, hosts of their own, and sshd.

#[path = "../../support/mod.rs"]
mod shared;

#[macro_use]
pub mod hosts;
pub mod process;
pub mod real;
pub mod real_codis;
pub mod sshd;
pub mod zookeeper;

pub use shared::*;
