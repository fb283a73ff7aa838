//! Makes a TCP connection: every address of a name is tried, and each attempt is written down.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::collect::clock::Deadlines;
use crate::model::address::Address;
use crate::model::reach::{Attempt, Reach, ReachState};

/// Connects to `address`. Without a stream, `Reach::state` says why.
pub async fn dial(address: &Address, deadlines: &Deadlines) -> (Reach, Option<TcpStream>) {
    let mut reach = Reach::default();
    if deadlines.is_over() {
        return (reach, None);
    }
    let targets = match resolve(address, deadlines).await {
        Ok(targets) => targets,
        Err(detail) => {
            reach.state = ReachState::Unresolved;
            reach.detail = Some(detail);
            return (reach, None);
        }
    };
    for target in targets {
        if deadlines.is_over() {
            break;
        }
        let began = Instant::now();
        let result = timeout_at(deadlines.of(deadlines.connect), TcpStream::connect(target)).await;
        let seconds = began.elapsed().as_secs_f64();
        let (state, detail) = match result {
            Ok(Ok(stream)) => {
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
            Ok(Err(error)) => (state_of(&error), Some(error.to_string())),
            Err(_) => (ReachState::Filtered, None),
        };
        reach.attempts.push(Attempt { address: target.to_string(), state, detail: detail.clone(), seconds });
        // With several addresses the first failure tells most: it is the one a client would meet.
        if reach.state == ReachState::NotTried {
            reach.state = state;
            reach.detail = detail;
        }
    }
    (reach, None)
}

/// All addresses of a name, each once, in the resolver's order.
async fn resolve(address: &Address, deadlines: &Deadlines) -> Result<Vec<SocketAddr>, String> {
    let lookup = lookup_host((address.host.as_str(), address.port));
    let found = match timeout_at(deadlines.of(deadlines.connect), lookup).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("the resolver did not answer in time".into()),
    };
    let mut targets: Vec<SocketAddr> = Vec::new();
    for target in found {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() { Err("the name has no address".into()) } else { Ok(targets) }
}

fn state_of(error: &io::Error) -> ReachState {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ReachState::Refused,
        io::ErrorKind::TimedOut => ReachState::Filtered,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ReachState::Unreachable,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => ReachState::Closed,
        _ => ReachState::Failed,
    }
}
