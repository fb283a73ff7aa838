//! Reads configuration files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::bounded::read_bounded;
use crate::model::limits::MAX_CONF_BYTES;
use crate::parse::conf_text::{ConfError, ConfText, text_of};

/// Reads one file; `-` is the standard input.
pub fn read_conf(name: &str) -> ConfText {
    let read = if name == "-" { read_from(io::stdin().lock()) } else { read_file(Path::new(name)) };
    ConfText { name: name.to_owned(), text: read.and_then(|bytes| text_of(&bytes)) }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfError> {
    read_from(File::open(path).map_err(ConfError::Io)?)
}

fn read_from(source: impl Read) -> Result<Vec<u8>, ConfError> {
    read_bounded(source, MAX_CONF_BYTES).map_err(ConfError::Io)?.ok_or(ConfError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_read_to_its_end() {
        assert!(matches!(read_from(io::repeat(b'a')), Err(ConfError::TooLarge)));
        assert!(read_from(io::repeat(b'a').take(MAX_CONF_BYTES)).is_ok());
    }
}
