//! The deadlines of a run.

use std::time::Duration;

use tokio::time::Instant;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// When the whole run ends.
    pub run: Instant,
    /// For a connection to one address.
    pub connect: Duration,
    /// For the replies to one batch.
    pub reply: Duration,
}

impl Deadlines {
    /// Deadlines that begin to run now.
    pub fn starting_now(run: Duration, connect: Duration, reply: Duration) -> Self {
        Self { run: Instant::now() + run, connect, reply }
    }

    /// Deadlines of a run that asks nobody and waits for what it reads, be it from a pipe: a year.
    pub fn far() -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        Self::starting_now(YEAR, YEAR, YEAR)
    }

    /// The end of a step that begins now and may take `step`.
    pub fn of(&self, step: Duration) -> Instant {
        (Instant::now() + step).min(self.run)
    }

    /// The time that is left for the run.
    pub fn left(&self) -> Duration {
        self.run.saturating_duration_since(Instant::now())
    }

    /// Whether the time for the run is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.run
    }
}
