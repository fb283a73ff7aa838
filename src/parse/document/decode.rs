//! From values to types: the one deserialiser of documents.
//!
//! `serde` writes the code of a type anew for each deserialiser that it is read with, and of those a model of three
//! hundred types is mostly made. Every format is therefore read into a [`Node`] first.

use std::fmt;
use std::slice;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::value::{Member, Node, Place, Value, resolve};
use super::yaml::{SyntaxError, read_yaml};
use crate::model::text::PLACED;
use crate::parse::nearest::did_you_mean;

/// Why a document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DecodeError {
    /// What is wrong.
    pub reason: Box<Reason>,
    /// Where it stands, when the format says so.
    pub place: Option<Place>,
    /// The way to it, the last step first.
    pub path: Vec<Step>,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
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
pub enum Step {
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

impl DecodeError {
    fn new(reason: Reason) -> Self {
        Self { reason: Box::new(reason), place: None, path: Vec::new() }
    }

    /// The innermost place counts.
    #[cold]
    fn at(mut self, place: Place) -> Self {
        if self.place.is_none() && place.line > 0 {
            self.place = Some(place);
        }
        self
    }

    #[cold]
    fn below(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Reason::Other(message.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Reason::UnknownField { field: field.to_owned(), expected })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Reason::UnknownVariant { variant: variant.to_owned(), expected })
    }
}

/// Reads a type from a document.
pub fn decode<'d, T: Deserialize<'d>>(node: &'d Node<'d>) -> Result<T, DecodeError> {
    T::deserialize(node)
}

/// Why a YAML text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML, or too much of it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It does not say what it should.
    #[error(transparent)]
    Unfit(#[from] DecodeError),
}

impl YamlError {
    /// Where it is wrong.
    pub fn place(&self) -> Option<Place> {
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

/// Reads a type from a YAML text.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    Ok(decode(&read_yaml(text)?)?)
}

/// `error`, with the place of the value that it is about.
#[cold]
fn placed(error: DecodeError, place: Place) -> DecodeError {
    error.at(place)
}

impl<'d> Node<'d> {
    /// The error of a value that is not what is wanted.
    #[cold]
    fn unfit(&self, wanted: &dyn Expected) -> DecodeError {
        let plain;
        let value = match &self.value {
            Value::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        let found = match value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Unsigned(value) => Unexpected::Unsigned(*value),
            Value::Signed(value) => Unexpected::Signed(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(text) | Value::Plain(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        };
        DecodeError::invalid_type(found, wanted).at(self.place)
    }

    fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Plain(text) if !matches!(resolve(text), Value::Null) => Some(text),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Plain(text) => matches!(resolve(text), Value::Null),
            _ => false,
        }
    }

    fn visit_list<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::List(items) => visitor
                .visit_seq(Items { items: items.iter(), taken: 0 })
                .map_err(|error| placed(error, self.place)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn visit_members<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Map(members) => visitor
                .visit_map(Members { members: members.iter(), value: None })
                .map_err(|error| placed(error, self.place)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn visit_number<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DecodeError> {
        let plain;
        let value = match &self.value {
            Value::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        match value {
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            _ => return Err(self.unfit(&visitor)),
        }
        .map_err(|error| placed(error, self.place))
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.visit_number(visitor)
        }
    )*};
}

impl<'d> Deserializer<'d> for &'d Node<'d> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let plain;
        let value = match &self.value {
            Value::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) | Value::Plain(text) => visitor.visit_str(text),
            Value::List(_) => return self.visit_list(visitor),
            Value::Map(_) => return self.visit_members(visitor),
        }
        .map_err(|error| placed(error, self.place))
    }

    fn deserialize_bool<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let is_one_of = |text: &str, words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match &self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            // In YAML a person may have written the words of its first edition.
            Value::Plain(text) if is_one_of(text, &["true", "yes", "on", "y"]) => visitor.visit_bool(true),
            Value::Plain(text) if is_one_of(text, &["false", "no", "off", "n"]) => visitor.visit_bool(false),
            _ => return Err(self.unfit(&visitor)),
        }
        .map_err(|error| placed(error, self.place))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_str<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text).map_err(|error| placed(error, self.place)),
            None => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_null() { visitor.visit_unit() } else { Err(self.unfit(&visitor)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'d>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == PLACED {
            visitor.visit_seq(Placed { value: self, place: self.place, step: 0 })
        } else {
            self.visit_list(visitor)
        }
    }

    fn deserialize_map<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_members(visitor)
    }

    fn deserialize_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.visit_members(visitor)
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let variant = match &self.value {
            Value::Map(members) => match members.as_slice() {
                [member] => Variant { name: &member.key, place: member.place, content: Some(&member.node) },
                _ => return Err(DecodeError::custom("expected a map with one name").at(self.place)),
            },
            _ => match self.text() {
                Some(name) => Variant { name, place: self.place, content: None },
                None => return Err(self.unfit(&visitor)),
            },
        };
        visitor.visit_enum(variant).map_err(|error| placed(error, self.place))
    }

    fn deserialize_ignored_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { <W: Visitor<'d>> bytes byte_buf unit_struct }
}

