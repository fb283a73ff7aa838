//! Asks one Pika: the connection, the commands that may be sent, INFO and CONFIG, and the ports that follow from the
//! client port. Nothing is sent to a server but through the [`gate`].

pub mod gate;
pub mod identify;
pub mod node;
pub mod ports;
pub mod resp;
pub mod trysync;
