//! What must be visible: a check that is skipped for want of access to it makes the run unknown. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::i18n::texts;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, State};
use crate::model::limits::CLOCKS_APART_SECONDS;
use crate::model::link::Link;
use crate::model::text::Language;
use crate::model::verification::{ComparedServer, Shard, Verification};

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
    /// A comparison of the data of each link, whole and young enough.
    Verify,
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
            // There is a finding for each link that has none.
            Self::Verify => false,
            Self::Everything => true,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Ports => "ports",
            Self::Writes => "writes",
            Self::Verify => "verify",
            Self::Everything => "everything",
        }
    }
}

/// Makes unknown what was skipped and is required. `verified`: how old a comparison of data may be, in seconds.
pub fn require(
    required: &[Required],
    verified: u64,
    findings: &mut Vec<Finding>,
    facts: &Facts,
    language: Language,
) {
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
    if required.contains(&Required::Verify) {
        findings.extend(unverified(facts, verified, language));
    }
}

/// The links whose data nobody compared, or not lately, or only a part of it.
fn unverified(facts: &Facts, most_seconds: u64, language: Language) -> Vec<Finding> {
    let planned = facts.links.iter().filter(|link| link.planned.is_some());
    let note = |link: &Link| -> Option<String> {
        let is_it = |one: &&Verification| {
            let has = |side: &[ComparedServer], name: &str| side.iter().any(|server| server.name == name);
            has(&one.sources, &link.master) && has(&one.targets, &link.replica)
        };
        let Some(found) = facts.verifications.iter().find(is_it) else {
            return Some(texts::VERIFY_NONE.get(language).to_owned());
        };
        if let Some(Shard { number, of }) = found.shard {
            return Some(texts::verify_part(language, number, of));
        }
        let changed = found.sources.iter().chain(&found.targets).find_map(|server| {
            let now = facts.node(&server.name)?.version?.to_string();
            (now != server.release)
                .then(|| texts::verify_other_release(language, &server.name, &server.release, &now))
        });
        if changed.is_some() {
            return changed;
        }
        let times = (facts.collected_at.parse::<Timestamp>(), found.ended_at.parse::<Timestamp>());
        let (Ok(now), Ok(then)) = times else {
            return Some(texts::VERIFY_AGE_UNKNOWN.get(language).to_owned());
        };
        let age = now.as_second() - then.as_second();
        let most = i64::try_from(most_seconds).unwrap_or(i64::MAX);
        // A clock that is ahead makes nothing young.
        (age > most || age < -CLOCKS_APART_SECONDS)
            .then(|| texts::verify_old(language, &found.ended_at, hours(most_seconds)))
    };
    let finding = |link: &Link| {
        Some(Finding {
            check: "require/verify".to_owned(),
            target: link.name.clone(),
            state: State::Unknown,
            title: texts::VERIFY_SEEN.get(language).to_owned(),
            problems: Vec::new(),
            note: note(link)?,
            metrics: Vec::new(),
            missing: None,
            accepted: None,
            explained_by: Vec::new(),
        })
    };
    planned.filter_map(finding).collect()
}

/// `24h`, `90m`.
fn hours(seconds: u64) -> String {
    match seconds {
        whole if whole % 3600 == 0 => format!("{}h", whole / 3600),
        whole if whole % 60 == 0 => format!("{}m", whole / 60),
        whole => format!("{whole}s"),
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
