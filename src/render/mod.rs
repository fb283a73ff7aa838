//! Turns a report into a text. One file per format; each returns a string and prints nothing.

pub mod catalogue;
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
mod prometheus;
mod sarif;
mod short;
mod tap;
pub mod words;

use crate::model::finding::{Report, State};

/// An output format of `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person at a terminal.
    Human,
    /// Everything that was found and seen; the schema is `pikadoctor schema report`.
    Json,
    /// A line for each problem.
    Short,
    /// A Nagios plugin's output: one line with performance data, then long text.
    Nagios,
    /// JUnit XML: a suite for each target, a case for each check.
    Junit,
    /// SARIF 2.1.0 for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// The text format of Prometheus, for the textfile collector.
    Prometheus,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// Markdown for a ticket or a step summary.
    Markdown,
}

/// How much a format shows, where it has a choice.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// The least bad state that is shown, where a format shows problems only.
    pub least: State,
    /// The least bad state that fails the run.
    pub fail_on: Option<State>,
    /// A check whose result is shown whatever it is: what the command was asked for.
    pub always: Option<&'static str>,
}

impl Look {
    /// What is shown when nobody asks for more or less: what is not as it should be.
    pub const PROBLEMS: State = State::Warning;

    /// Whether findings in `state` are shown.
    pub fn shows(&self, state: State) -> bool {
        state.rank() <= self.least.rank()
    }

    /// Whether a finding in `state` fails the run.
    pub fn fails(&self, state: State) -> bool {
        self.fail_on.is_some_and(|gate| state.rank() <= gate.rank())
    }

    fn verbose(&self) -> bool {
        self.least.rank() > Self::PROBLEMS.rank()
    }
}

/// The report in a format, with a line feed at its end.
pub fn render(report: &Report, format: Format, look: Look) -> String {
    match format {
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
    }
}
