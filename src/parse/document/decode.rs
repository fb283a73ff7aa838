//! From values to types: the one deserialiser of documents.
//!
//! `serde` writes the code of a type anew for each deserialiser that it is read with, and of those a model of three
//! hundred types is mostly made. Every format is therefore read into a [`DocumentNode`] first.

use std::slice;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{DeserializeError, PathStep, YamlError};
use super::value::{DocumentMember, DocumentNode, DocumentPlace, DocumentValue, resolve};
use super::yaml::read_yaml;
use crate::model::text::SPANNED;

/// Reads a type from a document.
pub fn decode<'d, T: Deserialize<'d>>(node: &'d DocumentNode<'d>) -> Result<T, DeserializeError> {
    T::deserialize(node)
}

/// Reads a type from a YAML text.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    Ok(decode(&read_yaml(text)?)?)
}

/// `error`, with the place of the value that it is about.
#[cold]
fn placed(error: DeserializeError, place: DocumentPlace) -> DeserializeError {
    error.at(place)
}

impl<'d> DocumentNode<'d> {
    /// The error of a value that is not what is wanted.
    #[cold]
    fn unfit(&self, wanted: &dyn Expected) -> DeserializeError {
        let plain;
        let value = match &self.value {
            DocumentValue::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        let found = match value {
            DocumentValue::Null => Unexpected::Unit,
            DocumentValue::Bool(value) => Unexpected::Bool(*value),
            DocumentValue::Unsigned(value) => Unexpected::Unsigned(*value),
            DocumentValue::Signed(value) => Unexpected::Signed(*value),
            DocumentValue::Float(value) => Unexpected::Float(*value),
            DocumentValue::Text(text) | DocumentValue::Plain(text) => Unexpected::Str(text),
            DocumentValue::List(_) => Unexpected::Seq,
            DocumentValue::Map(_) => Unexpected::Map,
        };
        DeserializeError::invalid_type(found, wanted).at(self.place)
    }

    fn text(&self) -> Option<&str> {
        match &self.value {
            DocumentValue::Text(text) => Some(text),
            DocumentValue::Plain(text) if !matches!(resolve(text), DocumentValue::Null) => Some(text),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        match &self.value {
            DocumentValue::Null => true,
            DocumentValue::Plain(text) => matches!(resolve(text), DocumentValue::Null),
            _ => false,
        }
    }

    fn visit_list<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DeserializeError> {
        match &self.value {
            DocumentValue::List(items) => visitor
                .visit_seq(Items { items: items.iter(), taken: 0 })
                .map_err(|error| placed(error, self.place)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn visit_members<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DeserializeError> {
        match &self.value {
            DocumentValue::Map(members) => visitor
                .visit_map(Members { members: members.iter(), value: None })
                .map_err(|error| placed(error, self.place)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn visit_number<V: Visitor<'d>>(&'d self, visitor: V) -> Result<V::Value, DeserializeError> {
        let plain;
        let value = match &self.value {
            DocumentValue::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        match value {
            DocumentValue::Unsigned(value) => visitor.visit_u64(*value),
            DocumentValue::Signed(value) => visitor.visit_i64(*value),
            DocumentValue::Float(value) => visitor.visit_f64(*value),
            _ => return Err(self.unfit(&visitor)),
        }
        .map_err(|error| placed(error, self.place))
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
            self.visit_number(visitor)
        }
    )*};
}

impl<'d> Deserializer<'d> for &'d DocumentNode<'d> {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        let plain;
        let value = match &self.value {
            DocumentValue::Plain(text) => {
                plain = resolve(text);
                &plain
            }
            value => value,
        };
        match value {
            DocumentValue::Null => visitor.visit_unit(),
            DocumentValue::Bool(value) => visitor.visit_bool(*value),
            DocumentValue::Unsigned(value) => visitor.visit_u64(*value),
            DocumentValue::Signed(value) => visitor.visit_i64(*value),
            DocumentValue::Float(value) => visitor.visit_f64(*value),
            DocumentValue::Text(text) | DocumentValue::Plain(text) => visitor.visit_str(text),
            DocumentValue::List(_) => return self.visit_list(visitor),
            DocumentValue::Map(_) => return self.visit_members(visitor),
        }
        .map_err(|error| placed(error, self.place))
    }

    fn deserialize_bool<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        let is_one_of = |text: &str, words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match &self.value {
            DocumentValue::Bool(value) => visitor.visit_bool(*value),
            // In YAML a person may have written the words of its first edition.
            DocumentValue::Plain(text) if is_one_of(text, &["true", "yes", "on", "y"]) => {
                visitor.visit_bool(true)
            }
            DocumentValue::Plain(text) if is_one_of(text, &["false", "no", "off", "n"]) => {
                visitor.visit_bool(false)
            }
            _ => return Err(self.unfit(&visitor)),
        }
        .map_err(|error| placed(error, self.place))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_str<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text).map_err(|error| placed(error, self.place)),
            None => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        if self.is_null() { visitor.visit_unit() } else { Err(self.unfit(&visitor)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, DeserializeError> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'d>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        if name == SPANNED {
            visitor.visit_seq(SpannedAccess { value: self, place: self.place, step: 0 })
        } else {
            self.visit_list(visitor)
        }
    }

    fn deserialize_map<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        self.visit_members(visitor)
    }

    fn deserialize_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.visit_members(visitor)
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        let variant = match &self.value {
            DocumentValue::Map(members) => match members.as_slice() {
                [member] => Variant { name: &member.key, place: member.place, content: Some(&member.node) },
                _ => return Err(DeserializeError::custom("expected a map with one name").at(self.place)),
            },
            _ => match self.text() {
                Some(name) => Variant { name, place: self.place, content: None },
                None => return Err(self.unfit(&visitor)),
            },
        };
        visitor.visit_enum(variant).map_err(|error| placed(error, self.place))
    }

    fn deserialize_ignored_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { <W: Visitor<'d>> bytes byte_buf unit_struct }
}

struct Items<'d> {
    items: slice::Iter<'d, DocumentNode<'d>>,
    taken: usize,
}

impl<'d> SeqAccess<'d> for Items<'d> {
    type Error = DeserializeError;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeserializeError> {
        let Some(node) = self.items.next() else { return Ok(None) };
        self.taken += 1;
        match seed.deserialize(node) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error.below(PathStep::Index(self.taken - 1))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'d> {
    members: slice::Iter<'d, DocumentMember<'d>>,
    value: Option<&'d DocumentMember<'d>>,
}

impl<'d> MapAccess<'d> for Members<'d> {
    type Error = DeserializeError;

    fn next_key_seed<K: DeserializeSeed<'d>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeserializeError> {
        self.value = self.members.next();
        let Some(member) = self.value else { return Ok(None) };
        match seed.deserialize(Name { text: &member.key, place: member.place }) {
            Ok(key) => Ok(Some(key)),
            Err(error) => {
                Err(placed(error, member.place).below(PathStep::Name(member.key.clone().into_owned())))
            }
        }
    }

