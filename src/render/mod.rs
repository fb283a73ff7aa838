//! Turns a report into a text. One file per format; each returns a string and prints nothing.

pub mod armour;
pub mod catalogue;
mod causes;
mod codis_line;
pub mod difference;
mod github;
pub mod host_line;
mod human;
pub mod json;
mod junit;
mod log_words;
mod markdown;
pub mod nagios;
pub mod options;
mod prometheus;
pub mod remedy;
mod sarif;
mod short;
mod tap;
pub mod words;
mod wrap;

use self::armour::armoured;
use self::options::{Format, RenderOptions};
use crate::model::finding::Report;

/// The report in a format, with a line feed at its end.
pub fn render(report: &Report, format: Format, look: RenderOptions) -> String {
    let document = match format {
        Format::Human => human::render(report, look),
        Format::Json => json::render(report),
        Format::Short => short::render(report, look),
        Format::Nagios => nagios::render(report, look.verbose()),
        Format::Junit => junit::render(report, look),
        Format::Sarif => sarif::render(report),
        Format::Github => github::render(report, look),
        Format::Prometheus => prometheus::render(report),
        Format::Tap => tap::render(report, look),
        Format::Markdown => markdown::render(report, look),
    };
    armoured(document, format, look.color)
}
