//! How fast a comparison may go: as fast as the servers do not feel it. Nothing is read here; what was measured is handed
//! in, so that every decision can be tried in a test.
//!
//! While the servers answer about as quickly as at rest the rate grows, at first twofold and later by a little. When they
//! become slower it is cut, and when they are much slower, or the link falls behind, nothing is asked for a while.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::limits::{MAX_VERIFY_PAUSE, VERIFY_FIRST_PAUSE};

/// The rate that a run begins with, in keys a second.
const FIRST_RATE: f64 = 2_000.0;
/// The lowest rate, so that a run on a server that is always slow comes to an end.
const LEAST_RATE: f64 = 500.0;
/// By how much the median of the replies may be slower than at rest, as a factor …
const FACTOR: f64 = 1.2;
/// … and beside it, in microseconds: what the clocks and the schedulers of two hosts differ by.
const SLACK_US: u64 = 250;
/// From how many times the time at rest on nothing is asked for a while, and by how many microseconds it must be slower.
const SEVERE: u64 = 10;
const SEVERE_US: u64 = 20_000;
/// Of how many measurements the median counts: one reply that waited for something else says nothing.
const MEASUREMENTS: usize = 9;
/// By how much a link may fall behind while keys are compared.
const LAG_BYTES: u64 = 16 << 20;

/// Decides about the pace.
#[derive(Clone, Debug)]
pub struct PaceController {
    limit: Option<f64>,
    /// Whether the servers are left out of account.
    unpaced: bool,
    rate: f64,
    doubles: bool,
    at_rest_us: Vec<u64>,
    /// The last measurements of each server.
    recent_us: Vec<VecDeque<u64>>,
    /// The worst median of each.
    worst_us: Vec<u64>,
    lag_at_rest: Option<u64>,
    /// The lowest rate so far.
    slowest: Option<f64>,
    next_pause: Duration,
    pauses: u64,
    paused: Duration,
}

/// What was measured at one moment.
#[derive(Clone, Debug, Default)]
pub struct PaceObservation {
    /// The reply time of each server, in microseconds, in the order of the times at rest.
    pub reply_us: Vec<u64>,
    /// By how many bytes the link is behind, where that is known.
    pub lag_bytes: Option<u64>,
    /// Keys a second that were really compared of late.
    pub actual: f64,
}

/// What follows from a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaceStep {
    /// Go on at the rate.
    Go,
    /// Ask nothing for this time, and measure again.
    Pause(Duration),
}

impl PaceController {
    /// A controller for servers with these reply times at rest, in microseconds. `limit`: keys a second that are never
    /// exceeded.
    pub fn new(limit: Option<u64>, unpaced: bool, at_rest_us: &[u64], lag_at_rest: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "microseconds and keys a second")]
        let float = |number: u64| number as f64;
        let limit = limit.map(float);
        Self {
            limit,
            unpaced,
            rate: limit.map_or(FIRST_RATE, |limit| limit.min(FIRST_RATE)).max(1.0),
            doubles: true,
            recent_us: at_rest_us.iter().map(|time| VecDeque::from([*time; MEASUREMENTS])).collect(),
            worst_us: at_rest_us.to_vec(),
            at_rest_us: at_rest_us.to_vec(),
            lag_at_rest,
            slowest: None,
            next_pause: VERIFY_FIRST_PAUSE,
            pauses: 0,
            paused: Duration::ZERO,
        }
    }

    /// Keys a second that may be compared now; `None` without any bound.
    pub fn rate(&self) -> Option<f64> {
        if self.unpaced { self.limit } else { Some(self.rate) }
    }

    /// How long it takes for `keys` to be allowed.
    pub fn time_for(&self, keys: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a batch of some hundred keys")]
        self.rate().map_or(Duration::ZERO, |rate| Duration::from_secs_f64(keys as f64 / rate.max(1.0)))
    }

    /// Takes a measurement into account.
    pub fn observe(&mut self, seen: &PaceObservation) -> PaceStep {
        let (mut slower, mut much_slower) = (false, false);
        for (index, time) in seen.reply_us.iter().enumerate().take(self.recent_us.len()) {
            let recent = &mut self.recent_us[index];
            recent.pop_front();
            recent.push_back(*time);
            let (median, at_rest) = (median(recent.iter().copied()), self.at_rest_us[index]);
            self.worst_us[index] = self.worst_us[index].max(median);
            #[expect(clippy::cast_precision_loss, reason = "microseconds")]
            let is_slower = median as f64 > at_rest as f64 * FACTOR + SLACK_US as f64;
            slower |= is_slower;
            much_slower |= median > at_rest.saturating_mul(SEVERE).max(at_rest.saturating_add(SEVERE_US));
        }
        if self.unpaced {
            return PaceStep::Go;
        }
        let allowed = self.lag_at_rest.unwrap_or(0).saturating_add(LAG_BYTES);
        let lags = seen.lag_bytes.is_some_and(|lag| lag > allowed);
        // A rate that the servers do not reach says nothing: cut it, and nothing would become slower.
        if seen.actual > 0.0 {
            self.rate = self.rate.min((seen.actual * 2.0).max(FIRST_RATE));
        }
        if much_slower || lags {
            self.doubles = false;
            self.rate = (self.rate / 2.0).max(LEAST_RATE);
            self.note_cut();
            let pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(MAX_VERIFY_PAUSE);
            self.pauses += 1;
            self.paused += pause;
            self.hold_limit();
            return PaceStep::Pause(pause);
        }
        self.next_pause = VERIFY_FIRST_PAUSE;
        if slower {
            self.doubles = false;
            self.rate = (self.rate * 0.7).max(LEAST_RATE);
            self.note_cut();
        } else if self.doubles {
            self.rate *= 2.0;
        } else {
            self.rate += self.rate * 0.02 + 20.0;
        }
        self.hold_limit();
        PaceStep::Go
    }

    /// The lowest rate to which the servers or the link brought it.
    pub fn slowest(&self) -> Option<f64> {
        self.slowest
    }

    fn note_cut(&mut self) {
        self.slowest = Some(self.slowest.map_or(self.rate, |slowest| slowest.min(self.rate)));
    }

    fn hold_limit(&mut self) {
        if let Some(limit) = self.limit {
            self.rate = self.rate.min(limit.max(1.0));
        }
    }

    /// The servers were left alone and answered in this time. Where that is longer than before somebody else makes them
    /// slow, and waiting for them to become as quick as they were would be waiting for ever.
    pub fn rested(&mut self, reply_us: &[Vec<u64>]) {
        for (index, recent) in self.recent_us.iter_mut().enumerate() {
            let times = reply_us.iter().filter_map(|times| times.get(index)).copied();
            if times.clone().next().is_none() {
                continue;
            }
            let now = median(times);
            self.at_rest_us[index] = self.at_rest_us[index].max(now);
            recent.clear();
            recent.extend([now; MEASUREMENTS]);
        }
    }

    /// How often it paused, and for how long in all.
    pub fn pauses(&self) -> (u64, Duration) {
        (self.pauses, self.paused)
    }

    /// For each server the reply time at rest and the worst smoothed one, in microseconds.
    pub fn reply_times(&self) -> impl Iterator<Item = (u64, u64)> {
        self.at_rest_us.iter().copied().zip(self.worst_us.iter().copied())
    }
}

