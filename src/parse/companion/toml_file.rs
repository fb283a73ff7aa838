//! dashboard.toml and proxy.toml, as the decoder of Codis reads them: keys that it does not know are ignored, values of
//! a wrong type end the start.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::reading::{ServiceConfText, host_kind};
use crate::model::codis::topology::CodisRelease;
use crate::model::companion::{
    CompanionContent, CompanionKey, CompanionKind, Effective, Fault, RefusedValue, UnknownKey, ValueType,
    WrongType,
};
use crate::model::limits::MAX_SHOWN_KEY_CHARACTERS;
use crate::model::reason::Reason;
use crate::parse::nearest::nearest;

/// A key of the file.
struct Entry<'t> {
    key: &'t str,
    at: usize,
    value: &'t DeValue<'t>,
    value_at: usize,
}

pub fn read(reading: &ServiceConfText<'_>, kind: CompanionKind) -> CompanionContent {
    let mut content = CompanionContent::default();
    let (table, errors) = DeTable::parse_recoverable(reading.text);
    for error in errors.iter().take(20) {
        let at = error.span().unwrap_or(Range { start: 0, end: 0 }).start;
        content.syntax.push(Fault { message: Reason::verbatim(error.message()), place: reading.place(at) });
    }
    let mut entries: Vec<Entry<'_>> = table
        .get_ref()
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref(),
            at: key.span().start,
            value: value.get_ref(),
            value_at: value.span().start,
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    // What the parser makes of a line that it cannot read is a guess, and can have swallowed a password.
    let faulty: Vec<u32> = content.syntax.iter().map(|fault| fault.place.line).collect();
    entries.retain(|entry| {
        let swallowed = !faulty.is_empty() && entry.value.as_str().is_some_and(|text| text.contains('\n'));
        let lines = [entry.at, entry.value_at].map(|at| reading.place(at).line);
        !swallowed && !lines.iter().any(|line| faulty.contains(line))
    });
    let keys: Vec<&CompanionKey> =
        reading.knowledge.companion_keys.iter().filter(|key| key.file == kind).collect();
    content.likely = likely(&entries, &keys);
    for entry in &entries {
        match keys.iter().find(|key| key.name == entry.key) {
            None => content.unknown.push(unknown(reading, entry, kind)),
            Some(key) => {
                // Where keys of several releases stand side by side, none of the likely ones reads them all.
                if !content.likely.iter().all(|release| key.releases.contains(release)) {
                    content.unknown.push(of_other_releases(reading, entry, key));
                }
                if let Some(wrong) = wrong_type(reading, entry, key) {
                    content.types.push(wrong);
                } else {
                    let stated = stated(reading, entry, key, &content.likely);
                    content.refused.extend(refused(&stated, key));
                    content.values.push(stated);
                }
            }
        }
    }
    for key in &keys {
        if !entries.iter().any(|entry| entry.key == key.name) {
            content.values.extend(missing(key, &content.likely));
        }
    }
    content
}

/// The releases that read the most of the keys.
fn likely(entries: &[Entry<'_>], keys: &[&CompanionKey]) -> Vec<CodisRelease> {
    let known = |release: CodisRelease| {
        let reads = |entry: &&Entry<'_>| {
            keys.iter().any(|key| key.name == entry.key && key.releases.contains(&release))
        };
        entries.iter().filter(reads).count()
    };
    let most = CodisRelease::WITH_KNOWN_FILES.into_iter().map(known).max().unwrap_or_default();
    CodisRelease::WITH_KNOWN_FILES.into_iter().filter(|release| known(*release) == most).collect()
}

fn unknown(reading: &ServiceConfText<'_>, entry: &Entry<'_>, kind: CompanionKind) -> UnknownKey {
    let all = &reading.knowledge.companion_keys;
    let near = |key: &&CompanionKey| key.file == kind;
    let nearest = nearest(entry.key, all.iter().filter(near).map(|key| (&key.name, &key.name)), 3);
    let elsewhere = all
        .iter()
        .find(|key| key.file != kind && key.file != CompanionKind::Sentinel && key.name == entry.key);
    UnknownKey {
        key: entry.key.chars().take(MAX_SHOWN_KEY_CHARACTERS).collect(),
        nearest: nearest.cloned(),
        belongs_to: elsewhere.map(|key| key.file),
        releases: Vec::new(),
        place: reading.place(entry.at),
    }
}

