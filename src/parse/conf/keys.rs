//! The keys that releases know.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::model::era;
use crate::model::knowledge::{ConfigKey, KeyKind, Knowledge};
use crate::model::limits::MAX_CONF_KEY_CHARACTERS;
use crate::model::release::Version;
use crate::parse::nearest::nearest;

/// A look-up of keys by name.
pub struct Keys<'k> {
    known: HashMap<&'k str, &'k ConfigKey>,
    /// What a name was found to stand for: every release asks for the same ones.
    meant: RefCell<HashMap<String, Option<String>>>,
}

impl<'k> Keys<'k> {
    /// The keys of the knowledge.
    pub fn new(knowledge: &'k Knowledge) -> Self {
        let known = knowledge.config_keys.iter().map(|key| (key.name.as_str(), key)).collect();
        Self { known, meant: RefCell::default() }
    }

    /// A key that any release knows.
    pub fn get(&self, name: &str) -> Option<&'k ConfigKey> {
        self.known.get(name).copied()
    }

    /// A key that `version` reads.
    pub fn read_by(&self, version: Version, name: &str) -> Option<&'k ConfigKey> {
        self.get(name).filter(|key| key.parsed.as_ref().is_some_and(|releases| releases.contains(version)))
    }

    /// Whether the key belongs into a file of `version`: it is read, or stands in the stock file.
    pub fn belongs_to(&self, version: Version, name: &str) -> bool {
        self.get(name).is_some_and(|key| {
            let holds = |releases: &crate::model::release::Releases| releases.contains(version);
            key.parsed.as_ref().is_some_and(holds) || key.stock.as_ref().is_some_and(holds)
        })
    }

    /// Whether the value must not be shown. A name that no release knows may be a misspelt password.
    pub fn is_secret(&self, name: &str) -> bool {
        let telling = name.contains("pass") || name.contains("auth") || name == "user";
        telling || self.get(name).is_none_or(|key| key.secret)
    }

    /// The known name that `name` most likely stands for.
    pub fn nearest(&self, name: &str) -> Option<&'k str> {
        if name.len() > MAX_CONF_KEY_CHARACTERS {
            return None;
        }
        let meant =
            self.meant.borrow().get(name).cloned().unwrap_or_else(|| self.look_for(name).map(str::to_owned));
        let known = self.known.get_key_value(meant.as_deref().unwrap_or_default()).map(|(known, _)| *known);
        self.meant.borrow_mut().insert(name.to_owned(), meant);
        known
    }

    fn look_for(&self, name: &str) -> Option<&'k str> {
        let plain = |text: &str| text.to_lowercase().replace('_', "-");
        let wanted = plain(name);
        // A short name is near to every other short name; a third of its letters may be wrong.
        let most = (wanted.chars().count() / 3).min(3);
        let known = self.known.iter().filter(|(_, key)| !key.stock_only).map(|(known, _)| *known);
        let known = known.filter(|known| known.len().abs_diff(name.len()) <= 3);
        nearest(&wanted, known.map(|known| (plain(known), known)), most)
    }
}

/// The number that a release makes of a value. `atoi` keeps the lowest 32 bits of what it reads (measured on 3.5.5:
/// 2147483648 is -2147483648, 99999999999 is 1215752191); a size has 64.
pub fn read_number(kind: KeyKind, value: &str) -> i64 {
    let read = number(value);
    #[expect(clippy::cast_possible_truncation, reason = "this is what the server does")]
    let kept = i64::from(read as i32);
    if kind == KeyKind::Integer { kept } else { read }
}

/// Whether a release reads the key in this instance-mode; anything but `classic` and nothing is sharding.
pub fn read_in_mode(key: &ConfigKey, version: Version, instance_mode: &str) -> bool {
    let is_classic = instance_mode.is_empty() || instance_mode.eq_ignore_ascii_case("classic");
    let mode = if is_classic { "classic" } else { "sharding" };
    !version.is_of(&era::SHARDING) || key.instance_mode.as_ref().is_none_or(|only| only == mode)
}

/// The first word of a text, with a mark where something follows.
pub fn first_word(text: &str) -> String {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let mut word: String = text[..end.unwrap_or(text.len())].chars().take(MAX_CONF_KEY_CHARACTERS).collect();
    if word.len() < text.len() {
        word.push('…');
    }
    word
}

/// Whether the value is a command and its new name, which is as good as a password.
pub fn renames(name: &str) -> bool {
    name == "rename-command"
}

/// What `atoi` reads from the beginning of a text.
pub fn number(text: &str) -> i64 {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    match digits[..end].parse::<i64>() {
        Ok(number) => sign * number,
        // No digits, or more than fit.
        Err(_) if end == 0 => 0,
        Err(_) => sign * i64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::built_in;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, expected) in
            [("9221", 9221), (" \t12", 12), ("86400*7;", 86400), ("", 0), ("abc", 0), ("-1", -1), ("+7x", 7)]
        {
            assert_eq!(number(text), expected, "{text:?}");
        }
        assert_eq!(number("99999999999999999999"), i64::MAX);
        assert_eq!(read_number(KeyKind::Integer, "2147483648"), -2_147_483_648);
        assert_eq!(read_number(KeyKind::Integer, "99999999999"), 1_215_752_191);
        assert_eq!(read_number(KeyKind::Size, "99999999999"), 99_999_999_999);
    }

    #[test]
    fn slips_of_the_finger_are_recognised_and_other_words_are_not() {
        let knowledge = built_in().knowledge;
        let keys = Keys::new(&knowledge);
        assert_eq!(keys.nearest("masterAuth"), Some("masterauth"));
        assert_eq!(keys.nearest("requirepas"), Some("requirepass"));
        assert_eq!(keys.nearest("frobnicate"), None);
        assert_eq!(keys.nearest(&"p".repeat(1000)), None);
    }

    #[test]
    fn of_an_unknown_name_only_the_first_word_is_shown() {
        assert_eq!(first_word("requirepass hunter2"), "requirepass…");
        assert_eq!(first_word("requirepass=hunter2"), "requirepass…");
        assert_eq!(first_word(" plain-key_1.x"), "plain-key_1.x");
        assert!(first_word(&"x".repeat(5000)).chars().count() <= MAX_CONF_KEY_CHARACTERS + 1);
    }
}
