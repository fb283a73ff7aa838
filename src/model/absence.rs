//! Facts that could not be had, and why.

use serde::{Deserialize, Serialize};

/// Why a fact is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AbsenceKind {
    /// It should be known and could not be had. A check that needs it is unknown.
    Failed,
    /// Nobody gave the access that it needs. A check that needs it is skipped.
    NoAccess,
    /// This release does not have it. A check that needs it is not applicable.
    NotInRelease,
}

/// A fact that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// The fact below the node, with dots: `data.fatal`, `config.masterauth`; `""` is the whole node.
    pub path: String,
    /// What follows from its absence.
    pub kind: AbsenceKind,
    /// Why, in words.
    pub reason: String,
}
