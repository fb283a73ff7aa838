//! The shape of a plan file.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::{Bytes, Seconds};
use crate::judge::requirements::Required;
use crate::model::planned::{LinkStage, PlannedRole};
use crate::model::text::Source;

/// The version of a plan file, in `PlanFile::schema`.
pub const SCHEMA: &str = "pikadoctor.plan/1";

/// A plan: which servers there are, what is replicated where, and what counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// `pikadoctor.plan/1`; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Source>,
    /// The servers, by a name that the rest of the plan uses.
    #[serde(default)]
    pub nodes: IndexMap<String, NodePlan>,
    /// Replication.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkPlan>,
    /// Pairs of servers that are each other's master (2.3.0 to 3.0.16).
    #[serde(default)]
    pub double_masters: Vec<PairPlan>,
    /// URLs of dashboards, of codis-fe or of the admin ports of proxies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codis: Vec<Source>,
    /// ZooKeeper ensembles in which Codis keeps its state: `HOST:PORT,HOST:PORT/CHROOT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zookeeper: Vec<Source>,
    /// etcds in which Codis keeps its state: `URL,URL`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etcd: Vec<Source>,
    /// Directories in which Codis keeps its state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordinator_dirs: Vec<Source>,
    /// The product of Codis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Source>,
    /// Whether slots of the Codis will be moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_migration: bool,
    /// Sentinels: `HOST:PORT`. The servers that they watch are looked at, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<Source>,
    /// Parameters of checks that differ from their defaults: by check, then by name. `pikadoctor explain CHECK`
    /// names them.
    #[serde(default)]
    pub thresholds: IndexMap<Source, IndexMap<Source, Value>>,
    /// Findings that are known and accepted for a time.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// Comparisons of data that were made before: what `require: [verify]` looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<VerifiedPlan>,
    /// What must be visible: a check that is skipped because it is not makes the run unknown.
    #[serde(default)]
    pub require: Vec<Required>,
}

/// A server of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NodePlan {
    /// HOST:PORT. `${NAME}` is an environment variable.
    pub addr: Source,
    /// Where its password comes from. Without it: the environment variable PIKADOCTOR_PASSWORD_NAME, with the name of
    /// the server in capitals, then what the command line says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// The releases that it may have: `2.3.6`, `2.3.3-2.3.8, 3.0.0+`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Source>,
    /// What it must be now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<PlannedRole>,
    /// Its pika.conf, to be checked for its release. `${NAME}` is an environment variable; a relative path begins at
    /// the directory of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf: Option<Source>,
    /// The way to its host, as `ssh` takes it: `user@host`. `${NAME}` is an environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Source>,
}

/// Where a password comes from; never from the plan itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// The environment variable of that name.
    Env(Source),
    /// The only line of that file. `${NAME}` is an environment variable; a relative path begins at the directory of
    /// the plan.
    File(Source),
}

/// A link of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkPlan {
    /// The master.
    pub from: Source,
    /// The replica.
    pub to: Source,
    /// Whether it must stand.
    #[serde(default)]
    pub mode: LinkStage,
    /// How far the replica may be behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lag: Option<MaxLag>,
}

/// How far a replica may be behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MaxLag {
    /// Bytes of binlog: `1048576`, `64MiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// Time for a write to arrive: `2s`, `500ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Seconds>,
}

/// Comparisons of data that were made before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifiedPlan {
    /// Reports of `verify` or `merge` with --format json. `${NAME}` is an environment variable; a relative path begins
    /// at the directory of the plan.
    pub reports: Vec<Source>,
    /// How old a comparison may be: `24h`, `90m`. Without it: a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Source>,
}

/// A double master of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PairPlan {
    /// One half.
    pub a: Source,
    /// The other.
    pub b: Source,
}

/// Findings that are accepted for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check: `node/known-defects`.
    pub check: Source,
    /// What it is accepted for: the name of a server, its address, or a link (`REPLICA <- MASTER`). `*` is anything,
    /// `?` one character.
    pub target: Source,
    /// Why.
    pub reason: Source,
    /// Who answers for it.
    pub owner: Source,
    /// The last day on which it holds, `YYYY-MM-DD`, UTC.
    pub expires: Source,
}
