//! Reads a small text file that a person names: bounded, and with the name in every error.

use crate::model::limits::MAX_TEXT_FILE_BYTES;
use std::io;
use std::path::Path;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {file}: {source}")]
pub struct TextFileError {
    file: String,
    source: io::Error,
}

/// The text of a file, of at most 1 MiB.
pub fn read_text(path: &Path) -> Result<String, TextFileError> {
    use io::Read as _;
    let fail = |source| TextFileError { file: path.display().to_string(), source };
    let file = std::fs::File::open(path).map_err(fail)?;
    // The length of a pipe is not known before it was read.
    let mut bytes = Vec::new();
    file.take(MAX_TEXT_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_TEXT_FILE_BYTES) {
        return Err(fail(io::Error::other("it is larger than 1 MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        fail(io::Error::other(format!("line {} is not UTF-8", good.matches('\n').count() + 1)))
    })
}
