//! How asking something over HTTP can end.

use serde::{Deserialize, Serialize};

/// Why there is no answer that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HttpFailure {
    /// The URL is not one of http or https.
    BadUrl,
    /// The host name has no address.
    Unresolved,
    /// Connection refused: the host is there, nobody listens on the port (or a filter rejects).
    Refused,
    /// No answer to the connection attempt: a packet filter drops it, or the host is down.
    Filtered,
    /// No route to the host or network.
    Unreachable,
    /// A connection was made, and no complete answer came in time.
    Slow,
    /// A connection was made and closed or reset by the other side before a complete answer.
    Closed,
    /// A connection was made, and what answers does not speak HTTP.
    NotHttp,
    /// TLS failed: no TLS on the port, or a certificate that is not trusted.
    Tls,
    /// The server sends elsewhere; nothing is sent after it.
    Redirect,
    /// 404: there is no such path, as on another release or another kind of server.
    NotFound,
    /// 401 or 403.
    Denied,
    /// An error with a cause: Codis answers status 800 and a cause in JSON, whatever it is.
    Cause,
    /// Any other status than 200.
    Status,
    /// The answer is larger than anything that belongs there.
    TooLarge,
    /// The answer is not JSON.
    NotJson,
    /// Anything else.
    Failed,
}
