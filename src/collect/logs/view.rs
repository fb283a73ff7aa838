//! Reads the logs of one server, or of both ends of a link, and counts what is recent.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::recognise::Recogniser;
use super::source::{Gathered, gather, shown};
use crate::model::knowledge::Knowledge;
use crate::model::logs::{LogSide, LogView};

/// A log to read.
#[derive(Clone, Debug)]
pub struct LogRequest {
    /// A directory or a file.
    pub path: PathBuf,
    /// Which end it belongs to.
    pub side: LogSide,
}

/// What counts as recent.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How long it is.
    pub length: Duration,
    /// Whether it ends now; otherwise with the newest line, which may be from long ago.
    pub until_now: bool,
}

/// Reads logs that are judged together.
pub fn read(name: &str, requests: &[LogRequest], window: Window, knowledge: &Knowledge) -> LogView {
    let recogniser = Recogniser::new(&knowledge.messages);
    let mut gathered: Vec<Gathered> =
        requests.iter().map(|request| gather(&request.path, request.side, &recogniser)).collect();
    let now = jiff::Zoned::now().datetime();
    let newest = gathered.iter().filter_map(|gathered| gathered.newest).max();
    let until = if window.until_now { now } else { newest.unwrap_or(now) };
    let since = since(until, window.length);
    for Gathered { source, times, .. } in &mut gathered {
        for (message, times) in source.messages.iter_mut().zip(times.iter()) {
            message.recent = times.iter().filter(|time| **time >= since).count() as u64;
        }
    }
    LogView {
        name: name.to_owned(),
        window_seconds: window.length.as_secs(),
        until: shown(until),
        sources: gathered.into_iter().map(|gathered| gathered.source).collect(),
        ..LogView::default()
    }
}

fn since(until: DateTime, length: Duration) -> DateTime {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    until.checked_sub(length).unwrap_or(DateTime::MIN)
}
