//! Writes Rust for the texts below `checks/knowledge/`. The build uses it; the program has only what it wrote.
//!
//! A text that nothing uses is a function that nothing calls, and the compiler says so; a misspelt id or a missing
//! argument does not compile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The texts of a file by their ids: for each its English and its Chinese form.
pub type Texts = BTreeMap<String, TextPair>;

/// The same text in both languages.
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct TextPair {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
    /// It is used by other files of the knowledge, and needs no constructor.
    #[cfg_attr(test, serde(default))]
    pub knowledge: bool,
}

/// The constructors of `reasons.yaml`, and the table of its sentences in the order of their ids.
pub fn reasons(texts: &Texts) -> Result<String, String> {
    let mut out = String::from("pub(crate) static SENTENCES: &[Sentence] = &[\n");
    for (id, TextPair { en, zh, .. }) in texts {
        let _ = writeln!(out, "    Sentence {{ id: {id:?}, words: Words {{ en: {en:?}, zh: {zh:?} }} }},");
    }
    out.push_str("];\n");
    for (index, (id, pair)) in texts.iter().enumerate() {
        let names = names(id, pair)?;
        if pair.knowledge {
            if !names.is_empty() {
                return Err(format!("`{id}`: a sentence of the knowledge has no arguments"));
            }
            continue;
        }
        let parameters: Vec<String> =
            names.iter().map(|name| format!("{name}: impl Into<Argument>")).collect();
        let arguments: Vec<String> = names.iter().map(|name| format!("({name:?}, {name}.into())")).collect();
        let _ = writeln!(
            out,
            "/// {}\npub(crate) fn {}({}) -> Reason {{\n    Reason::new(&SENTENCES[{index}], [{}])\n}}",
            in_doc(&pair.en),
            function(id)?,
            parameters.join(", "),
            arguments.join(", "),
        );
    }
    Ok(out)
}

/// A constant for each text of `texts.yaml`, and a function where it has arguments.
pub fn texts(texts: &Texts) -> Result<String, String> {
    let mut out = String::new();
    for (id, pair) in texts {
        let names = names(id, pair)?;
        let words = format!("Words {{ en: {:?}, zh: {:?} }}", pair.en, pair.zh);
        let _ = writeln!(out, "/// {}", in_doc(&pair.en));
        let name = function(id)?;
        if names.is_empty() {
            let _ = writeln!(out, "pub(crate) const {}: Words = {words};", name.to_uppercase());
            continue;
        }
        let parameters: Vec<String> = names.iter().map(|name| format!("{name}: impl Display")).collect();
        let arguments: Vec<String> = names.iter().map(|name| format!("({name:?}, &{name})")).collect();
        let _ = writeln!(
            out,
            "pub(crate) fn {name}(language: Language, {}) -> String {{\n    {words}.with(language, &[{}])\n}}",
            parameters.join(", "),
            arguments.join(", "),
        );
    }
    Ok(out)
}

/// The text on one line, as code.
fn in_doc(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('\n', " "))
}

fn function(id: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.chars().all(known) && id.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(id.replace('-', "_"))
    } else {
        Err(format!("`{id}` is not an id: lower-case letters, digits and `-`"))
    }
}

/// The names of the arguments of a text, each once, in the order of the English form. Both forms have the same.
fn names(id: &str, pair: &TextPair) -> Result<Vec<String>, String> {
    let of = |text: &str| -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for piece in text.split('{').skip(1) {
            let name = piece.split_once('}').map_or("", |(name, _)| name);
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                return Err(format!("`{id}`: `{{{piece}` does not begin with the name of an argument"));
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    };
    let (en, zh) = (of(&pair.en)?, of(&pair.zh)?);
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if sorted(&en) != sorted(&zh) {
        return Err(format!("`{id}`: the arguments are {en:?} in English and {zh:?} in Chinese"));
    }
    Ok(en)
}
