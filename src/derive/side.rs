//! Reads the facts of one of two servers so that a missing one is never taken for "no".

use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::release::Version;
use crate::model::replication::{BinlogPosition, Replication};
use crate::model::unavailable::UnavailableKind;

/// One end of a link.
#[derive(Clone, Copy)]
pub struct Side<'n> {
    /// `master` or `replica`, for the name of a missing fact.
    name: &'static str,
    /// Its facts.
    pub node: &'n Node,
}

/// A fact that decides and is not there: `replica.config.masterauth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub Reason);

impl<'n> Side<'n> {
    /// The master of a link.
    pub fn master(node: &'n Node) -> Self {
        Self { name: "master", node }
    }

    /// The replica of a link.
    pub fn replica(node: &'n Node) -> Self {
        Self { name: "replica", node }
    }

    fn missing(&self, path: &str) -> Missing {
        let why = self.node.unavailable.iter().find(|absence| absence.covers(path));
        let what = format!("{}.{path}", self.name);
        Missing(match why {
            Some(absence) => reasons::about(what, &absence.reason),
            None => Reason::verbatim(what),
        })
    }

    /// The release.
    pub fn version(&self) -> Result<Version, Missing> {
        self.node.version.ok_or_else(|| self.missing("version"))
    }

    /// A setting. `None` when the release has nothing of the kind.
    pub fn setting(&self, name: &str) -> Result<Option<&'n str>, Missing> {
        if let Some(value) = self.node.config.as_ref().and_then(|config| config.get(name)) {
            return Ok(Some(value));
        }
        let path = format!("config.{name}");
        let not_in_release = |kind| kind == UnavailableKind::NotInRelease;
        let why = self.node.unavailable.iter().filter(|absence| absence.covers(&path));
        match why.max_by_key(|absence| absence.path.len()) {
            Some(absence) if not_in_release(absence.kind) && !self.keeps_to_itself(name) => Ok(None),
            _ => Err(self.missing(&path)),
        }
    }

    /// Whether the release has the setting, and does not tell it: 2.0 spells the names with underscores, and
    /// is not asked.
    fn keeps_to_itself(&self, name: &str) -> bool {
        ["requirepass", "userpass", "expire-logs-nums", "binlog-file-size"].contains(&name)
            && self.node.version.is_some_and(|version| version.is_of(&era::WITHOUT_CONFIG_GET))
    }

    /// A setting that is a number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Missing> {
        Ok(self.setting(name)?.and_then(|text| text.trim().parse().ok()))
    }

    /// INFO replication.
    pub fn replication(&self) -> Result<&'n Replication, Missing> {
        self.node.replication.as_ref().ok_or_else(|| self.missing("replication"))
    }

    /// The ends of its binlogs.
    pub fn positions(&self) -> Result<&'n [BinlogPosition], Missing> {
        self.node
            .binlog
            .as_ref()
            .map(|binlog| binlog.positions.as_slice())
            .ok_or_else(|| self.missing("binlog"))
    }
}
