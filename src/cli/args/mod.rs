//! Groups of options that several subcommands share.

pub mod around;
pub mod codis;
pub mod connection;
pub mod coordinators;
pub mod hosts;
pub mod local_files;
pub mod looking;
pub mod options;
pub mod sentinel;
pub mod waiting;
