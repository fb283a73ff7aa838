//! How a connection came about, or why it did not.

use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// How connecting to the client port ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReachState {
    /// A connection was made and something answered.
    Answered,
    /// A connection was made, and nothing came before the deadline.
    Silent,
    /// A connection was made and closed or reset by the other side before any answer.
    Closed,
    /// A connection was made, part of the answer came, and then nothing more before the deadline.
    Stalled,
    /// Connection refused: the host is there, nobody listens on the port (or a filter rejects).
    Refused,
    /// No answer to the connection attempt: a packet filter drops it, or the host is down.
    Filtered,
    /// No route to the host or network.
    Unreachable,
    /// The host name has no address.
    Unresolved,
    /// Anything else that the operating system says; see `detail`.
    Failed,
    /// The deadline of the whole run came first.
    #[default]
    NotTried,
}

/// The way to the client port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// How it ended.
    pub state: ReachState,
    /// What the operating system said, where that says more than the state.
    pub detail: Option<Reason>,
    /// Every address that was tried, in order.
    pub attempts: Vec<Attempt>,
    /// The address and port that the connection was made to.
    pub peer: Option<String>,
    /// The address that the connection was made from.
    pub local: Option<String>,
    /// Time until the connection was made, in seconds.
    pub connect_seconds: Option<f64>,
    /// How many times something was sent and its answer awaited.
    pub round_trips: u32,
}

/// One address that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// IP address and port.
    pub address: String,
    /// How it ended.
    pub state: ReachState,
    /// What the operating system said.
    pub detail: Option<Reason>,
    /// How long it took, in seconds.
    pub seconds: f64,
}