    fn next_value_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<T::Value, DeserializeError> {
        let Some(member) = self.value else {
            return Err(DeserializeError::custom("a value is asked for before its name"));
        };
        match seed.deserialize(&member.node) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.below(PathStep::Name(member.key.clone().into_owned()))),
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
    place: DocumentPlace,
}

macro_rules! names {
    ($($name:ident $visit:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
            match self.text.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(DeserializeError::invalid_type(Unexpected::Str(self.text), &visitor)),
            }
            .map_err(|error| placed(error, self.place))
        }
    )*};
}

impl<'d> Deserializer<'d> for Name<'d> {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
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
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_enum(Variant { name: self.text, place: self.place, content: None })
    }

    fn deserialize_tuple_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_seq(SpannedAccess { value: self, place: self.place, step: 0 })
    }

    forward_to_deserialize_any! {
        <W: Visitor<'d>>
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple map struct identifier
        ignored_any
    }
}

struct Variant<'d> {
    name: &'d str,
    place: DocumentPlace,
    content: Option<&'d DocumentNode<'d>>,
}

impl<'d> EnumAccess<'d> for Variant<'d> {
    type Error = DeserializeError;
    type Variant = Content<'d>;

    fn variant_seed<V: DeserializeSeed<'d>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'d>), DeserializeError> {
        let name = seed.deserialize(Name { text: self.name, place: self.place })?;
        Ok((name, Content { name: self.name, place: self.place, node: self.content }))
    }
}

struct Content<'d> {
    name: &'d str,
    place: DocumentPlace,
    node: Option<&'d DocumentNode<'d>>,
}

impl<'d> Content<'d> {
    fn node(&self) -> Result<&'d DocumentNode<'d>, DeserializeError> {
        self.node.ok_or_else(|| {
            DeserializeError::custom(format_args!("`{}` needs a value: {}: …", self.name, self.name))
                .at(self.place)
        })
    }

    fn below<T>(&self, result: Result<T, DeserializeError>) -> Result<T, DeserializeError> {
        result.map_err(|error| error.below(PathStep::Name(self.name.to_owned())))
    }
}

impl<'d> VariantAccess<'d> for Content<'d> {
    type Error = DeserializeError;

    fn unit_variant(self) -> Result<(), DeserializeError> {
        match self.node {
            None => Ok(()),
            Some(node) if node.is_null() => Ok(()),
            Some(node) => Err(node.unfit(&"nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, DeserializeError> {
        let node = self.node()?;
        self.below(seed.deserialize(node))
    }

    fn tuple_variant<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, DeserializeError> {
        let node = self.node()?;
        self.below(node.visit_list(visitor))
    }

    fn struct_variant<V: Visitor<'d>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        let node = self.node()?;
        self.below(node.visit_members(visitor))
    }
}

/// A value with its place: what [`Spanned`](crate::model::text::Spanned) is read from, as value, line and column.
struct SpannedAccess<D> {
    value: D,
    place: DocumentPlace,
    step: u8,
}

impl<'d, D: Deserializer<'d, Error = DeserializeError> + Copy> SeqAccess<'d> for SpannedAccess<D> {
    type Error = DeserializeError;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeserializeError> {
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
