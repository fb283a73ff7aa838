//! The checks and the knowledge: reading, validating, and the form that is embedded in the program.

pub mod check_file;
pub mod check_syntax;
mod embedded;
pub use crate::model::era;
pub mod parameters;
pub mod recipe_file;

pub use embedded::built_in;
