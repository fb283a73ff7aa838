//! Simulated servers: what the demo and the tests examine where there is no Pika.
//!
//! [`scenario`] reads what is to be staged, [`stage`] starts it on loopback addresses of its own, and
//! [`world`] is what happens between the servers. What a release says comes from its recording; only
//! the lines that change with the state are composed here.
//!
//! What is simpler than on real servers: time. A link comes up at once, nothing is retried, a position
//! grows by the same number of bytes with each write, and a touched +1000 changes no state.

mod commands;
pub mod fault;
mod hostile;
mod info;
mod links;
mod look;
pub mod persona;
pub mod pika;
mod ports;
pub mod real;
pub mod recorded;
pub mod scenario;
pub mod stage;
pub mod world;
