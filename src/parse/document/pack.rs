//! Documents packed into bytes, of which one is read without the others.
//!
//! `build.rs` compiles this file too, to pack the catalogue. The program reads a document of it when it is needed,
//! and borrows every text from the bytes.
//!
//! ```text
//! number of texts: u32   number of documents: u32   bytes of all texts: u32
//! the end of each text: u32 …
//! the name of each document and where it begins: text u32, offset u32 …    ordered by name
//! the texts, one after another
//! the values: a byte for the kind, then LEB128 numbers
//! ```
//! All `u32` are little-endian. A text is a number in the list of texts, where each stands once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::value::{DocumentMember, DocumentNode, DocumentPlace, DocumentValue};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const PLAIN: u8 = 7;
const LIST: u8 = 8;
const MAP: u8 = 9;

/// Packs documents. Only texts keep their places.
pub fn pack(documents: &BTreeMap<String, DocumentNode<'_>>) -> Vec<u8> {
    let mut packer = Packer::default();
    let mut entries = Vec::new();
    for (name, node) in documents {
        let name = packer.text(name);
        entries.extend([name, narrow(packer.values.len())]);
        packer.node(node);
    }
    let mut texts = vec![""; packer.texts.len()];
    for (text, number) in &packer.texts {
        texts[*number as usize] = text;
    }
    let mut end = 0;
    let ends: Vec<u32> = texts
        .iter()
        .map(|text| {
            end += text.len();
            narrow(end)
        })
        .collect();
    let head = [narrow(texts.len()), narrow(documents.len()), narrow(end)];
    let mut bytes: Vec<u8> =
        head.iter().chain(&ends).chain(&entries).flat_map(|number| number.to_le_bytes()).collect();
    bytes.extend(texts.concat().bytes());
    bytes.extend(packer.values);
    bytes
}

/// No catalogue comes near four gigabytes; the reader would notice.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Packer {
    texts: BTreeMap<String, u32>,
    values: Vec<u8>,
}

impl Packer {
    fn text(&mut self, text: &str) -> u32 {
        let next = narrow(self.texts.len());
        *self.texts.entry(text.to_owned()).or_insert(next)
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.values.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.values.push(number.to_le_bytes()[0]);
    }

    fn node(&mut self, node: &DocumentNode<'_>) {
        match &node.value {
            DocumentValue::Null => self.values.push(NULL),
            DocumentValue::Bool(value) => self.values.push(if *value { TRUE } else { FALSE }),
            DocumentValue::Unsigned(number) => {
                self.values.push(UNSIGNED);
                self.number(*number);
            }
            DocumentValue::Signed(number) => {
                self.values.push(SIGNED);
                self.number(number.unsigned_abs());
            }
            DocumentValue::Float(number) => {
                self.values.push(FLOAT);
                self.values.extend(number.to_le_bytes());
            }
            DocumentValue::Text(text) => self.placed(TEXT, text, node.place),
            DocumentValue::Plain(text) => self.placed(PLAIN, text, node.place),
            DocumentValue::List(items) => {
                self.values.push(LIST);
                self.number(items.len() as u64);
                for item in items {
                    self.node(item);
                }
            }
            DocumentValue::Map(members) => {
                self.values.push(MAP);
                self.number(members.len() as u64);
                for member in members {
                    let key = self.text(&member.key);
                    self.number(u64::from(key));
                    self.node(&member.node);
                }
            }
        }
    }

    fn placed(&mut self, kind: u8, text: &str, place: DocumentPlace) {
        self.values.push(kind);
        let text = self.text(text);
        for number in [text, place.line, place.column] {
            self.number(u64::from(number));
        }
    }
}

/// Packed documents.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    bytes: &'static [u8],
}

impl Packed {
    /// What [`pack`] made.
    pub const fn new(bytes: &'static [u8]) -> Self {
        Self { bytes }
    }

    /// The names of all documents, in their order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..self.count(1)).filter_map(move |index| self.name(index))
    }

    /// A document. None when there is none of that name, or when [`pack`] did not make these bytes.
    pub fn document(self, name: &str) -> Option<DocumentNode<'static>> {
        self.reader(name)?.node()
    }

    /// A member of a document that is a map, without the others.
    pub fn member(self, name: &str, key: &str) -> Option<DocumentNode<'static>> {
        let mut reader = self.reader(name)?;
        if reader.byte()? != MAP {
            return None;
        }
        for _ in 0..reader.number()? {
            if reader.text()? == key {
                return reader.node();
            }
            reader.skip()?;
        }
        None
    }

    fn u32_at(self, offset: usize) -> Option<usize> {
        let bytes = self.bytes.get(offset..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    }

    /// A number of the head: texts, documents, bytes of texts.
    fn count(self, field: usize) -> usize {
        self.u32_at(field * 4).unwrap_or_default()
    }

    fn entries(self) -> usize {
        12 + self.count(0) * 4
    }

    fn text(self, number: usize) -> Option<&'static str> {
        let begin = match number {
            0 => 0,
            number => self.u32_at(12 + (number - 1) * 4)?,
        };
        let end = self.u32_at(12 + number * 4)?;
        let texts = self.entries() + self.count(1) * 8;
        std::str::from_utf8(self.bytes.get(texts + begin..texts + end)?).ok()
    }

    fn name(self, index: usize) -> Option<&'static str> {
        self.text(self.u32_at(self.entries() + index * 8)?)
    }

    fn reader(self, name: &str) -> Option<Reader> {
        let (mut low, mut high) = (0, self.count(1));
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.name(middle)?.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let values = self.entries() + self.count(1) * 8 + self.count(2);
                    let offset = self.u32_at(self.entries() + middle * 8 + 4)?;
                    return Some(Reader { packed: self, at: values + offset });
                }
            }
        }
        None
    }
}

