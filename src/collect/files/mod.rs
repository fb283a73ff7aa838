//! Files that a person names: configuration files, plans, check directories and bundles, all read with a bound.

pub mod bounded;
pub mod bundle;
pub mod check_directory;
pub mod conf_file;
pub mod open;
pub mod text_file;
pub mod way;
pub mod write;
