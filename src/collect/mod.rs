//! Looks at the world and writes down what it sees.
//!
//! This is the only room that touches the network or a file. Nothing leaves it for a server but
//! through the [`gate`].

pub mod bundle;
pub mod check_directory;
pub mod clock;
pub mod codis;
pub mod conf_file;
pub mod coordinator;
pub mod dial;
pub mod gate;
pub mod host;
pub mod host_network;
pub mod http;
pub mod identify;
pub mod info;
pub mod link;
pub mod node;
pub mod ports;
pub mod resp;
pub mod secret;
pub mod sentinel;
pub mod ssh;
pub mod text_file;
pub mod trysync;