/// The median of times; nothing of none.
pub fn median(times: impl Iterator<Item = u64>) -> u64 {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(reply_us: &[u64], lag_bytes: Option<u64>) -> PaceObservation {
        PaceObservation { reply_us: reply_us.to_vec(), lag_bytes, actual: 0.0 }
    }

    #[test]
    fn it_grows_while_nobody_feels_it_and_is_cut_when_a_server_becomes_slower() {
        let mut pace = PaceController::new(None, false, &[100, 200], None);
        let first = pace.rate().unwrap();
        for _ in 0..5 {
            assert_eq!(pace.observe(&seen(&[110, 190], None)), PaceStep::Go);
        }
        let grown = pace.rate().unwrap();
        assert!(grown >= first * 30.0, "{first} {grown}");
        // One slow reply says nothing.
        pace.observe(&seen(&[110, 9000], None));
        assert!(pace.rate().unwrap() > grown);
        for _ in 0..30 {
            pace.observe(&seen(&[110, 900], None));
        }
        let cut = pace.rate().unwrap();
        assert!(cut < grown / 10.0, "{grown} {cut}");
        // Afterwards it grows by little.
        for _ in 0..40 {
            pace.observe(&seen(&[110, 200], None));
        }
        let again = pace.rate().unwrap();
        assert!(again > cut && again < cut * 10.0, "{cut} {again}");
    }

    #[test]
    fn a_server_that_hardly_answers_or_a_link_that_falls_behind_is_left_alone_for_longer_and_longer() {
        let mut pace = PaceController::new(None, false, &[100], Some(1000));
        let pauses: Vec<PaceStep> =
            (0..3).map(|_| pace.observe(&seen(&[100], Some(LAG_BYTES + 1001)))).collect();
        let expected = [500, 1000, 2000].map(|time| PaceStep::Pause(Duration::from_millis(time)));
        assert_eq!(pauses, expected);
        assert_eq!(pace.pauses(), (3, Duration::from_millis(3500)));
        assert_eq!(pace.observe(&seen(&[100], Some(LAG_BYTES + 1000))), PaceStep::Go);
        let slow: Vec<PaceStep> = (0..15).map(|_| pace.observe(&seen(&[30_000], None))).collect();
        assert!(slow.contains(&PaceStep::Pause(MAX_VERIFY_PAUSE)), "{slow:?}");
        // As slow when it is left alone: that is somebody else's doing.
        pace.rested(&[vec![29_000], vec![31_000], vec![30_000]]);
        assert_eq!(pace.observe(&seen(&[30_000], None)), PaceStep::Go);
    }

    #[test]
    fn without_a_pace_only_the_limit_counts() {
        let mut pace = PaceController::new(Some(300), true, &[100], None);
        assert_eq!(pace.observe(&seen(&[1_000_000], Some(u64::MAX))), PaceStep::Go);
        assert_eq!(pace.time_for(600), Duration::from_secs(2));
        assert_eq!(PaceController::new(None, true, &[100], None).time_for(1_000_000), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn whatever_is_measured_the_rate_stays_within_its_bounds(
            limit in proptest::option::of(1u64..1_000_000),
            times in proptest::collection::vec((0u64..10_000_000, proptest::option::of(any::<u64>()), 0f64..1e7), 1..200),
        ) {
            let mut pace = PaceController::new(limit, false, &[100], None);
            for (time, lag_bytes, actual) in times {
                let step = pace.observe(&PaceObservation { reply_us: vec![time], lag_bytes, actual });
                let rate = pace.rate().unwrap();
                prop_assert!(rate >= 1.0 && rate.is_finite());
                #[expect(clippy::cast_precision_loss, reason = "below a million")]
                let within = limit.is_none_or(|limit| rate <= (limit as f64).max(1.0));
                prop_assert!(within);
                if let PaceStep::Pause(pause) = step {
                    prop_assert!(pause <= MAX_VERIFY_PAUSE);
                }
            }
        }
    }
}
