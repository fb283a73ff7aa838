//! The prefixes that programs put before every message.
//!
//! glog 0.3 and 0.4 write `I1122 18:41:15.146634 20009 file.cc:88] text`, later ones put the year before the month.
//! Codis (pkg/utils/log) writes `2026/11/22 18:41:15 main.go:88: [WARN] text`, and redis-sentinel
//! `4711:X 22 Nov 2026 18:41:15.123 # text`, up to 2.8 `[4711] 22 Nov 18:41:15.123 # text`.

use jiff::civil::DateTime;

use crate::model::messages::LogProgram;

/// How bad a program takes a line to be; the order is glog's.
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

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// When, by the clock and in the zone of the host.
    pub time: DateTime,
    /// How bad it is.
    pub level: Level,
    /// Who writes it.
    pub program: LogProgram,
    /// The source file, without the number of the line. Empty where the program does not say it.
    pub source: &'l [u8],
    /// What it says.
    pub message: &'l [u8],
}

/// What glog says when it cannot write a file of its own, without a line break behind it.
const NO_LOG_FILE: &[u8] = b"COULD NOT CREATE A LOGGINGFILE ";

/// Splits a line. None when it is no first line of a message of a known program.
pub fn parse(line: &[u8], begin: Begin) -> Option<Line<'_>> {
    match line.first()? {
        b'I' | b'W' | b'E' | b'F' => glog(line, begin),
        b'C' => {
            let rest = line.strip_prefix(NO_LOG_FILE)?;
            let mark = rest.iter().take(64).position(|byte| *byte == b'!')?;
            glog(&rest[mark + 1..], begin)
        }
        b'[' | b'0'..=b'9' => codis(line).or_else(|| sentinel(line, begin)),
        _ => None,
    }
}

fn glog(line: &[u8], begin: Begin) -> Option<Line<'_>> {
    let level = match line.first()? {
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    };
    let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (date, rest) = line[1..].split_at_checked(digits)?;
    let date = match digits {
        4 => {
            let month = number(&date[..2])?;
            (year_of(month, begin), month, number(&date[2..])?)
        }
        8 => (number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?),
        _ => return None,
    };
    // ` hh:mm:ss.uuuuuu `
    let clock = rest.get(..17)?;
    if (clock[0], clock[9], clock[16]) != (b' ', b'.', b' ') {
        return None;
    }
    let time = time_of(date, &clock[1..9], number(&clock[10..16])?)?;
    // `  20009 file.cc:88] `, of which the file's name has a bound of its own.
    let rest = rest[17..].trim_ascii_start();
    let thread = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let rest = rest.get(thread..)?.strip_prefix(b" ")?;
    let end = rest.iter().take(256).position(|byte| *byte == b']')?;
    let colon = rest[..end].iter().rposition(|byte| *byte == b':')?;
    let message = rest[end + 1..].strip_prefix(b" ").unwrap_or(&rest[end + 1..]);
    Some(Line { time, level, program: LogProgram::Pika, source: &rest[..colon], message })
}

/// `2026/11/22 18:41:15 main.go:88: [WARN] text`; from 3.0 on, the levels of older ones have colours.
fn codis(line: &[u8]) -> Option<Line<'_>> {
    let stamp = line.get(..20)?;
    if (stamp[4], stamp[7], stamp[10], stamp[19]) != (b'/', b'/', b' ', b' ') {
        return None;
    }
    let date = (number(&stamp[..4])?, number(&stamp[5..7])?, number(&stamp[8..10])?);
    let time = time_of(date, &stamp[11..19], 0)?;
    let rest = &line[20..];
    let end = rest.iter().take(128).position(|byte| *byte == b' ')?;
    let source = rest[..end].strip_suffix(b":")?;
    let colon = source.iter().rposition(|byte| *byte == b':')?;
    number(&source[colon + 1..])?;
    let rest = rest[end + 1..].strip_prefix(b"[")?;
    let close = rest.iter().take(8).position(|byte| *byte == b']')?;
    let level = match &rest[..close] {
        b"PANIC" => Level::Fatal,
        b"ERROR" => Level::Error,
        b"WARN" => Level::Warning,
        b"INFO" | b"DEBUG" | b"LOG" => Level::Info,
        _ => return None,
    };
    let message = rest[close + 1..].trim_ascii_start();
    Some(Line { time, level, program: LogProgram::Codis, source: &source[..colon], message })
}

