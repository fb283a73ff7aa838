//! Reads the commands of clients.

use combine::parser::combinator::AnySendSyncPartialState;
use combine::stream::PointerOffset;
use redis::{Value, parse_redis_value_async};
use tokio::io::AsyncRead;

/// What the next command keeps between two reads.
pub type Decoder = combine::stream::Decoder<AnySendSyncPartialState, PointerOffset<[u8]>>;

/// The words of the next command. `None` when the client has gone, or speaks something else.
pub async fn next_command(
    decoder: &mut Decoder,
    reader: &mut (impl AsyncRead + Unpin),
) -> Option<Vec<String>> {
    let Ok(Value::Array(words)) = parse_redis_value_async(decoder, reader).await else { return None };
    let text = |word: Value| match word {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    Some(words.into_iter().filter_map(text).collect())
}
