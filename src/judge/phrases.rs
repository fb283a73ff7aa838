//! What the tool says while it looks, in the language of the report.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::{Regex, RegexSet, escape};

use crate::model::text::{Bilingual, Language};

/// The phrases of `checks/knowledge/phrases.yaml`, ready to be found in what facts say.
#[derive(Debug)]
pub struct Phrases {
    known: Vec<Bilingual>,
    /// Each phrase as an expression, in the order of the file.
    any: RegexSet,
    /// The same with its groups, built when it is met for the first time.
    each: Vec<OnceLock<Regex>>,
}

impl Phrases {
    /// The phrases for reports in `language`. There are none for English, which is what facts are in.
    ///
    /// # Panics
    /// Never with the built-in phrases: a test tries each.
    pub fn new(known: &[Bilingual], language: Language) -> Self {
        let known = match language {
            Language::En => Vec::new(),
            Language::Zh => known.to_vec(),
        };
        let any = RegexSet::new(known.iter().map(|phrase| expression(&phrase.en)));
        let each = known.iter().map(|_| OnceLock::new()).collect();
        Self { any: any.expect("every phrase is an expression"), each, known }
    }

    /// `said` in the language of the report, and what its values say as well. What no phrase is known for stays as it is.
    pub fn localized<'s>(&self, said: &'s str) -> Cow<'s, str> {
        let Some(first) = self.any.matches(said).iter().next() else { return Cow::Borrowed(said) };
        let Some(values) = self.regex(first).captures(said) else { return Cow::Borrowed(said) };
        let spoken = parts(&self.known[first].zh).map(|part| match part {
            Part::Words(words) => Cow::Borrowed(words),
            Part::Value(name) => self.localized(values.name(name).map_or("", |value| value.as_str())),
        });
        Cow::Owned(spoken.collect())
    }

    fn regex(&self, which: usize) -> &Regex {
        self.each[which]
            .get_or_init(|| Regex::new(&self.any.patterns()[which]).expect("it is an expression of the set"))
    }
}

/// A piece of a phrase.
enum Part<'p> {
    Words(&'p str),
    /// `{name}`
    Value(&'p str),
}

/// The words of a phrase and the values between them.
fn parts(phrase: &str) -> impl Iterator<Item = Part<'_>> {
    phrase.split('{').enumerate().flat_map(|(index, piece)| {
        let (value, words) = match piece.split_once('}').filter(|_| index > 0) {
            Some((name, words)) => (Some(Part::Value(name)), words),
            None => (None, piece),
        };
        value.into_iter().chain([Part::Words(words)])
    })
}

/// Finds a phrase when it is all that is said.
fn expression(phrase: &str) -> String {
    let mut expression = "(?s)^".to_owned();
    for part in parts(phrase) {
        match part {
            Part::Words(words) => expression += &escape(words),
            // `master.config: 10.0.0.1:9221 was not reached` begins with what it is about.
            Part::Value(name) if phrase.starts_with(&format!("{{{name}}}")) => {
                expression += &format!("(?<{name}>(?:[^:]|:[^ ])+?)");
            }
            Part::Value(name) => expression += &format!("(?<{name}>.+?)"),
        }
    }
    expression + "$"
}
