//! What the facts mean: one finding for each check and target.

use serde::{Deserialize, Serialize};

use super::conf::Place;
use super::diagnosis::{Claim, Diagnosis, FindingRef, Possibility};
use super::exit;
use super::range::Range;
use super::remedy::Remedy;
use super::text::Language;

/// The version of the report, in `Report::schema`.
pub const SCHEMA: &str = "pikadoctor.report/1";

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// It is not as it should be, and somebody answers for it for a time.
    Waived,
    /// Nobody gave the access that it needs.
    Skipped,
    /// It means nothing for this server.
    NotApplicable,
}

impl State {
    /// All states, worst first: the order of the output and of the exit code.
    pub const WORST_FIRST: [Self; 7] = [
        Self::Critical,
        Self::Unknown,
        Self::Warning,
        Self::Waived,
        Self::Ok,
        Self::Skipped,
        Self::NotApplicable,
    ];

    /// The word for it in machine formats, as it is serialised.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Waived => "waived",
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// Whether something is not as it should be, or not known, and nobody has accepted it.
    pub fn matters(self) -> bool {
        matches!(self, Self::Critical | Self::Unknown | Self::Warning)
    }

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
            Self::Waived | Self::Ok | Self::Skipped | Self::NotApplicable => exit::OK,
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// How bad it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What was needed.
    pub needed: Option<String>,
    /// A sentence on what mends it.
    pub fix: Option<String>,
    /// What mends it, step by step. The first is advised; the others would do as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
    /// Where it stands, when it stands in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The name of the case that found it, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What makes it the same problem in another run, whatever numbers its text has: the case that found it and the
    /// item that it was found for. Empty: nothing tells it from others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Whether it can go away by itself, because a server starts or a copy runs, for example.
    #[serde(default)]
    pub may_pass: bool,
    /// The findings of which it is a consequence. Empty: it stands for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained_by: Vec<FindingRef>,
    /// The causes that fit, the likeliest first, where it cannot be told which one it is. Empty when it is explained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub possible: Vec<Possibility>,
    /// What it suffices to explain. Which of that was found is in `explained_by` of the others.
    #[serde(skip)]
    pub claims: Vec<Claim>,
}

impl Problem {
    /// A problem of which nothing more is known.
    pub fn new(state: State, found: String) -> Self {
        Self {
            state,
            found,
            needed: None,
            fix: None,
            remedies: Vec::new(),
            place: None,
            case: None,
            identity: String::new(),
            may_pass: false,
            explained_by: Vec::new(),
            possible: Vec::new(),
            claims: Vec::new(),
        }
    }
}

/// A measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value; null when it could not be had.
    pub value: Option<f64>,
    /// `s`, `B`, `%`, `c` or nothing.
    pub unit: String,
    /// The range in which it is not a warning.
    pub warn: Option<Range>,
    /// The range in which it is not critical.
    pub crit: Option<Range>,
}

/// Who answers for a finding that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Acceptance {
    /// What it would be otherwise.
    pub state: State,
    /// Where that is written.
    pub by: AcceptedBy,
    /// The file, with the line and column of a waiver.
    pub place: String,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub owner: Option<String>,
    /// The last day on which it holds, `YYYY-MM-DD`, UTC.
    pub expires: Option<String>,
    /// That day is over, and the finding counts again.
    pub expired: bool,
}

/// What accepts a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AcceptedBy {
    /// A waiver of a plan.
    Waiver,
    /// An earlier report, in which it stands already.
    Baseline,
}

/// What one check says of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The fact that was missing, for unknown, skipped and not applicable: `node.config.slotmigrate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Who answers for it, or did until a day that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
    /// The findings of which it is a consequence, with all that it found. Empty: some of it stands for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained_by: Vec<FindingRef>,
}

/// How many findings there are of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub struct Counts {
    /// How many are critical.
    pub critical: usize,
    /// How many are unknown.
    pub unknown: usize,
    /// How many are warning.
    pub warning: usize,
    /// How many are waived.
    #[serde(default)]
    pub waived: usize,
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
            State::Waived => self.waived,
            State::Ok => self.ok,
            State::Skipped => self.skipped,
            State::NotApplicable => self.not_applicable,
        }
    }
}

/// Whether traffic may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that fails the run is as it should be.
    Go,
    /// Something is not, or is not known.
    NoGo,
}

/// Why a run looked no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything is ok, or nobody asked to wait.
    Done,
    /// The time to wait is over.
    TimeOver,
    /// Something is wrong that waiting does not change.
    Hopeless,
    /// Somebody stopped the run.
    Interrupted,
}

/// The word of a run that stands before a cutover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gate {
    /// The word.
    pub verdict: Verdict,
    /// How often was looked.
    pub rounds: u32,
    /// From the first look to the last.
    pub waited_seconds: f64,
    /// Why no further.
    pub ended: Ended,
}

/// Everything that a run found out and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Whether traffic may move, where a plan or --wait asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// What somebody should know about the plan or the baseline and that fails nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The findings that no other one explains, each with what it explains: what comes first is to be done first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnosis: Vec<Diagnosis>,
    /// All findings, worst first.
    pub findings: Vec<Finding>,
    /// What was seen.
    pub facts: super::facts::Facts,
}
