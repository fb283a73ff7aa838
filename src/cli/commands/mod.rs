//! The subcommands, a file each: read the flags, run the pipeline, say where the result goes.

pub mod answer_host;
pub mod capture;
pub mod check;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod forecast;
pub mod host;
pub mod init;
pub mod lab;
pub mod lint;
pub mod list;
pub mod logs;
pub mod manual;
pub mod merge;
pub mod plugin;
pub mod schema;
pub mod test_checks;
pub mod verify;
