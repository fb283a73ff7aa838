//! The last look at a text before it leaves: whatever the formats themselves took care of, no character in it can turn,
//! hide or forge what a reader sees, and no line of it is a command to the log that it lands in.
//!
//! A document keeps its meaning: JSON, YAML and XML have ways to write a character by its number, and only plain text
//! shows an escape in its place.

use std::fmt::Write as _;

use crate::model::text::is_treacherous;
use crate::render::options::Format;

/// How a kind of document writes a character by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text for people.
    Text,
    /// JSON. Outside of its strings there are no characters that have to be escaped.
    Json,
    /// XML.
    Xml,
}

/// The document of a format, made safe. `color`: styles for a terminal are its own.
pub fn armoured(document: String, format: Format, color: bool) -> String {
    match format {
        Format::Json | Format::Sarif => armour(&document, Kind::Json, &[], false),
        Format::Junit => armour(&document, Kind::Xml, &[], false),
        Format::Github => armour(&document, Kind::Text, &["::error ", "::warning ", "::notice "], false),
        Format::Human => armour(&document, Kind::Text, &[], color),
        Format::Short | Format::Nagios | Format::Prometheus | Format::Tap | Format::Markdown => {
            armour(&document, Kind::Text, &[], false)
        }
    }
}

/// Lines for a person, made safe.
pub fn armoured_text(text: &str) -> String {
    armour(text, Kind::Text, &[], false)
}

/// A document of JSON, made safe. It says the same.
pub fn armoured_json(text: &str) -> String {
    armour(text, Kind::Json, &[], false)
}

fn armour(document: &str, kind: Kind, own: &[&str], color: bool) -> String {
    let mut safe = String::with_capacity(document.len());
    for line in document.split_inclusive('\n') {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let is_own = own.iter().any(|command| text.starts_with(command));
        let begins = text.trim_start();
        // GitHub looks for `::` at the beginning of a line, whatever blanks stand before it.
        let second_colon = (begins.starts_with("::") && !is_own).then(|| text.len() - begins.len() + 1);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let at = text.len() - rest.len();
            if let Some(style) = style(rest).filter(|_| color) {
                safe.push_str(&rest[..style]);
                rest = &rest[style..];
                continue;
            }
            // GitHub and Azure look for `##[` and `##vso[` anywhere in a line.
            let is_command = c == '#'
                && text[..at].ends_with('#')
                && (rest.starts_with("#[") || rest.starts_with("#vso["));
            if is_treacherous(c) || is_command || second_colon == Some(at) {
                by_number(&mut safe, c, kind);
            } else {
                safe.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
        safe.push_str(&line[text.len()..]);
    }
    safe
}

/// The length of a style of a terminal that a text begins with: `ESC [ 1 ; 31 m` and nothing else.
fn style(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

fn by_number(safe: &mut String, c: char, kind: Kind) {
    let _ = match kind {
        Kind::Text if c.is_ascii_punctuation() => write!(safe, "\\{c}"),
        Kind::Text => write!(safe, "{}", c.escape_unicode()),
        Kind::Json => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(safe, "\\u{unit:04x}")),
        // A number that XML has no character for cannot come here: it was escaped as text before.
        Kind::Xml => write!(safe, "&#x{:x};", u32::from(c)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{9b}31m\u{202e}b\u{61c}\u{200b}\u{2028}##[error]x ##vso[task] \u{e0041}";

    #[test]
    fn json_says_the_same() {
        let json = serde_json::to_string_pretty(&[HOSTILE, "::x", "###[x]"]).unwrap();
        let safe = armoured(json.clone(), Format::Json, false);
        assert!(!safe.chars().any(|c| c != '\n' && is_treacherous(c)) && !safe.contains("##["), "{safe}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [HOSTILE, "::x", "###[x]"]);
    }

    #[test]
    fn text_shows_what_was_there() {
        let safe =
            armoured(format!("{HOSTILE}\n  ::stop-commands::x\na::b\u{1b}[31mc\n"), Format::Human, false);
        let expected = "a\\u{9b}31m\\u{202e}b\\u{61c}\\u{200b}\\u{2028}#\\#[error]x #\\#vso[task] \\u{e0041}\n  \
                        :\\:stop-commands::x\na::b\\u{1b}[31mc\n";
        assert_eq!(safe, expected);
    }

    #[test]
    fn own_styles_and_own_commands_stay() {
        let styled = "\u{1b}[1;31mCRITICAL\u{1b}[0m";
        assert_eq!(armoured(styled.into(), Format::Human, true), styled);
        assert_eq!(
            armoured("\u{1b}]52;c;x\u{1b}[2J".into(), Format::Human, true),
            "\\u{1b}]52;c;x\\u{1b}[2J"
        );
        let command = "::error title=x::y\n::stop-commands::z\n";
        assert_eq!(
            armoured(command.into(), Format::Github, false),
            "::error title=x::y\n:\\:stop-commands::z\n"
        );
    }

    #[test]
    fn xml_says_the_same() {
        let safe = armoured("<a b=\"\u{200b}\">\n::x ##[y]</a>\n".into(), Format::Junit, false);
        assert_eq!(safe, "<a b=\"&#x200b;\">\n:&#x3a;x #&#x23;[y]</a>\n");
    }
}
