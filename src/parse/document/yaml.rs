//! Reads YAML, of which people write checks and plans.
//!
//! The events come from `granit_parser`; here they become values. A document is bounded after its aliases have
//! been replaced by what they stand for, so a short text cannot become a long value.
//!
//! `build.rs` compiles this file too, to pack the catalogue.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput, Tag};

use super::value::{DocumentMember, DocumentNode, DocumentPlace, DocumentValue};
use crate::model::limits::{MAX_YAML_BYTES, MAX_YAML_DEPTH, MAX_YAML_VALUES};

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: DocumentPlace,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// The one document in a text. An empty text is null.
pub fn read_yaml(text: &str) -> Result<DocumentNode<'_>, SyntaxError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut composer = Composer { parser, anchors: HashMap::new(), size: Size::default() };
    let mut document = None;
    loop {
        let (event, span) = composer.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if document.is_some() => return Err(wrong(span, "there is more than one document")),
            event => document = Some(composer.node(event, span, 0)?.0),
        }
    }
    Ok(document
        .unwrap_or(DocumentNode { value: DocumentValue::Null, place: DocumentPlace { line: 1, column: 1 } }))
}

fn place_of(marker: Marker) -> DocumentPlace {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    DocumentPlace { line: narrow(marker.line()), column: narrow(marker.col() + 1) }
}

fn wrong(span: Span, message: &str) -> SyntaxError {
    SyntaxError { message: message.to_owned(), place: place_of(span.start) }
}

/// How much a value takes, aliases replaced.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

/// A value that aliases stand for.
struct Anchored<'t> {
    node: DocumentNode<'t>,
    size: Size,
    /// Lists and maps within each other.
    height: usize,
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// By the number that the parser gives them. A value enters when it is complete: an alias within it finds nothing.
    anchors: HashMap<usize, Anchored<'t>>,
    /// Of the document so far.
    size: Size,
}

impl<'t> Composer<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(SyntaxError { message: error.info(), place: place_of(*error.marker()) }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn count(&mut self, size: Size, span: Span) -> Result<(), SyntaxError> {
        self.size.nodes = self.size.nodes.saturating_add(size.nodes);
        self.size.bytes = self.size.bytes.saturating_add(size.bytes);
        if self.size.nodes > MAX_YAML_VALUES {
            return Err(wrong(
                span,
                &format!("there are more than {MAX_YAML_VALUES} values, aliases replaced"),
            ));
        }
        if self.size.bytes > MAX_YAML_BYTES {
            return Err(wrong(
                span,
                &format!("there are more than {MAX_YAML_BYTES} bytes, aliases replaced"),
            ));
        }
        Ok(())
    }

    /// The value that begins with `event`, and how many lists and maps are within each other in it.
    fn node(
        &mut self,
        event: Event<'t>,
        span: Span,
        depth: usize,
    ) -> Result<(DocumentNode<'t>, usize), SyntaxError> {
        let before = self.size;
        let place = place_of(span.start);
        let (value, height, anchor) = match event {
            Event::Alias(number) => return self.alias(number, span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(Size { nodes: 1, bytes: text.len() }, span)?;
                (scalar(text, style, tag.as_deref()), 0, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.enter(span, depth)?;
                let (mut items, mut height) = (Vec::new(), 0);
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    let (item, below) = self.node(event, span, depth + 1)?;
                    height = height.max(below);
                    items.push(item);
                }
                (DocumentValue::List(items), height + 1, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.enter(span, depth)?;
                let (members, height) = self.members(depth)?;
                (DocumentValue::Map(members), height + 1, anchor)
            }
            _ => return Err(wrong(span, "a value is missing")),
        };
        let node = DocumentNode { value, place };
        // The parser numbers anchors from 1.
        if anchor > 0 {
            let size = Size { nodes: self.size.nodes - before.nodes, bytes: self.size.bytes - before.bytes };
            // The copy that is kept for the aliases counts too.
            self.count(size, span)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, height });
        }
        Ok((node, height))
    }

    fn enter(&mut self, span: Span, depth: usize) -> Result<(), SyntaxError> {
        if depth >= MAX_YAML_DEPTH {
            return Err(wrong(
                span,
                &format!("more than {MAX_YAML_DEPTH} lists and maps are within each other"),
            ));
        }
        self.count(Size { nodes: 1, bytes: 0 }, span)
    }

    fn alias(
        &mut self,
        number: usize,
        span: Span,
        depth: usize,
    ) -> Result<(DocumentNode<'t>, usize), SyntaxError> {
        let Some(anchored) = self.anchors.get(&number) else {
            return Err(wrong(span, "an alias stands in the value that it names"));
        };
        let (size, height) = (anchored.size, anchored.height);
        if depth + height > MAX_YAML_DEPTH {
            return Err(wrong(
                span,
                &format!("more than {MAX_YAML_DEPTH} lists and maps are within each other"),
            ));
        }
        // Before the copy is made.
        self.count(size, span)?;
        let anchored = self.anchors.get(&number).map(|anchored| anchored.node.value.clone());
        Ok((
            DocumentNode { value: anchored.unwrap_or(DocumentValue::Null), place: place_of(span.start) },
            height,
        ))
    }

    fn members(&mut self, depth: usize) -> Result<(Vec<DocumentMember<'t>>, usize), SyntaxError> {
        let (mut members, mut merged, mut height) = (Vec::new(), Vec::new(), 0);
        let mut names = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let (key, _) = self.node(event, span, depth + 1)?;
            let (DocumentValue::Text(name) | DocumentValue::Plain(name)) = key.value else {
                return Err(wrong(span, "the name of a value is a list or a map"));
            };
            let (event, value_span) = self.next()?;
            let (node, below) = self.node(event, value_span, depth + 1)?;
            height = height.max(below);
            if is_plain && name == "<<" {
                merged.push((node, value_span));
            } else if !names.insert(name.clone()) {
                return Err(wrong(span, &format!("duplicate mapping key: {name}")));
            } else {
                members.push(DocumentMember { key: name, place: key.place, node });
            }
        }
        for (node, span) in merged {
            merge(&mut members, node, span)?;
        }
        Ok((members, height))
    }
}

