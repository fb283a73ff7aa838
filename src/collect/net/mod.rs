//! Connections to an address, and bounded HTTP requests.

pub mod dial;
pub mod http;
