//! A file as the rules look at it, and the remarks that they make.

use super::dialect::ConfSyntax;
use super::keys::{Keys, first_word, renames};
use super::text::{ConfEntry, Text};
use crate::model::conf::{ConfMatter, Place};
use crate::model::knowledge::Knowledge;
use crate::model::network::PortRole;
use crate::model::release::Version;

/// A file and what is needed to judge it for a release.
pub(super) struct ConfView<'v> {
    pub(super) text: &'v Text<'v>,
    pub(super) keys: &'v Keys<'v>,
    pub(super) knowledge: &'v Knowledge,
    pub(super) likely: &'v [Version],
    /// Whether somebody said which release it is for.
    pub(super) named: bool,
    /// Whether that release is one that is not known. Its settings are read as the newest known parser reads them.
    pub(super) unknown: bool,
}

impl ConfView<'_> {
    /// The value of `key` for `version`; empty when it is not there or when that release does not read it.
    pub(super) fn value(&self, version: Version, key: &str) -> &str {
        self.entry(version, key).map_or("", |entry| entry.value.as_str())
    }

    /// The entry of `key` that `version` reads.
    pub(super) fn entry(&self, version: Version, key: &str) -> Option<&ConfEntry> {
        if !self.unknown {
            self.keys.read_by(version, key)?;
        }
        self.text.get(ConfSyntax::of(version), key)
    }

    /// The same with a value.
    pub(super) fn set(&self, version: Version, key: &str) -> Option<&ConfEntry> {
        self.entry(version, key).filter(|entry| !entry.value.is_empty())
    }

    /// The name of an entry for a person: a known one as it is, of another only the first word of the line,
    /// because the rest may be a password that somebody wrote where none belongs.
    pub(super) fn shown_key(&self, entry: &ConfEntry) -> String {
        if self.keys.get(&entry.key).is_some() {
            return entry.key.clone();
        }
        first_word(self.text.lines[entry.line].split(':').next().unwrap_or_default().trim_end())
    }

    /// A remark about an entry, at its value.
    pub(super) fn at_value(&self, what: ConfMatter, entry: &ConfEntry) -> Draft {
        let mut draft = Draft::new(what, self.text.value_place(entry), &entry.key);
        if !self.keys.is_secret(&entry.key) && !renames(&entry.key) {
            draft.value = Some(entry.value.clone());
        }
        draft
    }
}

/// A remark about one release.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Draft {
    pub(super) what: ConfMatter,
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) other: Option<Place>,
    pub(super) other_key: Option<String>,
    pub(super) known_in: Option<String>,
    pub(super) port: Option<u32>,
    pub(super) role: Option<PortRole>,
    pub(super) other_role: Option<PortRole>,
    pub(super) grave: bool,
}

impl Draft {
    pub(super) fn new(what: ConfMatter, place: Place, key: &str) -> Self {
        Self {
            what,
            place,
            key: key.to_owned(),
            value: None,
            other: None,
            other_key: None,
            known_in: None,
            port: None,
            role: None,
            other_role: None,
            grave: false,
        }
    }
}
