//! Version numbers of Pika and sets of releases.
//!
//! Pika's release lines overlap in time (3.0.16 was released after 3.1.0), so "newer than" means
//! nothing between two lines. A set of releases is therefore a list of ranges, and each range stays
//! within one line.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What kind of tag a release is. Ordered as they come before the final release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Alpha,
    Beta,
    Candidate,
    Final,
}

/// A version number as Pika tags it: `2.3.6`, `3.5.3-alpha`, `3.2.9-beta`, `3.5.4-rc1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    stage: Stage,
    stage_number: u32,
}

/// What a line of releases is called, and which numbers it has. `checks/knowledge/lines.yaml` defines them.
#[derive(Debug)]
struct LineRule {
    name: &'static str,
    /// The first two numbers of its first and last releases.
    first: (u32, u32),
    last: (u32, u32),
}

const LINES: &[LineRule] = include!(concat!(env!("OUT_DIR"), "/lines.rs"));

/// A line of releases that were made one after the other, by its place in the list of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line(usize);

impl Line {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..LINES.len()).map(Self)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        LINES[self.0].name
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::all()
            .find(|line| line.name() == name)
            .ok_or_else(|| D::Error::custom(format!("there is no line of releases `{name}`")))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Line {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Line".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A line of releases that were made one after the other: 2.x, 3.0, 3.1-3.4, ….",
        })
    }
}

impl Version {
    /// A final release.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch, stage: Stage::Final, stage_number: 0 }
    }

    /// The line this number belongs to, if it is a number that a line of Pika can have.
    pub fn line(&self) -> Option<Line> {
        let number = (self.major, self.minor);
        Line::all().find(|line| (LINES[line.0].first..=LINES[line.0].last).contains(&number))
    }

    /// The alpha with this number before the final release; 0 for one without a number.
    #[must_use]
    pub const fn alpha(self, number: u32) -> Self {
        Self { stage: Stage::Alpha, stage_number: number, ..self }
    }

    /// The beta with this number before the final release; 0 for one without a number.
    #[must_use]
    pub const fn beta(self, number: u32) -> Self {
        Self { stage: Stage::Beta, stage_number: number, ..self }
    }

    /// The release candidate with this number.
    #[must_use]
    pub const fn candidate(self, number: u32) -> Self {
        Self { stage: Stage::Candidate, stage_number: number, ..self }
    }

    /// Whether it is one of the releases of an era.
    pub fn is_of(self, era: &Era) -> bool {
        era.ranges.iter().any(|(first, last)| within(self, *first, *last))
    }

    /// Whether this is a final release, not an alpha, beta or release candidate.
    pub fn is_final(&self) -> bool {
        self.stage == Stage::Final
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        let word = match self.stage {
            Stage::Final => return Ok(()),
            Stage::Alpha => "alpha",
            Stage::Beta => "beta",
            Stage::Candidate => "rc",
        };
        write!(f, "-{word}")?;
        if self.stage_number > 0 {
            write!(f, "{}", self.stage_number)?;
        }
        Ok(())
    }
}

/// Why a text is not a version number or a set of releases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Not three numbers with an optional `-alpha`, `-beta` or `-rc`.
    #[error("`{0}` is not a version number of Pika such as 2.3.6 or 3.5.3-alpha")]
    NotAVersion(String),
    /// The ends of a range are in different lines, or the number is in no line at all.
    #[error("`{0}` leaves its release line; write one range for each of {lines}", lines = line_names())]
    LeavesLine(String),
    /// The range ends before it begins.
    #[error("`{0}` ends before it begins")]
    Backwards(String),
    /// No range at all.
    #[error("the set of releases is empty")]
    Empty,
}

