//! What two copies of this program say to each other over ssh: a question as an argument, and an answer of one
//! line. Both carry the version of the program, and neither side believes a different one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::collect::host::{Request, Search};
use crate::model::conf::ConfFile;
use crate::model::host::Host;

/// The version of both, in `schema`.
pub const SCHEMA: &str = "pikadoctor.host/5";

/// How the line of an answer begins. A shell may have printed other lines before it.
pub const MARK: &str = "pikadoctor-host-answer ";

/// The version of this program.
pub const TOOL: &str = env!("CARGO_PKG_VERSION");

/// The question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Always `pikadoctor.host/5`.
    pub schema: String,
    /// The version of the program that asks.
    pub tool_version: String,
    /// How long the answer may take, in seconds.
    pub seconds: f64,
    /// What is asked.
    pub request: Request,
    /// Pikas that are asked about beside those of the request, and are found there only.
    pub search: Option<Search>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Always `pikadoctor.host/5`.
    pub schema: String,
    /// The version of the program that answers.
    pub tool_version: String,
    /// The time of day there when it began, in seconds since 1970.
    pub began: f64,
    /// The time of day there when it ended, in seconds since 1970.
    pub ended: f64,
    /// What was found.
    pub host: Host,
    /// The configuration files of the servers of the request, by the name of the server. Their passwords are tokens
    /// that only the program that answers could compare.
    pub conf_files: BTreeMap<String, ConfFile>,
}

/// The part of an answer that every version has.
#[derive(Clone, Debug, Deserialize)]
pub struct AnswerHead {
    /// What it is.
    pub schema: String,
    /// The version of the program that answers.
    pub tool_version: String,
}

/// The time of day, in seconds since 1970.
pub fn now() -> f64 {
    jiff::Timestamp::now().as_duration().as_secs_f64()
}
