//! Hides secrets in texts, however they are written there.
//!
//! What a server was sent may come back: in an error that repeats the command, in a line of a log, percent-encoded in
//! an address, in base64 in a header. [`secrets::Secrets`] knows what is to be hidden and how far a short secret may be
//! looked for; `views` reads a text as each way of writing would have it read.

pub mod secrets;
mod views;
