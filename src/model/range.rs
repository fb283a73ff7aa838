//! Nagios' ranges: `[@]start:end`. A value outside of one raises an alert; with `@`, a value inside of it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of numbers, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    inside: bool,
}

/// Why a text is not a range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of Nagios: [@][START:][END], for example 10, 10:, ~:10, 10:20 or @10:20")]
pub struct RangeError(String);

impl Range {
    /// Whether a value raises an alert.
    pub fn alerts(&self, value: f64) -> bool {
        let within = value >= self.start && value <= self.end;
        within == self.inside
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RangeError(text.to_owned());
        let (inside, rest) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Words such as `inf` and `1e9` are numbers to a parser and not to Nagios.
        let plain = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
        let number = |number: &str| number.parse::<f64>().ok().filter(|_| plain(number)).ok_or_else(wrong);
        let (start, end) = match rest.split_once(':') {
            None => (0.0, number(rest)?),
            Some(("", "")) => return Err(wrong()),
            Some((start, end)) => (
                match start {
                    "~" => f64::NEG_INFINITY,
                    "" => 0.0,
                    start => number(start)?,
                },
                if end.is_empty() { f64::INFINITY } else { number(end)? },
            ),
        };
        if start > end {
            return Err(wrong());
        }
        Ok(Self { start, end, inside })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        if self.start == f64::NEG_INFINITY {
            f.write_str("~:")?;
        } else if self.start != 0.0 || self.end == f64::INFINITY {
            write!(f, "{}:", self.start)?;
        }
        if self.end == f64::INFINITY { Ok(()) } else { write!(f, "{}", self.end) }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Range {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A range in Nagios' notation: [@][START:][END]."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guidelines() {
        for (text, alerts, silent) in [
            ("10", &[-1.0, 10.1][..], &[0.0, 10.0][..]),
            ("10:", &[9.9], &[10.0, 1e12]),
            ("~:10", &[10.1], &[-1e12, 10.0]),
            ("10:20", &[9.9, 20.1], &[10.0, 20.0]),
            ("@10:20", &[10.0, 20.0], &[9.9, 20.1]),
            (":5", &[-0.1, 5.1], &[0.0, 5.0]),
        ] {
            let range: Range = text.parse().unwrap();
            assert!(alerts.iter().all(|value| range.alerts(*value)), "{text}");
            assert!(!silent.iter().any(|value| range.alerts(*value)), "{text}");
            assert_eq!(range.to_string().parse::<Range>().unwrap(), range, "{text}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for text in ["", ":", "@", "20:10", "a", "1:2:3", "inf", "1e9", "10;20", "--1", "~"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }

    #[test]
    fn with_an_at_sign_it_is_the_exact_complement() {
        for text in ["10", "10:", "~:10", "10:20", "-5:5"] {
            let (plain, inside): (Range, Range) =
                (text.parse().unwrap(), format!("@{text}").parse().unwrap());
            for value in [-1e9, -5.0, 0.0, 5.0, 9.999, 10.0, 15.0, 20.0, 20.001, 1e9] {
                assert_ne!(plain.alerts(value), inside.alerts(value), "{text} at {value}");
            }
        }
    }
}
