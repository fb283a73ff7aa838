//! Durations as people write them, on the command line and in a plan.

use std::time::Duration;

use jiff::SignedDuration;

use crate::model::limits::{MAX_LOG_WINDOW, MAX_TIMEOUT};

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It is written otherwise.
    #[error("`{text}` is not a duration such as {examples}")]
    Malformed {
        /// The text.
        text: String,
        /// How it is written.
        examples: &'static str,
    },
    /// It is zero, negative or too long.
    #[error("`{text}` is not between {bounds}")]
    OutOfBounds {
        /// The text.
        text: String,
        /// The least and the most.
        bounds: &'static str,
    },
}

/// Reads how long something may take: `10`, `10s`, `500ms`, `1m30s`. A number without a unit is seconds.
pub fn timeout(text: &str) -> Result<Duration, DurationError> {
    let duration = match text.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => with_unit(text),
    };
    within(text, duration, MAX_TIMEOUT, "10s, 500ms or 2m", "1ms and 24h")
}

/// Reads how far back something counts: `24h`, `90m`, `7d`. It has a unit: nobody means 24 seconds by `24`.
pub fn window(text: &str) -> Result<Duration, DurationError> {
    within(text, with_unit(text), MAX_LOG_WINDOW, "24h, 90m or 7d", "1s and 3660d")
}

fn with_unit(text: &str) -> Option<Duration> {
    // A day has 24 hours here; a calendar is not asked.
    if let Some(days) = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok()) {
        return Some(Duration::from_secs(u64::from(days) * 24 * 3600));
    }
    let duration: SignedDuration = text.parse().ok()?;
    // What is negative is out of bounds, and not malformed.
    Some(Duration::try_from(duration).unwrap_or_default())
}

fn within(
    text: &str,
    duration: Option<Duration>,
    most: Duration,
    examples: &'static str,
    bounds: &'static str,
) -> Result<Duration, DurationError> {
    match duration {
        None => Err(DurationError::Malformed { text: text.to_owned(), examples }),
        Some(duration) if duration.is_zero() || duration > most => {
            Err(DurationError::OutOfBounds { text: text.to_owned(), bounds })
        }
        Some(duration) => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts() {
        assert_eq!(timeout("10"), Ok(Duration::from_secs(10)));
        assert_eq!(timeout("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(timeout("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "0", "-5", "-5s", "soon", "25h", "NaN", "inf", "1e300"] {
            assert!(timeout(text).is_err(), "{text:?} must be refused");
        }
        let error = timeout("soon").unwrap_err().to_string();
        assert_eq!(error, "`soon` is not a duration such as 10s, 500ms or 2m");
        assert_eq!(timeout("25h").unwrap_err().to_string(), "`25h` is not between 1ms and 24h");
    }

    #[test]
    fn windows() {
        assert_eq!(window("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(window("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(window("1h 30m"), Ok(Duration::from_secs(5400)));
        for text in ["", "24", "0s", "-1h", "soon", "99999d", "d"] {
            assert!(window(text).is_err(), "{text:?} must be refused");
        }
    }
}