/// `4711:X 22 Nov 2026 18:41:15.123 # text`; the letter is the role, X that of a sentinel.
fn sentinel(line: &[u8], begin: Begin) -> Option<Line<'_>> {
    let process = |from: usize| line[from..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = if line.first() == Some(&b'[') {
        line[1 + process(1)..].strip_prefix(b"] ")?
    } else {
        line[process(0)..].strip_prefix(b":X ")?
    };
    let mut words = rest.splitn(5, |byte| *byte == b' ');
    let (day, month) = (number(words.next()?)?, month_of(words.next()?)?);
    let third = words.next()?;
    let (year, clock, rest) = match (number(third), words.next()?) {
        (Some(year), clock) => (year, clock, words.next()?),
        (None, mark) => {
            let start = rest.len() - words.next()?.len() - mark.len() - 1;
            (year_of(month, begin), third, &rest[start..])
        }
    };
    if clock.get(8) != Some(&b'.') {
        return None;
    }
    let time = time_of((year, month, day), &clock[..8], number(&clock[9..])?.checked_mul(1000)?)?;
    let level = match rest.first()? {
        b'#' => Level::Warning,
        b'*' | b'-' | b'.' => Level::Info,
        _ => return None,
    };
    let message = rest[1..].trim_ascii_start();
    Some(Line { time, level, program: LogProgram::Sentinel, source: b"", message })
}

/// The number of a month that is written in three letters.
pub fn month_of(name: &[u8]) -> Option<i32> {
    const NAMES: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let index = NAMES.iter().position(|known| *known == name)?;
    i32::try_from(index + 1).ok()
}

/// The year of a line that does not say it: a file that was begun in December goes on in January of the next year.
pub fn year_of(month: i32, begin: Begin) -> i32 {
    if month < i32::from(begin.month) { i32::from(begin.year) + 1 } else { i32::from(begin.year) }
}

/// A date, `hh:mm:ss` and microseconds.
pub fn time_of(date: (i32, i32, i32), clock: &[u8], micros: i32) -> Option<DateTime> {
    if clock.len() != 8 || clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let part = |from: usize| i8::try_from(number(&clock[from..from + 2])?).ok();
    let (year, month, day) =
        (i16::try_from(date.0).ok()?, i8::try_from(date.1).ok()?, i8::try_from(date.2).ok()?);
    DateTime::new(year, month, day, part(0)?, part(3)?, part(6)?, micros.checked_mul(1000)?).ok()
}

/// A whole number of at most nine digits.
pub fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
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
    fn a_line_behind_a_complaint_of_glog() {
        // Measured on 2.3.0 to 4.0.1 with a log-path that is a file.
        let line = b"COULD NOT CREATE A LOGGINGFILE 20261122-184115.27785!F20261122 18:41:15.357777 27785 a.cc:105] Binlog: new x";
        let parsed = parse(line, BEGIN).unwrap();
        assert_eq!((parsed.level, parsed.message), (Level::Fatal, &b"Binlog: new x"[..]));
    }

    #[test]
    fn lines_of_codis() {
        let line = b"2026/11/22 18:41:15 main.go:88: [PANIC] create proxy with config file failed";
        let parsed = parse(line, BEGIN).unwrap();
        assert_eq!(parsed.time.to_string(), "2026-11-22T18:41:15");
        assert_eq!((parsed.program, parsed.level), (LogProgram::Codis, Level::Fatal));
        assert_eq!(
            (parsed.source, parsed.message),
            (&b"main.go"[..], &b"create proxy with config file failed"[..])
        );
        assert_eq!(time_of("2026/11/22 18:41:15 main.go:88: no level"), None);
        assert_eq!(time_of("2026/11/22 18:41:15 [WARN] no file"), None);
    }

    #[test]
    fn lines_of_sentinel() {
        for (line, time) in [
            ("4711:X 22 Nov 2026 18:41:15.123 # +sdown master m 10.0.0.1 9221", "2026-11-22T18:41:15.123"),
            ("[4711] 02 Dec 18:41:15.123 # +sdown master m 10.0.0.1 9221", "2026-12-02T18:41:15.123"),
        ] {
            let parsed = parse(line.as_bytes(), BEGIN).unwrap();
            assert_eq!(parsed.time.to_string(), time);
            assert_eq!((parsed.program, parsed.level), (LogProgram::Sentinel, Level::Warning));
            assert_eq!(parsed.message, b"+sdown master m 10.0.0.1 9221", "{line}");
        }
        assert_eq!(time_of("4711:M 22 Nov 2026 18:41:15.123 # a server that is no sentinel"), None);
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
