//! Reads what Codis keeps in its coordinator. Nothing is ever written, created or deleted there.
//!
//! Each kind of coordinator gives the same [`tree`]; [`layout`] makes facts of it, so that a check never asks
//! which kind it was.

pub mod collect;
pub mod dashboard;
pub mod etcd;
pub mod filesystem;
pub mod jute;
pub mod layout;
pub mod proxies;
pub mod reader;
pub mod tree;
pub mod walk;
pub mod zookeeper;
