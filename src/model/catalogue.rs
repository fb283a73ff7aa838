//! The whole plug-in set: checks and knowledge.

use super::check::Check;
use super::knowledge::Knowledge;

/// All checks, ordered by id, and everything that is known about Pika.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// Ordered by id.
    pub checks: Vec<Check>,
    /// What is known about Pika.
    pub knowledge: Knowledge,
}
