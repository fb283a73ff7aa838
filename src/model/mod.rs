//! The types that the rooms hand to each other, and nothing else.
//!
//! `build.rs` compiles this room too: the catalogue is read at build time with the very types that
//! are used at run time. It therefore depends on `serde`, `serde_json` and `thiserror` only, and on no other room.

pub mod absence;
pub mod address;
pub mod bundle;
pub mod catalogue;
pub mod check;
pub mod codis;
pub mod companion;
pub mod conf;
pub mod drift;
pub mod exit;
pub mod facts;
pub mod finding;
pub mod host;
pub mod http;
pub mod info;
pub mod knowledge;
pub mod limits;
pub mod link;
pub mod logs;
pub mod messages;
pub mod network;
pub mod node;
pub mod planned;
pub mod policy;
pub mod port_use;
pub mod range;
pub mod reach;
pub mod release;
pub mod replication;
pub mod schema;
pub mod sentinel;
pub mod server;
pub mod text;
