//! One file under every dialect: lines, columns, and which line of a key counts.

use std::collections::HashMap;

use super::dialect::ConfSyntax;
use crate::model::conf::Place;

/// A file split by all three parsers.
pub struct Text<'t> {
    /// The file as it was named.
    pub name: &'t str,
    /// Its lines without line ends.
    pub lines: Vec<&'t str>,
    /// By [`ConfSyntax::index`]: every line that the parser takes for a setting.
    entries: [Vec<ConfEntry>; 3],
    /// By [`ConfSyntax::index`]: where the first entry of each name is.
    first: [HashMap<String, usize>; 3],
}

/// A line that a parser takes for a setting.
#[derive(Clone, Debug)]
pub struct ConfEntry {
    /// The line, from 0.
    pub line: usize,
    /// The name as the parser has it.
    pub key: String,
    /// The value as the parser has it.
    pub value: String,
}

impl<'t> Text<'t> {
    /// Splits `text`.
    pub fn new(name: &'t str, text: &'t str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let entries = ConfSyntax::ALL.map(|dialect| {
            let split = |(line, text): (usize, &&str)| {
                dialect.split(text).map(|(key, value)| ConfEntry { line, key, value })
            };
            lines.iter().enumerate().filter_map(split).collect::<Vec<ConfEntry>>()
        });
        let first = [0, 1, 2].map(|dialect: usize| {
            let mut first = HashMap::new();
            for (index, entry) in entries[dialect].iter().enumerate() {
                first.entry(entry.key.clone()).or_insert(index);
            }
            first
        });
        Self { name, lines, entries, first }
    }

    /// Every entry under `dialect`, and whether it is the first one of its name.
    pub fn entries(&self, dialect: ConfSyntax) -> impl Iterator<Item = (&ConfEntry, bool)> {
        let first = &self.first[dialect.index()];
        self.entries[dialect.index()]
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry, first.get(&entry.key) == Some(&index)))
    }

    /// The entry of `key` that counts.
    pub fn get(&self, dialect: ConfSyntax, key: &str) -> Option<&ConfEntry> {
        self.first[dialect.index()].get(key).map(|index| &self.entries[dialect.index()][*index])
    }

    /// The value of `key`; empty when it is not there, which no release tells apart.
    pub fn value(&self, dialect: ConfSyntax, key: &str) -> &str {
        self.get(dialect, key).map_or("", |entry| entry.value.as_str())
    }

    /// The place of the byte `at` of a line.
    pub fn place(&self, line: usize, at: usize) -> Place {
        let before = self.lines.get(line).and_then(|text| text.get(..at)).unwrap_or_default();
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            file: self.name.to_owned(),
            line: narrow(line + 1),
            column: narrow(before.chars().count() + 1),
        }
    }

    /// Where the name of an entry stands.
    pub fn key_place(&self, entry: &ConfEntry) -> Place {
        let line = self.lines[entry.line];
        self.place(entry.line, line.len() - line.trim_start().len())
    }

    /// Where its value begins, as bytes of the line.
    pub fn value_start(&self, entry: &ConfEntry) -> usize {
        let line = self.lines[entry.line];
        let behind = line.find(':').map_or(line.len(), |colon| colon + 1);
        line.len() - line[behind..].trim_start_matches(' ').len()
    }

    /// The place of that.
    pub fn value_place(&self, entry: &ConfEntry) -> Place {
        self.place(entry.line, self.value_start(entry))
    }
}
