//! Says what went wrong, from the exit code and the words of ssh and of the shell on the other side.

use super::answer::Problem;
use super::command::Said;
use crate::model::host::{SshFailure, SshTrouble};

/// The exit code of ssh for troubles of its own.
const OF_SSH: i32 = 255;
/// The exit code of a shell for a command that is there and cannot be run.
const CANNOT_RUN: i32 = 126;
/// The exit code of a shell for a command that is not there.
const NOT_FOUND: i32 = 127;

/// The most of somebody else's words that is kept.
const MOST_WORDS: usize = 300;

/// What OpenSSH says, in the order in which it is looked for: a changed key is unknown, too.
const WORDS_OF_SSH: [(&str, SshTrouble); 11] = [
    ("remote host identification has changed", SshTrouble::HostKeyChanged),
    ("host key verification failed", SshTrouble::HostKeyUnknown),
    ("host key is known for", SshTrouble::HostKeyUnknown),
    ("permission denied", SshTrouble::PermissionDenied),
    ("too many authentication failures", SshTrouble::PermissionDenied),
    ("could not resolve hostname", SshTrouble::Unresolved),
    ("connection refused", SshTrouble::Refused),
    ("timed out", SshTrouble::TimedOut),
    ("no route to host", SshTrouble::TimedOut),
    ("network is unreachable", SshTrouble::TimedOut),
    ("connection timeout", SshTrouble::TimedOut),
];

/// The failure that `said` and `problem` come to.
pub fn tell(said: &Said, problem: Problem) -> SshFailure {
    let complaint = said.complaint.to_lowercase();
    let words = || shorten(&said.complaint).or_else(|| shorten(&String::from_utf8_lossy(&said.output)));
    let failure = |kind, detail| SshFailure { kind, detail };
    match problem {
        Problem::TooMuch => return failure(SshTrouble::TooMuch, None),
        Problem::OtherVersion(version) => return failure(SshTrouble::OtherVersion, Some(version)),
        Problem::Malformed(why) => return failure(SshTrouble::Babble, Some(why)),
        Problem::NoAnswer => {}
    }
    let kind = match said.code {
        Some(OF_SSH) => WORDS_OF_SSH
            .iter()
            .find(|(words, _)| complaint.contains(words))
            .map_or(SshTrouble::Failed, |(_, kind)| *kind),
        Some(CANNOT_RUN) if complaint.contains("permission denied") => SshTrouble::NotExecutable,
        Some(CANNOT_RUN) => SshTrouble::OtherArchitecture,
        // Some shells give the code of a syntax error to a program of another architecture.
        _ if complaint.contains("exec format error") || complaint.contains("cannot execute binary file") => {
            SshTrouble::OtherArchitecture
        }
        Some(NOT_FOUND) => SshTrouble::NoBinary,
        // An older version does not know the question.
        _ if complaint.contains("unrecognized subcommand") => SshTrouble::OtherVersion,
        Some(0) => SshTrouble::Babble,
        _ => SshTrouble::Failed,
    };
    failure(kind, words())
}

/// The last lines of somebody else's words, which say most.
fn shorten(text: &str) -> Option<String> {
    let text = text.trim();
    let start = text.char_indices().rev().nth(MOST_WORDS).map_or(0, |(at, _)| at);
    (!text.is_empty()).then(|| text[start..].trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_is_told_by_its_words() {
        let kind = |code, complaint: &str, output: &str| {
            let said =
                Said { output: output.as_bytes().to_vec(), complaint: complaint.into(), code: Some(code) };
            tell(&said, Problem::NoAnswer).kind
        };
        for (code, complaint, expected) in [
            (255, "ssh: Could not resolve hostname x: Name or service not known", SshTrouble::Unresolved),
            (255, "ssh: connect to host x port 22: Connection refused", SshTrouble::Refused),
            (255, "ssh: connect to host x port 22: Connection timed out", SshTrouble::TimedOut),
            (255, "Host key verification failed.", SshTrouble::HostKeyUnknown),
            (
                255,
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                SshTrouble::HostKeyChanged,
            ),
            (255, "root@x: Permission denied (publickey).", SshTrouble::PermissionDenied),
            (255, "kex_exchange_identification: read: Connection reset by peer", SshTrouble::Failed),
            (127, "sh: 1: exec: pikadoctor: not found", SshTrouble::NoBinary),
            (126, "sh: 1: exec: pikadoctor: Exec format error", SshTrouble::OtherArchitecture),
            (
                2,
                "/tmp/x/pikadoctor: cannot execute binary file: Exec format error",
                SshTrouble::OtherArchitecture,
            ),
            (126, "sh: 1: /tmp/x/pikadoctor: Permission denied", SshTrouble::NotExecutable),
            (3, "error: unrecognized subcommand 'answer-host'", SshTrouble::OtherVersion),
            (0, "", SshTrouble::Babble),
        ] {
            assert_eq!(kind(code, complaint, "hello\n"), expected, "{complaint}");
        }
    }

    #[test]
    fn the_words_of_others_are_shortened() {
        let long = "\u{e9}".repeat(1000);
        assert!(shorten(&long).unwrap().chars().count() <= MOST_WORDS + 1);
        assert_eq!(shorten(" \n"), None);
    }
}
