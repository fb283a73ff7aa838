//! What is known about replication between releases: what comes of a link, and which way an upgrade can go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::link::{Basis, Cause, Outcome, Prospect};
use super::release::{Releases, Version};
use super::text::{Bilingual, Source};

/// Which release replicates from which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dialects {
    /// The releases that were run with each other.
    pub measured: Vec<Version>,
    /// Releases that speak as a measured one does.
    pub protocols: Vec<Protocol>,
    /// Pairs on which a canary does harm, and is not written.
    pub no_canary: Vec<NoCanary>,
    /// What comes of a master and a replica. The first entry that fits decides.
    pub pairs: Vec<DialectRule>,
}

/// A master and a replica between which nothing is written for a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoCanary {
    /// Releases of the master.
    pub master: Releases,
    /// Releases of the replica.
    pub replica: Releases,
    /// What would happen: an id of `reasons.yaml`.
    pub why: String,
    /// Where it is known from.
    pub source: String,
}

/// Releases that replicate as a measured one does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The releases.
    pub releases: Releases,
    /// The measured one.
    pub r#as: Version,
}

/// What comes of a master and a replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DialectRule {
    /// Releases of the master.
    pub master: Releases,
    /// Releases of the replica.
    pub replica: Releases,
    /// Whether identify-binlog-type must be `old` on the replica. Absent: it does not matter.
    #[serde(default)]
    pub binlog_type_old: Option<bool>,
    /// What happens when the replica goes on from its position.
    pub incremental: Outcome,
    /// What happens when it needs a full copy.
    pub full: Outcome,
    /// How it is known.
    pub basis: Basis,
    /// What an operator sees where it does not work.
    #[serde(default)]
    pub sees: Option<Bilingual>,
    /// Where it is known from.
    pub source: String,
}

/// What a forecast means to an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Forecasts {
    /// What each prospect means.
    pub prospects: BTreeMap<Prospect, Bilingual>,
    /// Why it comes to it, and what mends it.
    pub causes: BTreeMap<Cause, CauseWords>,
    /// Remarks.
    pub notes: Vec<ForecastNote>,
}

/// A cause in words, with `link`, `master` and `replica`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CauseWords {
    /// A sentence that goes on after "because".
    pub says: Bilingual,
    /// What mends it, where it is bad.
    #[serde(default)]
    pub fix: Option<Bilingual>,
}

/// What kind of remark on a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// What it rests on.
    Condition,
    /// What must be there for it: ports, programs, disk, passwords.
    Need,
    /// What cannot be seen from here and decides, and how it can be seen.
    Question,
    /// What cannot be seen beforehand.
    Unseen,
    /// What else it does.
    SideEffect,
}

/// A remark on a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForecastNote {
    /// What kind.
    pub kind: NoteKind,
    /// The releases of the replica that it is about; absent: all.
    #[serde(default)]
    pub replica: Option<Releases>,
    /// The prospects that it is about.
    pub prospects: Vec<Prospect>,
    /// A further condition on `link`, `master` and `replica`.
    #[serde(rename = "if", default)]
    pub condition: Option<Source>,
    /// The remark, with `link`, `master` and `replica`.
    pub text: Bilingual,
}

/// What is known about changing the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Upgrades {
    /// Ways from one release to another.
    pub paths: Vec<UpgradePath>,
    /// Statements of the documentation that the code contradicts.
    pub contradictions: Vec<Contradiction>,
}

/// A way from one set of releases to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpgradePath {
    /// Where it begins.
    pub from: Releases,
    /// Where it ends.
    pub to: Releases,
    /// What to do.
    pub way: Bilingual,
    /// Where it is known from.
    pub source: String,
}

/// A statement of the documentation that the code contradicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// The releases that it is about.
    pub releases: Releases,
    /// Where it stands.
    pub r#where: String,
    /// What it says.
    pub says: Bilingual,
    /// What is the case.
    pub code: Bilingual,
}
