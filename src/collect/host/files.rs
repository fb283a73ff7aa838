//! Where `/proc`, `/sys` and the rest are, and bounded reads from there.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use procfs_core::FromRead;

use crate::collect::files::open::open_regular;
pub use crate::collect::files::way::{below, follow};
use crate::i18n::{io_error, reasons};
use crate::model::limits::MAX_HOST_FILE_BYTES;
use crate::model::reason::{Argument, Reason};
use crate::model::unavailable::Unavailable;

/// The directories that facts about a host are read from. Others than the real ones hold a recorded host.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/proc`
    pub proc: PathBuf,
    /// `/sys`
    pub sys: PathBuf,
    /// `/`
    pub root: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), root: "/".into() }
    }
}

impl Roots {
    /// A recorded host below `directory`.
    pub fn below(directory: &Path) -> Self {
        Self { proc: directory.join("proc"), sys: directory.join("sys"), root: directory.join("root") }
    }

    /// Whether this is the host itself, and not a record of one.
    pub fn is_live(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The directory of a process.
    pub fn process(&self, pid: u32) -> PathBuf {
        self.proc.join(pid.to_string())
    }

    /// Whether the files of a process are seen as it sees them: its root may be looked into, or its mounts are ours.
    pub fn sees(&self, pid: u32) -> bool {
        let mounts = |process: PathBuf| read(&process.join("mountinfo")).ok();
        let theirs = mounts(self.process(pid));
        fs::read_dir(self.process(pid).join("root")).is_ok()
            || (theirs.is_some() && theirs == mounts(self.proc.join("self")))
    }

    /// The directory that a process sees as `/`. Where that may not be seen it is taken for our own.
    pub fn root_of(&self, pid: Option<u32>) -> PathBuf {
        let own = pid.map(|pid| self.process(pid).join("root"));
        own.filter(|root| fs::read_dir(root).is_ok()).unwrap_or_else(|| self.root.clone())
    }
}

/// A file as bytes, up to a bound.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bounded(open_regular(path)?)
}

/// What is in an open file, up to the same bound.
pub fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_HOST_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file as text, without the blanks around it.
pub fn text(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).trim().to_owned())
}

/// What a link of `/proc` leads to, and whether it is gone: a program or a directory that is removed below a process keeps
/// its name there.
pub fn held(link: &Path) -> io::Result<(PathBuf, bool)> {
    let target = fs::read_link(link)?;
    let gone = target.to_str().and_then(|shown| shown.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(gone.map_or((target, false), |was| (was, true)))
}

/// A file that is a number.
pub fn number(path: &Path) -> Option<u64> {
    text(path).ok()?.parse().ok()
}

/// Why a file of `/proc` says nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is not in the form that it should have.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the reader of this form says.
        source: procfs_core::ProcError,
    },
}

impl From<&ProcError> for Reason {
    fn from(error: &ProcError) -> Self {
        match error {
            ProcError::Unreadable { path, source } => reasons::about(path.display(), io_error(source)),
            ProcError::Malformed { path, source } => {
                reasons::about(path.display(), Self::verbatim(source.to_string()))
            }
        }
    }
}

/// A file of `/proc`, read by `parse`.
pub fn parsed_by<T>(
    path: &Path,
    parse: impl FnOnce(Cursor<Vec<u8>>) -> procfs_core::ProcResult<T>,
) -> Result<T, ProcError> {
    let bytes = read(path).map_err(|source| ProcError::Unreadable { path: path.to_owned(), source })?;
    parse(Cursor::new(bytes)).map_err(|source| ProcError::Malformed { path: path.to_owned(), source })
}

/// A file of `/proc` in the form that the procfs-core crate knows.
pub fn parsed<T: FromRead>(path: &Path) -> Result<T, ProcError> {
    parsed_by(path, |bytes| T::from_read(bytes))
}

/// Why a fact of a host is absent: without the right to see it nobody gave access.
pub fn absent(path: impl Into<String>, error: &io::Error, what: impl Into<Argument>) -> Unavailable {
    let reason = reasons::about(what, io_error(error));
    if error.kind() == io::ErrorKind::PermissionDenied {
        Unavailable::no_access(path, reasons::run_as_pika_or_root(reason))
    } else {
        Unavailable::failed(path, reason)
    }
}

/// The place of `path` as a process below `root` finds it, symbolic links included. The links of another
/// root must not lead into ours, so they are followed one by one. What does not exist is kept as it is.
pub fn resolve(root: &Path, path: &Path) -> PathBuf {
    follow(root, path, |_| {})
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_within_their_root() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("data/pika/db")).unwrap();
        symlink("/data/pika", root.path().join("srv")).unwrap();
        symlink("../data", root.path().join("data/pika/up")).unwrap();
        symlink("loop", root.path().join("loop")).unwrap();
        let at = |path: &str| resolve(root.path(), Path::new(path)).display().to_string();
        assert_eq!(at("/srv/db"), "/data/pika/db");
        assert_eq!(at("/srv/new/../db"), "/data/pika/db");
        assert_eq!(at("/data/pika/up/x"), "/data/data/x");
        assert_eq!(at("/../../etc"), "/etc", "there is nothing above a root");
        assert!(at("/loop").starts_with("/loop"), "a circle ends");
    }
}
