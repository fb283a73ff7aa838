//! Reads a small text file that a person names: bounded, and with the name in every error.

use std::io;
use std::path::Path;

use super::open::read_named;
use crate::model::limits::MAX_TEXT_FILE_BYTES;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {file}: {source}")]
pub struct TextFileError {
    file: String,
    source: io::Error,
}

/// The text of a file, of at most 1 MiB.
pub fn read_text(path: &Path) -> Result<String, TextFileError> {
    let fail = |source| TextFileError { file: path.display().to_string(), source };
    let bytes = read_named(path, MAX_TEXT_FILE_BYTES).map_err(fail)?;
    let bytes = bytes.ok_or_else(|| fail(io::Error::other("it is larger than 1 MiB")))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        fail(io::Error::other(format!("line {} is not UTF-8", good.matches('\n').count() + 1)))
    })
}
