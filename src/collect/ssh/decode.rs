//! Reads the answer of the other side, which is believed in nothing but its form.

use std::collections::BTreeMap;

use super::output::CommandOutput;
use super::wire::{Answer, AnswerHead, MARK, SCHEMA, TOOL};
use crate::model::conf::ConfFile;
use crate::model::host::{Clock, Host};
use crate::parse::document::json::{Json, JsonError};

/// When a question was sent and its answer arrived, by our clock, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// When ssh was started.
    pub sent: f64,
    /// When all of the answer was there.
    pub arrived: f64,
}

/// Why what came back is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// More came than an answer can have.
    TooLarge,
    /// No line of an answer is there.
    NoAnswer,
    /// It was made by another version, which it names.
    OtherVersion(String),
    /// It begins as an answer, and is none.
    Malformed(String),
}

/// What is known of a host by an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteHost {
    /// The host.
    pub host: Host,
    /// The configuration files of its servers, by the name of the server.
    pub conf_files: BTreeMap<String, ConfFile>,
}

/// The host that an answer is about.
pub fn decode(output: &CommandOutput, call: Call) -> Result<RemoteHost, DecodeError> {
    if output.is_too_large() {
        return Err(DecodeError::TooLarge);
    }
    let text = String::from_utf8_lossy(&output.output);
    // The first one: what a shell prints afterwards cannot take its place.
    let line = text.lines().find_map(|line| line.strip_prefix(MARK)).ok_or(DecodeError::NoAnswer)?;
    let malformed = |error: JsonError| DecodeError::Malformed(error.to_string());
    let document = Json::parse(line.as_bytes()).map_err(malformed)?;
    let head: AnswerHead = document.decode().map_err(malformed)?;
    if head.schema != SCHEMA || head.tool_version != TOOL {
        let version: String = head.tool_version.chars().take(40).collect();
        return Err(DecodeError::OtherVersion(version));
    }
    let answer: Answer = document.decode().map_err(malformed)?;
    let mut host = answer.host;
    host.clock = Some(compare(&call, answer.began, answer.ended));
    Ok(RemoteHost { host, conf_files: answer.conf_files })
}

/// What the times there say about the clock. It began there after the question was sent, and ended before the
/// answer arrived; nothing is assumed about how long the ways took.
fn compare(call: &Call, began: f64, ended: f64) -> Clock {
    let (at_least, at_most) = (ended - call.arrived, began - call.sent);
    let differs = if at_least > 0.0 {
        at_least
    } else if at_most < 0.0 {
        at_most
    } else {
        0.0
    };
    Clock { ahead_at_least: at_least, ahead_at_most: at_most, differs }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(version: &str) -> String {
        let answer = Answer {
            schema: SCHEMA.into(),
            tool_version: version.into(),
            began: 100.0,
            ended: 101.0,
            host: Host { name: "x".into(), ..Host::default() },
            conf_files: BTreeMap::new(),
        };
        format!("{MARK}{}\n", serde_json::to_string(&answer).unwrap())
    }

    #[test]
    fn an_answer_is_found_behind_a_greeting_and_anything_else_is_refused() {
        let call = Call { sent: 99.0, arrived: 102.0 };
        let decode = |text: &str| {
            let output = CommandOutput { output: text.into(), error: String::new(), code: Some(0) };
            decode(&output, call)
        };
        let greeted = format!("Welcome to db1!\n\n{}", answer(TOOL));
        let host = decode(&greeted).unwrap().host;
        assert_eq!(host.name, "x");
        assert!(host.clock.unwrap().differs.abs() < 0.001);
        assert_eq!(decode("Welcome to db1!\n"), Err(DecodeError::NoAnswer));
        assert_eq!(decode(&answer("9.9.9")), Err(DecodeError::OtherVersion("9.9.9".into())));
        let cut = &answer(TOOL)[..80];
        assert!(matches!(decode(cut), Err(DecodeError::Malformed(_))));
        let extra = answer(TOOL).replacen("{\"schema\"", "{\"more\":1,\"schema\"", 1);
        assert!(matches!(decode(&extra), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn only_what_the_way_cannot_explain_is_a_difference_of_clocks() {
        let differs = |began, ended, by: f64| {
            let clock = compare(&Call { sent: 100.0, arrived: 104.0 }, began, ended);
            assert!((clock.differs - by).abs() < 0.001, "{clock:?}");
        };
        differs(101.0, 102.0, 0.0);
        // Ahead by 57 to 60 seconds, and behind by 60 to 63.
        differs(160.0, 161.0, 57.0);
        differs(40.0, 41.0, -60.0);
    }
}