fn of_other_releases(reading: &ServiceConfText<'_>, entry: &Entry<'_>, key: &CompanionKey) -> UnknownKey {
    UnknownKey {
        key: key.name.clone(),
        nearest: None,
        belongs_to: None,
        releases: key.releases.clone(),
        place: reading.place(entry.at),
    }
}

fn wrong_type(reading: &ServiceConfText<'_>, entry: &Entry<'_>, key: &CompanionKey) -> Option<WrongType> {
    let fits = match key.value {
        ValueType::Text => entry.value.is_str(),
        ValueType::Number => entry.value.is_integer(),
        ValueType::Switch => entry.value.is_bool(),
        ValueType::Quantity => entry.value.is_str() || entry.value.is_integer(),
    };
    (!fits).then(|| WrongType {
        key: key.name.clone(),
        expected: key.value,
        found: entry.value.type_str().to_owned(),
        place: reading.place(entry.value_at),
    })
}

fn stated(
    reading: &ServiceConfText<'_>,
    entry: &Entry<'_>,
    key: &CompanionKey,
    likely: &[CodisRelease],
) -> Effective {
    let text = match entry.value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().replace('_', ""),
        DeValue::Boolean(switch) => switch.to_string(),
        _ => String::new(),
    };
    let shown = if key.secret { reading.tokens.token(&text) } else { text };
    effective(key, shown, true, likely.to_vec(), Some(reading.place(entry.value_at)))
}

/// The value, where Codis ends at its start with it.
fn refused(stated: &Effective, key: &CompanionKey) -> Option<RefusedValue> {
    let rule = key.start.as_ref()?;
    let of_release = |release: &&CodisRelease| rule.also_3_0 || **release != CodisRelease::V3_0;
    let releases: Vec<CodisRelease> = stated.releases.iter().filter(of_release).copied().collect();
    let value = stated.value.trim();
    let known = rule.words.iter().any(|word| word == value);
    let bad = match rule.least {
        Some(least) => sign(value)? < least,
        None if rule.words.is_empty() => rule.filled && value.is_empty(),
        None => !known,
    };
    if !bad || releases.is_empty() {
        return None;
    }
    Some(RefusedValue {
        key: key.name.clone(),
        value: stated.value.clone(),
        least: rule.least,
        words: rule.words.clone(),
        releases,
        place: stated.place.clone()?,
    })
}

/// -1, 0 or 1, of a number, a time or a size: `-1`, `0s`, `32mb`. None where it is none.
fn sign(value: &str) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let unit = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let number: f64 = digits[..unit].parse().ok()?;
    Some(if number == 0.0 {
        0
    } else if negative {
        -1
    } else {
        1
    })
}

/// What a missing key means; one entry for each different default of the releases that the file can be for.
fn missing(key: &CompanionKey, likely: &[CodisRelease]) -> Vec<Effective> {
    let mut found: Vec<(String, Vec<CodisRelease>)> = Vec::new();
    for release in likely {
        let Some(default) = key.defaults.get(release) else { continue };
        let text = match default {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match found.iter_mut().find(|(known, _)| *known == text) {
            Some((_, releases)) => releases.push(*release),
            None => found.push((text, vec![*release])),
        }
    }
    found.into_iter().map(|(text, releases)| effective(key, text, false, releases, None)).collect()
}

fn effective(
    key: &CompanionKey,
    value: String,
    stated: bool,
    releases: Vec<CodisRelease>,
    place: Option<crate::model::conf::Place>,
) -> Effective {
    let is_address = matches!(key.name.as_str(), "admin_addr" | "proxy_addr");
    let host = value.rsplit_once(':').filter(|_| is_address).map(|(host, _)| host_kind(host));
    let number = value.parse().ok().filter(|_| !key.secret);
    Effective { key: key.name.clone(), number, value, stated, releases, address: host, place }
}
