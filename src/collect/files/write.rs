//! Writes the files that a person names for what this program makes.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes a file so that a reader sees the old one or the new one, and never a part: a collector may read it at
/// any time.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".pikadoctor-").tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; a report is for whoever may read the directory.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Whether there is something at `path` already.
pub fn exists(path: &Path) -> bool {
    path.exists()
}
