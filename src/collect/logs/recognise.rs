//! Finds the known messages among lines.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::secrets::would_show;
use crate::model::messages::{MessageRule, Messages};

/// The longest part of a line that is kept, in bytes.
const LONGEST_KEPT: usize = 300;

/// The patterns of the table of messages.
pub struct Recogniser<'k> {
    rules: Vec<Rule<'k>>,
    /// The rules by the first byte that their messages begin with.
    by_first: Vec<Vec<usize>>,
}

struct Rule<'k> {
    message: &'k MessageRule,
    /// The bytes that every message of this kind begins with.
    literal: Vec<u8>,
    /// Built when the literal is met for the first time: most runs need a few of them.
    regex: OnceLock<Option<Regex>>,
}

/// A known message.
pub struct Recognised<'k> {
    /// Its rule.
    pub message: &'k MessageRule,
    /// What the pattern takes in.
    pub kept: String,
    /// The values of the groups of the pattern.
    pub values: BTreeMap<String, String>,
}

impl<'k> Recogniser<'k> {
    /// For all messages of a table.
    pub fn new(table: &'k Messages) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        let mut rules = Vec::new();
        for message in &table.messages {
            let literal = literal_of(&message.pattern);
            match literal.first() {
                Some(first) => by_first[usize::from(*first)].push(rules.len()),
                None => by_first.iter_mut().for_each(|indexes| indexes.push(rules.len())),
            }
            rules.push(Rule { message, literal, regex: OnceLock::new() });
        }
        Self { rules, by_first }
    }

    /// The first rule of the table that a message fits.
    pub fn recognise(&self, message: &[u8]) -> Option<Recognised<'k>> {
        self.all(message).next()
    }

    /// Every rule that a message fits, in the order of the table.
    pub fn all<'m>(&'m self, message: &'m [u8]) -> impl Iterator<Item = Recognised<'k>> + 'm {
        let candidates = message.first().map(|first| &self.by_first[usize::from(*first)]);
        candidates.into_iter().flatten().filter_map(move |index| self.rules[*index].fit(message))
    }
}

impl<'k> Rule<'k> {
    fn fit(&self, message: &[u8]) -> Option<Recognised<'k>> {
        if !message.starts_with(&self.literal) {
            return None;
        }
        let regex = self.regex.get_or_init(|| compile(&self.message.pattern).ok()).as_ref()?;
        let captures = regex.captures(message)?;
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_KEPT)]).into_owned();
            if would_show(&text) { "(hidden)".to_owned() } else { text }
        };
        let values = regex
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), text(captures.name(name)?.as_bytes()))))
            .collect();
        Some(Recognised { message: self.message, kept: text(captures.get(0)?.as_bytes()), values })
    }
}

/// A pattern as it is used: from the beginning of the message, over bytes.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?:{pattern})")).unicode(false).build()
}

/// The text that a pattern begins with.
fn literal_of(pattern: &str) -> Vec<u8> {
    let mut literal = Vec::new();
    // An alternative at the top would make the text before it one of several.
    if pattern.contains('|') && !pattern.contains('(') {
        return literal;
    }
    let mut bytes = pattern.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\\' if bytes.peek().is_some_and(u8::is_ascii_punctuation) => bytes.next().unwrap_or(b'\\'),
            b'\\' | b'.' | b'[' | b'(' | b'*' | b'+' | b'?' | b'{' | b'^' | b'$' | b'|' => break,
            byte => byte,
        };
        literal.push(byte);
        if bytes.peek().is_some_and(|next| matches!(next, b'?' | b'*' | b'{' | b'+')) {
            literal.pop();
            break;
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_a_pattern_begins_with() {
        for (pattern, literal) in [
            ("Need wait to sync", "Need wait to sync"),
            (r"\(db0\) x[a-z]", "(db0) x"),
            ("colou?r", "colo"),
            (r"port \d+", "port "),
            ("(?:a|b) c", ""),
            ("a|b", ""),
        ] {
            assert_eq!(String::from_utf8(literal_of(pattern)).unwrap(), literal, "{pattern}");
        }
    }
}
