//! Logs in words: what was read of them.

use crate::i18n::texts;
use crate::model::logs::{LogSide, LogSource, LogView};
use crate::model::text::Language;

/// One line about a log that was read: `/data/log  1234 lines to 2026-11-22 18:51:35, looked at: 1d before …`.
pub fn log_lines(view: &LogView, language: Language) -> Vec<String> {
    view.sources.iter().map(|source| source_line(source, view, language)).collect()
}

fn source_line(source: &LogSource, view: &LogView, language: Language) -> String {
    let side = match source.side {
        LogSide::Any => "",
        LogSide::Master => texts::LOG_OF_MASTER.get(language),
        LogSide::Replica => texts::LOG_OF_REPLICA.get(language),
    };
    let name = &source.name;
    if source.problem.is_some() {
        return format!("{name}{side}  {}", texts::LOG_NOT_READ.get(language));
    }
    let until = view.until.split('.').next().unwrap_or_default();
    let (hours, minutes) = (view.window_seconds / 3600, view.window_seconds % 3600 / 60);
    let window = match (hours, minutes) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h {minutes}m"),
    };
    let left_out = source.bytes_unread.div_ceil(1024 * 1024);
    let rest = if left_out == 0 { String::new() } else { texts::log_left_out(language, left_out) };
    texts::log_lines(language, format!("{name}{side}"), source.lines, rest, window, until)
}
