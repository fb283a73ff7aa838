//! Facts that could not be had.

use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// What follows from the absence of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UnavailableKind {
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
pub struct Unavailable {
    /// The fact below the node, with dots: `data.fatal`, `config.masterauth`; `""` is the whole node.
    pub path: String,
    /// What follows from its absence.
    pub kind: UnavailableKind,
    /// Why.
    pub reason: Reason,
}

/// Why something could not be had, before it is known which fact that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailability {
    /// What follows from it.
    pub kind: UnavailableKind,
    /// Why.
    pub reason: Reason,
}

impl Unavailability {
    /// It should be known and could not be had.
    pub fn failed(reason: impl Into<Reason>) -> Self {
        Self { kind: UnavailableKind::Failed, reason: reason.into() }
    }

    /// Nobody gave the access that it needs.
    pub fn no_access(reason: impl Into<Reason>) -> Self {
        Self { kind: UnavailableKind::NoAccess, reason: reason.into() }
    }

    /// The fact at `path`, for this reason.
    pub fn at(self, path: impl Into<String>) -> Unavailable {
        Unavailable { path: path.into(), kind: self.kind, reason: self.reason }
    }
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// An expression of a check that needs the fact ends with this error.
impl std::error::Error for Unavailable {}

impl Unavailable {
    /// A fact that should be known and could not be had.
    pub fn failed(path: impl Into<String>, reason: impl Into<Reason>) -> Self {
        Self { path: path.into(), kind: UnavailableKind::Failed, reason: reason.into() }
    }

    /// A fact that needs an access which nobody gave.
    pub fn no_access(path: impl Into<String>, reason: impl Into<Reason>) -> Self {
        Self { path: path.into(), kind: UnavailableKind::NoAccess, reason: reason.into() }
    }

    /// A fact that this release does not have.
    pub fn not_in_release(path: impl Into<String>, reason: impl Into<Reason>) -> Self {
        Self { path: path.into(), kind: UnavailableKind::NotInRelease, reason: reason.into() }
    }

    /// Whether this says why the fact at `path` could not be had: it is about that fact, or about something above it.
    pub fn covers(&self, path: &str) -> bool {
        let above = self.path.as_str();
        above.is_empty()
            || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_covers_what_is_below() {
        let covers = |above: &str, path| Unavailable::failed(above, Reason::verbatim("-")).covers(path);
        assert!(covers("", "data.fatal"));
        assert!(covers("data", "data.fatal"));
        assert!(covers("data.fatal", "data.fatal"));
        assert!(!covers("data.fat", "data.fatal"));
        assert!(!covers("data.fatal", "data"));
    }
}
