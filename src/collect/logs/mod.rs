//! Reads the logs of Pika servers: bounded, newest first, and keeps only what is known to be harmless.

mod envelope;
mod files;
mod prefix;
mod recognise;
mod secrets;
mod source;
mod view;

pub use prefix::Level;
pub use recognise::Recogniser;
pub use view::{LogRequest, Window, read};
