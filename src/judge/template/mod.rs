//! The language of conditions and texts in check files.

pub mod environment;
pub mod facts;
mod filters;
pub mod functions;
pub mod scope;
mod value;
