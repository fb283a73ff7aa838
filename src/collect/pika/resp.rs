//! Speaks RESP over a socket of our own: a batch out, its replies back, within bounds.
//!
//! The codec is that of the `redis` crate. Its client is not used: it would send commands of its own,
//! and it hides the raw error texts that tell one release of Pika from another.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use redis::{Parser, RedisError, Value};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::gate::{CommandBatch, Permit};
use crate::i18n::reasons;
use crate::model::limits::{MAX_FIRST_BYTES, MAX_REPLY_BYTES};
use crate::model::reason::Reason;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A simple or bulk string. Bytes that are not UTF-8 are replaced.
    Text(String),
    /// A number.
    Number(i64),
    /// An array.
    List(Vec<Reply>),
    /// An error, as it came, without the leading `-`.
    Error(String),
    /// Nothing: `$-1` or `*-1`.
    Nothing,
    /// A type that no command here is answered with.
    Other,
}

impl Reply {
    /// The texts of an array; what is not a text in it is empty.
    pub fn texts(&self) -> Vec<&str> {
        let Self::List(items) = self else { return Vec::new() };
        items.iter().map(|item| if let Self::Text(text) = item { text } else { "" }).collect()
    }
}

/// Why a batch has no reply, or no further reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The deadline came.
    TimedOut,
    /// The other side closed or reset the connection.
    Closed,
    /// More than [`MAX_REPLY_BYTES`] came.
    TooMuch,
    /// What came is not RESP.
    NotResp,
}

impl From<Broken> for Reason {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TimedOut => reasons::no_answer_before_deadline(),
            Broken::Closed => reasons::server_closed_connection(),
            Broken::TooMuch => reasons::answer_above_mib(MAX_REPLY_BYTES / 1024 / 1024),
            Broken::NotResp => reasons::answer_not_resp(),
        }
    }
}

/// A connection to a client port.
pub struct Connection {
    reader: Bounded,
    parser: Parser,
    round_trips: u32,
    /// Why it is of no further use, once it is. An answer that comes after its deadline would be taken for that of the
    /// next command.
    broken: Option<Broken>,
}

impl Connection {
    /// Takes over a connected socket.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            reader: Bounded { stream, left: 0, first: Vec::new() },
            parser: Parser::new(),
            round_trips: 0,
            broken: None,
        }
    }

    /// How many batches were sent.
    pub fn round_trips(&self) -> u32 {
        self.round_trips
    }

    /// The first bytes that the other side ever sent.
    pub fn first_bytes(&self) -> &[u8] {
        &self.reader.first
    }

    /// Sends all of `batch` in one write and reads one reply for each. When the second value is not
    /// `None`, the connection is of no further use and replies are missing at the end: nothing is sent on it any more.
    pub async fn exchange(&mut self, batch: &[Permit], deadline: Instant) -> (Vec<Reply>, Option<Broken>) {
        if self.broken.is_some() {
            return (Vec::new(), self.broken);
        }
        let (replies, broken) = self.exchange_whole(batch, deadline).await;
        self.broken = broken;
        (replies, broken)
    }

    async fn exchange_whole(&mut self, batch: &[Permit], deadline: Instant) -> (Vec<Reply>, Option<Broken>) {
        let mut replies = Vec::with_capacity(batch.len());
        let bytes: Vec<u8> = batch.iter().flat_map(Permit::bytes).copied().collect();
        self.round_trips += 1;
        self.reader.left = MAX_REPLY_BYTES;
        let written = timeout_at(deadline, self.reader.stream.write_all(&bytes)).await;
        // A server that closes at once can refuse the write while its greeting is still to be read.
        let write_failed = !matches!(written, Ok(Ok(())));
        while replies.len() < batch.len() {
            let read = read_value(&mut self.parser, &mut self.reader);
            match timeout_at(deadline, read).await {
                Ok(Ok(value)) => replies.push(reply(value)),
                Ok(Err(error)) => return (replies, Some(self.broken(&error))),
                Err(_) => return (replies, Some(Broken::TimedOut)),
            }
        }
        let broken = write_failed.then_some(Broken::Closed);
        (replies, broken)
    }

    /// Sends a batch whose answers are needed byte by byte, and reads one for each. An error is the end of the
    /// connection, as in [`Self::exchange`].
    pub async fn exchange_values(
        &mut self,
        batch: &CommandBatch,
        deadline: Instant,
    ) -> Result<Vec<Value>, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let values = self.exchange_raw(batch, deadline).await;
        self.broken = values.as_ref().err().copied();
        values
    }

    async fn exchange_raw(&mut self, batch: &CommandBatch, deadline: Instant) -> Result<Vec<Value>, Broken> {
        self.round_trips += 1;
        self.reader.left = MAX_REPLY_BYTES;
        match timeout_at(deadline, self.reader.stream.write_all(batch.bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Broken::Closed),
            Err(_) => return Err(Broken::TimedOut),
        }
        let mut values = Vec::with_capacity(batch.len());
        while values.len() < batch.len() {
            match timeout_at(deadline, read_value(&mut self.parser, &mut self.reader)).await {
                Ok(Ok(value)) => values.push(value),
                Ok(Err(error)) => return Err(self.broken(&error)),
                Err(_) => return Err(Broken::TimedOut),
            }
        }
        Ok(values)
    }

    fn broken(&self, error: &RedisError) -> Broken {
        if self.reader.left == 0 {
            Broken::TooMuch
        } else if error.kind() == redis::ErrorKind::Parse {
            Broken::NotResp
        } else {
            Broken::Closed
        }
    }
}

