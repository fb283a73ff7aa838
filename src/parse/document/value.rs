//! What a document says, whatever its format.
//!
//! `build.rs` compiles this file too, to pack the catalogue: it depends on nothing but the standard library.

use std::borrow::Cow;

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From 1; 0 when it is not known.
    pub line: u32,
    /// In characters, from 1; 0 when it is not known.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'t> {
    /// What it says.
    pub value: Value<'t>,
    /// Where it begins.
    pub place: Place,
}

/// A value. Texts are borrowed from the document where its format lets them.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'t> {
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
    List(Vec<Node<'t>>),
    /// Named values in their order.
    Map(Vec<Member<'t>>),
}

/// A named value of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'t> {
    /// Its name.
    pub key: Cow<'t, str>,
    /// Where the name begins.
    pub place: Place,
    /// What it names.
    pub node: Node<'t>,
}

impl<'t> Node<'t> {
    /// The value of a member of a map.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        match &self.value {
            Value::Map(members) => members.iter().find(|member| member.key == key).map(|member| &member.node),
            _ => None,
        }
    }
}

/// What a scalar of YAML without quotes is, by the core schema of YAML 1.2. A number that is not finite stays a
/// text: no value here may be one.
pub fn resolve(plain: &str) -> Value<'_> {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
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
        Some(number) if !negative => return Value::Unsigned(number),
        Some(0) => return Value::Unsigned(0),
        Some(number) => {
            if let Some(number) = 0i64.checked_sub_unsigned(number) {
                return Value::Signed(number);
            }
        }
        None => {}
    }
    let is_decimal = digits.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    match plain.parse::<f64>() {
        Ok(number) if is_decimal && number.is_finite() => Value::Float(number),
        _ => Value::Text(Cow::Borrowed(plain)),
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
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::Text("yes".into())),
            ("0", Value::Unsigned(0)),
            ("-0", Value::Unsigned(0)),
            ("+12", Value::Unsigned(12)),
            ("-12", Value::Signed(-12)),
            ("--12", Value::Text("--12".into())),
            ("010", Value::Unsigned(10)),
            ("0x1F", Value::Unsigned(31)),
            ("0o17", Value::Unsigned(15)),
            ("18446744073709551615", Value::Unsigned(u64::MAX)),
            ("18446744073709551616", Value::Float(18_446_744_073_709_551_616.0)),
            ("-9223372036854775808", Value::Signed(i64::MIN)),
            ("3.10", Value::Float(3.1)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("1e999", Value::Text("1e999".into())),
            (".inf", Value::Text(".inf".into())),
            ("nan", Value::Text("nan".into())),
            ("infinity", Value::Text("infinity".into())),
            ("e", Value::Text("e".into())),
            (".", Value::Text(".".into())),
            ("-", Value::Text("-".into())),
            ("3.5.5", Value::Text("3.5.5".into())),
            ("2026-01-01", Value::Text("2026-01-01".into())),
            ("中文", Value::Text("中文".into())),
            ("é", Value::Text("é".into())),
        ] {
            assert_eq!(resolve(plain), value, "{plain}");
        }
    }
}
