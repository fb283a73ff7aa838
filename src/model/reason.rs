//! Why something is as it is, as data: an id, named arguments, and the sentence in English.
//!
//! The sentences of every id are in `checks/knowledge/reasons.yaml`, in both languages; the constructors are generated
//! from it (`crate::i18n::reasons`). A report, a bundle and the answer of another host carry the id, so that whoever
//! prints them does so in his own language; the English sentence goes along for readers of JSON and for ids that a
//! later version has added.

use std::{fmt, io};

use serde::de::{self, MapAccess, Visitor};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::text::{Words, fill};

/// A statement of this program about a fact: why it could not be had, or what came in its place.
///
/// In JSON: `{"id": "not-reached", "args": {"address": "10.0.0.1:9221"}, "text": "10.0.0.1:9221 was not reached"}`.
/// What a server or the operating system said itself has no id: `{"text": "ERR operation not permitted"}`. A plain
/// string is read as such a text: that is how bundles before this form have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason {
    id: String,
    args: Vec<(String, Argument)>,
    text: String,
}

/// An argument of a [`Reason`].
#[derive(Clone, PartialEq, Eq)]
pub enum Argument {
    /// An address, a release, the words of a server: the same in every language.
    Text(String),
    /// A number.
    Number(u64),
    /// Another reason, which is printed in the language of the sentence around it.
    Reason(Box<Reason>),
}

/// A sentence of `reasons.yaml`.
#[derive(Debug)]
pub struct Sentence {
    /// Its id.
    pub id: &'static str,
    /// Its words, with `{name}` for each argument.
    pub words: Words,
}

impl Reason {
    /// A sentence with its arguments. The generated constructors call this.
    pub fn new<const N: usize>(sentence: &Sentence, args: [(&'static str, Argument); N]) -> Self {
        let args: Vec<(String, Argument)> =
            args.into_iter().map(|(name, argument)| (name.to_owned(), argument)).collect();
        let text = fill(sentence.words.en, |name| {
            args.iter().find(|(known, _)| known == name).map(|(_, argument)| argument.to_string())
        });
        Self { id: sentence.id.to_owned(), args, text }
    }

    /// What a server, the operating system or a person said, word by word.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self { id: String::new(), args: Vec::new(), text: text.into() }
    }

    /// The id of the sentence; none for what others said.
    pub fn id(&self) -> Option<&str> {
        (!self.id.is_empty()).then_some(&*self.id)
    }

    /// An argument by its name.
    pub fn arg(&self, name: &str) -> Option<&Argument> {
        self.args.iter().find(|(known, _)| known == name).map(|(_, argument)| argument)
    }

    /// The sentence in English.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The reason that a JSON value is, if it has the form of one: an object with the key `text`, and nothing beside
    /// it than `id` and `args`.
    pub fn from_json(value: &Json) -> Option<Self> {
        value.as_object().filter(|members| members.contains_key("text"))?;
        Self::deserialize(value).ok()
    }
}

/// Why this program itself refuses a file, as an error of its own kind inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Reason);

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::other(refused)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Reason(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Number(number) => number.fmt(f),
            Self::Reason(reason) => fmt::Debug::fmt(reason, f),
        }
    }
}

impl From<Argument> for Reason {
    fn from(argument: Argument) -> Self {
        match argument {
            Argument::Text(text) => Self::verbatim(text),
            Argument::Number(number) => Self::verbatim(number.to_string()),
            Argument::Reason(reason) => *reason,
        }
    }
}

impl From<Reason> for Argument {
    fn from(reason: Reason) -> Self {
        Self::Reason(Box::new(reason))
    }
}

