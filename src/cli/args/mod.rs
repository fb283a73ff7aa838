//! Groups of options that several subcommands share.

pub mod cluster;
pub mod codis;
pub mod connection;
pub mod coordinators;
pub mod files;
pub mod output;
pub mod sentinel;
pub mod ssh;
pub mod targets;
pub mod wait;
