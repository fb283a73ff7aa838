//! Reads configuration files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A configuration file as it was read.
pub struct ConfText {
    /// The file as it was named; `-` is the standard input.
    pub name: String,
    /// Its text, or why there is none. It holds passwords and goes no further than to the parser.
    pub text: Result<String, ConfError>,
}

/// Why a configuration file cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// The operating system says no.
    #[error("cannot read it: {0}")]
    Io(io::Error),
    /// No pika.conf is that large; perhaps another file was meant.
    #[error("it is larger than 1 MiB, which no pika.conf is")]
    TooLarge,
    /// A program, an archive, a database: no text.
    #[error("it is no text: {what} at byte {at}")]
    Binary {
        /// The byte that no text has.
        what: &'static str,
        /// Its place, from 0.
        at: usize,
    },
    /// Control characters here and there are a slip, many of them are no text.
    #[error("it is no text: {controls} of its {bytes} bytes are control characters")]
    Garbage {
        /// How many control characters.
        controls: usize,
        /// How many bytes.
        bytes: usize,
    },
}

/// The most bytes that a configuration file may have. Pika itself reads no line beyond that.
const MOST_BYTES: u64 = 1024 * 1024;

/// Reads one file; `-` is the standard input.
pub fn read_conf(name: &str) -> ConfText {
    let read = if name == "-" { read_from(io::stdin().lock()) } else { read_file(Path::new(name)) };
    ConfText { name: name.to_owned(), text: read.and_then(|bytes| text_of(&bytes)) }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfError> {
    read_from(File::open(path).map_err(ConfError::Io)?)
}

/// The length is bounded here and not by the metadata, which say nothing about pipes and devices.
fn read_from(source: impl Read) -> Result<Vec<u8>, ConfError> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(ConfError::Io)?;
    if bytes.len() as u64 > MOST_BYTES { Err(ConfError::TooLarge) } else { Ok(bytes) }
}

/// The bytes as text. Comments in another encoding than UTF-8 are no reason to refuse a file; bytes that
/// are not UTF-8 are replaced one by one.
pub fn text_of(bytes: &[u8]) -> Result<String, ConfError> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(ConfError::Binary { what: "a NUL", at });
    }
    let is_control = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    let controls = bytes.iter().filter(is_control).count();
    if controls * 20 > bytes.len() {
        return Err(ConfError::Garbage { controls, bytes: bytes.len() });
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused_with_a_reason() {
        let message = |bytes: &[u8]| text_of(bytes).unwrap_err().to_string();
        assert!(message(b"port : 9221\n\0").contains("a NUL at byte 12"));
        assert!(message(&[7; 30]).contains("30 of its 30 bytes"));
        // A comment in GBK is no UTF-8 and still a comment.
        assert!(text_of(b"# \xb6\xcb\xbf\xda\nport : 9221\n").unwrap().ends_with("port : 9221\n"));
        assert!(text_of(b"").unwrap().is_empty());
    }

    #[test]
    fn what_is_too_large_is_not_read_to_its_end() {
        assert!(matches!(read_from(io::repeat(b'a')), Err(ConfError::TooLarge)));
        assert!(read_from(io::repeat(b'a').take(MOST_BYTES)).is_ok());
    }
}
