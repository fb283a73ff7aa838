//! The configuration file of a running server beside the values that it runs with.

use serde::{Deserialize, Serialize};

use super::conf::Place;
use super::release::Version;
use super::unavailable::Unavailable;

/// A server and its configuration file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfDrift {
    /// The name of the server, which findings use.
    pub name: String,
    /// The file as it was named, on the command line or by the server.
    pub file: Option<String>,
    /// The release, whose rules the file was read by.
    pub version: Option<Version>,
    /// Whether of passwords it was compared only whether there is one: the file is on another host, and no password
    /// comes from there.
    #[serde(default)]
    pub passwords_unseen: bool,
    /// How many settings were compared.
    pub compared: Option<u32>,
    /// What differs. Null when the file or the settings could not be had.
    pub items: Option<Vec<DriftItem>>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// How a setting differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DriftMatter {
    /// The file has another value than the server runs with.
    Differs,
    /// A password of the file is another one, or there is one on one side only.
    Password,
    /// The file names a master, and the server follows none: after a restart it does.
    SlaveofReturns,
    /// The file names another master than the server follows.
    SlaveofOther,
    /// The server follows a master that the file does not name: after a restart it follows none.
    SlaveofLost,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DriftItem {
    /// How.
    pub what: DriftMatter,
    /// The setting.
    pub key: String,
    /// The value in the file, which counts after a restart. Null for passwords, and where the file has none.
    pub file_value: Option<String>,
    /// The value that the server runs with. Null for passwords, and where there is none.
    pub running: Option<String>,
    /// Whether the file sets it to something at all.
    pub in_file: bool,
    /// Whether the server runs with something at all.
    pub in_server: bool,
    /// Where it stands in the file.
    pub place: Option<Place>,
    /// Whether CONFIG SET of this release changes it, so that the server may be ahead of the file.
    pub settable: bool,
}
