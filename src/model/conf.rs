//! What a configuration file says, and what each release makes of it.
//!
//! A release reads a file by the rules of its own parser, so nearly everything here carries the
//! releases for which it is true. The text itself is not kept: it holds passwords.

use serde::{Deserialize, Serialize};

use super::network::PortRole;
use super::node::Evidence;
use super::release::{Releases, Version};
use super::unavailable::Unavailable;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file as it was named; `-` is the standard input.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1. A TAB is one character.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A pika.conf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfFile {
    /// The file as it was named; `-` is the standard input.
    pub name: String,
    /// The release that it is meant for, where one was named.
    pub version: Option<Version>,
    /// How that release is known; null where none was named, and for one that is not known.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// What is in it. Null when it could not be read.
    pub content: Option<ConfContent>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// What is in a pika.conf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfContent {
    /// How many lines it has.
    pub lines: u32,
    /// The releases it was looked at for.
    pub releases: Releases,
    /// Those of them that read the most of its settings: the ones it is most likely meant for.
    pub likely: Releases,
    /// The settings that take effect, in the order of the file.
    pub settings: Vec<ConfSetting>,
    /// Where its form makes a release read something else than it seems to say. This and what follows is null for a
    /// release that is not known, but for ports and paths that two files claim.
    pub syntax: Option<Vec<ConfRemark>>,
    /// Keys that no release reads, or that only other releases read.
    pub unknown_keys: Option<Vec<ConfRemark>>,
    /// The double-master mode.
    pub double_master: Option<Vec<ConfRemark>>,
    /// The master that it names.
    pub slaveof: Option<Vec<ConfRemark>>,
    /// Passwords that do not protect, or cannot work.
    pub passwords: Option<Vec<ConfRemark>>,
    /// Ports that do not exist, or that another file of the run claims.
    pub ports: Vec<ConfRemark>,
    /// Paths that another file of the run claims.
    pub shared_paths: Vec<ConfRemark>,
}

/// A setting as some releases read it. A line that releases read differently is here several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfSetting {
    /// The name; of a name that no release knows only the first word, for the rest may be a secret.
    pub key: String,
    /// The value as these releases read it. A password is a token; null when no release knows the key.
    pub value: Option<String>,
    /// Where the name stands.
    pub place: Place,
    /// The releases.
    pub releases: Releases,
}

/// What is remarkable about a place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConfMatter {
    /// The name of the setting contains a TAB, and so is another name.
    TabInKey,
    /// The value contains a TAB, which belongs to it.
    TabInValue,
    /// A `#` behind the beginning of the line makes all of it a comment.
    HashSwallowsLine,
    /// What is meant as a comment behind a value belongs to the value.
    CommentInValue,
    /// An earlier line has the same key, and it alone counts.
    Duplicate,
    /// The line begins with the name of a setting and has no colon.
    NoColon,
    /// Blanks within the value are dropped.
    BlanksDropped,
    /// The blank at the end of the value belongs to it.
    TrailingBlank,
    /// No release has a setting of this name.
    UnknownKey,
    /// Other releases have this setting.
    OtherRelease,
    /// The double-master mode is configured on a release that has none.
    NotInRelease,
    /// Some of the settings of the double-master mode are there, and its address is not.
    AddressMissing,
    /// The address of the peer is there, and its port is not.
    PortMissing,
    /// `double-master-server-id` is not set.
    PeerIdMissing,
    /// `server-id` is not set.
    OwnIdMissing,
    /// `server-id` and `double-master-server-id` are the same.
    SameIds,
    /// It names the server itself.
    Itself,
    /// It names another server by an address of this host.
    Loopback,
    /// `slave-read-only` makes a double master refuse writes.
    ReadOnly,
    /// `slaveof` and the double-master mode are both configured.
    SlaveofBeside,
    /// `slaveof` has no colon between host and port.
    SlaveofWithoutColon,
    /// The port of `slaveof` is no port.
    SlaveofPort,
    /// `slaveof` has a port and no host.
    SlaveofHost,
    /// `masterauth` is set and `requirepass` is not.
    MasterauthAlone,
    /// `requirepass` is set and `userpass` is not.
    RequirepassAlone,
    /// A `user : limit …` line and `userblacklist` are set, and the release puts all commands over the rules of the line.
    LimitUserWidened,
    /// A `user : limit …` line and `userpass` are set and `userblacklist` is not, without which `userpass` is not looked at.
    LimitUserWithoutUserpass,
    /// A derived port is above 65535.
    PortTooHigh,
    /// Another file claims the same client port.
    SamePort,
    /// Another file claims a port that follows from this one's, or the other way round.
    PortCollision,
    /// Another file names the same path.
    SharedPath,
}

/// Something in a file that means something else, or more, than it seems to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfRemark {
    /// What it is.
    pub what: ConfMatter,
    /// Where.
    pub place: Place,
    /// The releases for which it is true.
    pub releases: Releases,
    /// The name of the setting.
    pub key: String,
    /// The value as these releases read it. Null for passwords and for what no release knows.
    pub value: Option<String>,
    /// Another place that belongs to it: the line that wins, the file that collides.
    pub other: Option<Place>,
    /// The name of the setting there, or the nearest name that exists.
    pub other_key: Option<String>,
    /// The releases that do have it.
    pub known_in: Option<Releases>,
    /// The port in question.
    pub port: Option<u32>,
    /// What the port is for here.
    pub role: Option<PortRole>,
    /// What the port is for there.
    pub other_role: Option<PortRole>,
    /// Whether it is certain to hurt: a password is changed, a value of a fixed set of words is none of them,
    /// the two values of a duplicate differ, a path is absolute, a port is always open.
    pub grave: bool,
}
