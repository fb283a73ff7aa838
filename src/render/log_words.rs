//! Logs in words: what was read of them.

use crate::model::logs::{LogSide, LogSource, LogView};
use crate::model::text::Language;
use crate::render::i18n::pick;

/// One line about a log that was read: `/data/log  1234 lines to 2026-11-22 18:51:35, looked at: 1d before …`.
pub fn log_lines(view: &LogView, language: Language) -> Vec<String> {
    view.sources.iter().map(|source| source_line(source, view, language)).collect()
}

fn source_line(source: &LogSource, view: &LogView, language: Language) -> String {
    let side = match source.side {
        LogSide::Any => "",
        LogSide::Master => pick(language, "  master", "  主库"),
        LogSide::Replica => pick(language, "  replica", "  从库"),
    };
    let name = &source.name;
    if source.problem.is_some() {
        return format!("{name}{side}  {}", pick(language, "could not be read", "无法读取"));
    }
    let until = view.until.split('.').next().unwrap_or_default();
    let (hours, minutes) = (view.window_seconds / 3600, view.window_seconds % 3600 / 60);
    let window = match (hours, minutes) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h {minutes}m"),
    };
    let left_out = source.bytes_unread.div_ceil(1024 * 1024);
    let left_out = match language {
        _ if left_out == 0 => String::new(),
        Language::En => format!(", {left_out} MiB of older lines not read"),
        Language::Zh => format!("，{left_out} MiB 较早的内容未读"),
    };
    let lines = source.lines;
    match language {
        Language::En => {
            format!("{name}{side}  log, {lines} lines{left_out}; what counts is the {window} to {until}")
        }
        Language::Zh => format!("{name}{side}  日志，{lines} 行{left_out}；计入截至 {until} 的 {window}"),
    }
}