impl From<&Reason> for Argument {
    fn from(reason: &Reason) -> Self {
        reason.clone().into()
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Argument {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Values that are printed as they are in every language.
macro_rules! displayed {
    ($($of:ty),+) => {$(
        impl From<$of> for Argument {
            fn from(value: $of) -> Self {
                Self::Text(value.to_string())
            }
        }
    )+};
}

displayed!(
    &super::address::Address,
    std::net::SocketAddr,
    std::net::IpAddr,
    super::release::Version,
    &super::release::Releases,
    std::path::Display<'_>
);

/// Numbers of which none is negative.
macro_rules! numbers {
    ($($of:ty),+) => {$(
        impl From<$of> for Argument {
            fn from(number: $of) -> Self {
                Self::Number(number.into())
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64);

impl From<usize> for Argument {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 1 + usize::from(!self.id.is_empty()) + usize::from(!self.args.is_empty());
        let mut object = serializer.serialize_struct("Reason", fields)?;
        if !self.id.is_empty() {
            object.serialize_field("id", &self.id)?;
        }
        if !self.args.is_empty() {
            object.serialize_field("args", &Arguments(&self.args))?;
        }
        object.serialize_field("text", &self.text)?;
        object.end()
    }
}

struct Arguments<'a>(&'a [(String, Argument)]);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, argument) in self.0 {
            match argument {
                Argument::Text(text) => map.serialize_entry(name, text)?,
                Argument::Number(number) => map.serialize_entry(name, number)?,
                Argument::Reason(reason) => map.serialize_entry(name, reason)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReasonVisitor)
    }
}

struct ReasonVisitor;

impl<'de> Visitor<'de> for ReasonVisitor {
    type Value = Reason;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reason, which is a text, or an object of `id`, `args` and `text`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Reason, E> {
        Ok(Reason::verbatim(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Reason, A::Error> {
        let (mut id, mut args, mut text) = (String::new(), Vec::new(), None);
        while let Some(Name(member)) = members.next_key()? {
            match member.as_str() {
                "id" => Name(id) = members.next_value()?,
                "args" => ArgumentsRead(args) = members.next_value()?,
                "text" => text = Some(members.next_value()?),
                _ => return Err(de::Error::unknown_field(&member, &["id", "args", "text"])),
            }
        }
        let text = text.ok_or_else(|| de::Error::missing_field("text"))?;
        Ok(Reason { id, args, text })
    }
}

/// The id of a sentence, or the name of an argument: a name of this program, which nobody's secret is hidden in.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name(text.to_owned()))
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct ArgumentsRead(Vec<(String, Argument)>);

impl<'de> Deserialize<'de> for ArgumentsRead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;
        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = ArgumentsRead;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<ArgumentsRead, A::Error> {
                let mut args = Vec::new();
                while let Some((Name(name), argument)) = members.next_entry()? {
                    args.push((name, argument));
                }
                Ok(ArgumentsRead(args))
            }
        }
        deserializer.deserialize_map(ArgumentsVisitor)
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentVisitor;
        impl<'de> Visitor<'de> for ArgumentVisitor {
            type Value = Argument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number from 0, or a reason")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Argument, E> {
                Ok(Argument::Text(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Argument, E> {
                Ok(Argument::Number(number))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Argument, A::Error> {
                ReasonVisitor.visit_map(members).map(Argument::from)
            }
        }
        deserializer.deserialize_any(ArgumentVisitor)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Reason {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let reason = generator.subschema_for::<Self>();
        schemars::json_schema!({
            "description": "A statement of this program about a fact.",
            "type": "object",
            "required": ["text"],
            "additionalProperties": false,
            "properties": {
                "id": {
                    "type": "string",
                    "description": "The id of the sentence. Not there for what a server or the operating system said."
                },
                "args": {
                    "type": "object",
                    "description": "What varies in the sentence, by name.",
                    "additionalProperties": {
                        "anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}, reason]
                    }
                },
                "text": {"type": "string", "description": "The sentence in English, with its arguments."}
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static BROKEN: Sentence = Sentence {
        id: "broken",
        words: Words { en: "{server} after {count}: {reason}", zh: "{count} {server} {reason}" },
    };
    static SILENT: Sentence = Sentence { id: "silent", words: Words { en: "no answer", zh: "-" } };

    #[test]
    fn a_reason_goes_through_json_and_back() {
        let reason = Reason::new(
            &BROKEN,
            [
                ("server", "{count}".into()),
                ("count", 3_u32.into()),
                ("reason", Reason::new(&SILENT, []).into()),
            ],
        );
        assert_eq!(reason.as_str(), "{count} after 3: no answer", "an argument is no template");
        let json = serde_json::to_value(&reason).unwrap();
        assert_eq!(
            json,
            json!({
                "id": "broken",
                "args": {"server": "{count}", "count": 3, "reason": {"id": "silent", "text": "no answer"}},
                "text": "{count} after 3: no answer"
            })
        );
        assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
    }

    #[test]
    fn a_plain_string_is_what_somebody_said() {
        let reason: Reason = serde_json::from_value(json!("ERR no")).unwrap();
        assert_eq!((reason.id(), reason.as_str()), (None, "ERR no"));
        assert_eq!(serde_json::to_value(&reason).unwrap(), json!({"text": "ERR no"}));
        for other in [json!({"text": "a", "more": 1}), json!({"id": "silent"}), json!(1), json!(null)] {
            assert!(serde_json::from_value::<Reason>(other.clone()).is_err(), "{other}");
        }
    }
}
