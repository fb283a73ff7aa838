//! What a report is printed as.

use crate::model::finding::State;

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
pub struct RenderOptions {
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

impl RenderOptions {
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

    /// Whether more than problems is shown.
    pub fn verbose(&self) -> bool {
        self.least.rank() > Self::PROBLEMS.rank()
    }
}
