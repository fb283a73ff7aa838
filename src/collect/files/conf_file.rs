//! Reads configuration files.

use std::io;
use std::path::Path;

use super::bounded::read_bounded;
use super::open::read_named;
use crate::model::limits::MAX_CONF_BYTES;
use crate::parse::conf_text::{ConfError, ConfText, text_of};

/// Reads one file that a person named; `-` is the standard input.
pub fn read_conf(name: &str) -> ConfText {
    let read = if name == "-" {
        read_bounded(io::stdin().lock(), MAX_CONF_BYTES)
    } else {
        read_named(Path::new(name), MAX_CONF_BYTES)
    };
    conf_text(name, read)
}

/// What was read of the file that is called `name`.
pub fn conf_text(name: &str, read: io::Result<Option<Vec<u8>>>) -> ConfText {
    let bytes = read.map_err(ConfError::Io).and_then(|bytes| bytes.ok_or(ConfError::TooLarge));
    ConfText { name: name.to_owned(), text: bytes.and_then(|bytes| text_of(&bytes)) }
}
