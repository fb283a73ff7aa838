//! What a plan says of a server or a link, beside what was seen of it.

use serde::{Deserialize, Serialize};

use super::release::Releases;

/// What a plan says of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlannedNode {
    /// What the plan calls it.
    pub name: String,
    /// The releases that it may have, `2.3.6, 3.3.0+`. Null: any.
    pub release: Option<Releases>,
    /// What it must be. Null: anything.
    pub role: Option<PlannedRole>,
}

/// The role that a server must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PlannedRole {
    /// It follows nobody.
    Master,
    /// It follows somebody.
    Replica,
    /// It is half of a double master.
    DoubleMaster,
}

/// What a plan says of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlannedLink {
    /// Whether it must stand.
    pub stage: LinkStage,
    /// How far the replica may be behind, in bytes of binlog. Null: as far as the checks say.
    pub max_lag_bytes: Option<u64>,
    /// How long a write may take to arrive, in seconds. Null: as long as the checks say.
    pub max_lag_seconds: Option<f64>,
}

/// Whether a link must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LinkStage {
    /// The replica must follow the master and hold its data.
    #[default]
    Replica,
    /// Nobody has sent `slaveof` yet, and it must be safe to do so.
    Planned,
}