/// The names of all lines of releases.
fn line_names() -> String {
    Line::all().map(Line::name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Version {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (version, rest) = split_version(text).ok_or_else(|| ReleaseError::NotAVersion(text.into()))?;
        if rest.is_empty() { Ok(version) } else { Err(ReleaseError::NotAVersion(text.into())) }
    }
}

/// Reads a version number from the beginning of `text`; returns it and what follows.
fn split_version(text: &str) -> Option<(Version, &str)> {
    fn number(text: &str) -> Option<(u32, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        Some((text[..end].parse().ok()?, &text[end..]))
    }
    let (major, rest) = number(text)?;
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    let (patch, rest) = number(rest.strip_prefix('.')?)?;
    let mut version = Version::new(major, minor, patch);
    for (word, stage) in [("-alpha", Stage::Alpha), ("-beta", Stage::Beta), ("-rc", Stage::Candidate)] {
        if let Some(rest) = rest.strip_prefix(word) {
            version.stage = stage;
            let (stage_number, rest) = number(rest).unwrap_or((0, rest));
            version.stage_number = stage_number;
            return Some((version, rest));
        }
    }
    Some((version, rest))
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^\d+\.\d+\.\d+(-(alpha|beta|rc)\d*)?$",
            "description": "A version number of Pika."
        })
    }
}

/// A range of releases within one line, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    first: Version,
    /// Absent: to the end of the line, including releases that are not known yet (`3.5.3+`).
    last: Option<Version>,
}

/// A set of releases, written `2.3.3-2.3.8, 3.0.0-3.0.5, 3.5.3+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Releases(Vec<Range>);

impl Releases {
    /// Whether `version` is one of them. An alpha or release candidate lies before its final release.
    pub fn contains(&self, version: Version) -> bool {
        self.0.iter().any(|range| within(version, range.first, range.last))
    }

    /// Whether `version` is one of them because a range begins or ends with it or beyond it, and not only because a range
    /// has no end.
    pub fn names(&self, version: Version) -> bool {
        self.0.iter().any(|range| {
            let named = range.first == version || range.last.is_some_and(|last| version <= last);
            named && within(version, range.first, range.last)
        })
    }

    /// The first release of each range, and the last one where the range has one.
    pub fn ends(&self) -> impl Iterator<Item = Version> {
        self.0.iter().flat_map(|range| [Some(range.first), range.last]).flatten()
    }

    /// Whether it is written with these ranges.
    pub fn has_ranges(&self, ranges: &[(Version, Option<Version>)]) -> bool {
        self.0.iter().map(|range| (range.first, range.last)).eq(ranges.iter().copied())
    }
}

/// Whether a release lies in a range, of which both ends are in one line.
fn within(version: Version, first: Version, last: Option<Version>) -> bool {
    version >= first
        && match last {
            Some(last) => version <= last,
            None => version.line() == first.line(),
        }
}

/// A set of releases that share a trait, as a constant. `checks/knowledge/eras.yaml` defines them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    /// Its name.
    pub name: &'static str,
    /// Its ranges, each within one line: the first release, and the last one where the range has one.
    pub ranges: &'static [(Version, Option<Version>)],
}

impl Releases {
    /// The set that holds `chosen` and none of the others of `known`, in as few ranges as that needs; none
    /// when nothing is chosen. `known` is ordered and holds everything that is chosen.
    pub fn of(chosen: &[Version], known: &[Version]) -> Option<Self> {
        let mut ranges: Vec<Range> = Vec::new();
        let mut goes_on = false;
        for version in known {
            if !chosen.contains(version) {
                goes_on = false;
                continue;
            }
            match ranges.last_mut() {
                Some(range) if goes_on && range.first.line() == version.line() => range.last = Some(*version),
                _ => ranges.push(Range { first: *version, last: Some(*version) }),
            }
            goes_on = true;
        }
        if ranges.is_empty() { None } else { Some(Self(ranges)) }
    }
}

