//! Breaks lines where a reader of English or Chinese expects it.

use std::borrow::Cow;
use std::ops::Range;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthChar;

/// Wraps one line at `width` columns; no word is cut. `first` and `rest` stand in front of the first and
/// of every further line.
pub fn wrap<'t>(line: &'t str, width: usize, first: &str, rest: &str) -> Vec<Cow<'t, str>> {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(line, options)
}

/// The pieces between two places where Unicode (UAX 14) allows a break. Hyphens are not such places: they stand in
/// options, in names of checks and in ranges of releases. (textwrap would do the same, with thirty crates of ICU.)
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut begin = 0;
    // An escape sequence of the terminal is one with what it stands at.
    let in_escape = |end: usize| {
        line[..end].rfind('\x1b').is_some_and(|at| !line.as_bytes()[at..end - 1].contains(&b'm'))
    };
    let whole = whole(line);
    let is_cut = move |end: usize| whole.iter().any(|part| part.start < end && end < part.end);
    let ends = unicode_linebreak::linebreaks(line).map(|(end, _)| end).filter(move |end| {
        *end == line.len() || is_between_words(line, *end) && !in_escape(*end) && !is_cut(*end)
    });
    Box::new(ends.map(move |end| {
        let word = Word::from(&line[begin..end]);
        begin = end;
        word
    }))
}

/// Whether a line may break at `end`: behind a blank, or beside a character of Chinese. A path, a name of a check and
/// a range of releases stay whole.
fn is_between_words(line: &str, end: usize) -> bool {
    let (before, after) = (line[..end].chars().next_back(), line[end..].chars().next());
    let is_wide = |c: Option<char>| c.is_some_and(|c| UnicodeWidthChar::width(c) == Some(2));
    before.is_some_and(char::is_whitespace) || is_wide(before) || is_wide(after)
}

/// What is to be copied and therefore never broken: what stands between backticks, and a command up to the end of the
/// line, two blanks or a mark of Chinese.
fn whole(line: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let ticks: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    parts.extend(ticks.chunks_exact(2).map(|pair| pair[0]..pair[1] + 1));
    for command in COMMANDS {
        for (start, _) in line.match_indices(command) {
            let is_word = line[..start].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
            let rest = &line[start..];
            let end = rest.find("  ").into_iter().chain(rest.find(CHINESE_MARKS)).min();
            if is_word {
                parts.push(start..start + end.unwrap_or(rest.len()));
            }
        }
    }
    parts
}

/// Full-width comma, semicolon, full stop, parenthesis and colon: no command goes on behind them.
const CHINESE_MARKS: [char; 5] = ['\u{ff0c}', '\u{ff1b}', '\u{3002}', '\u{ff08}', '\u{ff1a}'];

/// How commands begin in the texts of checks.
const COMMANDS: [&str; 7] =
    ["redis-cli -", "pikadoctor check ", "pikadoctor logs ", "pikadoctor host ", "ss -", "nc -", "ps -o "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_breaks_at_blanks_and_chinese_between_characters_but_not_before_a_full_stop() {
        assert_eq!(
            wrap("run this --read-only check now", 20, "", "  "),
            ["run this --read-only", "  check now"]
        );
        assert_eq!(wrap("主从两端的复制协议一致。", 10, "", ""), ["主从两端的", "复制协议一", "致。"]);
        assert_eq!(wrap("主从两端的复制协议一致。", 22, "", ""), ["主从两端的复制协议", "一致。"]);
        assert_eq!(wrap("a-long-name-that-is-not-cut", 5, "- ", ""), ["- a-long-name-that-is-not-cut"]);
        assert_eq!(wrap("", 5, "", ""), [""]);
    }

    #[test]
    fn what_is_to_be_copied_is_not_broken() {
        let command = "redis-cli -h 192.168.100.102 -p 9221 slaveof 192.168.100.101 9221 force";
        assert_eq!(wrap(&format!("3. {command}"), 40, "", "   "), [format!("3. {command}")]);
        assert_eq!(
            wrap("look for `Auth with master error` there", 16, "", ""),
            ["look for", "`Auth with master error`", "there"]
        );
        assert_eq!(
            wrap("see link/dialect in /var/log/pika.INFO", 20, "", ""),
            ["see link/dialect", "in /var/log/pika.INFO"]
        );
        assert_eq!(
            wrap("执行 nc -vz 10.0.0.1 9221，再看", 12, "", ""),
            ["执行", "nc -vz 10.0.0.1 9221，", "再看"]
        );
    }

    #[test]
    fn the_colours_of_a_terminal_are_no_words() {
        assert_eq!(wrap("\x1b[1m主从两端\x1b[0m", 4, "", ""), ["\x1b[1m主从", "两端\x1b[0m"]);
        assert_eq!(wrap("\x1b[1mone two\x1b[0m", 4, "", ""), ["\x1b[1mone", "two\x1b[0m"]);
    }
}
