//! The catalogue for readers: `list` and `explain`, from the same files that are evaluated.

mod list;
mod page;
mod plain;
mod tables;
mod topics;

pub use list::{list, list_json};
pub use page::Page;
