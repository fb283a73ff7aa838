//! Texts in the languages that the tool speaks.

use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSION_DEPTH};

/// A language of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// Whether a character makes a reader see something else than what is there: it controls a terminal, turns the
/// direction of writing, breaks a line, or is not seen at all.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Replaces treacherous characters by visible escapes.
pub fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_treacherous(c) {
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The same text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Bilingual {
    /// The text in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// A text of this program in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

impl Words {
    /// The text in `language`.
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }

    /// The text in `language`, with its arguments.
    pub fn with(self, language: Language, args: &[(&str, &dyn fmt::Display)]) -> String {
        fill(self.get(language), |name| {
            args.iter().find(|(known, _)| *known == name).map(|(_, argument)| argument.to_string())
        })
    }
}

/// A template with a value for each `{name}`. A name that has no value stays as it is.
pub fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((words, named)) = rest.split_once('{') {
        text.push_str(words);
        let Some((name, behind)) = named.split_once('}') else {
            text.push('{');
            rest = named;
            continue;
        };
        match value(name) {
            Some(value) => text.push_str(&value),
            None => text.extend(["{", name, "}"]),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// A template or an expression of a check file, with the place it was read from.
///
/// In YAML it is a plain string. It keeps its position, so that an error found much later (a misspelt fact, say) can
/// still name line and column.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// What is written in the file.
    pub text: String,
    /// Line of its first character, from 1; 0 when it does not come from a file.
    pub line: u32,
    /// Column of its first character, from 1; 0 when it does not come from a file.
    pub column: u32,
}

impl Source {
    /// A source text that stands in no file.
    pub fn unplaced(text: impl Into<String>) -> Self {
        Self { text: text.into(), line: 0, column: 0 }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}:{}", self.text, self.line, self.column)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: text, line, column } = Spanned::<String>::deserialize(deserializer)?;
        if let Some(why) = too_deep(&text) {
            return Err(D::Error::custom(why));
        }
        Ok(Self { text, line, column })
    }
}

/// Why a text cannot be an expression or a template that somebody wrote: whoever reads it goes one step deeper for each
/// bracket and each sign, and the stack of a process has an end.
fn too_deep(text: &str) -> Option<String> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Some(format!("longer than {MAX_EXPRESSION_BYTES} bytes"));
    }
    let (mut open, mut deepest, mut signs, mut most) = (0_usize, 0, 0_usize, 0);
    for word in text.split_inclusive([' ', '(', '[', '{', ')', ']', '}', '-', '+', '~', '\n', '\t']) {
        let last = word.chars().next_back().unwrap_or_default();
        signs = match word.trim() {
            "" | "(" | "[" | "{" => signs,
            "not" | "-" | "+" | "~" => signs + 1,
            _ => 0,
        };
        open = match last {
            '(' | '[' | '{' => open + 1,
            ')' | ']' | '}' => open.saturating_sub(1),
            _ => open,
        };
        (deepest, most) = (deepest.max(open), most.max(signs));
    }
    (deepest.max(most) > MAX_EXPRESSION_DEPTH)
        .then(|| format!("more than {MAX_EXPRESSION_DEPTH} brackets or signs within each other"))
}

/// The name by which a [`Spanned`] asks the deserialiser of documents for a value, its line and its column.
pub const SPANNED: &str = "pikadoctor::Spanned";

/// A value of a document and where it stands. Only documents can be asked for it.
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// From 1; 0 when it is not known.
    pub line: u32,
    /// From 1; 0 when it is not known.
    pub column: u32,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(SPANNED, 3, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<T>, A::Error> {
        let short = || A::Error::invalid_length(0, &"a value, its line and its column");
        let value = parts.next_element()?.ok_or_else(short)?;
        let line = parts.next_element()?.ok_or_else(short)?;
        let column = parts.next_element()?.ok_or_else(short)?;
        Ok(Spanned { value, line, column })
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Source {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Source".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number", "boolean"],
            "description": "A Jinja expression (in conditions) or template (in texts)."
        })
    }
}

/// A template in both languages. In YAML one that is the same in both is written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Template {
    /// English.
    pub en: Source,
    /// Simplified Chinese.
    pub zh: Source,
}

impl Template {
    /// The template in `language`.
    pub fn get(&self, language: Language) -> &Source {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// The long form of a template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BothLanguages {
    en: Source,
    zh: Source,
}

/// A template as it is written.
enum TemplateForm {
    Same(String),
    Both(BothLanguages),
}

impl<'de> Deserialize<'de> for TemplateForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor;

        impl<'de> Visitor<'de> for FormVisitor {
            type Value = TemplateForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a map of `en` and `zh`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TemplateForm::Same(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                BothLanguages::deserialize(MapAccessDeserializer::new(map)).map(TemplateForm::Both)
            }
        }

        deserializer.deserialize_any(FormVisitor)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Spanned::<TemplateForm>::deserialize(deserializer)?;
        Ok(match form.value {
            TemplateForm::Both(both) => Self { en: both.en, zh: both.zh },
            TemplateForm::Same(text) => {
                let source = Source { text, line: form.line, column: form.column };
                Self { en: source.clone(), zh: source }
            }
        })
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let source = generator.subschema_for::<Source>();
        schemars::json_schema!({
            "description": "A Jinja template in both languages, or one that is the same in both.",
            "anyOf": [
                source,
                {
                    "type": "object",
                    "properties": {"en": source, "zh": source},
                    "required": ["en", "zh"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
