//! What the logs of Pika servers say.
//!
//! Only lines whose message is known are kept, and of these only what the pattern of the message takes in. Everything
//! else stays in the files: old releases write passwords there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::conf::Place;
use super::reason::Reason;
use super::unavailable::Unavailable;

/// Which end of replication something belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogSide {
    /// It may be either.
    #[default]
    Any,
    /// The master.
    Master,
    /// The replica.
    Replica,
}

/// The logs of one server, or of the two servers of a link, judged together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogView {
    /// The name that findings use.
    pub name: String,
    /// What counts as recent, in seconds before `until`.
    pub window_seconds: u64,
    /// The end of the window, in the time of the logs (local time of the host, without a zone): now, or the newest
    /// line where no running server is looked at.
    pub until: String,
    /// Where the lines come from: one place, or the replica's and the master's.
    pub sources: Vec<LogSource>,
    /// What went wrong. Set by `derive`; null when nothing could be read.
    pub troubles: Option<Vec<LogTrouble>>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// Why nothing, or not everything, could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogProblem {
    /// The path does not exist.
    Missing,
    /// It may not be read.
    NoAccess,
    /// The directory is empty.
    EmptyDirectory,
    /// The directory has files, and none of them is named as a log of Pika is.
    NoLogFiles,
    /// There are only names that lead to files which are not there any more.
    RotatedAway,
    /// The files are empty.
    EmptyFiles,
    /// There are lines, and none is one of glog's.
    NotALog,
    /// It is neither a file nor a directory.
    OtherKind,
    /// Anything else that the operating system says; see `detail`.
    Failed,
}

/// The log of one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogSource {
    /// The directory or file as it was named.
    pub name: String,
    /// Which end of the link it belongs to.
    pub side: LogSide,
    /// Why nothing could be read. Null when something was.
    pub problem: Option<LogProblem>,
    /// What the operating system said.
    pub detail: Option<Reason>,
    /// The files that were opened, in the order in which they were read: newest first.
    pub files: Vec<LogFile>,
    /// Files that were not opened because the budget was used up, or because they are compressed.
    pub unread_files: Vec<String>,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Bytes that were not read: the beginnings of long files, and files that were not opened.
    pub bytes_unread: u64,
    /// Lines with the prefix of glog, over all files. A line that stands in the files of several levels counts in each.
    pub lines: u64,
    /// The time of the oldest line that was read.
    pub oldest: Option<String>,
    /// The time of the newest line that was read.
    pub newest: Option<String>,
    /// Lines that hold a password. Nothing of them is kept.
    pub password_lines: u64,
    /// The first file with such a line that every user of the host may read.
    pub exposed: Option<String>,
    /// Known messages that were found.
    pub messages: Vec<LogMessage>,
}

/// One file of a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// Its path.
    pub name: String,
    /// Its length in bytes when it was opened.
    pub bytes: u64,
    /// How many of them, at its end, were read.
    pub bytes_read: u64,
    /// Why it could not be read.
    pub problem: Option<Reason>,
}

/// A known message, as often as it was found with the same fault and the same other host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogMessage {
    /// Its id in the table of messages.
    pub id: String,
    /// How many lines.
    pub count: u64,
    /// How many of them within the window.
    pub recent: u64,
    /// The time of the first one, as the host's clock had it.
    pub first: String,
    /// The time of the last one.
    pub last: String,
    /// The values in the last one, by the names of the pattern.
    pub values: BTreeMap<String, String>,
    /// The last one, as far as the pattern goes.
    pub line: String,
    /// The file that it stands in.
    pub file: String,
    /// The line, from 1. Null when the file was not read from its beginning.
    pub line_number: Option<u32>,
    /// Where the line begins, in bytes from the beginning of the file.
    pub offset: u64,
}

/// Something that went wrong, and the messages that tell of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogTrouble {
    /// The id of the fault in the table of messages.
    pub fault: String,
    /// The check that it belongs to.
    pub class: String,
    /// How many lines tell of it within the window.
    pub recent: u64,
    /// How many lines tell of it in all that was read.
    pub count: u64,
    /// The time of the first line.
    pub first: String,
    /// The time of the last line.
    pub last: String,
    /// When a later line said that it is over; null when none did.
    pub over: Option<String>,
    /// Whether the logs of both ends tell of it.
    pub both_ends: bool,
    /// The values of all lines; those of the newest one win.
    pub values: BTreeMap<String, String>,
    /// The newest line of each message, newest first.
    pub evidence: Vec<LogEvidence>,
    /// Where the newest line stands, where its number is known.
    pub place: Option<Place>,
}

/// A line that tells of a trouble.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogEvidence {
    /// Whose log it stands in.
    pub side: LogSide,
    /// The id of the message.
    pub message: String,
    /// How many lines of this message there are within the window.
    pub recent: u64,
    /// The time of the line.
    pub last: String,
    /// The line, as far as the pattern goes.
    pub line: String,
    /// The file.
    pub file: String,
}
