//! What a document says, whatever its format.
//!
//! `build.rs` compiles this file too, to pack the catalogue: it depends on nothing but the standard library.

use std::borrow::Cow;

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentPlace {
    /// From 1; 0 when it is not known.
    pub line: u32,
    /// In characters, from 1; 0 when it is not known.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentNode<'t> {
    /// What it says.
    pub value: DocumentValue<'t>,
    /// Where it begins.
    pub place: DocumentPlace,
}

/// A value. Texts are borrowed from the document where its format lets them.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentValue<'t> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number without a sign.
    Unsigned(u64),
    /// A number below zero.
    Signed(i64),
    /// A number with a fraction, or one that is too large for the others.
    Float(f64),
    /// A text.
    Text(Cow<'t, str>),
    /// A scalar of YAML without quotes. It is a text where a text is wanted (`3.10` is a release), and otherwise
    /// what [`resolve`] makes of it.
    Plain(Cow<'t, str>),
    /// Values in their order.
    List(Vec<DocumentNode<'t>>),
    /// Named values in their order.
    Map(Vec<DocumentMember<'t>>),
}

/// A named value of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentMember<'t> {
    /// Its name.
    pub key: Cow<'t, str>,
    /// Where the name begins.
    pub place: DocumentPlace,
    /// What it names.
    pub node: DocumentNode<'t>,
}

impl<'t> DocumentNode<'t> {
    /// The value of a member of a map.
    pub fn get(&self, key: &str) -> Option<&DocumentNode<'t>> {
        match &self.value {
            DocumentValue::Map(members) => {
                members.iter().find(|member| member.key == key).map(|member| &member.node)
            }
            _ => None,
        }
    }
}

/// What a scalar of YAML without quotes is, by the core schema of YAML 1.2. A number that is not finite stays a
/// text: no value here may be one.
pub fn resolve(plain: &str) -> DocumentValue<'_> {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => return DocumentValue::Null,
        "true" | "True" | "TRUE" => return DocumentValue::Bool(true),
        "false" | "False" | "FALSE" => return DocumentValue::Bool(false),
        _ => {}
    }
    let (negative, digits) = match plain.as_bytes()[0] {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    let integer = match digits.get(..2) {
        Some("0x") => radix(&digits[2..], 16),
        Some("0o") => radix(&digits[2..], 8),
        _ => radix(digits, 10),
    };
    match integer {
        Some(number) if !negative => return DocumentValue::Unsigned(number),
        Some(0) => return DocumentValue::Unsigned(0),
        Some(number) => {
            if let Some(number) = 0i64.checked_sub_unsigned(number) {
                return DocumentValue::Signed(number);
            }
        }
        None => {}
    }
    let is_decimal = digits.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    match plain.parse::<f64>() {
        Ok(number) if is_decimal && number.is_finite() => DocumentValue::Float(number),
        _ => DocumentValue::Text(Cow::Borrowed(plain)),
    }
}

/// A number written in digits alone: `from_str_radix` would take another sign.
fn radix(digits: &str, radix: u32) -> Option<u64> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_without_quotes_is_what_the_core_schema_says() {
        for (plain, value) in [
            ("", DocumentValue::Null),
            ("~", DocumentValue::Null),
            ("null", DocumentValue::Null),
            ("true", DocumentValue::Bool(true)),
            ("yes", DocumentValue::Text("yes".into())),
            ("0", DocumentValue::Unsigned(0)),
            ("-0", DocumentValue::Unsigned(0)),
            ("+12", DocumentValue::Unsigned(12)),
            ("-12", DocumentValue::Signed(-12)),
            ("--12", DocumentValue::Text("--12".into())),
            ("010", DocumentValue::Unsigned(10)),
            ("0x1F", DocumentValue::Unsigned(31)),
            ("0o17", DocumentValue::Unsigned(15)),
            ("18446744073709551615", DocumentValue::Unsigned(u64::MAX)),
            ("18446744073709551616", DocumentValue::Float(18_446_744_073_709_551_616.0)),
            ("-9223372036854775808", DocumentValue::Signed(i64::MIN)),
            ("3.10", DocumentValue::Float(3.1)),
            (".5", DocumentValue::Float(0.5)),
            ("1e3", DocumentValue::Float(1000.0)),
            ("1e999", DocumentValue::Text("1e999".into())),
            (".inf", DocumentValue::Text(".inf".into())),
            ("nan", DocumentValue::Text("nan".into())),
            ("infinity", DocumentValue::Text("infinity".into())),
            ("e", DocumentValue::Text("e".into())),
            (".", DocumentValue::Text(".".into())),
            ("-", DocumentValue::Text("-".into())),
            ("3.5.5", DocumentValue::Text("3.5.5".into())),
            ("2026-01-01", DocumentValue::Text("2026-01-01".into())),
            ("中文", DocumentValue::Text("中文".into())),
            ("é", DocumentValue::Text("é".into())),
        ] {
            assert_eq!(resolve(plain), value, "{plain}");
        }
    }
}
