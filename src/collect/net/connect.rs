//! Makes TCP connections: every address of a name is tried, and each attempt is written down.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::deadlines::Deadlines;
use super::resolve::resolve;
use crate::i18n::io_error;
use crate::model::address::Address;
use crate::model::http::HttpFailure;
use crate::model::network::PortState;
use crate::model::reach::{Attempt, Reach, ReachState};
use crate::model::reason::Reason;

/// How the operating system ended a connection, or an attempt to make one. What `std::io::ErrorKind` says is given its
/// meaning here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionFailure {
    /// The host is there, and nobody listens on the port; or a packet filter rejects.
    Refused,
    /// No answer: a packet filter drops, or the host is down.
    TimedOut,
    /// No route to the host or to its network.
    Unreachable,
    /// The other side closed or reset the connection.
    Closed,
    /// Anything else.
    Other,
}

impl From<&io::Error> for ConnectionFailure {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Other,
        }
    }
}

impl From<ConnectionFailure> for ReachState {
    fn from(failure: ConnectionFailure) -> Self {
        match failure {
            ConnectionFailure::Refused => Self::Refused,
            ConnectionFailure::TimedOut => Self::Filtered,
            ConnectionFailure::Unreachable => Self::Unreachable,
            ConnectionFailure::Closed => Self::Closed,
            ConnectionFailure::Other => Self::Failed,
        }
    }
}

impl From<ConnectionFailure> for PortState {
    fn from(failure: ConnectionFailure) -> Self {
        match failure {
            ConnectionFailure::Refused => Self::Closed,
            ConnectionFailure::TimedOut => Self::Filtered,
            ConnectionFailure::Unreachable | ConnectionFailure::Closed | ConnectionFailure::Other => {
                Self::Failed
            }
        }
    }
}

impl From<ConnectionFailure> for HttpFailure {
    fn from(failure: ConnectionFailure) -> Self {
        match failure {
            ConnectionFailure::Refused => Self::Refused,
            ConnectionFailure::TimedOut => Self::Filtered,
            ConnectionFailure::Unreachable => Self::Unreachable,
            ConnectionFailure::Closed => Self::Closed,
            ConnectionFailure::Other => Self::Failed,
        }
    }
}

/// Why there is no connection to one address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The operating system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Nothing came in the time for a connection, or in that of the run.
    #[error("no answer within the time allowed")]
    Elapsed,
}

impl ConnectError {
    /// What it means.
    pub fn failure(&self) -> ConnectionFailure {
        match self {
            Self::Io(error) => ConnectionFailure::from(error),
            Self::Elapsed => ConnectionFailure::TimedOut,
        }
    }

    /// What the operating system said, if it said anything.
    pub fn detail(&self) -> Option<Reason> {
        match self {
            Self::Io(error) => Some(io_error(error)),
            Self::Elapsed => None,
        }
    }

    /// The state of a port that was dialled, and what there is to say beyond it.
    pub fn port_state(&self) -> (PortState, Option<Reason>) {
        let state = PortState::from(self.failure());
        (state, self.detail().filter(|_| state == PortState::Failed))
    }
}

/// Connects to one address.
pub async fn connect(target: SocketAddr, deadlines: &Deadlines) -> Result<TcpStream, ConnectError> {
    match timeout_at(deadlines.of(deadlines.connect), TcpStream::connect(target)).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(ConnectError::Elapsed),
    }
}

/// Connects to `address`, trying each address of its host. Without a stream, `Reach::state` says why.
pub async fn dial(address: &Address, deadlines: &Deadlines) -> (Reach, Option<TcpStream>) {
    let mut reach = Reach::default();
    if deadlines.is_over() {
        return (reach, None);
    }
    let targets = match resolve(&address.host, address.port, deadlines).await {
        Ok(targets) => targets,
        Err(error) => {
            reach.state = ReachState::Unresolved;
            reach.detail = Some(error.into());
            return (reach, None);
        }
    };
    for target in targets {
        if deadlines.is_over() {
            break;
        }
        let began = Instant::now();
        let result = connect(target, deadlines).await;
        let seconds = began.elapsed().as_secs_f64();
        let error = match result {
            Ok(stream) => {
                // A batch is written at once; waiting for more of it only costs time.
                let _ = stream.set_nodelay(true);
                reach.attempts.push(Attempt {
                    address: target.to_string(),
                    state: ReachState::Answered,
                    detail: None,
                    seconds,
                });
                reach.state = ReachState::Answered;
                reach.detail = None;
                reach.peer = Some(target.to_string());
                reach.local = stream.local_addr().ok().map(|local| local.ip().to_string());
                reach.connect_seconds = Some(seconds);
                return (reach, Some(stream));
            }
            Err(error) => error,
        };
        let (state, detail) = (ReachState::from(error.failure()), error.detail());
        reach.attempts.push(Attempt { address: target.to_string(), state, detail: detail.clone(), seconds });
        // With several addresses the first failure tells most: it is the one a client would meet.
        if reach.state == ReachState::NotTried {
            reach.state = state;
            reach.detail = detail;
        }
    }
    (reach, None)
}
