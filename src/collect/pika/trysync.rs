//! The one harmless question to the replication server of 3.1 and later.
//!
//! A TrySync with a position that no binlog has is answered with the server's own position, and
//! forgotten: the server returns before it registers anybody (src/pika_repl_server_conn.cc,
//! HandleTrySync). It needs no password. Measured on 3.1.0 to 4.0.1.
//!
//! The messages are the part of src/pika_inner_message.proto that is used; the numbers of the fields
//! never changed.

use crate::model::replication::BinlogPosition;

/// The database that every server in classic mode has.
const DATABASE: &str = "db0";

/// TrySync among the types of a message.
const TRY_SYNC: u64 = 2;

/// The fields that are used, by message.
mod field {
    /// Of a request and of a response: which one it is.
    pub const KIND: u64 = 1;
    /// Of a request: the TrySync.
    pub const REQUEST_TRY_SYNC: u64 = 3;
    /// Of a response: whether the request was understood.
    pub const RESPONSE_CODE: u64 = 2;
    /// Of a response: the text of an error.
    pub const RESPONSE_REPLY: u64 = 3;
    /// Of a response: the answer to a TrySync.
    pub const RESPONSE_TRY_SYNC: u64 = 6;
    /// Of a TrySync request: who asks.
    pub const NODE: u64 = 1;
    /// Of an answer to a TrySync: how it ended.
    pub const CODE: u64 = 1;
    /// Of a TrySync, both ways: the database.
    pub const PARTITION: u64 = 2;
    /// Of a TrySync, both ways: the position in the binlog.
    pub const OFFSET: u64 = 3;
    /// Of a node, a partition and a position: the address, the name, the number of the file.
    pub const FIRST: u64 = 1;
    /// Of a node, a partition and a position: the port, the id, the place in the file.
    pub const SECOND: u64 = 2;
}

/// One field of a message, as it stands on the wire. Field numbers and types together make the key.
enum Value<'m> {
    Number(u64),
    Bytes(&'m [u8]),
    /// A type that no field here has.
    Other,
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
    // The address is only logged on this path; it tells the reader of the log who asked.
    let node = [bytes(field::FIRST, b"pikadoctor"), number(field::SECOND, 1)].concat();
    let try_sync = [
        bytes(field::NODE, &node),
        bytes(field::PARTITION, &partition()),
        bytes(field::OFFSET, &position(u32::MAX, 0)),
    ]
    .concat();
    framed(&[number(field::KIND, TRY_SYNC), bytes(field::REQUEST_TRY_SYNC, &try_sync)].concat())
}

/// Reads an answer: a frame whose message is a response to TrySync. `None` when it is something else.
pub fn read(bytes: &[u8]) -> Option<Answer> {
    let (length, message) = bytes.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let mut message = message.get(..usize::try_from(length).ok()?)?;
    let (mut kind, mut error, mut position) = (0, None, None);
    while !message.is_empty() {
        match next_field(&mut message)? {
            (field::KIND, Value::Number(found)) => kind = found,
            (field::RESPONSE_REPLY, Value::Bytes(text)) => {
                error = Some(String::from_utf8(text.to_vec()).ok()?);
            }
            (field::RESPONSE_TRY_SYNC, Value::Bytes(answer)) => position = position_of(answer)?,
            (field::KIND | field::RESPONSE_REPLY | field::RESPONSE_TRY_SYNC, _) => return None,
            _ => {}
        }
    }
    (kind == TRY_SYNC).then_some(Answer { position, error })
}

/// The position in the answer to a TrySync, if there is one. `None` when it is no such answer.
#[allow(clippy::option_option)] // the outer one is of the frame, as in all readers here; the inner one of what it says
fn position_of(mut answer: &[u8]) -> Option<Option<BinlogPosition>> {
    let mut position = None;
    while !answer.is_empty() {
        match next_field(&mut answer)? {
            (field::OFFSET, Value::Bytes(mut offset)) => {
                let mut found =
                    BinlogPosition { db: Some(DATABASE.into()), file: 0, offset: 0, safety_purge: None };
                while !offset.is_empty() {
                    match next_field(&mut offset)? {
                        (field::FIRST, Value::Number(file)) => found.file = file,
                        (field::SECOND, Value::Number(place)) => found.offset = place,
                        (field::FIRST | field::SECOND, _) => return None,
                        _ => {}
                    }
                }
                position = Some(found);
            }
            (field::OFFSET, _) => return None,
            _ => {}
        }
    }
    Some(position)
}

