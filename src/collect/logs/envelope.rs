//! What collectors of logs put before a line: systemd's journal, Docker, Kubernetes, Compose.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::civil::DateTime;
use regex::bytes::{Captures, Regex};
use serde::Deserialize;

use super::prefix::{Begin, month_of, number, time_of, year_of};
use crate::parse::document::json::from_json;

/// A line that a collector has wrapped.
pub struct Wrapped<'l> {
    /// When the collector got it, where it says so.
    pub time: Option<DateTime>,
    /// The line that the program wrote.
    pub line: Cow<'l, [u8]>,
}

/// `Nov 22 18:41:15 db-1 pika[4711]: text`, `2026-11-22T18:41:15+0800 db-1 kernel: text`, `[12.345] db-1 pika[1]: text`.
const JOURNAL: &str = r"^(?:(?<month>[A-Z][a-z]{2}) +(?<day>\d{1,2}) (?<clock>\d\d:\d\d:\d\d)(?:\.\d{1,6})?|(?<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)\S{0,16}|\[ *\d+\.\d+\]) \S{1,64} [\w./@-]{1,64}(?:\[\d{1,10}\])?: (?<line>.*)$";
/// `2026-11-22T18:41:15.123456789+08:00 stderr F text`, as containerd writes it and, without the two words, `kubectl logs
/// --timestamps`.
const CONTAINER: &str = r"^(?<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{1,9}(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?(?<line>.*)$";
/// `pika-1  | text`, as Compose shows it.
const COMPOSE: &str = r"^[\w.-]{1,64} +\| (?<line>.*)$";

/// Takes the wrapping off. None: there is none that is known.
pub fn open(line: &[u8], begin: Begin) -> Option<Wrapped<'_>> {
    static PATTERNS: OnceLock<[Regex; 3]> = OnceLock::new();
    if line.starts_with(b"{\"log\":\"") {
        return docker(line);
    }
    let patterns = PATTERNS.get_or_init(|| {
        [JOURNAL, CONTAINER, COMPOSE].map(|pattern| {
            let pattern = format!("(?s-u){pattern}");
            Regex::new(&pattern).expect("the tests try every pattern")
        })
    });
    let found = patterns.iter().find_map(|pattern| pattern.captures(line))?;
    let time = iso(&found).or_else(|| short(&found, begin));
    let rest = found.name("line")?.as_bytes();
    Some(Wrapped { time, line: Cow::Borrowed(rest) })
}

/// A line of Docker's json-file.
#[derive(Deserialize)]
struct DockerEntry {
    log: String,
    #[serde(default)]
    time: String,
}

/// `{"log":"text\n","stream":"stderr","time":"2026-11-22T18:41:15.1Z"}`
fn docker(line: &[u8]) -> Option<Wrapped<'_>> {
    let entry: DockerEntry = from_json(line).ok()?;
    let time = entry.time.as_bytes().get(..19).and_then(date_and_clock);
    Some(Wrapped { time, line: Cow::Owned(entry.log.trim_end_matches('\n').as_bytes().to_vec()) })
}

fn iso(found: &Captures<'_>) -> Option<DateTime> {
    date_and_clock(found.name("iso")?.as_bytes())
}

/// `2026-11-22T18:41:15`
fn date_and_clock(stamp: &[u8]) -> Option<DateTime> {
    let date = (number(stamp.get(..4)?)?, number(stamp.get(5..7)?)?, number(stamp.get(8..10)?)?);
    time_of(date, stamp.get(11..19)?, 0)
}

fn short(found: &Captures<'_>, begin: Begin) -> Option<DateTime> {
    let month = month_of(found.name("month")?.as_bytes())?;
    let day = number(found.name("day")?.as_bytes())?;
    time_of((year_of(month, begin), month, day), found.name("clock")?.as_bytes(), 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGIN: Begin = Begin { year: 2026, month: 11 };

    #[test]
    fn every_wrapping() {
        let text = "F1122 18:41:15.146634 2 pika.cc:39] pika load conf error";
        for (before, time) in [
            ("Nov 22 18:41:16 db-1 pika[4711]: ", Some("2026-11-22T18:41:16")),
            ("Jan  2 18:41:16.123456 db-1 pika[4711]: ", Some("2027-01-02T18:41:16")),
            ("2026-11-22T18:41:16+0800 db-1 pika[4711]: ", Some("2026-11-22T18:41:16")),
            ("[  123.456789] db-1 pika[4711]: ", None),
            ("2026-11-22T18:41:16.123456789+08:00 stderr F ", Some("2026-11-22T18:41:16")),
            ("2026-11-22T18:41:16.1Z ", Some("2026-11-22T18:41:16")),
            ("pika-1  | ", None),
        ] {
            let line = format!("{before}{text}");
            let wrapped = open(line.as_bytes(), BEGIN).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(wrapped.time.map(|time| time.to_string()).as_deref(), time, "{line}");
            assert_eq!(wrapped.line, text.as_bytes(), "{line}");
        }
        let line =
            br#"{"log":"[FATAL] open kv db failed\n","stream":"stderr","time":"2026-11-22T18:41:16.1Z"}"#;
        let wrapped = open(line, BEGIN).unwrap();
        assert_eq!(wrapped.line, &b"[FATAL] open kv db failed"[..]);
        assert_eq!(wrapped.time.unwrap().to_string(), "2026-11-22T18:41:16");
        for other in ["", "text", "Nov 22 nonsense", "2026-11-22 something else", "{\"log\":\"", "a | b"] {
            let is = open(other.as_bytes(), BEGIN);
            assert_eq!(is.is_some(), other == "a | b", "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = open(&bytes, BEGIN);
        }
    }
}
