//! The text of a configuration file, before anything is read from it.

use std::io;

use crate::i18n::{io_error, reasons};
use crate::model::reason::Reason;

/// A configuration file as it was read.
pub struct ConfText {
    /// The file as it was named; `-` is the standard input.
    pub name: String,
    /// Its text, or why there is none. It holds passwords and goes no further than to the parser.
    pub text: Result<String, ConfError>,
}

/// Why a configuration file cannot be judged.
#[derive(Debug)]
pub enum ConfError {
    /// The operating system says no.
    Io(io::Error),
    /// The time of the run was over before it was read.
    Elapsed,
    /// No pika.conf is that large; perhaps another file was meant.
    TooLarge,
    /// A program, an archive, a database: no text.
    Binary {
        /// The byte that no text has.
        what: &'static str,
        /// Its place, from 0.
        at: usize,
    },
    /// Control characters here and there are a slip, many of them are no text.
    Garbage {
        /// How many control characters.
        controls: usize,
        /// How many bytes.
        bytes: usize,
    },
}

impl std::fmt::Display for ConfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(Reason::from(self).as_str())
    }
}

impl std::error::Error for ConfError {}

impl From<&ConfError> for Reason {
    fn from(error: &ConfError) -> Self {
        match error {
            ConfError::Io(error) => reasons::cannot_read_it(io_error(error)),
            ConfError::Elapsed => reasons::cannot_read_it(reasons::not_read_in_time()),
            ConfError::TooLarge => reasons::conf_too_large(),
            ConfError::Binary { what, at } => reasons::not_text_at_byte(*what, *at),
            ConfError::Garbage { controls, bytes } => reasons::not_text_controls(*controls, *bytes),
        }
    }
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
}
