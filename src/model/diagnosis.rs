//! Which findings are causes, which follow from them, and what is possible where several causes fit.

use serde::{Deserialize, Serialize};

/// A finding, by what makes it one of a kind in a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingRef {
    /// The id of the check.
    pub check: String,
    /// What it was evaluated for.
    pub target: String,
}

/// A finding that no other one explains, and what it explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The id of the check that is the cause, or that stands alone.
    pub check: String,
    /// What it was evaluated for.
    pub target: String,
    /// The findings that are as they are because of it, worst first, those that follow from another one of them
    /// included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explains: Vec<FindingRef>,
}

/// The subjects of explained findings, seen from the subject of the check that explains them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Subjects {
    /// The same one: of that name, or about the very same servers.
    #[default]
    Same,
    /// What is about the replica of this link alone.
    Replica,
    /// What is about the master of this link alone.
    Master,
    /// What is about one of the servers alone.
    Node,
    /// What is between this server and another one: links, double masters, logs of both.
    Links,
    /// Links in which this server is the replica.
    LinksAsReplica,
    /// Links in which this server is the master.
    LinksAsMaster,
    /// The host of one of the servers.
    Host,
    /// What is a part of this one: the Pikas of a host, the servers behind a Codis, the products of a coordinator, the
    /// names that a Sentinel watches.
    Parts,
    /// Everything.
    Anywhere,
}

/// One of several causes that fit what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Possibility {
    /// The cause, as something that can be.
    pub cause: String,
    /// What was seen that speaks for it. Null: nothing does more than for the others.
    pub speaks_for: Option<String>,
    /// The look that tells whether it is this one.
    pub look: Look,
}

/// Where to look next, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Look {
    /// The machine on which the command is to be run.
    pub on: String,
    /// The command, quoted for a shell.
    pub run: String,
}

/// What a problem claims to explain, before it is known what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Checks. None: every check.
    pub checks: Vec<String>,
    /// Of which subjects.
    pub at: Subjects,
    /// Only problems of these cases. None: of every case.
    pub cases: Vec<String>,
    /// Only findings that are unknown for want of a fact.
    pub unknown: bool,
}
