//! Reads the commands of clients.

use redis::{Parser, Value};
use tokio::io::AsyncRead;

use crate::collect::pika::resp::read_value;

/// The words of the next command. `None` when the client has gone, or speaks something else.
pub async fn next_command(parser: &mut Parser, reader: &mut (impl AsyncRead + Unpin)) -> Option<Vec<String>> {
    let Ok(Value::Array(words)) = read_value(parser, reader).await else { return None };
    let text = |word: Value| match word {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    Some(words.into_iter().filter_map(text).collect())
}
