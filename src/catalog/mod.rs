//! The checks and the knowledge: reading, validating, and the form that is embedded in the program.

pub mod check_file;
mod embedded;
pub mod parameters;

pub use embedded::built_in;
