//! Splits a line of pika.conf as the parsers of the releases do.
//!
//! There were three: `slash/src/base_conf.cc` of the submodule up to 2.3.8 and up to 3.4.1, and
//! `src/pstd/src/base_conf.cc` from 3.5.0-alpha (same rules) and from 3.5.3-alpha on.

use crate::model::era;
use crate::model::release::Version;

/// The rules of one parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfSyntax {
    /// Up to 2.3.8: a `#` anywhere makes the whole line a comment; blanks are dropped wherever they stand.
    HashAnywhere,
    /// 3.0.0 to 3.5.2: a `#` counts in the first column only; blanks are dropped wherever they stand.
    HashFirst,
    /// From 3.5.3-alpha on: as before, but blanks behind the first character of the value belong to it.
    BlanksKept,
}

impl ConfSyntax {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HashAnywhere, Self::HashFirst, Self::BlanksKept];

    /// The parser of a release.
    pub fn of(version: Version) -> Self {
        if version.is_of(&era::CONF_HASH_ANYWHERE) {
            Self::HashAnywhere
        } else if version.is_of(&era::CONF_BLANKS_DROPPED) {
            Self::HashFirst
        } else {
            Self::BlanksKept
        }
    }

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        match self {
            Self::HashAnywhere => 0,
            Self::HashFirst => 1,
            Self::BlanksKept => 2,
        }
    }

    /// The name and the value of a line; none when the parser takes it for a comment, as it does every
    /// line without a colon.
    pub fn split(self, line: &str) -> Option<(String, String)> {
        if line.starts_with('#') || (self == Self::HashAnywhere && line.contains('#')) {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        let without =
            |text: &str, dropped: &[char]| text.chars().filter(|c| !dropped.contains(c)).collect::<String>();
        let name = without(name, &[' ', '\r', '\n']);
        let value = match self {
            Self::HashAnywhere | Self::HashFirst => without(value, &[' ', '\r', '\n']),
            Self::BlanksKept => without(value, &['\r', '\n']).trim_start_matches(' ').to_owned(),
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> [Option<(String, String)>; 3] {
        ConfSyntax::ALL.map(|dialect| dialect.split(line))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what `split` returns")]
    fn pair(name: &str, value: &str) -> Option<(String, String)> {
        Some((name.to_owned(), value.to_owned()))
    }

    #[test]
    fn each_parser_splits_a_line_in_its_way() {
        let same = |name, value| [pair(name, value), pair(name, value), pair(name, value)];
        assert_eq!(split("port : 9221"), same("port", "9221"));
        assert_eq!(split("slaveof : 10.0.0.1:9221\r"), same("slaveof", "10.0.0.1:9221"));
        assert_eq!(split("requirepass :"), same("requirepass", ""));
        assert_eq!(split("slave of:x"), same("slaveof", "x"));
        assert_eq!(split("port\t:\t9221"), same("port\t", "\t9221"));
        assert_eq!(split("# port : 9221"), [None, None, None]);
        assert_eq!(split("port 9221"), [None, None, None]);
        assert_eq!(split(""), [None, None, None]);
        let hash = pair("requirepass", "a#b");
        assert_eq!(split("requirepass : a#b"), [None, hash.clone(), hash]);
        let junk = pair("#port", "1");
        assert_eq!(split(" #port : 1"), [None, junk.clone(), junk]);
        assert_eq!(
            split("masterauth :  a b "),
            [pair("masterauth", "ab"), pair("masterauth", "ab"), pair("masterauth", "a b ")]
        );
    }

    #[test]
    fn releases_have_their_parser() {
        for (version, dialect) in [
            ("2.0.0", ConfSyntax::HashAnywhere),
            ("2.3.8", ConfSyntax::HashAnywhere),
            ("3.0.0", ConfSyntax::HashFirst),
            ("3.4.1", ConfSyntax::HashFirst),
            ("3.5.2", ConfSyntax::HashFirst),
            ("3.5.2-alpha", ConfSyntax::HashFirst),
            ("3.5.3-alpha", ConfSyntax::BlanksKept),
            ("4.0.1", ConfSyntax::BlanksKept),
        ] {
            assert_eq!(ConfSyntax::of(version.parse().unwrap()), dialect, "{version}");
            assert_eq!(ConfSyntax::ALL[dialect.index()], dialect);
        }
    }
}
