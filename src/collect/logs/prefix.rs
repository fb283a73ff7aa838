//! The prefix that glog puts before every message.
//!
//! glog 0.3 and 0.4 write `I1122 18:41:15.146634 20009 file.cc:88] text`, later ones put the year before the month.

use jiff::civil::DateTime;

/// How bad glog takes a line to be; the order is glog's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `I`
    Info,
    /// `W`
    Warning,
    /// `E`
    Error,
    /// `F`: the process ends with it.
    Fatal,
}

/// The year and the month that a file begins in, for lines that do not say the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The year.
    pub year: i16,
    /// The month, from 1.
    pub month: i8,
}

/// A line of glog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// When, by the clock and in the zone of the host.
    pub time: DateTime,
    /// The source file, without the number of the line.
    pub source: &'l [u8],
    /// What it says.
    pub message: &'l [u8],
}

/// Splits a line. None when it is no first line of a message.
pub fn parse(line: &[u8], begin: Begin) -> Option<Line<'_>> {
    if !matches!(line.first()?, b'I' | b'W' | b'E' | b'F') {
        return None;
    }
    let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (date, rest) = line[1..].split_at_checked(digits)?;
    let (year, month, day) = match digits {
        4 => {
            let month = number(&date[..2])?;
            // A file that was begun in December goes on in January of the next year.
            let year = if month < i32::from(begin.month) { begin.year + 1 } else { begin.year };
            (i32::from(year), month, number(&date[2..])?)
        }
        8 => (number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?),
        _ => return None,
    };
    // ` hh:mm:ss.uuuuuu `
    let clock = rest.get(..17)?;
    let marks = [(0, b' '), (3, b':'), (6, b':'), (9, b'.'), (16, b' ')];
    if marks.iter().any(|(at, mark)| clock[*at] != *mark) {
        return None;
    }
    let part = |from: usize| number(&clock[from..from + 2]);
    let micros = number(&clock[10..16])?;
    let time = DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(part(1)?).ok()?,
        i8::try_from(part(4)?).ok()?,
        i8::try_from(part(7)?).ok()?,
        micros * 1000,
    )
    .ok()?;
    // `  20009 file.cc:88] `, of which the file's name has a bound of its own.
    let rest = rest[17..].trim_ascii_start();
    let thread = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let rest = rest.get(thread..)?.strip_prefix(b" ")?;
    let end = rest.iter().take(256).position(|byte| *byte == b']')?;
    let colon = rest[..end].iter().rposition(|byte| *byte == b':')?;
    let message = rest[end + 1..].strip_prefix(b" ").unwrap_or(&rest[end + 1..]);
    Some(Line { time, source: &rest[..colon], message })
}

fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGIN: Begin = Begin { year: 2026, month: 11 };

    fn time_of(line: &str) -> Option<String> {
        parse(line.as_bytes(), BEGIN).map(|line| line.time.to_string())
    }

    #[test]
    fn both_generations_of_the_prefix() {
        let line = b"I20261122 18:41:15.146634 20009 pika_server.cc:88] DB Success";
        let parsed = parse(line, BEGIN).unwrap();
        assert_eq!(parsed.time.to_string(), "2026-11-22T18:41:15.146634");
        assert_eq!((parsed.source, parsed.message), (&b"pika_server.cc"[..], &b"DB Success"[..]));
        let line = b"W1122 18:41:15.146634     2 a.cc:1] ] odd";
        let parsed = parse(line, BEGIN).unwrap();
        assert_eq!(parsed.time.to_string(), "2026-11-22T18:41:15.146634");
        assert_eq!(parsed.message, b"] odd");
        assert_eq!(
            time_of("I1122 18:41:15.146634 7f3a2b a.cc:1] x"),
            Some("2026-11-22T18:41:15.146634".into())
        );
    }

    #[test]
    fn the_year_turns_within_a_file() {
        assert_eq!(time_of("W1231 23:59:59.000000 2 a.cc:1] x"), Some("2026-12-31T23:59:59".into()));
        assert_eq!(time_of("W0101 00:00:01.000000 2 a.cc:1] x"), Some("2027-01-01T00:00:01".into()));
    }

    #[test]
    fn what_is_no_prefix() {
        for line in [
            "",
            "I",
            "Log file created at: 2026/11/22 18:51:35",
            "*2",
            "$4",
            "Iabc",
            "I1322 18:41:15.146634 2 a.cc:1] month 13",
            "I1122 25:41:15.146634 2 a.cc:1] hour 25",
            "I1122 18:41:15.146634 2 no bracket",
            "I1122 18:41:15",
            "X1122 18:41:15.146634 2 a.cc:1] x",
        ] {
            assert_eq!(time_of(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, BEGIN);
        }

        #[test]
        fn no_tail_is_too_much(tail in proptest::collection::vec(any::<u8>(), 0..100)) {
            let line = [&b"W20261122 18:41:15.146634"[..], &tail].concat();
            let _ = parse(&line, BEGIN);
        }
    }
}
