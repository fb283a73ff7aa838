//! What each release makes of a pika.conf.
//!
//! Every rule is asked for one release at a time, as if there were no other; what several releases have in
//! common is folded into one remark with the set of these releases.

mod dialect;
mod keys;
mod replication;
mod syntax;
mod text;
mod together;
mod view;

use std::collections::HashMap;

pub use keys::{number, read_in_mode, read_number};

use self::dialect::ConfSyntax;
use self::keys::Keys;
use self::text::{ConfEntry, Text};
use self::view::{ConfView, Draft};
use crate::i18n::reasons;
use crate::model::conf::{ConfContent, ConfFile, ConfRemark, ConfSetting};
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_CONF_LINES;
use crate::model::reason::Reason;
use crate::model::release::{Releases, Version};
use crate::model::unavailable::Unavailable;
use crate::parse::conf_text::ConfText;
use crate::parse::secret::Tokens;

/// The releases that a file is looked at for: the one that was named, or every final one.
pub fn considered(knowledge: &Knowledge, version: Option<Version>) -> Vec<Version> {
    match version {
        Some(version) => vec![version],
        None => knowledge.releases.iter().map(|tag| tag.version).filter(Version::is_final).collect(),
    }
}

/// Reads all files of a run. Passwords become tokens.
pub fn read(
    texts: &[ConfText],
    knowledge: &Knowledge,
    tokens: &Tokens,
    version: Option<Version>,
) -> Vec<ConfFile> {
    let releases = considered(knowledge, version);
    let keys = Keys::new(knowledge);
    let mut earlier: Vec<Text<'_>> = Vec::new();
    let mut files = Vec::new();
    for ConfText { name, text } in texts {
        let text = match text {
            Ok(text) => Text::new(name, text),
            Err(error) => {
                files.push(unread(name, version, error.into()));
                continue;
            }
        };
        if text.lines.len() > MAX_CONF_LINES {
            let reason = reasons::conf_too_many_lines(text.lines.len());
            files.push(unread(name, version, reason));
            continue;
        }
        let likely = likely(&text, &keys, &releases);
        let named = version.is_some();
        let unknown = version.filter(|version| knowledge.release(*version).is_none());
        let view = ConfView {
            text: &text,
            keys: &keys,
            knowledge,
            likely: &likely,
            named,
            unknown: unknown.is_some(),
        };
        let content = content(&view, &releases, &earlier, tokens);
        let unavailable = unknown.map(not_judged).unwrap_or_default();
        let evidence = version.and_then(|version| Some(knowledge.release(version)?.evidence));
        files.push(ConfFile { name: name.clone(), version, evidence, content, unavailable });
        earlier.push(text);
    }
    files
}

/// What is not said about a file of a release that is not known.
fn not_judged(version: Version) -> Vec<Unavailable> {
    let paths = ["syntax", "unknown_keys", "double_master", "slaveof", "passwords"];
    let reason = || reasons::release_unknown_to_tool(version);
    paths.map(|path| Unavailable::failed(format!("content.{path}"), reason())).into()
}

fn unread(name: &str, version: Option<Version>, reason: Reason) -> ConfFile {
    let unavailable = vec![Unavailable::failed("content", reason)];
    ConfFile { name: name.to_owned(), version, evidence: None, content: None, unavailable }
}

/// The releases that know the most of the keys. Keys are counted as the second parser has them: a `#` in
/// a password must not make 2.x look less likely.
fn likely(text: &Text<'_>, keys: &Keys<'_>, releases: &[Version]) -> Vec<Version> {
    let names: Vec<&str> = text
        .entries(ConfSyntax::HashFirst)
        .filter(|(entry, first)| *first && keys.get(&entry.key).is_some())
        .map(|(entry, _)| entry.key.as_str())
        .collect();
    let known = |version: &Version| names.iter().filter(|name| keys.belongs_to(*version, name)).count();
    let most = releases.iter().map(known).max().unwrap_or_default();
    releases.iter().copied().filter(|version| known(version) == most).collect()
}

