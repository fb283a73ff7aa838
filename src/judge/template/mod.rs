//! The language of conditions and texts in check files.

pub mod environment;
pub mod facts;
pub mod filters;
pub mod functions;
pub mod possible;
pub mod scope;
pub mod value;
