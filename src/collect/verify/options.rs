//! What is asked of a comparison, and what it says on its way.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::verification::{CompareLevel, Shard};

/// What is compared, and how.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// How much of each key.
    pub level: CompareLevel,
    /// By how much lives may differ. `None`: they are not compared.
    pub life_tolerance: Option<Duration>,
    /// Keys a second that may not be exceeded.
    pub rate: Option<u64>,
    /// Whether only `rate` holds the pace, and the reply times of the servers do not.
    pub unpaced: bool,
    /// About how many keys are compared; all of them without it.
    pub sample: Option<u64>,
    /// The part of the key space that is compared.
    pub shard: Option<Shard>,
    /// Where the state is kept, for taking the run up again.
    pub state: Option<PathBuf>,
    /// Where all differences are written, a line of JSON each.
    pub differences: Option<PathBuf>,
    /// How long is waited before what differs is looked at again; [`VERIFY_ROUND_PAUSE`] without it.
    ///
    /// [`VERIFY_ROUND_PAUSE`]: crate::model::limits::VERIFY_ROUND_PAUSE
    pub round_pause: Option<Duration>,
    /// How long what was found may wait for being written to the state; [`VERIFY_COMMIT_INTERVAL`] without it.
    ///
    /// [`VERIFY_COMMIT_INTERVAL`]: crate::model::limits::VERIFY_COMMIT_INTERVAL
    pub commit_interval: Option<Duration>,
    /// How often what differs is looked at again, at most. `None`: as often as the limits say.
    pub rounds: Option<u64>,
    /// Whether differences are counted by slot of Codis, too.
    pub slots: bool,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyPhase {
    /// It counts keys, to know which share of them makes the sample.
    Counting,
    /// It compares.
    Comparing,
    /// It looks again at what differed, for the time that is given.
    Again(u64),
}

/// How far a run has come.
#[derive(Clone, Debug)]
pub struct VerifyProgress {
    /// What it is at.
    pub phase: VerifyPhase,
    /// Keys listed on the source so far, in all.
    pub listed: u64,
    /// Keys compared so far, in all.
    pub compared: u64,
    /// About how many keys there are, where that is known.
    pub of_about: Option<u64>,
    /// What differs so far and has not been looked at again.
    pub open: u64,
    /// What differs for good.
    pub different: u64,
    /// Keys a second, of late.
    pub rate: f64,
}
