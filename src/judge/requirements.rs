//! What must be visible: a check that is skipped for want of access to it makes the run unknown. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::facts::Facts;
use crate::model::finding::{Finding, State};
use crate::model::text::Language;

/// What must be visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Required {
    /// The hosts of the servers.
    Host,
    /// The ports that are counted from the client port.
    Ports,
    /// Writes that are seen to arrive on the replica.
    Writes,
    /// Everything that a check asks for.
    Everything,
}

impl Required {
    /// Whether a fact is a part of it. `path` is the whole path, `node.ports`.
    fn covers(self, path: &str) -> bool {
        let has = |part: &str| path.split('.').any(|name| name == part);
        match self {
            Self::Host => path.split('.').next() == Some("host") || has("own_address"),
            Self::Ports => has("ports"),
            Self::Writes => has("canary") || has("echo"),
            Self::Everything => true,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Ports => "ports",
            Self::Writes => "writes",
            Self::Everything => "everything",
        }
    }
}

/// Makes unknown what was skipped and is required.
pub fn require(required: &[Required], findings: &mut [Finding], _facts: &Facts, language: Language) {
    for finding in findings.iter_mut().filter(|finding| finding.state == State::Skipped) {
        let Some(path) = &finding.missing else { continue };
        let Some(required) = required.iter().find(|required| required.covers(path)) else { continue };
        finding.state = State::Unknown;
        let word = required.word();
        finding.note = match language {
            Language::En => format!("{} (the plan requires `{word}`)", finding.note),
            Language::Zh => format!("{}（计划要求 `{word}`）", finding.note),
        };
    }
}
