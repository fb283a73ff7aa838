//! Reads and places JSON, which programs write.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::decode::decode;
use super::error::{DeserializeError, PathStep};
use super::value::{DocumentMember, DocumentNode, DocumentPlace, DocumentValue};

/// A JSON document.
#[derive(Debug)]
pub struct Json<'t> {
    text: &'t [u8],
    node: DocumentNode<'t>,
}

/// Why a JSON document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON, or more than 128 lists and maps are within each other.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// It is not what it should be.
    #[error("{error} at line {} column {}", place.line, place.column)]
    Unfit {
        /// Why not.
        error: DeserializeError,
        /// Where.
        place: DocumentPlace,
    },
}

impl<'t> Json<'t> {
    /// Reads the document in a text.
    pub fn parse(text: &'t [u8]) -> Result<Self, JsonError> {
        Ok(Self { text, node: serde_json::from_slice(text)? })
    }

    /// What it says, as a type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        // Only the first line is written anew for each type.
        decode(&self.node).map_err(|error| self.unfit(error))
    }

    fn unfit(&self, error: DeserializeError) -> JsonError {
        let place = place_of(self.text, &error);
        JsonError::Unfit { error, place }
    }
}

/// What a text says, as a type.
pub fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    Json::parse(text)?.decode()
}

/// What a value says, as a type.
pub fn from_value<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, DeserializeError> {
    decode(&node_of(value))
}

fn node_of(value: &serde_json::Value) -> DocumentNode<'_> {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => DocumentValue::Null,
        Json::Bool(value) => DocumentValue::Bool(*value),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => DocumentValue::Unsigned(number),
            (_, Some(number)) => DocumentValue::Signed(number),
            _ => number.as_f64().map_or(DocumentValue::Null, DocumentValue::Float),
        },
        Json::String(text) => DocumentValue::Text(Cow::Borrowed(text)),
        Json::Array(items) => DocumentValue::List(items.iter().map(node_of).collect()),
        Json::Object(members) => DocumentValue::Map(
            members
                .iter()
                .map(|(key, value)| DocumentMember {
                    key: Cow::Borrowed(key),
                    place: DocumentPlace::default(),
                    node: node_of(value),
                })
                .collect(),
        ),
    };
    DocumentNode { value, place: DocumentPlace::default() }
}

impl<'t> Deserialize<'t> for DocumentNode<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'t> NodeVisitor {
    #[allow(clippy::unnecessary_wraps)] // what every visit returns
    fn node<E>(value: DocumentValue<'t>) -> Result<DocumentNode<'t>, E> {
        Ok(DocumentNode { value, place: DocumentPlace::default() })
    }
}

impl<'t> Visitor<'t> for NodeVisitor {
    type Value = DocumentNode<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<DocumentNode<'t>, E> {
        Self::node(u64::try_from(value).map_or(DocumentValue::Signed(value), DocumentValue::Unsigned))
    }

    fn visit_f64<E>(self, value: f64) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<DocumentNode<'t>, E> {
        Self::node(DocumentValue::Text(Cow::Borrowed(value)))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<DocumentNode<'t>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Self::node(DocumentValue::List(items))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<DocumentNode<'t>, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            members.push(DocumentMember { key, place: DocumentPlace::default(), node: map.next_value()? });
        }
        Self::node(DocumentValue::Map(members))
    }
}

/// A name that is borrowed when it can be, which `Cow` itself does not do.
struct Key;

impl<'t> DeserializeSeed<'t> for Key {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Cow<'t, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Key {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(value))
    }
}

/// Where the value that an error is about begins.
///
/// The nodes of a JSON document have no places, to be small; the text is searched once there is an error.
fn place_of(text: &[u8], error: &DeserializeError) -> DocumentPlace {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let mut at = text;
    for step in error.path.iter().rev() {
        let found = match step {
            PathStep::Name(name) => serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(at)
                .ok()
                .and_then(|members| members.get(name.as_str()).copied()),
            PathStep::Index(index) => {
                serde_json::from_str::<Vec<&RawValue>>(at).ok().and_then(|items| items.get(*index).copied())
            }
        };
        let Some(found) = found else { break };
        at = found.get();
    }
    // `at` is a part of `text`.
    let before = &text[..(at.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    DocumentPlace {
        line: narrow(before.bytes().filter(|&byte| byte == b'\n').count() + 1),
        column: narrow(before[line_start..].chars().count() + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Whole {
        name: String,
        #[serde(default)]
        numbers: BTreeMap<u16, Option<f64>>,
        #[serde(default)]
        kinds: Vec<Kind>,
        any: serde_json::Value,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Plain,
        One(i8),
        Named { a: bool },
    }

    #[test]
    fn a_type_is_read_as_serde_json_reads_it() {
        for document in [
            json!({"name": "a\"b\u{4e2d}", "any": {"x": [1, -2, 2.5, null, true, "y", u64::MAX]}}),
            json!({"name": "", "numbers": {"1": 2, "65535": null}, "any": null}),
            json!({"name": "a", "kinds": ["plain", {"one": -3}, {"named": {"a": true}}], "any": []}),
        ] {
            let text = document.to_string();
            let read: Whole = from_json(text.as_bytes()).unwrap();
            assert_eq!(read, serde_json::from_str(&text).unwrap());
            assert_eq!(from_value::<Whole>(&document).unwrap(), read);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        for (text, message) in [
            (r#"{"name": 1, "any": 1}"#, "invalid type: integer `1`, expected a string at line 1 column 10"),
            (
                "{\"name\": \"a\",\n \"any\": 1,\n \"numbres\": {}}",
                "unknown field `numbres`, expected one of `name`, `numbers`, `kinds`, `any`; did you mean `numbers`? at line 3 column 13",
            ),
            (r#"{"name": "a"}"#, "missing field `any` at line 1 column 1"),
            (
                r#"{"name": "a", "kinds": ["plain", "plane"], "any": 1}"#,
                "unknown variant `plane`, expected one of `plain`, `one`, `named`; did you mean `plain`? at line 1 column 34",
            ),
            (
                r#"{"name": "a", "kinds": [{"one": 300}], "any": 1}"#,
                "invalid value: integer `300`, expected i8 at line 1 column 33",
            ),
            (r#"{"name": "a", "kinds": ["one"], "any": 1}"#, "`one` needs a value"),
            (r#"{"name": "a", "numbers": {"65536": 1}, "any": 1}"#, "expected u16"),
            (r#"{"name": "a", "name": "b", "any": 1}"#, "duplicate field `name`"),
            ("[1, 2]", "invalid type: sequence, expected struct Whole at line 1 column 1"),
            ("null", "invalid type: unit value, expected struct Whole"),
            ("{\"name\"", "EOF while parsing an object at line 1 column 7"),
            ("{} x", "trailing characters"),
        ] {
            let error = from_json::<Whole>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{text}\n{error}\n{message}");
        }
        let deep = "[".repeat(100_000);
        assert!(from_json::<Whole>(deep.as_bytes()).unwrap_err().to_string().contains("recursion limit"));
    }
}