struct Items<'d> {
    items: slice::Iter<'d, Node<'d>>,
    taken: usize,
}

impl<'d> SeqAccess<'d> for Items<'d> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(node) = self.items.next() else { return Ok(None) };
        self.taken += 1;
        match seed.deserialize(node) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error.below(Step::Index(self.taken - 1))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'d> {
    members: slice::Iter<'d, Member<'d>>,
    value: Option<&'d Member<'d>>,
}

impl<'d> MapAccess<'d> for Members<'d> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        self.value = self.members.next();
        let Some(member) = self.value else { return Ok(None) };
        match seed.deserialize(Name { text: &member.key, place: member.place }) {
            Ok(key) => Ok(Some(key)),
            Err(error) => Err(placed(error, member.place).below(Step::Name(member.key.clone().into_owned()))),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<T::Value, DecodeError> {
        let Some(member) = self.value else {
            return Err(DecodeError::custom("a value is asked for before its name"));
        };
        match seed.deserialize(&member.node) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.below(Step::Name(member.key.clone().into_owned()))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// The name of a member or of a variant.
#[derive(Clone, Copy)]
struct Name<'d> {
    text: &'d str,
    place: Place,
}

macro_rules! names {
    ($($name:ident $visit:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match self.text.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(DecodeError::invalid_type(Unexpected::Str(self.text), &visitor)),
            }
            .map_err(|error| placed(error, self.place))
        }
    )*};
}

impl<'d> Deserializer<'d> for Name<'d> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.text).map_err(|error| placed(error, self.place))
    }

    // A map may be by numbers, which JSON can only write as texts.
    names! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(Variant { name: self.text, place: self.place, content: None })
    }

    fn deserialize_tuple_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Placed { value: self, place: self.place, step: 0 })
    }

    forward_to_deserialize_any! {
        <W: Visitor<'d>>
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple map struct identifier
        ignored_any
    }
}

struct Variant<'d> {
    name: &'d str,
    place: Place,
    content: Option<&'d Node<'d>>,
}

impl<'d> EnumAccess<'d> for Variant<'d> {
    type Error = DecodeError;
    type Variant = Content<'d>;

    fn variant_seed<V: DeserializeSeed<'d>>(self, seed: V) -> Result<(V::Value, Content<'d>), DecodeError> {
        let name = seed.deserialize(Name { text: self.name, place: self.place })?;
        Ok((name, Content { name: self.name, place: self.place, node: self.content }))
    }
}

struct Content<'d> {
    name: &'d str,
    place: Place,
    node: Option<&'d Node<'d>>,
}

impl<'d> Content<'d> {
    fn node(&self) -> Result<&'d Node<'d>, DecodeError> {
        self.node.ok_or_else(|| {
            DecodeError::custom(format_args!("`{}` needs a value: {}: …", self.name, self.name))
                .at(self.place)
        })
    }

    fn below<T>(&self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|error| error.below(Step::Name(self.name.to_owned())))
    }
}

impl<'d> VariantAccess<'d> for Content<'d> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.node {
            None => Ok(()),
            Some(node) if node.is_null() => Ok(()),
            Some(node) => Err(node.unfit(&"nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, DecodeError> {
        let node = self.node()?;
        self.below(seed.deserialize(node))
    }

    fn tuple_variant<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        let node = self.node()?;
        self.below(node.visit_list(visitor))
    }

    fn struct_variant<V: Visitor<'d>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let node = self.node()?;
        self.below(node.visit_members(visitor))
    }
}

/// A value with its place: what [`Placed`](crate::model::text::Placed) is read from, as value, line and column.
struct Placed<D> {
    value: D,
    place: Place,
    step: u8,
}

impl<'d, D: Deserializer<'d, Error = DecodeError> + Copy> SeqAccess<'d> for Placed<D> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.step += 1;
        let number = match self.step {
            1 => return seed.deserialize(self.value).map(Some),
            2 => self.place.line,
            3 => self.place.column,
            _ => return Ok(None),
        };
        seed.deserialize(serde::de::value::U32Deserializer::new(number)).map(Some)
    }
}
