//! How a command ends.

use std::fmt;

use crate::plan::read::PlanError;

/// An error that ends a command: a sentence for the person, and always exit code 3.
#[derive(Debug)]
pub struct Failure(pub String);

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::new(error)
    }
}

impl Failure {
    /// From any error, whose text is kept.
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What a command leaves behind: its one document, and its exit code.
pub struct Outcome {
    /// What goes to the standard output.
    pub document: String,
    /// The exit code, see [`exit`](crate::model::exit).
    pub exit_code: u8,
}
