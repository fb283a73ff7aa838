//! Breaks lines where a reader of English or Chinese expects it.

use std::borrow::Cow;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

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
    let ends = unicode_linebreak::linebreaks(line).map(|(end, _)| end).filter(move |end| {
        *end == line.len() || !line[..*end].ends_with(['-', '\u{ad}']) && !in_escape(*end)
    });
    Box::new(ends.map(move |end| {
        let word = Word::from(&line[begin..end]);
        begin = end;
        word
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_breaks_at_blanks_and_chinese_between_characters_but_not_before_a_full_stop() {
        assert_eq!(
            wrap("run pikadoctor check --read-only now", 20, "", "  "),
            ["run pikadoctor check", "  --read-only now"]
        );
        assert_eq!(wrap("主从两端的复制协议一致。", 10, "", ""), ["主从两端的", "复制协议一", "致。"]);
        assert_eq!(wrap("主从两端的复制协议一致。", 22, "", ""), ["主从两端的复制协议", "一致。"]);
        assert_eq!(wrap("a-long-name-that-is-not-cut", 5, "- ", ""), ["- a-long-name-that-is-not-cut"]);
        assert_eq!(wrap("", 5, "", ""), [""]);
    }

    #[test]
    fn the_colours_of_a_terminal_are_no_words() {
        assert_eq!(wrap("\x1b[1m主从两端\x1b[0m", 4, "", ""), ["\x1b[1m主从", "两端\x1b[0m"]);
        assert_eq!(wrap("\x1b[1mone two\x1b[0m", 4, "", ""), ["\x1b[1mone", "two\x1b[0m"]);
    }
}