struct Reader {
    packed: Packed,
    at: usize,
}

impl Reader {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.packed.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> Option<&'static str> {
        let number = usize::try_from(self.number()?).ok()?;
        self.packed.text(number)
    }

    fn node(&mut self) -> Option<DocumentNode<'static>> {
        let mut place = DocumentPlace::default();
        let value = match self.byte()? {
            NULL => DocumentValue::Null,
            FALSE => DocumentValue::Bool(false),
            TRUE => DocumentValue::Bool(true),
            UNSIGNED => DocumentValue::Unsigned(self.number()?),
            SIGNED => DocumentValue::Signed(0i64.checked_sub_unsigned(self.number()?)?),
            FLOAT => {
                let bytes = self.packed.bytes.get(self.at..)?.first_chunk::<8>()?;
                self.at += 8;
                DocumentValue::Float(f64::from_le_bytes(*bytes))
            }
            kind @ (TEXT | PLAIN) => {
                let text = Cow::Borrowed(self.text()?);
                place.line = u32::try_from(self.number()?).ok()?;
                place.column = u32::try_from(self.number()?).ok()?;
                if kind == TEXT { DocumentValue::Text(text) } else { DocumentValue::Plain(text) }
            }
            LIST => {
                let count = self.number()?;
                DocumentValue::List((0..count).map(|_| self.node()).collect::<Option<_>>()?)
            }
            MAP => {
                let count = self.number()?;
                let member = |_| {
                    let key = Cow::Borrowed(self.text()?);
                    Some(DocumentMember { key, place: DocumentPlace::default(), node: self.node()? })
                };
                DocumentValue::Map((0..count).map(member).collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Some(DocumentNode { value, place })
    }

    fn skip(&mut self) -> Option<()> {
        match self.byte()? {
            NULL | FALSE | TRUE => {}
            UNSIGNED | SIGNED => {
                self.number()?;
            }
            FLOAT => self.at += 8,
            TEXT | PLAIN => {
                for _ in 0..3 {
                    self.number()?;
                }
            }
            LIST => {
                for _ in 0..self.number()? {
                    self.skip()?;
                }
            }
            MAP => {
                for _ in 0..self.number()? {
                    self.number()?;
                    self.skip()?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::read_yaml;
    use super::*;

    fn packed(documents: &[(&str, &str)]) -> Packed {
        let documents =
            documents.iter().map(|(name, text)| ((*name).to_owned(), read_yaml(text).unwrap())).collect();
        Packed::new(pack(&documents).leak())
    }

    /// What is kept: places of texts alone.
    fn kept(node: &DocumentNode<'static>) -> DocumentNode<'static> {
        let mut node = node.clone();
        match &mut node.value {
            DocumentValue::Text(_) | DocumentValue::Plain(_) => return node,
            DocumentValue::List(items) => items.iter_mut().for_each(|item| *item = kept(item)),
            DocumentValue::Map(members) => {
                for member in members {
                    member.place = DocumentPlace::default();
                    member.node = kept(&member.node);
                }
            }
            _ => {}
        }
        node.place = DocumentPlace::default();
        node
    }

    #[test]
    fn a_document_comes_back_as_it_was() {
        let text = "a: 1\nb: [x, \"x\", -3, 2.5, ~, true, {c: 中文}]\nd: |\n  long\n  text\n";
        let packed = packed(&[("z", text), ("m/n", "[]"), ("a", "x")]);
        assert_eq!(packed.names().collect::<Vec<_>>(), ["a", "m/n", "z"]);
        assert_eq!(packed.document("z").unwrap(), kept(&read_yaml(text).unwrap()));
        assert_eq!(packed.document("m/n").unwrap().value, DocumentValue::List(Vec::new()));
        assert_eq!(packed.member("z", "d"), packed.document("z").unwrap().get("d").cloned());
        assert_eq!(packed.member("z", "e"), None);
        assert_eq!(packed.member("m/n", "a"), None);
        assert!(packed.document("y").is_none());
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        let numbers = [
            DocumentValue::Unsigned(u64::MAX),
            DocumentValue::Signed(i64::MIN),
            DocumentValue::Float(-0.1),
            DocumentValue::Bool(false),
            DocumentValue::Unsigned(127),
            DocumentValue::Unsigned(128),
        ];
        let node = |value| DocumentNode { value, place: DocumentPlace::default() };
        let list = node(DocumentValue::List(numbers.into_iter().map(node).collect()));
        let packed = Packed::new(pack(&BTreeMap::from([("a".to_owned(), list.clone())])).leak());
        assert_eq!(packed.document("a").unwrap(), list);
    }

    #[test]
    fn bytes_that_are_cut_off_are_no_document() {
        let documents =
            BTreeMap::from([("a".to_owned(), read_yaml("{b: [1, 2.5, text], c: {d: ~}}").unwrap())]);
        let bytes: &'static [u8] = pack(&documents).leak();
        for end in 0..bytes.len() {
            assert_eq!(Packed::new(&bytes[..end]).document("a"), None, "{end}");
        }
        assert!(Packed::new(bytes).document("a").is_some());
    }
}