/// Reads one value. What came of it before, and what came after it, stays in `parser`.
///
/// The parser of `redis` wants a blocking reader. It keeps its place when a read fails, so that it can be called
/// again when there is more.
pub async fn read_value(
    parser: &mut Parser,
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Value, RedisError> {
    poll_fn(|context| {
        let mut pending = false;
        let parsed = parser.parse_value(Polled { reader: &mut *reader, context, pending: &mut pending });
        if pending { Poll::Pending } else { Poll::Ready(parsed) }
    })
    .await
}

/// One poll of a socket as a blocking read. Where nothing is there the read fails, and the task is woken later.
struct Polled<'p, 'c, R> {
    reader: &'p mut R,
    context: &'p mut Context<'c>,
    pending: &'p mut bool,
}

impl<R: AsyncRead + Unpin> io::Read for Polled<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.reader).poll_read(self.context, &mut buffer) {
            Poll::Ready(result) => result.map(|()| buffer.filled().len()),
            Poll::Pending => {
                *self.pending = true;
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
    }
}

fn reply(value: Value) -> Reply {
    match value {
        Value::ServerError(error) => {
            let code = error.code();
            Reply::Error(match error.details() {
                Some(detail) => format!("{code} {detail}"),
                None => code.to_owned(),
            })
        }
        Value::Array(values) => Reply::List(values.into_iter().map(reply).collect()),
        Value::BulkString(bytes) => Reply::Text(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) => Reply::Text(text),
        Value::Okay => Reply::Text("OK".into()),
        Value::Int(number) => Reply::Number(number),
        Value::Nil => Reply::Nothing,
        _ => Reply::Other,
    }
}

/// A socket that gives no more than a number of bytes, and remembers the first ones.
struct Bounded {
    stream: TcpStream,
    left: usize,
    first: Vec<u8>,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("more bytes than any answer has")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = polled {
            let came = &buffer.filled()[before..];
            let wanted = MAX_FIRST_BYTES.saturating_sub(self.first.len()).min(came.len());
            let first = came[..wanted].to_vec();
            let came = came.len();
            self.first.extend_from_slice(&first);
            self.left = self.left.saturating_sub(came);
        }
        polled
    }
}
