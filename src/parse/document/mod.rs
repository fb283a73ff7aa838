//! Documents: YAML and JSON are read into one kind of value, and types are read from it.

pub mod count;
pub mod decode;
pub mod encode;
pub mod error;
pub mod json;
pub mod pack;
pub mod rewrite;
pub mod shorten;
pub mod value;
pub mod yaml;
