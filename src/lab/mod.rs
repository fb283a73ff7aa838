//! Simulated servers: what the demo and the tests examine where there is no Pika.

pub mod recorded;
