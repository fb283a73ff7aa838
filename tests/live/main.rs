//! Tests on real servers and real neighbours of Pika, apart from `tests/it/`: they want the processor for themselves.
//!
//! With `PIKADOCTOR_PIKA_HOME=<dir>` those run that need Pika itself, with `PIKADOCTOR_CODIS_HOME=<dir>` beside it those
//! that need Codis 3.2.2, with `PIKADOCTOR_NEIGHBOURS=1` those that need what Debian packages; the others are reported
//! as ignored.

#[macro_use]
mod support;

mod bench;
mod cards;
mod codis;
mod codis_trials;
mod coordinators;
mod far_hosts;
mod files;
mod host_trials;
mod hosts;
mod links;
mod look_trials;
mod monitoring;
mod neighbours;
mod plan;
mod real_codis;
mod safety;
mod sentinel_trials;
mod sentinels;
mod server_trials;
mod servers;
mod ssh;
mod staged;
mod trials;
mod verify;
