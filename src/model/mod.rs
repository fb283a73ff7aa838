//! The types that the rooms hand to each other, and nothing else.
//!
//! `build.rs` compiles this room too: the catalogue is read at build time with the very types that
//! are used at run time. It therefore depends on `serde`, `serde_json`, `schemars` and `thiserror`
//! only, and on no other room.

pub mod bundle;
pub mod catalogue;
pub mod check;
pub mod codis;
pub mod conf;
pub mod coordinator;
pub mod exit;
pub mod facts;
pub mod finding;
pub mod host;
pub mod http;
pub mod knowledge;
pub mod link;
pub mod network;
pub mod planned;
pub mod range;
pub mod release;
pub mod replication;
pub mod sentinel;
pub mod text;
