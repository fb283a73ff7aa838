//! Servers to practise on: what the demo and the tests examine where there is no Pika, and where there is.
//!
//! [`scenarios`] reads what is to be staged, a [`scenario`] with each [`fault`] of it. [`stage`] starts it with
//! simulated servers on loopback addresses of their own, and [`world`] is what happens between them. What a release
//! says comes from its recording; only the lines that change with the state are composed here. [`real`] stages the same on real
//! servers, where its faults can be brought about there: the two must give the same findings.
//!
//! What is simpler than on real servers: time. A link comes up at once, nothing is retried, and a position grows by
//! the same number of bytes with each write.

mod change;
mod channels;
mod commands;
pub mod error;
pub mod fault;
mod filter;
mod hostile;
mod info;
mod links;
mod look;
pub mod persona;
pub mod pika;
mod ports;
pub mod real;
pub mod recorded;
mod resp;
pub mod scenario;
pub mod scenarios;
pub mod stage;
pub mod state;
pub mod world;
