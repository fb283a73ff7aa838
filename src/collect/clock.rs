//! The time of day.

/// Now, RFC 3339, UTC, to the second.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// The day here, as the names of dumps have it: `20261130`.
pub fn today() -> String {
    jiff::Zoned::now().strftime("%Y%m%d").to_string()
}
