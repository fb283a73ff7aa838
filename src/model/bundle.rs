//! What was seen, in one file, to be judged elsewhere and later.

use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// The version of a bundle, in `Bundle::schema`.
pub const SCHEMA: &str = "pikadoctor.bundle/1";

/// The facts of one run. Secrets are not among them: a password is a token that is equal for equal passwords of
/// the same bundle, and says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Always `pikadoctor.bundle/1`.
    pub schema: String,
    /// The version of pikadoctor that wrote it.
    pub tool_version: String,
    /// What was seen.
    pub facts: Facts,
}
