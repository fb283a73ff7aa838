//! Which release a server is. Its own report can be too low: 4.0.1 reports 4.0.0.

use crate::i18n::reasons;
use crate::model::info::InfoSection;
use crate::model::knowledge::{Knowledge, Marker, ReleaseTag};
use crate::model::node::{Node, Release, SettledBy};
use crate::model::release::Version;
use crate::model::unavailable::Unavailable;
use crate::parse::info::build::{foreign_fact, is_built_from, reporting};

/// Sets `node.release` and `node.version`.
pub fn settle(node: &mut Node, knowledge: &Knowledge) {
    let Some(server) = node.info.get("server") else { return };
    let Some(reported) = value(server, "pika_version") else { return };
    let git_sha = value(server, "pika_git_sha").filter(|sha| !sha.is_empty());
    let (version, release) = resolve(node, &reported, git_sha, knowledge);
    if version.is_none() {
        node.unavailable.push(Unavailable::failed("version", reasons::release_unknown_to_tool(&reported)));
    }
    node.version = version;
    node.release = Some(release);
}

fn value(section: &InfoSection, key: &str) -> Option<String> {
    section.lines.iter().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
}

fn resolve(
    node: &Node,
    reported: &str,
    git_sha: Option<String>,
    knowledge: &Knowledge,
) -> (Option<Version>, Release) {
    let number: Option<Version> = reported.parse().ok();
    let reporting: Vec<&ReleaseTag> =
        number.map(|number| reporting(number, knowledge).collect()).unwrap_or_default();
    let (fitting, settled_by) = narrow(node, &reporting, git_sha.as_deref());

    // Alphas and candidates are told from their final release by the commit alone. Without it the
    // final one is meant: nobody runs the others for long.
    let finals: Vec<&ReleaseTag> = fitting.iter().copied().filter(|tag| tag.version.is_final()).collect();
    let oldest = finals.first().or(fitting.first()).copied();
    // None for a number that no tag reports: a newer release, or a private build. What the other releases of its
    // line do says nothing about it.
    let version = oldest.map(|tag| tag.version);
    let generation = version.and_then(|version| {
        knowledge
            .generations
            .iter()
            .find(|entry| entry.releases.contains(version))
            .map(|entry| entry.generation.clone())
    });
    let candidates: Vec<Version> = fitting.iter().map(|tag| tag.version).collect();
    let release = Release {
        reported: reported.to_owned(),
        foreign_fact: foreign_fact(node, &candidates, knowledge),
        candidates,
        recognised: oldest.is_some(),
        evidence: oldest.map(|tag| tag.evidence),
        line: version.and_then(|version| version.line()),
        generation,
        tagged: oldest.and_then(|tag| tag.tagged.clone()),
        git_sha,
        settled_by,
    };
    (version, release)
}

/// Which of the tags that report the same number it can be, and what told them apart.
fn narrow<'t>(
    node: &Node,
    reporting: &[&'t ReleaseTag],
    git_sha: Option<&str>,
) -> (Vec<&'t ReleaseTag>, SettledBy) {
    if let Some(sha) = git_sha {
        let built: Vec<_> = reporting.iter().copied().filter(|tag| is_built_from(tag, sha)).collect();
        if !built.is_empty() {
            return (built, SettledBy::GitSha);
        }
    }
    if reporting.iter().all(|tag| tag.marker.is_none()) {
        let several = reporting.iter().filter(|tag| tag.version.is_final()).count() > 1;
        let settled_by = if several || reporting.is_empty() { SettledBy::Nothing } else { SettledBy::Report };
        return (reporting.to_vec(), settled_by);
    }
    let seen = |tag: &ReleaseTag| tag.marker.as_ref().map(|marker| marker_seen(node, marker));
    if reporting.iter().any(|tag| seen(tag) == Some(Some(true))) {
        let marked = reporting.iter().copied().filter(|tag| seen(tag) == Some(Some(true))).collect();
        return (marked, SettledBy::Marker);
    }
    if reporting.iter().all(|tag| seen(tag) != Some(None)) {
        let unmarked = reporting.iter().copied().filter(|tag| seen(tag).is_none()).collect();
        return (unmarked, SettledBy::Marker);
    }
    (reporting.to_vec(), SettledBy::Nothing)
}

/// Whether a marker is there; `None` when it cannot be told.
fn marker_seen(node: &Node, marker: &Marker) -> Option<bool> {
    match marker {
        Marker::Field { section, key } => {
            let section = node.info.get(section)?;
            Some(value(section, key).is_some())
        }
        Marker::ReplicaLag => {
            let replicas = &node.replication.as_ref()?.replicas;
            let first = replicas.first()?;
            Some(!first.lags.is_empty())
        }
    }
}
