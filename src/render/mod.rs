//! Turns a report into a text. One file per format; each returns a string and prints nothing.

pub mod catalogue;
pub mod human;
pub mod json;
pub mod nagios;
mod words;

use crate::model::finding::Report;

/// An output format of `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person at a terminal.
    Human,
    /// Everything that was found and seen; the schema is `pikadoctor schema report`.
    Json,
    /// A Nagios plugin's output: one line with performance data, then long text.
    Nagios,
}

/// How much a format shows, where it has a choice.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Show findings that are ok, skipped or not applicable, too.
    pub verbose: bool,
    /// A check whose result is shown whatever it is: what the command was asked for.
    pub always: Option<&'static str>,
}

/// The report in a format, with a line feed at its end.
pub fn render(report: &Report, format: Format, look: Look) -> String {
    match format {
        Format::Human => human::render(report, look),
        Format::Json => json::render(report),
        Format::Nagios => nagios::render(report, look.verbose),
    }
}