/// The frame with which a server answers such a question, for simulated servers: its position in db0.
pub fn answer_frame(file: u32, offset: u64) -> Vec<u8> {
    /// The request was understood.
    const OK: u64 = 1;
    /// The position that was asked for is none of its binlog.
    const INVALID_OFFSET: u64 = 3;
    let answer = [
        number(field::CODE, INVALID_OFFSET),
        bytes(field::PARTITION, &partition()),
        bytes(field::OFFSET, &position(file, offset)),
    ]
    .concat();
    framed(
        &[
            number(field::KIND, TRY_SYNC),
            number(field::RESPONSE_CODE, OK),
            bytes(field::RESPONSE_TRY_SYNC, &answer),
        ]
        .concat(),
    )
}

fn partition() -> Vec<u8> {
    [bytes(field::FIRST, DATABASE.as_bytes()), number(field::SECOND, 0)].concat()
}

fn position(file: u32, offset: u64) -> Vec<u8> {
    [number(field::FIRST, file.into()), number(field::SECOND, offset)].concat()
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), message].concat()
}

/// A field that is a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    let mut out = varint(field << 3);
    out.extend(varint(value));
    out
}

/// A field that is a text or a message.
fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let mut out = varint(field << 3 | 2);
    // A usize is no wider than 64 bits anywhere.
    out.extend(varint(value.len() as u64));
    out.extend_from_slice(value);
    out
}

/// A number in the form of protocol buffers: seven bits a byte, the lowest first, a one in front of all but the last.
fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// Takes a number from the front. `None`: it does not end, or has more than 64 bits.
fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (index, byte) in message.iter().take(10).enumerate() {
        let low = u64::from(byte & 0x7f);
        if index == 9 && low > 1 {
            return None;
        }
        value |= low << (7 * index);
        if byte & 0x80 == 0 {
            *message = &message[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes the next field from the front: its number and its value. `None` when what stands there is no field.
fn next_field<'m>(message: &mut &'m [u8]) -> Option<(u64, Value<'m>)> {
    let key = take_varint(message)?;
    let value = match key & 7 {
        0 => Value::Number(take_varint(message)?),
        wire @ (1 | 2 | 5) => {
            let length = match wire {
                1 => 8,
                5 => 4,
                _ => usize::try_from(take_varint(message)?).ok()?,
            };
            let (value, rest) = message.split_at_checked(length)?;
            *message = rest;
            if wire == 2 { Value::Bytes(value) } else { Value::Other }
        }
        _ => return None,
    };
    (key >> 3 > 0).then_some((key >> 3, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unhex(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_frame_is_the_one_that_was_measured() {
        let measured =
            "0000002708021a230a0e0a0a70696b61646f63746f72100112070a0364623010001a0808ffffffff0f1000";
        assert_eq!(frame(), unhex(measured));
    }

    #[test]
    fn the_answer_of_a_real_server_is_read() {
        // 3.5.5 at file 0, offset 15330.
        let answer = read(&unhex("00000018080210013212080312070a0364623010001a05080010e277")).unwrap();
        let position = answer.position.unwrap();
        assert_eq!((position.file, position.offset), (0, 15330));
        // 3.3.6, empty.
        let answer = read(&unhex("00000017080210013211080312070a0364623010001a0408001000")).unwrap();
        assert_eq!(answer.position.unwrap().offset, 0);
    }

    #[test]
    fn a_simulated_server_answers_with_the_bytes_of_a_real_one() {
        let measured = "00000018080210013212080312070a0364623010001a05080010e277";
        assert_eq!(answer_frame(0, 15330), unhex(measured));
    }

    #[test]
    fn anything_else_is_not_an_answer() {
        for text in ["", "0000", "00000001", "0000ffff0802", "0000000408011001", "485454502f312e31"] {
            assert_eq!(read(&unhex(text)), None, "{text}");
        }
    }

    #[test]
    fn a_field_that_is_not_used_is_passed_over_and_one_of_the_wrong_type_is_not_taken() {
        // Fields 15 of each type in front of, and behind, the kind.
        let padded = framed(&unhex(
            "7801 7a0161 7d00000000 790000000000000000 0802 1001 7801".replace(' ', "").as_str(),
        ));
        assert_eq!(read(&padded), Some(Answer { position: None, error: None }));
        let replied = [number(field::KIND, TRY_SYNC), bytes(field::RESPONSE_REPLY, b"no")].concat();
        assert_eq!(read(&framed(&replied)).unwrap().error.as_deref(), Some("no"));
        for wrong in [
            "0a0102",
            "08021801",
            "08023001",
            "080232021801",
            "0802000100",
            "0802ff",
            "0802ffffffffffffffffff02",
        ] {
            assert_eq!(read(&framed(&unhex(wrong))), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_position_comes_back(file: u32, offset: u64) {
            let position = read(&answer_frame(file, offset)).unwrap().position.unwrap();
            prop_assert_eq!((position.file, position.offset), (u64::from(file), offset));
        }

        #[test]
        fn any_bytes_are_read_or_not(message: Vec<u8>) {
            let _ = read(&framed(&message));
        }
    }
}
