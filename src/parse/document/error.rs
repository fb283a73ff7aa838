//! Why a document is not what it should be, and where.

use std::fmt;

use super::value::DocumentPlace;
use super::yaml::SyntaxError;
use crate::parse::nearest::did_you_mean;

/// Why a document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DeserializeError {
    /// What is wrong.
    pub reason: Box<Mismatch>,
    /// Where it stands, when the format says so.
    pub place: Option<DocumentPlace>,
    /// The way to it, the last step first.
    pub path: Vec<PathStep>,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A name that there is not.
    #[error("unknown field `{field}`, expected {}{}", listed(expected), did_you_mean(field, expected.iter().copied()))]
    UnknownField {
        /// The name.
        field: String,
        /// The names that there are.
        expected: &'static [&'static str],
    },
    /// A word that there is not.
    #[error("unknown variant `{variant}`, expected {}{}", listed(expected), did_you_mean(variant, expected.iter().copied()))]
    UnknownVariant {
        /// The word.
        variant: String,
        /// The words that there are.
        expected: &'static [&'static str],
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// A step from a list or a map to a value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// By its name.
    Name(String),
    /// By its number, from 0.
    Index(usize),
}

fn listed(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [word] => format!("`{word}`"),
        words => {
            format!("one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

impl DeserializeError {
    pub(super) fn new(reason: Mismatch) -> Self {
        Self { reason: Box::new(reason), place: None, path: Vec::new() }
    }

    /// The innermost place counts.
    #[cold]
    pub(super) fn at(mut self, place: DocumentPlace) -> Self {
        if self.place.is_none() && place.line > 0 {
            self.place = Some(place);
        }
        self
    }

    #[cold]
    pub(super) fn below(mut self, step: PathStep) -> Self {
        self.path.push(step);
        self
    }
}

impl serde::de::Error for DeserializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Mismatch::Other(message.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Mismatch::UnknownField { field: field.to_owned(), expected })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Mismatch::UnknownVariant { variant: variant.to_owned(), expected })
    }
}

/// Why a YAML text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML, or too much of it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It does not say what it should.
    #[error(transparent)]
    Unfit(#[from] DeserializeError),
}

impl YamlError {
    /// Where it is wrong.
    pub fn place(&self) -> Option<DocumentPlace> {
        match self {
            Self::Syntax(error) => Some(error.place),
            Self::Unfit(error) => error.place,
        }
    }

    /// `FILE:LINE:COLUMN: what is wrong`.
    pub fn in_file(&self, file: &str) -> String {
        match self.place() {
            Some(at) => format!("{file}:{}:{}: {self}", at.line, at.column),
            None => format!("{file}: {self}"),
        }
    }
}
