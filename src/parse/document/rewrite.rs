//! Changes the texts of a value, and nothing else of it.

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Error, Value};

use super::encode::to_value;

/// The same value with each text, and each name that is no name of this program, as `change` has it; `None` leaves one
/// as it is. The names of fields and of variants are the type's own and stay.
///
/// # Errors
/// When a type cannot read a text that was changed.
pub fn rewrite_texts<T, F>(value: &T, change: &F) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned,
    F: Fn(&str) -> Option<String>,
{
    T::deserialize(Rewriting { value: to_value(value)?, change })
}

struct Rewriting<'f, F> {
    value: Value,
    change: &'f F,
}

fn changed<F: Fn(&str) -> Option<String>>(text: String, change: &F) -> String {
    change(&text).unwrap_or(text)
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.value.$name(visitor)
        }
    )*};
}

impl<'de, F: Fn(&str) -> Option<String>> Deserializer<'de> for Rewriting<'_, F> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::String(text) => visitor.visit_string(changed(text, self.change)),
            Value::Array(items) => visitor.visit_seq(Items { items: items.into_iter(), change: self.change }),
            Value::Object(members) => {
                visitor.visit_map(Members { members: members.into_iter(), value: None, change: self.change })
            }
            other => other.deserialize_any(visitor),
        }
    }

    numbers! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_identifier(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (name, content) = match self.value {
            Value::String(name) => (name, None),
            Value::Object(members) if members.len() == 1 => {
                let (name, content) = members.into_iter().next().unwrap_or_default();
                (name, Some(content))
            }
            _ => return Err(Error::invalid_type(Unexpected::Other("no variant"), &visitor)),
        };
        let content = content.map(|value| Rewriting { value, change: self.change });
        visitor.visit_enum(Variant { name, content })
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct ignored_any
    }
}

struct Items<'f, F> {
    items: std::vec::IntoIter<Value>,
    change: &'f F,
}

impl<'de, F: Fn(&str) -> Option<String>> SeqAccess<'de> for Items<'_, F> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.items.next() else { return Ok(None) };
        seed.deserialize(Rewriting { value, change: self.change }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'f, F> {
    members: serde_json::map::IntoIter,
    value: Option<Value>,
    change: &'f F,
}

impl<'de, F: Fn(&str) -> Option<String>> MapAccess<'de> for Members<'_, F> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((text, value)) = self.members.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Name { text, change: self.change }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = self.value.take().unwrap_or_default();
        seed.deserialize(Rewriting { value, change: self.change })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// The name of a member: that of a field, or a key of a map.
struct Name<'f, F> {
    text: String,
    change: &'f F,
}

macro_rules! numbers_of_names {
    ($($name:ident $visit:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.text.parse().map_err(Error::custom)?)
        }
    )*};
}

impl<'de, F: Fn(&str) -> Option<String>> Deserializer<'de> for Name<'_, F> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(changed(self.text, self.change))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: StringDeserializer<Error> = self.text.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    numbers_of_names! {
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_i64 visit_i64
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct ignored_any
    }
}

/// A variant of an enumeration, and what it holds.
struct Variant<'f, F> {
    name: String,
    content: Option<Rewriting<'f, F>>,
}

impl<'de, 'f, F: Fn(&str) -> Option<String>> EnumAccess<'de> for Variant<'f, F> {
    type Error = Error;
    type Variant = Content<'f, F>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Error> {
        let name: StringDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content<'f, F>(Option<Rewriting<'f, F>>);

impl<'f, F> Content<'f, F> {
    fn value(self) -> Result<Rewriting<'f, F>, Error> {
        self.0.ok_or_else(|| Error::custom("a variant holds nothing"))
    }
}

impl<'de, F: Fn(&str) -> Option<String>> VariantAccess<'de> for Content<'_, F> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.value()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value()?.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::model::reason::Reason;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Word,
        Text(String),
        Named { word: String },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        word: String,
        kinds: Vec<Kind>,
        more: BTreeMap<String, Option<String>>,
        by_number: BTreeMap<u16, bool>,
        number: f64,
    }

    #[test]
    fn texts_change_and_what_the_type_says_stays() {
        let thing = |word: &str| Thing {
            word: word.into(),
            kinds: vec![Kind::Word, Kind::Text(word.into()), Kind::Named { word: word.into() }],
            more: [(word.to_owned(), Some(word.to_owned())), ("none".into(), None)].into(),
            by_number: [(7, true)].into(),
            number: 1.5,
        };
        for word in ["word", "Word", "number"] {
            let change = |text: &str| text.contains(word).then(|| text.replace(word, "x"));
            assert_eq!(rewrite_texts(&thing(word), &change).unwrap(), thing("x"));
        }
    }

    #[test]
    fn a_reason_keeps_its_id_and_the_names_of_its_arguments() {
        let json = serde_json::json!({
            "id": "server-answers-other-type",
            "args": {"other": "other", "reason": {"id": "other", "text": "the other one"}},
            "text": "other"
        });
        let reason: Reason = serde_json::from_value(json).unwrap();
        let hide = |text: &str| text.contains("other").then(|| text.replace("other", "(hidden)"));
        assert_eq!(
            serde_json::to_value(rewrite_texts(&reason, &hide).unwrap()).unwrap(),
            serde_json::json!({
                "id": "server-answers-other-type",
                "args": {"other": "(hidden)", "reason": {"id": "other", "text": "the (hidden) one"}},
                "text": "(hidden)"
            })
        );
    }
}
