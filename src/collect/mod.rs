//! Collects: the only room that touches the network, a file of the user's or a process.
//!
//! Nothing is sent to a server but through the [`pika::gate`].

pub mod clock;
pub mod codis;
pub mod coordinator;
pub mod files;
pub mod host;
pub mod link;
pub mod logs;
pub mod net;
pub mod pika;
pub mod secret;
pub mod sentinel;
pub mod ssh;
pub mod verify;
