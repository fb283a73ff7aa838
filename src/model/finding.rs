//! What the facts mean: one finding for each check and target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conf::Place;
use super::exit;
use super::text::Language;

/// The version of the report, in `Report::schema`.
pub const SCHEMA: &str = "pikadoctor.report/1";

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and something about it will hurt.
    Warning,
    /// It does not work, or it loses data.
    Critical,
    /// It should be known, and could not be found out.
    Unknown,
    /// Nobody gave the access that it needs.
    Skipped,
    /// It means nothing for this server.
    NotApplicable,
}

impl State {
    /// All states, worst first: the order of the output and of the exit code.
    pub const WORST_FIRST: [Self; 6] =
        [Self::Critical, Self::Unknown, Self::Warning, Self::Ok, Self::Skipped, Self::NotApplicable];

    /// 0 for the worst.
    pub fn rank(self) -> usize {
        Self::WORST_FIRST.iter().position(|state| *state == self).unwrap_or(usize::MAX)
    }

    /// The exit code of a run in which this is the worst state.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Critical => exit::CRITICAL,
            Self::Unknown => exit::UNKNOWN,
            Self::Warning => exit::WARNING,
            Self::Ok | Self::Skipped | Self::NotApplicable => exit::OK,
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// How bad it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What was needed.
    pub needed: Option<String>,
    /// What mends it.
    pub fix: Option<String>,
    /// Where it stands, when it stands in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value; null when it could not be had.
    pub value: Option<f64>,
    /// `s`, `B`, `%`, `c` or nothing.
    pub unit: String,
    /// The range in which it is not a warning, in Nagios' notation.
    pub warn: Option<String>,
    /// The range in which it is not critical, in Nagios' notation.
    pub crit: Option<String>,
}

/// What one check says of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The id of the check: `node/reachable`.
    pub check: String,
    /// What it was evaluated for: the name of a node, for example.
    pub target: String,
    /// What it came to: the worst of its problems, or ok.
    pub state: State,
    /// The title of the check.
    pub title: String,
    /// What is wrong, worst first. Empty unless the state is warning, critical or unknown.
    pub problems: Vec<Problem>,
    /// For ok: what was seen. For unknown, skipped and not applicable: the reason.
    pub note: String,
    /// What was measured.
    pub metrics: Vec<Metric>,
}

/// How many findings there are of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub struct Counts {
    /// How many are critical.
    pub critical: usize,
    /// How many are unknown.
    pub unknown: usize,
    /// How many are warning.
    pub warning: usize,
    /// How many are ok.
    pub ok: usize,
    /// How many are skipped.
    pub skipped: usize,
    /// How many are not applicable.
    pub not_applicable: usize,
}

impl Counts {
    /// The number of findings in `state`.
    pub fn of(&self, state: State) -> usize {
        match state {
            State::Critical => self.critical,
            State::Unknown => self.unknown,
            State::Warning => self.warning,
            State::Ok => self.ok,
            State::Skipped => self.skipped,
            State::NotApplicable => self.not_applicable,
        }
    }
}

/// Everything that a run found out and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always `pikadoctor.report/1`.
    pub schema: String,
    /// The version of pikadoctor that wrote it.
    pub tool_version: String,
    /// The language of its texts.
    pub language: Language,
    /// The worst state.
    pub state: State,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Findings by state.
    pub counts: Counts,
    /// All findings, worst first.
    pub findings: Vec<Finding>,
    /// What was seen.
    pub facts: super::facts::Facts,
}
