//! The network: one resolver, one way to make a connection, one HTTP client, one meaning for each error, deadlines.
//! How much and how long is in [`crate::model::limits`].

pub mod connect;
pub mod deadlines;
pub mod http;
pub mod resolve;
