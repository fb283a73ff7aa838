//! A release as a character: what a fresh server of it said, word for word.

use crate::catalog::era;
use crate::model::release::{Era, ReleaseError, Version};
use crate::parse::document::json::from_json;

use super::error::LabError;
use super::recorded::Recording;

/// The releases that the laboratory can play, each with the recording of a fresh server.
const RECORDINGS: [(&str, &str); 8] = [
    ("v2.3.0", include_str!("data/recordings/v2.3.0/standalone/standalone.json")),
    ("v2.3.3", include_str!("data/recordings/v2.3.3/standalone/standalone.json")),
    ("v2.3.6", include_str!("data/recordings/v2.3.6/standalone/standalone.json")),
    ("v3.0.16", include_str!("data/recordings/v3.0.16/standalone/standalone.json")),
    ("v3.1.0", include_str!("data/recordings/v3.1.0/standalone/standalone.json")),
    ("v3.3.6", include_str!("data/recordings/v3.3.6/standalone/standalone.json")),
    ("v3.5.5", include_str!("data/recordings/v3.5.5/standalone/standalone.json")),
    ("v4.0.1", include_str!("data/recordings/v4.0.1/standalone/standalone.json")),
];

/// The tags of all releases that can be played.
pub fn releases() -> impl Iterator<Item = &'static str> {
    RECORDINGS.iter().map(|(tag, _)| *tag)
}

/// One release.
#[derive(Clone, Debug)]
pub struct Persona {
    /// The release.
    pub version: Version,
    recording: Recording,
}

impl Persona {
    /// The release with the tag `v2.3.6`, for example. The error names those that exist.
    pub fn of(tag: &str) -> Result<Self, LabError> {
        let Some((_, text)) = RECORDINGS.iter().find(|(known, _)| *known == tag) else {
            return Err(LabError::NotRecorded { tag: tag.to_owned(), known: releases().collect() });
        };
        let recording: Recording = from_json(text.as_bytes())
            .map_err(|error| LabError::Recording { tag: tag.to_owned(), source: error.into() })?;
        let version = tag.trim_start_matches('v').parse();
        let version = version.map_err(|error: ReleaseError| LabError::Recording {
            tag: tag.to_owned(),
            source: error.into(),
        })?;
        Ok(Self { version, recording })
    }

    /// Whether the release is of an era.
    pub fn is_of(&self, era: &Era) -> bool {
        self.version.is_of(era)
    }

    /// Whether the replica dials the master and speaks protobuf (3.1 and later).
    pub fn speaks_protobuf(&self) -> bool {
        self.is_of(&era::PROTOBUF)
    }

    /// Whether it has ids of replication and many states (3.5 and later).
    pub fn has_replication_id(&self) -> bool {
        self.is_of(&era::REPLICATION_ID)
    }

    /// The recorded reply to a command.
    pub fn reply(&self, words: &[String]) -> String {
        self.recording.reply(words)
    }

    /// Whether the very command was recorded.
    pub fn has_recorded(&self, command: &str) -> bool {
        self.recording.replies.iter().any(|reply| reply.command.join(" ").eq_ignore_ascii_case(command))
    }

    /// The lines of a section of INFO, its header first. Empty when the release has no such section.
    pub fn section(&self, name: &str) -> Vec<String> {
        let reply = self.reply(&["info".to_owned(), name.to_owned()]);
        if !reply.starts_with('$') {
            return Vec::new();
        }
        reply.split("\r\n").skip(1).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// The stock value of a setting. `None` when the release does not show it.
    pub fn setting(&self, name: &str) -> Option<String> {
        let reply = self.reply(&["config".to_owned(), "get".to_owned(), name.to_owned()]);
        // `*2`, the length and the name, the length and the value. 2.3.0 shows some without a value.
        if !reply.starts_with("*2") {
            return None;
        }
        reply.split("\r\n").nth(4).map(str::to_owned)
    }

    /// What the release answers to a command that it does not have.
    pub fn unknown_command(&self, name: &str) -> String {
        let recorded = self.reply(&["unknowncmd".to_owned(), "x".to_owned()]);
        recorded.replace("unknowncmd", &name.to_ascii_lowercase())
    }

    /// What the release answers to `slaveof` with its own address.
    pub fn refuses_itself(&self) -> &'static str {
        if self.has_replication_id() {
            "-ERR The master ip:port and the slave ip:port are the same\r\n"
        } else {
            // The server's own words.
            "-ERR you fucked up\r\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_says_what_it_is() {
        for tag in releases() {
            let persona = Persona::of(tag).unwrap();
            let line = format!("pika_version:{}", tag.trim_start_matches('v'));
            let server = persona.section("server");
            // 4.0.1 reports 4.0.0.
            assert!(tag == "v4.0.1" || server.contains(&line), "{tag}: {server:?}");
            assert_eq!(persona.setting("requirepass").as_deref(), Some(""), "{tag}");
            assert!(persona.unknown_command("NOSUCH").contains("nosuch"), "{tag}");
        }
    }

    #[test]
    fn another_release_is_refused_with_the_list() {
        let error = Persona::of("v9").unwrap_err();
        assert!(error.to_string().contains("v2.3.0, v2.3.3"), "{error}");
    }
}