/// `<<: *other`: what the map does not say itself, the other one says.
fn merge<'t>(
    members: &mut Vec<DocumentMember<'t>>,
    node: DocumentNode<'t>,
    span: Span,
) -> Result<(), SyntaxError> {
    match node.value {
        DocumentValue::Map(others) => {
            for other in others {
                if !members.iter().any(|member| member.key == other.key) {
                    members.push(other);
                }
            }
            Ok(())
        }
        DocumentValue::List(nodes)
            if nodes.iter().all(|node| matches!(node.value, DocumentValue::Map(_))) =>
        {
            nodes.into_iter().try_for_each(|node| merge(members, node, span))
        }
        _ => Err(wrong(span, "`<<` takes a map or a list of maps")),
    }
}

fn scalar<'t>(text: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>) -> DocumentValue<'t> {
    match tag.and_then(Tag::core_suffix) {
        Some("str") => DocumentValue::Text(text),
        Some("bool" | "float" | "int" | "null") => DocumentValue::Plain(text),
        _ if style == ScalarStyle::Plain => DocumentValue::Plain(text),
        _ => DocumentValue::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
    use serde_yaml::Spanned;

    use super::super::decode::decode;
    use super::*;

    fn value(text: &str) -> Result<serde_json::Value, SyntaxError> {
        Ok(decode(&read_yaml(text)?).unwrap())
    }

    /// The other reader takes `on` for a truth value where no type is wanted, as the first edition of YAML did. Pika's
    /// settings are such words, so here they are texts.
    fn with_words_of_truth(node: &mut DocumentNode<'_>) {
        match &mut node.value {
            DocumentValue::Plain(word) => match word.as_ref() {
                "y" | "yes" | "on" => node.value = DocumentValue::Bool(true),
                "n" | "no" | "off" => node.value = DocumentValue::Bool(false),
                _ => {}
            },
            DocumentValue::List(items) => items.iter_mut().for_each(with_words_of_truth),
            DocumentValue::Map(members) => {
                for member in members {
                    with_words_of_truth(&mut member.node);
                }
            }
            _ => {}
        }
    }

    fn every_yaml_file(directory: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                every_yaml_file(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Every text of a document with its place, as another reader finds them.
    #[derive(Default)]
    struct Texts(Vec<(String, DocumentPlace)>);

    impl<'de> Deserialize<'de> for Texts {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Texts::default())
        }
    }

    impl<'de> Visitor<'de> for Texts {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_unit<E>(self) -> Result<Self, E> {
            Ok(self)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
            Ok(self)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
            Ok(self)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
            Ok(self)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
            Ok(self)
        }

        fn visit_str<E>(mut self, text: &str) -> Result<Self, E> {
            self.0.push((text.to_owned(), DocumentPlace::default()));
            Ok(self)
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
            while let Some(item) = list.next_element::<Spanned<Texts>>()? {
                self.add(item);
            }
            Ok(self)
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
            while map.next_key::<String>()?.is_some() {
                let item = map.next_value::<Spanned<Texts>>()?;
                self.add(item);
            }
            Ok(self)
        }
    }

    impl Texts {
        fn add(&mut self, item: Spanned<Texts>) {
            let at = item.referenced;
            let narrow = |n: u64| u32::try_from(n).unwrap();
            let place = DocumentPlace { line: narrow(at.line()), column: narrow(at.column()) };
            let is_alias = item.defined != item.referenced;
            for (text, below) in item.value.0 {
                // What stands within an alias has a place of its own here, and there the place of the alias.
                if below == DocumentPlace::default() {
                    self.0.push((text, place));
                } else if !is_alias {
                    self.0.push((text, below));
                }
            }
        }
    }

    fn own_texts(node: &DocumentNode<'_>, texts: &mut Vec<(String, DocumentPlace)>) {
        match &node.value {
            DocumentValue::List(items) => items.iter().for_each(|item| own_texts(item, texts)),
            DocumentValue::Map(members) => members.iter().for_each(|member| own_texts(&member.node, texts)),
            DocumentValue::Text(text) => texts.push((text.clone().into_owned(), node.place)),
            DocumentValue::Plain(text) => {
                if let DocumentValue::Text(text) = super::super::value::resolve(text) {
                    texts.push((text.into_owned(), node.place));
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_file_of_the_catalogue_says_what_another_reader_reads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        every_yaml_file(&root.join("checks"), &mut files);
        every_yaml_file(&root.join("src/lab/data"), &mut files);
        assert!(files.len() > 200);
        for (path, text) in files {
            let other: serde_json::Value = serde_yaml::from_str(&text).unwrap();
            let mut own = read_yaml(&text).unwrap();
            with_words_of_truth(&mut own);
            assert!(decode::<serde_json::Value>(&own).unwrap() == other, "{path}");
            let other: Texts = serde_yaml::from_str(&text).unwrap();
            let mut own = Vec::new();
            own_texts(&read_yaml(&text).unwrap(), &mut own);
            for (text, place) in &other.0 {
                assert!(own.contains(&(text.clone(), *place)), "{path}: {text:?} at {place:?}");
            }
        }
    }

    #[test]
    fn a_document_says_what_another_reader_reads() {
        for text in [
            "",
            "# nothing\n",
            "---\na: 1\n...\n",
            "a: [1, 2.5, -3, 0x1f, ~, null, true, 'true', \"x\\ny\", 3.5.5, 2026-01-01]",
            "a: >\n  folded\n  text\n\n  more\nb: |-\n  kept\n  as it is\nc: |+\n  x\n\n",
            "x: &x {a: 1, b: [2]}\ny: *x\nz: {<<: *x, b: 3}\nw: {<<: [*x, {c: 4}], a: 0}\n",
            "a: !!str 5\nb: !!int \"5\"\nc: !other x\n",
            "? a\n: 1\n\"b c\": 2\n3: 4\n",
            "- - a\n  - b\n-\n  c: d\n",
            "a: 'it''s'\nb: \"\\u4e2d\\U0001F600\"\nc: 中文\n",
        ] {
            let other: serde_json::Value =
                serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(value(text).unwrap(), other, "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        let laughs = |levels: usize| {
            let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
            for level in 1..levels {
                let before = format!("*a{}", level - 1);
                text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
            }
            text
        };
        for (text, message, line, column) in [
            ("a: 1\na: 2\n".to_owned(), "duplicate mapping key: a", 2, 1),
            ("a: *b\n".to_owned(), "", 1, 4),
            ("a: &a [*a]\n".to_owned(), "", 1, 8),
            ("a: [1, 2\n".to_owned(), "", 0, 0),
            ("a: b: c\n".to_owned(), "", 1, 5),
            ("a\n---\nb\n".to_owned(), "there is more than one document", 3, 1),
            ("[a]: 1\n".to_owned(), "the name of a value is a list or a map", 1, 1),
            ("<<: 1\n".to_owned(), "`<<` takes a map or a list of maps", 1, 5),
            (laughs(9), "there are more than 250000 values, aliases replaced", 6, 0),
            (
                format!("{}{}", "[".repeat(100), "]".repeat(100)),
                "more than 64 lists and maps are within each other",
                1,
                65,
            ),
            ("[".repeat(100_000), "", 1, 0),
            (format!("a: &a {}1{}\nb: [[*a]]\n", "[".repeat(62), "]".repeat(62)), "more than 64 lists", 2, 6),
        ] {
            let error = read_yaml(&text).unwrap_err();
            assert!(error.message.contains(message), "{error:?}");
            assert!(line == 0 || error.place.line == line, "{text:.40}: {error:?}");
            assert!(column == 0 || error.place.column == column, "{text:.40}: {error:?}");
        }
        let long = format!("a: &a {}\nb: [{}*a]\n", "x".repeat(900_000), "*a, ".repeat(30));
        assert!(read_yaml(&long).unwrap_err().message.contains("bytes, aliases replaced"));
    }
}
