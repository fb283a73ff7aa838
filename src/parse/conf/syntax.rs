//! The form of a file, and names that nobody knows.

use super::dialect::ConfSyntax;
use super::keys::{first_word, read_in_mode};
use super::text::ConfEntry;
use super::view::{ConfView, Draft};
use crate::model::conf::ConfMatter;
use crate::model::era;
use crate::model::knowledge::KeyKind;
use crate::model::release::Version;

/// Keys that may stand in a file several times (`GetConfStrMulti`, from 3.5.3-alpha on).
const SEVERAL_TIMES: [&str; 2] = ["user", "rename-command"];

/// Where the form of the file makes `version` read something else than it seems to say.
pub fn syntax(view: &ConfView<'_>, version: Version) -> Vec<Draft> {
    let dialect = ConfSyntax::of(version);
    let mut found = Vec::new();
    let mut entries = view.text.entries(dialect).peekable();
    for (line, text) in view.text.lines.iter().enumerate() {
        let entry = entries.next_if(|(entry, _)| entry.line == line);
        // What its author took for a comment has no effect on any release: with a colon and behind a blank
        // it defines a key that nobody reads.
        if text.trim_start().starts_with('#') {
            continue;
        }
        match entry {
            None => found.extend(not_a_setting(view, version, line, text)),
            Some((entry, first)) => found.extend(setting(view, version, entry, first)),
        }
    }
    found
}

/// A line that the parser takes for a comment.
fn not_a_setting(view: &ConfView<'_>, version: Version, line: usize, text: &str) -> Option<Draft> {
    let hash = text.find('#').filter(|_| ConfSyntax::of(version) == ConfSyntax::HashAnywhere);
    if let Some(hash) = hash
        && let Some((key, before)) = ConfSyntax::HashAnywhere.split(&text[..hash])
    {
        let known = view.keys.read_by(version, &key)?;
        let secret = view.keys.is_secret(&known.name);
        // Without a value before it nothing is lost: an empty value and no line at all are the same. A
        // password may begin with a `#`, though.
        let begins_with_hash = secret && before.is_empty() && !text[hash + 1..].starts_with([' ', '#']);
        if before.is_empty() && !begins_with_hash {
            return None;
        }
        let mut draft = Draft::new(ConfMatter::HashSwallowsLine, view.text.place(line, hash), &known.name);
        draft.grave = secret;
        return Some(draft);
    }
    if text.contains(':') {
        return None;
    }
    let word = first_word(text);
    let name = word.trim_end_matches('…');
    let plain = name.to_lowercase().replace('_', "-");
    let known = view.keys.get(name).or_else(|| view.keys.get(&plain))?;
    let start = text.len() - text.trim_start().len();
    let mut draft = Draft::new(ConfMatter::NoColon, view.text.place(line, start), &known.name);
    // What the release would not read anyway loses nothing.
    draft.grave = view.keys.read_by(version, &known.name).is_some()
        && read_in_mode(known, version, view.value(version, "instance-mode"));
    Some(draft)
}

