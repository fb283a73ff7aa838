//! Classifies what went wrong, from the exit code and the words of ssh and of the shell on the other side.

use super::command::OTHER_ARCHITECTURE;
use super::decode::DecodeError;
use super::output::CommandOutput;
use crate::model::host::{SshErrorKind, SshFailure};
use crate::model::limits::MAX_SSH_ERROR_CHARACTERS;

/// The exit code of ssh for an error of its own.
const OF_SSH: i32 = 255;
/// The exit code of a shell for a command that is there and cannot be run.
const CANNOT_RUN: i32 = 126;
/// The exit code of a shell for a command that is not there.
const NOT_FOUND: i32 = 127;

/// What OpenSSH says, in the order in which it is looked for: a changed key is unknown, too.
const WORDS_OF_SSH: [(&str, SshErrorKind); 11] = [
    ("remote host identification has changed", SshErrorKind::HostKeyChanged),
    ("host key verification failed", SshErrorKind::HostKeyUnknown),
    ("host key is known for", SshErrorKind::HostKeyUnknown),
    ("permission denied", SshErrorKind::PermissionDenied),
    ("too many authentication failures", SshErrorKind::PermissionDenied),
    ("could not resolve hostname", SshErrorKind::Unresolved),
    ("connection refused", SshErrorKind::Refused),
    ("timed out", SshErrorKind::TimedOut),
    ("no route to host", SshErrorKind::TimedOut),
    ("network is unreachable", SshErrorKind::TimedOut),
    ("connection timeout", SshErrorKind::TimedOut),
];

/// The failure that `output` is, from which `error` was all that could be decoded.
pub fn classify(output: &CommandOutput, error: DecodeError) -> SshFailure {
    let complaint = output.error.to_lowercase();
    let words = || shorten(&output.error).or_else(|| shorten(&String::from_utf8_lossy(&output.output)));
    let failure = |kind, detail| SshFailure { kind, detail };
    match error {
        DecodeError::TooLarge => return failure(SshErrorKind::TooMuch, None),
        DecodeError::OtherVersion(version) => return failure(SshErrorKind::OtherVersion, Some(version)),
        DecodeError::Malformed(why) => return failure(SshErrorKind::Babble, Some(why)),
        DecodeError::NoAnswer => {}
    }
    let kind = match output.code {
        Some(OF_SSH) => WORDS_OF_SSH
            .iter()
            .find(|(words, _)| complaint.contains(words))
            .map_or(SshErrorKind::Failed, |(_, kind)| *kind),
        Some(OTHER_ARCHITECTURE) => SshErrorKind::OtherArchitecture,
        // dash takes a program that it cannot run for a script, and stumbles over its first bytes.
        _ if complaint.contains("elf") && complaint.contains("pikadoctor: ") => {
            SshErrorKind::OtherArchitecture
        }
        Some(CANNOT_RUN) if complaint.contains("permission denied") => SshErrorKind::NotExecutable,
        Some(CANNOT_RUN) => SshErrorKind::OtherArchitecture,
        // Some shells give the code of a syntax error to a program of another architecture.
        _ if complaint.contains("exec format error") || complaint.contains("cannot execute binary file") => {
            SshErrorKind::OtherArchitecture
        }
        Some(NOT_FOUND) => SshErrorKind::NoBinary,
        // An older version does not know the question.
        _ if complaint.contains("unrecognized subcommand") => SshErrorKind::OtherVersion,
        Some(0) => SshErrorKind::Babble,
        _ => SshErrorKind::Failed,
    };
    failure(kind, words())
}

/// The last lines of somebody else's words, which say most.
fn shorten(text: &str) -> Option<String> {
    let text = text.trim();
    let start = text.char_indices().rev().nth(MAX_SSH_ERROR_CHARACTERS).map_or(0, |(at, _)| at);
    (!text.is_empty()).then(|| text[start..].trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_known_by_its_words() {
        let kind = |code, complaint: &str, output: &str| {
            let output = CommandOutput { output: output.into(), error: complaint.into(), code: Some(code) };
            classify(&output, DecodeError::NoAnswer).kind
        };
        for (code, complaint, expected) in [
            (255, "ssh: Could not resolve hostname x: Name or service not known", SshErrorKind::Unresolved),
            (255, "ssh: connect to host x port 22: Connection refused", SshErrorKind::Refused),
            (255, "ssh: connect to host x port 22: Connection timed out", SshErrorKind::TimedOut),
            (255, "Host key verification failed.", SshErrorKind::HostKeyUnknown),
            (
                255,
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                SshErrorKind::HostKeyChanged,
            ),
            (255, "root@x: Permission denied (publickey).", SshErrorKind::PermissionDenied),
            (255, "kex_exchange_identification: read: Connection reset by peer", SshErrorKind::Failed),
            (127, "sh: 1: exec: pikadoctor: not found", SshErrorKind::NoBinary),
            (126, "sh: 1: exec: pikadoctor: Exec format error", SshErrorKind::OtherArchitecture),
            (
                2,
                "/tmp/x/pikadoctor: cannot execute binary file: Exec format error",
                SshErrorKind::OtherArchitecture,
            ),
            (126, "sh: 1: /tmp/x/pikadoctor: Permission denied", SshErrorKind::NotExecutable),
            (3, "error: unrecognized subcommand 'answer-host'", SshErrorKind::OtherVersion),
            (0, "", SshErrorKind::Babble),
        ] {
            assert_eq!(kind(code, complaint, "hello\n"), expected, "{complaint}");
        }
    }

    #[test]
    fn the_words_of_others_are_shortened() {
        let long = "\u{e9}".repeat(1000);
        assert!(shorten(&long).unwrap().chars().count() <= MAX_SSH_ERROR_CHARACTERS + 1);
        assert_eq!(shorten(" \n"), None);
    }
}