impl FromStr for Releases {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut ranges = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (first, rest) = split_version(part).ok_or_else(|| ReleaseError::NotAVersion(part.into()))?;
            let last = match rest {
                "" => Some(first),
                "+" => None,
                _ => {
                    let last =
                        rest.strip_prefix('-').ok_or_else(|| ReleaseError::NotAVersion(part.into()))?;
                    Some(last.parse()?)
                }
            };
            let ends_in = last.unwrap_or(first).line();
            // One release alone may be one that is in no line: of those nothing is known, but they exist.
            let alone = last == Some(first);
            if !alone && (first.line().is_none() || first.line() != ends_in) {
                return Err(ReleaseError::LeavesLine(part.into()));
            }
            if last.is_some_and(|last| last < first) {
                return Err(ReleaseError::Backwards(part.into()));
            }
            ranges.push(Range { first, last });
        }
        if ranges.is_empty() { Err(ReleaseError::Empty) } else { Ok(Self(ranges)) }
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match range.last {
                Some(last) if last == range.first => write!(f, "{last}")?,
                Some(last) => write!(f, "{}-{last}", range.first)?,
                None => write!(f, "{}+", range.first)?,
            }
        }
        Ok(())
    }
}

impl Serialize for Releases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Releases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Releases {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Releases".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Ranges within release lines: `2.3.3-2.3.8, 3.0.0-3.0.5, 3.5.3+`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_print_as_they_are_read() {
        for text in ["2.3.6", "3.0.16", "3.5.3-alpha", "3.2.9-beta", "3.5.4-rc1"] {
            assert_eq!(version(text).to_string(), text);
        }
        for text in ["", "2.3", "2.3.x", "v2.3.6", "2.3.6 ", "3.5.3-gamma", "99999999999.0.0"] {
            assert!(text.parse::<Version>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn a_later_release_of_an_older_line_is_not_in_the_newer_line() {
        // 3.0.16 was released half a year after 3.1.0, and is still not "3.1.0 or later".
        let since_3_1: Releases = "3.1.0-3.4.1".parse().unwrap();
        assert!(!since_3_1.contains(version("3.0.16")));
        assert!(since_3_1.contains(version("3.2.9")));
        assert!(!since_3_1.contains(version("3.5.0")));
    }

    #[test]
    fn alphas_lie_before_their_final_release() {
        let fixed: Releases = "3.5.3+".parse().unwrap();
        assert!(!fixed.contains(version("3.5.3-alpha")));
        assert!(fixed.contains(version("3.5.9")));
        assert!(!fixed.contains(version("4.0.1")));
        let range: Releases = "3.5.3-alpha-3.5.4-rc1".parse().unwrap();
        assert!(range.contains(version("3.5.3")));
        assert!(!range.contains(version("3.5.4")));
        assert_eq!(range.to_string(), "3.5.3-alpha-3.5.4-rc1");
    }

    #[test]
    fn chosen_releases_become_ranges_of_their_lines() {
        let known = ["2.3.7", "2.3.8", "3.0.0", "3.0.1", "3.0.2", "3.1.0"].map(version);
        let text = |chosen: &[&str]| {
            let chosen: Vec<Version> = chosen.iter().map(|text| version(text)).collect();
            Releases::of(&chosen, &known).map(|releases| releases.to_string())
        };
        assert_eq!(text(&["2.3.8", "3.0.0", "3.0.1"]).as_deref(), Some("2.3.8, 3.0.0-3.0.1"));
        assert_eq!(text(&["3.0.0", "3.0.2", "3.1.0"]).as_deref(), Some("3.0.0, 3.0.2, 3.1.0"));
        assert_eq!(text(&[]), None);
    }

    #[test]
    fn ranges_stay_within_a_line() {
        for text in ["2.3.0-3.0.5", "3.0.0-3.2.0", "5.0.0+", "3.9.0-3.9.1"] {
            assert!(matches!(text.parse::<Releases>(), Err(ReleaseError::LeavesLine(_))), "{text}");
        }
        assert_eq!("5.0.0".parse::<Releases>().unwrap().to_string(), "5.0.0", "one alone is in no range");
        assert!(matches!("3.0.5-3.0.1".parse::<Releases>(), Err(ReleaseError::Backwards(_))));
        assert!(matches!(" , ".parse::<Releases>(), Err(ReleaseError::Empty)));
    }
}
