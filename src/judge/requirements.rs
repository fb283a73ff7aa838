//! What must be visible: a check that is skipped for want of access to it makes the run unknown. Pure.

use serde::{Deserialize, Serialize};

use crate::i18n::texts;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, State};
use crate::model::text::Language;

/// What must be visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
pub fn require(required: &[Required], findings: &mut Vec<Finding>, facts: &Facts, language: Language) {
    for finding in findings.iter_mut().filter(|finding| finding.state == State::Skipped) {
        let Some(path) = &finding.missing else { continue };
        let Some(required) = required.iter().find(|required| required.covers(path)) else { continue };
        finding.state = State::Unknown;
        let word = required.word();
        finding.note = texts::required_by_plan(language, &finding.note, word);
    }
    // No check is evaluated for a host that nobody looked at, so nothing was skipped either.
    if required.contains(&Required::Host) {
        let unseen = facts.nodes.iter().filter(|node| !is_seen(facts, &node.name));
        findings.extend(unseen.map(|node| unseen_host(&node.name, language)));
    }
}

fn is_seen(facts: &Facts, node: &str) -> bool {
    let instances = facts.hosts.iter().flat_map(|host| &host.instances);
    instances.into_iter().any(|instance| instance.node.as_deref() == Some(node))
}

fn unseen_host(node: &str, language: Language) -> Finding {
    Finding {
        check: "require/host".to_owned(),
        target: node.to_owned(),
        state: State::Unknown,
        title: texts::HOST_VISIBLE.get(language).to_owned(),
        problems: Vec::new(),
        note: texts::HOST_REQUIRED.get(language).to_owned(),
        metrics: Vec::new(),
        missing: None,
        accepted: None,
        explained_by: Vec::new(),
    }
}
