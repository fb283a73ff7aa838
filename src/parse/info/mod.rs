//! Parses INFO as every release from 2.0 to 4.0 prints it.
//!
//! Nothing is lost: [`sections`] keeps every line as it came. The typed readers beside it take what
//! the checks need, and leave `None` where a line is missing; `derive` says what that means.

pub mod build;
mod keyspace;
mod replication;
mod section;
mod simple;
mod slots;

pub use keyspace::keyspace;
pub use replication::{binlog, count_replicas, double_master, replication};
pub use section::{field, section_field, sections};
pub use simple::{clients, commands, data, process, tasks};
pub use slots::served_slots;
