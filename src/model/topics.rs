//! What is known beside the checks: how a full copy that failed is begun anew, and what `explain` says about a word that
//! is no check.

use serde::{Deserialize, Serialize};

use super::check::Appendix;
use super::release::Releases;
use super::text::Bilingual;

/// A way in which a full copy fails, and how it is begun anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FailedCopy {
    /// What failed.
    pub failure: CopyFailure,
    /// The releases of master and replica.
    pub releases: Releases,
    /// The same in words.
    pub title: Bilingual,
    /// What begins the next copy once the fault is mended.
    pub begins: CopyBegins,
    /// What stays of the failed one.
    pub stays: Bilingual,
    /// What has to be known beside it.
    #[serde(default)]
    pub note: Option<Bilingual>,
    /// Where it is known from.
    pub source: String,
}

/// What makes a full copy fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CopyFailure {
    /// The port of the copy could not be reached.
    PortBlocked,
    /// Another program had the port of the copy.
    PortTaken,
    /// There was no rsync.
    RsyncMissing,
    /// The rsync daemon of the replica was killed.
    RsyncKilled,
    /// The replica ended during the copy.
    ReplicaEnded,
    /// The master ended during the copy.
    MasterEnded,
    /// The disk of the replica was full.
    DiskFull,
    /// The master could not make a dump.
    DumpFailed,
    /// The password of the replica was not that of the master.
    WrongPassword,
}

/// What begins the next copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CopyBegins {
    /// Nobody has to do anything.
    ByItself,
    /// `slaveof` again, which is answered as the first one was: the replica follows nobody after its start.
    SlaveofAgain,
    /// `slaveof no one`, wait until the master lists the replica no more, `slaveof`.
    Slaveof,
    /// The replica is restarted, then `slaveof`.
    RestartReplica,
    /// `slaveof no one`, the master is restarted, `slaveof`.
    RestartMaster,
}

/// Something that `explain` explains and that is no check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The word.
    pub id: String,
    /// Other words for it.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it is about.
    pub title: Bilingual,
    /// What is known, in paragraphs.
    pub about: Vec<Paragraph>,
    /// A table that belongs to it.
    #[serde(default)]
    pub appendix: Option<Appendix>,
    /// The checks that look at it.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Where it is known from.
    pub source: Vec<String>,
}

/// A paragraph of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    /// The releases that it is about. Absent: all of them.
    #[serde(default)]
    pub releases: Option<Releases>,
    /// What is known.
    pub text: Bilingual,
}

impl Topic {
    /// Whether it is called so.
    pub fn is_called(&self, word: &str) -> bool {
        self.id == word || self.also.iter().any(|other| other == word)
    }
}
