//! The table of log messages, `checks/knowledge/messages.yaml`.

use serde::{Deserialize, Serialize};

use super::finding::State;
use super::logs::LogSide;
use super::release::Releases;
use super::text::Bilingual;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// What an exit code of the rsync program, or of the shell that starts it, means to Pika.
    pub rsync_exits: Vec<RsyncExit>,
    /// What can be wrong.
    pub faults: Vec<LogFault>,
    /// What is written to the log.
    pub messages: Vec<MessageRule>,
}

/// An exit code of the rsync program, or of the shell that starts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RsyncExit {
    /// The code. Pika logs the wait status, which is 256 times as much.
    pub code: u32,
    /// What it means.
    pub meaning: Bilingual,
    /// The fault when the master's client ends with it. Absent: the general one of the message.
    #[serde(default)]
    pub sending: Option<String>,
    /// The fault when the replica's daemon ends with it.
    #[serde(default)]
    pub receiving: Option<String>,
}

/// Something that can be wrong, and that messages on either side tell of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogFault {
    /// A short name, lower case with dashes.
    pub id: String,
    /// The check below `checks/log/` that it belongs to.
    pub class: String,
    /// How bad it is while it goes on.
    pub state: State,
    /// What it means and where it comes from. `values` are what the lines say.
    pub cause: Bilingual,
    /// What was needed.
    pub needed: Bilingual,
    /// What mends it.
    pub fix: Bilingual,
    /// Messages after which it is over, when they stand in the same log and, where both name one, tell of the same
    /// host.
    #[serde(default)]
    pub over_after: Vec<String>,
    /// The least number of lines within the window that make it a finding: of what happens now and then.
    #[serde(default = "one")]
    pub at_least: u64,
    /// True when it is but the other end's view of a fault of its class: where such a fault goes on, its lines belong
    /// to that.
    #[serde(default)]
    pub other_end: bool,
    /// The causes that fit, the likeliest first, where the lines do not tell which one it is.
    #[serde(default)]
    pub possible: Vec<LogCause>,
    /// Faults whose lines belong to this one while it goes on: it is what came of them.
    #[serde(default)]
    pub takes_in: Vec<String>,
    /// Where it is known from.
    pub source: String,
}

/// One of several causes of what the lines say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogCause {
    /// The cause, as something that can be.
    pub cause: Bilingual,
    /// What speaks for it.
    #[serde(default)]
    pub speaks_for: Option<Bilingual>,
    /// The look that tells whether it is this one.
    pub look: LogLook,
    /// Exit codes of a program that are known to mean this one. Where the lines have such a code, no other cause is left.
    #[serde(default)]
    pub exits: Vec<u32>,
}

/// Where to look, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogLook {
    /// The machine.
    pub on: Bilingual,
    /// The command, with the values of the lines in it.
    pub run: String,
}

fn one() -> u64 {
    1
}

/// Which program writes a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogProgram {
    /// Pika: the prefix of glog.
    #[default]
    Pika,
    /// A proxy or dashboard of Codis: the prefix of Go's log, and a level in brackets.
    Codis,
    /// redis-sentinel: process, role and time.
    Sentinel,
    /// Whatever comes without a prefix: the standard error of Pika, systemd and the kernel in a journal.
    Bare,
}

/// A message that servers log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MessageRule {
    /// A short name, lower case with dashes.
    pub id: String,
    /// A regular expression for the message from its beginning, behind the prefix of glog. What it does not take in is
    /// not kept. A group `host` is the other server, a group `status` a wait status.
    pub pattern: String,
    /// The releases of Pika that log it; left out for other programs.
    #[serde(default)]
    pub releases: Option<Releases>,
    /// The program that writes it.
    #[serde(default)]
    pub program: LogProgram,
    /// True for the one rule of a program that stands for every line with which it ends and which no other rule knows.
    /// All of the line is kept, without what may be a password.
    #[serde(default)]
    pub any_end: bool,
    /// True when it counts only as a line with which the process ends: the same words also stand in milder ones.
    #[serde(default)]
    pub fatal: bool,
    /// Which end logs it.
    #[serde(default)]
    pub side: LogSide,
    /// The fault that it tells of. Absent for signs of health.
    #[serde(default)]
    pub fault: Option<String>,
    /// True when `status` of the replica's rsync daemon or of the master's rsync client says which fault it is.
    #[serde(default)]
    pub by_exit: bool,
    /// Lines that match, without the prefix of glog.
    pub examples: Vec<String>,
    /// Other messages that match one of the examples, too, and stand behind this one in the table.
    #[serde(default)]
    pub before: Vec<String>,
}