/// A line that the parser takes for a setting.
fn setting(view: &ConfView<'_>, version: Version, entry: &ConfEntry, first: bool) -> Vec<Draft> {
    let text = view.text.lines[entry.line];
    if entry.key.contains('\t') {
        let meant = entry.key.replace('\t', "");
        let known = view.keys.get(&meant).is_some();
        let at = text.find('\t').unwrap_or_default();
        let draft = Draft::new(ConfMatter::TabInKey, view.text.place(entry.line, at), &meant);
        return known.then_some(draft).into_iter().collect();
    }
    let Some(key) = view.keys.read_by(version, &entry.key) else { return Vec::new() };
    let dialect = ConfSyntax::of(version);
    if !first {
        let several = dialect == ConfSyntax::BlanksKept && SEVERAL_TIMES.contains(&key.name.as_str());
        return (!several).then(|| duplicate(view, dialect, entry)).into_iter().collect();
    }
    let secret = view.keys.is_secret(&key.name);
    let start = view.text.value_start(entry);
    let raw = text[start..].trim_end_matches('\r');
    // Anything but `no` switches it on, whatever stands behind it.
    if key.name == "write-binlog" && !raw.trim().starts_with("no") {
        return Vec::new();
    }
    let fixed_words = matches!(key.kind, KeyKind::Boolean | KeyKind::Word | KeyKind::Size);
    let mut found = Vec::new();
    let mut remark = |what, at: usize, grave| {
        let mut draft = view.at_value(what, entry);
        draft.place = view.text.place(entry.line, start + at);
        draft.grave = grave;
        found.push(draft);
    };

    let comment = raw
        .char_indices()
        .find(|(at, c)| *c == '#' && (*at == 0 || raw[..*at].ends_with([' ', '\t'])))
        .map(|(at, _)| at);
    // `atoi` and `strtoll` stop at the first character that is no digit, so a comment behind a number does no harm. Where a
    // size may have a unit, that is the very last character of the line, and a comment can end with one.
    let number_alone = match key.kind {
        KeyKind::Integer => true,
        KeyKind::Size => {
            !version.is_of(&era::CONF_UNITS) || !raw.trim_end().ends_with(['K', 'k', 'M', 'm', 'G', 'g'])
        }
        _ => false,
    };
    if let Some(at) = comment
        && !number_alone
    {
        remark(ConfMatter::CommentInValue, at, fixed_words || key.kind == KeyKind::Path);
        return found;
    }
    // It also skips a TAB before the number; only the unit of a size is looked for at the very end.
    let tab_matters = match key.kind {
        KeyKind::Integer => false,
        KeyKind::Size => raw.ends_with('\t'),
        _ => true,
    };
    if let Some(at) = raw.find('\t')
        && tab_matters
    {
        remark(ConfMatter::TabInValue, at, secret || fixed_words || key.kind == KeyKind::Path);
    }
    let inner = raw.trim_matches(' ');
    if let Some(at) = inner.find(' ')
        && dialect != ConfSyntax::BlanksKept
        && (secret || key.kind == KeyKind::Path)
    {
        remark(ConfMatter::BlanksDropped, at, secret);
    }
    let trailing_matters = match key.kind {
        KeyKind::Integer | KeyKind::List => false,
        KeyKind::Size => inner.ends_with(|c: char| c.is_ascii_alphabetic()),
        _ => true,
    };
    if dialect == ConfSyntax::BlanksKept && entry.value.ends_with(' ') && trailing_matters {
        remark(ConfMatter::TrailingBlank, inner.len(), secret || fixed_words);
    }
    found
}

fn duplicate(view: &ConfView<'_>, dialect: ConfSyntax, entry: &ConfEntry) -> Draft {
    let mut draft = Draft::new(ConfMatter::Duplicate, view.text.key_place(entry), &entry.key);
    if let Some(first) = view.text.get(dialect, &entry.key) {
        draft.other = Some(view.text.key_place(first));
        draft.grave = first.value != entry.value;
    }
    draft
}

/// Names that `version` does not know.
pub fn unknown_keys(view: &ConfView<'_>, version: Version) -> Vec<Draft> {
    let mut found = Vec::new();
    for (entry, first) in view.text.entries(ConfSyntax::of(version)) {
        let name = entry.key.as_str();
        let is_comment = view.text.lines[entry.line].trim_start().starts_with('#');
        let has_tab = view.keys.get(&name.replace('\t', "")).is_some() && name.contains('\t');
        if !first || name.is_empty() || is_comment || has_tab || view.keys.belongs_to(version, name) {
            continue;
        }
        let place = view.text.key_place(entry);
        match view.keys.get(name).and_then(|key| key.parsed.as_ref()) {
            // A key of a stock file that no release reads is left alone in a file of such a release.
            None if !view.named && view.likely.iter().any(|likely| view.keys.belongs_to(*likely, name)) => {}
            None => {
                let mut draft = Draft::new(ConfMatter::UnknownKey, place, &view.shown_key(entry));
                draft.other_key = view.keys.nearest(name).map(str::to_owned);
                found.push(draft);
            }
            Some(releases) => {
                // Every release lacks some keys. Where nobody said which release it is, only a key that none
                // of the likely ones reads is out of place.
                let read = view.likely.iter().any(|likely| releases.contains(*likely));
                let concerns = view.named || (view.likely.contains(&version) && !read);
                let told_elsewhere = name.starts_with("double-master-") && super::replication::wants(view);
                if concerns && !told_elsewhere {
                    let mut draft = Draft::new(ConfMatter::OtherRelease, place, name);
                    draft.known_in = Some(releases.to_string());
                    found.push(draft);
                }
            }
        }
    }
    found
}
