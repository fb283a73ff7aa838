//! Reads the check files that a user adds with `--checks DIR`.

use std::io;
use std::path::{Path, PathBuf};

use super::open::read_named;
use crate::model::limits::MAX_CHECK_FILE_BYTES;

/// A check file as it lies on the disk.
#[derive(Debug)]
pub struct CheckText {
    /// The path below the directory without `.yaml`, with `/`: the id of the check.
    pub id: String,
    /// The path for error messages.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// Why a directory of checks cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The operating system says no.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no check in it: most likely another directory was meant.
    #[error("there is no check (*.yaml) below {}", .0.display())]
    Empty(PathBuf),
    /// A file right in the directory would have an id without a group.
    #[error("{}: put it into a directory such as node/: the path of a check is its id", .0.display())]
    NoGroup(PathBuf),
}

/// Every `*.yaml` below `directory`, ordered by path.
pub fn read_check_directory(directory: &Path) -> Result<Vec<CheckText>, DirectoryError> {
    let mut paths = Vec::new();
    walk(directory, &mut paths)?;
    paths.sort();
    if paths.is_empty() {
        return Err(DirectoryError::Empty(directory.to_owned()));
    }
    let mut texts = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(directory).unwrap_or(&path).with_extension("");
        let id = relative.to_string_lossy().replace('\\', "/");
        if !id.contains('/') {
            return Err(DirectoryError::NoGroup(path));
        }
        let fail = |source| DirectoryError::Io { path: path.clone(), source };
        let bytes = read_named(&path, MAX_CHECK_FILE_BYTES).map_err(fail)?;
        let bytes = bytes.ok_or_else(|| fail(io::Error::other("it is larger than any check (1 MiB)")))?;
        let text = String::from_utf8(bytes).map_err(|error| fail(io::Error::other(error)))?;
        texts.push(CheckText { id, file: path.to_string_lossy().into_owned(), text });
    }
    Ok(texts)
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<(), DirectoryError> {
    let fail = |source| DirectoryError::Io { path: directory.to_owned(), source };
    for entry in std::fs::read_dir(directory).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        // A link to a directory is not followed: it could lead in a circle.
        if entry.file_type().map_err(fail)?.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    Ok(())
}
