//! Finds the known messages among lines.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::secrets::would_show;
use crate::model::limits::MAX_LOG_TEXT_BYTES;
use crate::model::messages::{MessageRule, Messages};

/// The patterns of the table of messages.
pub struct Recogniser<'k> {
    messages: &'k [MessageRule],
    /// All patterns at once. Nearly every line of a log is none of them, and is known as such after a few bytes.
    any: RegexSet,
    /// Each pattern with its groups, in the order of the table. Built when it is met for the first time: most runs need
    /// a few of them.
    each: Vec<OnceLock<Regex>>,
}

/// A known message in a line.
pub struct Recognised<'r, 'm> {
    /// Its rule.
    pub message: &'r MessageRule,
    regex: &'r Regex,
    captures: Captures<'m>,
}

impl<'k> Recogniser<'k> {
    /// For all messages of a table.
    ///
    /// # Panics
    /// Never with the built-in table: its tests try every pattern.
    pub fn new(table: &'k Messages) -> Self {
        let patterns = table.messages.iter().map(|message| anchored(&message.pattern));
        Self {
            messages: &table.messages,
            any: RegexSetBuilder::new(patterns).unicode(false).build().expect("every pattern is valid"),
            each: table.messages.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The first rule of the table that a message fits.
    pub fn recognise<'r, 'm>(&'r self, message: &'m [u8]) -> Option<Recognised<'r, 'm>> {
        if self.any.is_match(message) { self.all(message).next() } else { None }
    }

    /// Every rule that a message fits, in the order of the table.
    pub fn all<'r, 'm>(&'r self, message: &'m [u8]) -> impl Iterator<Item = Recognised<'r, 'm>> {
        self.any.matches(message).into_iter().filter_map(move |index| {
            let regex = self.regex(index);
            Some(Recognised { message: &self.messages[index], regex, captures: regex.captures(message)? })
        })
    }

    fn regex(&self, index: usize) -> &Regex {
        self.each[index].get_or_init(|| {
            let pattern = anchored(&self.messages[index].pattern);
            RegexBuilder::new(&pattern).unicode(false).build().expect("it was valid together with the others")
        })
    }
}

impl<'m> Recognised<'_, 'm> {
    /// What a group of the pattern takes in; nothing where the message does not have it. For telling messages apart, not
    /// for showing.
    pub fn group(&self, name: &str) -> &'m [u8] {
        self.captures.name(name).map_or(&[], |group| group.as_bytes())
    }

    /// What the pattern takes in.
    pub fn kept(&self) -> String {
        fit_to_show(&self.captures[0])
    }

    /// The values of the groups of the pattern.
    pub fn values(&self) -> BTreeMap<String, String> {
        let named = |name: &str| Some((name.to_owned(), fit_to_show(self.captures.name(name)?.as_bytes())));
        self.regex.capture_names().flatten().filter_map(named).collect()
    }
}

/// A pattern as it is used: from the beginning of the message.
fn anchored(pattern: &str) -> String {
    format!("^(?:{pattern})")
}

fn fit_to_show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LOG_TEXT_BYTES)]).into_owned();
    if would_show(&text) { "(hidden)".to_owned() } else { text }
}