fn content(
    view: &ConfView<'_>,
    releases: &[Version],
    earlier: &[Text<'_>],
    tokens: &Tokens,
) -> Option<ConfContent> {
    let together = |rule: &dyn Fn(Version) -> Vec<Draft>| fold(releases, rule);
    let remarks = |rule: &dyn Fn(Version) -> Vec<Draft>| (!view.unknown).then(|| fold(releases, rule));
    Some(ConfContent {
        lines: u32::try_from(view.text.lines.len()).unwrap_or(u32::MAX),
        releases: Releases::of(releases, releases)?,
        likely: Releases::of(view.likely, releases)?,
        settings: settings(view, releases, tokens),
        syntax: remarks(&|version| syntax::syntax(view, version)),
        unknown_keys: remarks(&|version| syntax::unknown_keys(view, version)),
        double_master: remarks(&|version| replication::double_master(view, version)),
        slaveof: remarks(&|version| replication::slaveof(view, version)),
        passwords: remarks(&|version| replication::passwords(view, version)),
        ports: together(&|version| together::ports(view, earlier, version)),
        shared_paths: together(&|version| together::shared_paths(view, earlier, version)),
    })
}

/// Puts what is the same on several releases into one remark, ordered by place.
fn fold(releases: &[Version], rule: &dyn Fn(Version) -> Vec<Draft>) -> Vec<ConfRemark> {
    let mut index: HashMap<Draft, usize> = HashMap::new();
    let mut found: Vec<(Draft, Vec<Version>)> = Vec::new();
    for version in releases {
        for draft in rule(*version) {
            let at = *index.entry(draft.clone()).or_insert_with(|| {
                found.push((draft, Vec::new()));
                found.len() - 1
            });
            found[at].1.push(*version);
        }
    }
    found.sort_by_key(|(draft, _)| (draft.place.line, draft.place.column));
    found
        .into_iter()
        .filter_map(|(draft, versions)| {
            Some(ConfRemark {
                what: draft.what,
                place: draft.place,
                releases: Releases::of(&versions, releases)?,
                key: draft.key,
                value: draft.value,
                other: draft.other,
                other_key: draft.other_key,
                known_in: draft.known_in.and_then(|releases| releases.parse().ok()),
                port: draft.port,
                role: draft.role,
                other_role: draft.other_role,
                grave: draft.grave,
            })
        })
        .collect()
}

/// What is shown of a command and its new name: a command is renamed so that nobody may guess what it is called.
fn renamed(value: &str, tokens: &Tokens) -> String {
    let value = value.trim();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let (command, rest) = value.split_at(value.find(|c| !is_of_name(c)).unwrap_or(value.len()));
    if rest.is_empty() { command.to_owned() } else { format!("{command} {}", tokens.token(rest.trim())) }
}

/// The settings that take effect.
fn settings(view: &ConfView<'_>, releases: &[Version], tokens: &Tokens) -> Vec<ConfSetting> {
    let mut index: HashMap<(usize, &str), usize> = HashMap::new();
    let mut found: Vec<(&ConfEntry, Vec<Version>)> = Vec::new();
    for version in releases {
        for (entry, first) in view.text.entries(ConfSyntax::of(*version)) {
            let known = view.keys.get(&entry.key).is_some();
            let is_read = view.unknown || view.keys.read_by(*version, &entry.key).is_some();
            if !first || (known && !is_read) {
                continue;
            }
            let at = *index.entry((entry.line, &entry.value)).or_insert_with(|| {
                found.push((entry, Vec::new()));
                found.len() - 1
            });
            found[at].1.push(*version);
        }
    }
    found.sort_by_key(|(entry, _)| entry.line);
    found
        .into_iter()
        .filter_map(|(entry, versions)| {
            let known = view.keys.get(&entry.key).is_some();
            let value = match (known, view.keys.is_secret(&entry.key)) {
                (false, _) => None,
                (true, true) => Some(tokens.token(&entry.value)),
                (true, false) if keys::renames(&entry.key) => Some(renamed(&entry.value, tokens)),
                (true, false) => Some(entry.value.clone()),
            };
            Some(ConfSetting {
                key: view.shown_key(entry),
                value,
                place: view.text.key_place(entry),
                releases: Releases::of(&versions, releases)?,
            })
        })
        .collect()
}
