//! The one harmless question to the replication server of 3.1 and later.
//!
//! A TrySync with a position that no binlog has is answered with the server's own position, and
//! forgotten: the server returns before it registers anybody (src/pika_repl_server_conn.cc,
//! HandleTrySync). It needs no password. Measured on 3.1.0 to 4.0.1.
//!
//! The messages are the part of src/pika_inner_message.proto that is used; the numbers of the fields
//! never changed.

use prost::Message;

use crate::model::replication::BinlogPosition;

/// The database that every server in classic mode has.
const DATABASE: &str = "db0";

/// TrySync among the types of a message.
const TRY_SYNC: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, required, tag = "1")]
    ip: String,
    #[prost(int32, required, tag = "2")]
    port: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Partition {
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(uint32, required, tag = "2")]
    id: u32,
}

#[derive(Clone, PartialEq, Message)]
struct BinlogOffset {
    #[prost(uint32, required, tag = "1")]
    file: u32,
    #[prost(uint64, required, tag = "2")]
    offset: u64,
}

#[derive(Clone, PartialEq, Message)]
struct TrySyncRequest {
    #[prost(message, required, tag = "1")]
    node: Node,
    #[prost(message, required, tag = "2")]
    partition: Partition,
    #[prost(message, required, tag = "3")]
    offset: BinlogOffset,
}

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(message, optional, tag = "3")]
    try_sync: Option<TrySyncRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct TrySyncResponse {
    #[prost(int32, required, tag = "1")]
    code: i32,
    #[prost(message, optional, tag = "2")]
    partition: Option<Partition>,
    #[prost(message, optional, tag = "3")]
    offset: Option<BinlogOffset>,
}

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(int32, required, tag = "2")]
    code: i32,
    #[prost(string, optional, tag = "3")]
    reply: Option<String>,
    #[prost(message, optional, tag = "6")]
    try_sync: Option<TrySyncResponse>,
}

/// What a replication server said.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The end of the binlog of db0. Absent when the server has no such database (sharding mode).
    pub position: Option<BinlogPosition>,
    /// The text of an error.
    pub error: Option<String>,
}

/// The whole frame: four bytes of length, big-endian, and the message.
pub fn frame() -> Vec<u8> {
    let request = Request {
        kind: TRY_SYNC,
        try_sync: Some(TrySyncRequest {
            // The address is only logged on this path; it tells the reader of the log who asked.
            node: Node { ip: "pikadoctor".into(), port: 1 },
            partition: Partition { name: DATABASE.into(), id: 0 },
            offset: BinlogOffset { file: u32::MAX, offset: 0 },
        }),
    };
    let message = request.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), &message].concat()
}

/// Reads an answer: a frame whose message is a response to TrySync. `None` when it is something else.
pub fn read(bytes: &[u8]) -> Option<Answer> {
    let (length, message) = bytes.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let message = message.get(..usize::try_from(length).ok()?)?;
    let response = Response::decode(message).ok()?;
    if response.kind != TRY_SYNC {
        return None;
    }
    let position = response.try_sync.and_then(|answer| answer.offset).map(|offset| BinlogPosition {
        db: Some(DATABASE.into()),
        file: u64::from(offset.file),
        offset: offset.offset,
        safety_purge: None,
    });
    Some(Answer { position, error: response.reply })
}

/// The frame with which a server answers such a question, for simulated servers: its position in db0.
pub fn answer_frame(file: u32, offset: u64) -> Vec<u8> {
    /// The request was understood.
    const OK: i32 = 1;
    /// The position that was asked for is none of its binlog.
    const INVALID_OFFSET: i32 = 3;
    let response = Response {
        kind: TRY_SYNC,
        code: OK,
        reply: None,
        try_sync: Some(TrySyncResponse {
            code: INVALID_OFFSET,
            partition: Some(Partition { name: DATABASE.into(), id: 0 }),
            offset: Some(BinlogOffset { file, offset }),
        }),
    };
    let message = response.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), &message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_frame_is_the_one_that_was_measured() {
        let measured =
            "0000002708021a230a0e0a0a70696b61646f63746f72100112070a0364623010001a0808ffffffff0f1000";
        assert_eq!(frame(), bytes(measured));
    }

    #[test]
    fn the_answer_of_a_real_server_is_read() {
        // 3.5.5 at file 0, offset 15330.
        let answer = read(&bytes("00000018080210013212080312070a0364623010001a05080010e277")).unwrap();
        let position = answer.position.unwrap();
        assert_eq!((position.file, position.offset), (0, 15330));
        // 3.3.6, empty.
        let answer = read(&bytes("00000017080210013211080312070a0364623010001a0408001000")).unwrap();
        assert_eq!(answer.position.unwrap().offset, 0);
    }

    #[test]
    fn a_simulated_server_answers_with_the_bytes_of_a_real_one() {
        let measured = "00000018080210013212080312070a0364623010001a05080010e277";
        assert_eq!(answer_frame(0, 15330), bytes(measured));
    }

    #[test]
    fn anything_else_is_not_an_answer() {
        for text in ["", "0000", "00000001", "0000ffff0802", "0000000408011001", "485454502f312e31"] {
            assert_eq!(read(&bytes(text)), None, "{text}");
        }
    }
}
