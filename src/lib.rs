//! pikadoctor tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
//!
//! The whole way is on this page: **collect → derive → judge → render**. Data flows one way. Only
//! [`collect`] touches the world, so the same judgement runs on a live server, on a recording in a
//! test, and on a simulated server of the [`lab`].

#![forbid(unsafe_code)]

pub mod catalog;
pub mod cli;
pub mod collect;
pub mod derive;
pub mod difference;
pub mod judge;
pub mod lab;
pub mod model;
pub mod parse;
pub mod pipeline;
pub mod plan;
pub mod render;

pub use pipeline::codis::CodisTrial;
pub use pipeline::conf_files::compare_conf_files;
pub use pipeline::files::{read_conf_files, read_logs};
pub use pipeline::hosts::{HostRequest, examine_hosts};
pub use pipeline::inquiry::Inquiry;
pub use pipeline::judgement::{judge, judge_by};
pub use pipeline::one_host::{HereRequest, ThereRequest, examine_that_host, examine_this_host};
pub use pipeline::sentinels::Watch;
pub use pipeline::servers::{LinkRequest, Scope, Target, Trial, examine, examine_links};
