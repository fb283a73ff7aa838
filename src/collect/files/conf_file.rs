//! Reads configuration files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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

/// The length is bounded here and not by the metadata, which say nothing about pipes and devices.
fn read_from(source: impl Read) -> Result<Vec<u8>, ConfError> {
    let mut bytes = Vec::new();
    source.take(MAX_CONF_BYTES + 1).read_to_end(&mut bytes).map_err(ConfError::Io)?;
    if bytes.len() as u64 > MAX_CONF_BYTES { Err(ConfError::TooLarge) } else { Ok(bytes) }
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
