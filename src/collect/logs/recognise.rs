//! Finds the known messages among lines.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::prefix::Level;
use super::secrets::{without_secrets, would_show};
use crate::model::limits::MAX_LOG_TEXT_BYTES;
use crate::model::messages::{LogProgram, MessageRule, Messages};
use crate::parse::hide::secrets::HIDDEN;

/// The patterns of the table of messages.
pub struct Recogniser<'k> {
    messages: &'k [MessageRule],
    sets: Vec<Set>,
    /// Each pattern with its groups, in the order of the table. Built when it is met for the first time: most runs need
    /// a few of them.
    each: Vec<OnceLock<Regex>>,
}

/// The patterns of one program at once. Nearly every line of a log is none of them, and is known as such after a few
/// bytes.
struct Set {
    program: LogProgram,
    /// Where they stand in the table.
    indices: Vec<usize>,
    any: RegexSet,
    /// The rule for lines that end the program and are none of them.
    any_end: Option<usize>,
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
        let programs = [LogProgram::Pika, LogProgram::Codis, LogProgram::Sentinel, LogProgram::Bare];
        Self {
            messages: &table.messages,
            sets: programs.map(|program| Set::of(program, &table.messages)).into(),
            each: table.messages.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The first rule of the table that a message of a program fits.
    pub fn recognise<'r, 'm>(
        &'r self,
        program: LogProgram,
        level: Level,
        message: &'m [u8],
    ) -> Option<Recognised<'r, 'm>> {
        let set = self.sets.iter().find(|set| set.program == program)?;
        let known = if set.any.is_match(message) { self.all(program, level, message).next() } else { None };
        known.or_else(|| {
            let index = set.any_end.filter(|_| level == Level::Fatal)?;
            self.captured(index, message)
        })
    }

    /// Every rule that a message fits, in the order of the table.
    pub fn all<'r, 'm>(
        &'r self,
        program: LogProgram,
        level: Level,
        message: &'m [u8],
    ) -> impl Iterator<Item = Recognised<'r, 'm>> {
        let set = self.sets.iter().find(|set| set.program == program);
        set.into_iter().flat_map(move |set| {
            let found = set.any.matches(message).into_iter();
            let fits = move |index: &usize| level == Level::Fatal || !self.messages[*index].fatal;
            let indices = found.map(move |at| set.indices[at]).filter(fits);
            indices.filter_map(move |index| self.captured(index, message))
        })
    }

    fn captured<'r, 'm>(&'r self, index: usize, message: &'m [u8]) -> Option<Recognised<'r, 'm>> {
        let regex = self.regex(index);
        Some(Recognised { message: &self.messages[index], regex, captures: regex.captures(message)? })
    }

    fn regex(&self, index: usize) -> &Regex {
        self.each[index].get_or_init(|| {
            let pattern = anchored(&self.messages[index].pattern);
            RegexBuilder::new(&pattern).unicode(false).build().expect("it was valid together with the others")
        })
    }
}

impl Set {
    fn of(program: LogProgram, messages: &[MessageRule]) -> Self {
        let of_program = |rule: &MessageRule| rule.program == program;
        let index = |wanted: fn(&MessageRule) -> bool| {
            let rules = messages.iter().enumerate();
            rules.filter(move |(_, rule)| of_program(rule) && wanted(rule)).map(|(index, _)| index)
        };
        let indices: Vec<usize> = index(|rule| !rule.any_end).collect();
        let patterns = indices.iter().map(|index| anchored(&messages[*index].pattern));
        let any = RegexSetBuilder::new(patterns).unicode(false).build().expect("every pattern is valid");
        Self { program, any, any_end: index(|rule| rule.any_end).next(), indices }
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
        self.safe(&text_of(&self.captures[0]))
    }

    /// The values of the groups of the pattern.
    pub fn values(&self) -> BTreeMap<String, String> {
        // The word that names a password may stand before the group that holds it.
        let whole = self.safe(&String::from_utf8_lossy(&self.captures[0]));
        let named = |name: &str| {
            let value = self.safe(&text_of(self.captures.name(name)?.as_bytes()));
            let is_shown = whole.contains(&value);
            Some((name.to_owned(), if is_shown { value } else { HIDDEN.to_owned() }))
        };
        self.regex.capture_names().flatten().filter_map(named).collect()
    }

    /// A part of the message without what may be a password. The words of the pattern itself are none: `Auth with master
    /// error`. Whatever else it takes in may be one: an error may repeat what it is about, a command or a line of a file.
    fn safe(&self, text: &str) -> String {
        let of_pattern = |word: &str| !self.message.any_end && self.message.pattern.contains(word);
        let safe = without_secrets(text, of_pattern);
        if would_show(&safe) { HIDDEN.to_owned() } else { safe }
    }
}

/// A pattern as it is used: from the beginning of the message.
fn anchored(pattern: &str) -> String {
    format!("^(?:{pattern})")
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LOG_TEXT_BYTES)]).into_owned()
}
