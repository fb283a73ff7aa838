//! The exit codes of every command, in every output format.
//!
//! They are Nagios' plugin codes, so one table serves a person, a pipeline and a monitoring system.

/// Everything that was judged is ok, not applicable, skipped for want of access, or waived.
pub const OK: u8 = 0;
/// At least one warning, and nothing worse.
pub const WARNING: u8 = 1;
/// At least one critical finding, or the server did not answer.
pub const CRITICAL: u8 = 2;
/// Something that should be known is not known; also wrong usage, a bad check file, a panic, and a
/// run in which no check was evaluated at all.
pub const UNKNOWN: u8 = 3;
