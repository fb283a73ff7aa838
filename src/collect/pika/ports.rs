//! Touches the ports that are counted from the client port, as far as that is harmless.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::gate::{Alone, Gate, PortPermit};
use super::{identify, trysync};
use crate::collect::net::connect::connect;
use crate::collect::net::deadlines::Deadlines;
use crate::i18n::reasons;
use crate::model::knowledge::{GenerationEntry, PortOpen, PortRule, Probe};
use crate::model::limits::{
    MAX_PORT_BYTES, PORT_SILENCE_TIMEOUT, RSYNC_GREETING_PATIENCE, RSYNC_GREETING_TIMEOUT,
};
use crate::model::network::{Port, PortRole, PortState};
use crate::model::reason::Reason;
use crate::model::replication::BinlogPosition;

/// A client of rsync's protocol 31, which every daemon since 2013 speaks, and the module of full copies.
const MODULE_QUESTION: &[u8] = b"@RSYNCD: 31.0\ndocument\n";

/// A lost packet of the handshake is sent again within this many times the time that the connection took.
const ROUND_TRIPS_OF_GREETING: u32 = 10;

/// Looks at all ports of a generation beside each other. `server` is the client port that answered.
pub async fn probe_ports(
    generation: &GenerationEntry,
    server: SocketAddr,
    gate: &Gate<'_>,
    alone: Alone,
    deadlines: &Deadlines,
) -> Vec<Port> {
    let looks = generation.ports.iter().map(|rule| async move {
        let number = u32::from(server.port()) + rule.offset;
        let mut port = Port {
            number,
            offset: rule.offset,
            role: rule.role,
            expected: rule.open == PortOpen::Always,
            state: PortState::OutOfRange,
            detail: None,
            position: None,
        };
        let Ok(number) = u16::try_from(number) else { return port };
        match gate.permit_port(rule, number, alone) {
            Err(reason) => {
                port.state = PortState::NotProbed;
                port.detail = Some(reason);
            }
            Ok(permit) => {
                let seen = touch(&permit, rule, server, deadlines).await;
                port.state = seen.state;
                port.detail = seen.detail;
                port.position = seen.position;
            }
        }
        port
    });
    futures_util::future::join_all(looks).await
}

/// What one probe saw.
struct Seen {
    state: PortState,
    detail: Option<Reason>,
    position: Option<BinlogPosition>,
}

impl Seen {
    fn plain(state: PortState, detail: Option<Reason>) -> Self {
        Self { state, detail, position: None }
    }

    /// Something came that should not have come.
    fn other(bytes: &[u8]) -> Self {
        Self::plain(PortState::Other, Some(identify::from_bytes(bytes).evidence))
    }
}

async fn touch(permit: &PortPermit, rule: &PortRule, server: SocketAddr, deadlines: &Deadlines) -> Seen {
    let target = SocketAddr::new(server.ip(), permit.number());
    let began = Instant::now();
    let mut stream = match connect(target, deadlines).await {
        Ok(stream) => stream,
        Err(error) => {
            let (state, detail) = error.port_state();
            return Seen::plain(state, detail);
        }
    };
    let round_trip = began.elapsed();
    match permit.probe() {
        Probe::Connect | Probe::ConnectAlone => {
            let came = read_some(&mut stream, deadlines.of(PORT_SILENCE_TIMEOUT), |_| false).await;
            if came.is_empty() { Seen::plain(PortState::Open, None) } else { Seen::other(&came) }
        }
        Probe::Greeting => greeting(&mut stream, deadlines, round_trip).await,
        Probe::Module => module(&mut stream, deadlines, round_trip).await,
        Probe::Trysync => ask_for_position(&mut stream, rule, deadlines).await,
    }
}

/// An rsync daemon looks up the name of whoever connects before it greets; where no name server
/// answers, that takes ten seconds (measured), for each file of a full copy. It is not waited for: that it is silent
/// longer than the way there explains is what there is to say.
async fn greeting(stream: &mut TcpStream, deadlines: &Deadlines, round_trip: Duration) -> Seen {
    let patience = RSYNC_GREETING_PATIENCE + ROUND_TRIPS_OF_GREETING * round_trip;
    let patience = patience.min(RSYNC_GREETING_TIMEOUT).min(deadlines.reply);
    let came = read_some(stream, deadlines.of(patience), |bytes| bytes.contains(&b'\n')).await;
    if came.starts_with(b"@RSYNCD: ") {
        Seen::plain(PortState::Proven, None)
    } else if came.is_empty() {
        Seen::plain(PortState::Open, Some(reasons::rsync_no_greeting()))
    } else {
        Seen::other(&came)
    }
}

/// The daemon of 3.1 to 3.4 has one module, and lets nobody in without a secret. The connection is closed
/// where it would have to be given: nothing was copied, and the daemon's own log has a line.
async fn module(stream: &mut TcpStream, deadlines: &Deadlines, round_trip: Duration) -> Seen {
    let greeted = greeting(stream, deadlines, round_trip).await;
    if greeted.state != PortState::Proven {
        return greeted;
    }
    let deadline = deadlines.of(RSYNC_GREETING_TIMEOUT.min(deadlines.reply));
    let _ = timeout_at(deadline, stream.write_all(MODULE_QUESTION)).await;
    let came = read_some(stream, deadline, |bytes| bytes.contains(&b'\n')).await;
    let line = String::from_utf8_lossy(&came).lines().next().unwrap_or_default().to_owned();
    if line.starts_with("@RSYNCD: AUTHREQD") {
        Seen::plain(PortState::Proven, None)
    } else if line.starts_with("@RSYNCD: OK") {
        Seen::plain(PortState::Other, Some(reasons::rsync_module_without_secret()))
    } else if came.is_empty() {
        Seen::plain(PortState::Open, Some(reasons::rsync_module_unanswered()))
    } else {
        Seen::plain(PortState::Other, Some(reasons::rsync_without_module(line)))
    }
}

async fn ask_for_position(stream: &mut TcpStream, rule: &PortRule, deadlines: &Deadlines) -> Seen {
    debug_assert_eq!(rule.role, PortRole::Replication, "TrySync is for the replication server alone");
    let deadline = deadlines.of(deadlines.reply);
    if !matches!(timeout_at(deadline, stream.write_all(&trysync::frame())).await, Ok(Ok(()))) {
        return Seen::plain(PortState::Open, Some(reasons::closed_before_question()));
    }
    let came = read_some(stream, deadline, |bytes| trysync::read(bytes).is_some()).await;
    match trysync::read(&came) {
        Some(answer) => Seen {
            state: PortState::Proven,
            detail: answer.error.map(Reason::verbatim),
            position: answer.position,
        },
        // 3.2.9 in sharding mode closes without a word.
        None if came.is_empty() => Seen::plain(PortState::Open, Some(reasons::no_answer_to_trysync())),
        None => Seen::other(&came),
    }
}

/// Reads until `enough`, the end of the stream, an error, the deadline or a bound.
async fn read_some(stream: &mut TcpStream, deadline: Instant, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut came = Vec::new();
    let mut buffer = [0; MAX_PORT_BYTES];
    while came.len() < MAX_PORT_BYTES && !enough(&came) {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => came.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    came
}
