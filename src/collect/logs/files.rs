//! Which files of a directory are logs, and in which order they are worth reading.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::civil::Date;

use super::prefix::{Begin, Level};
use crate::i18n::io_error;
use crate::model::limits::{MAX_LOG_DIRECTORY_ENTRIES, MAX_LOG_FILES};
use crate::model::logs::LogProblem;
use crate::model::reason::Reason;

/// A log file.
#[derive(Debug)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// Which lines are in it: those of this level and of the worse ones. None: it does not say.
    pub level: Option<Level>,
    /// When it was begun, as its name says.
    pub begun: Option<Begin>,
    /// Whether it is compressed.
    pub compressed: bool,
    /// What the file system says.
    pub metadata: Metadata,
}

impl Found {
    fn modified(&self) -> SystemTime {
        self.metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Why there is no file to read.
pub type Nothing = (LogProblem, Option<Reason>);

/// The logs of a directory, or the one file: the newest of each level first.
pub fn list(path: &Path) -> Result<Vec<Found>, Nothing> {
    let metadata = fs::metadata(path).map_err(|error| gone_or(path, &error))?;
    if metadata.is_file() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A name such as pika.INFO leads to the file whose name has the date.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let real_name = real.file_name().unwrap_or_default().to_string_lossy();
        let kind = Kind::of(&real_name).or_else(|| Kind::of(&name));
        let compressed = kind.as_ref().is_some_and(|kind| kind.compressed);
        let begun = kind.and_then(|kind| kind.begun);
        return Ok(vec![Found { path: path.to_owned(), level: None, begun, compressed, metadata }]);
    }
    if !metadata.is_dir() {
        return Err((LogProblem::OtherKind, None));
    }
    let entries = fs::read_dir(path).map_err(|error| problem_of(&error))?;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let (mut others, mut dangling) = (0, 0);
    for entry in entries.take(MAX_LOG_DIRECTORY_ENTRIES).filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(kind) = Kind::of(&name) else {
            others += 1;
            continue;
        };
        let Ok(metadata) = fs::metadata(entry.path()) else {
            dangling += 1;
            continue;
        };
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if metadata.is_file() {
            found.push((
                is_link,
                Found {
                    path: entry.path(),
                    level: Some(kind.level),
                    begun: kind.begun,
                    compressed: kind.compressed,
                    metadata,
                },
            ));
        }
    }
    if found.is_empty() {
        return Err(match (dangling, others) {
            (0, 0) => (LogProblem::EmptyDirectory, None),
            (0, _) => (LogProblem::NoLogFiles, None),
            _ => (LogProblem::RotatedAway, None),
        });
    }
    // The file itself counts, under its own name, and not the link that leads to it.
    found.sort_by_key(|(is_link, file)| (*is_link, file.path.clone()));
    found.retain(|(_, file)| seen.insert((file.metadata.dev(), file.metadata.ino())));
    let mut found: Vec<Found> = found.into_iter().map(|(_, file)| file).collect();
    // Files of one moment are told apart by their names, in which the date stands.
    found.sort_by(|a, b| (b.level, b.modified(), &b.path).cmp(&(a.level, a.modified(), &a.path)));
    found.truncate(MAX_LOG_FILES);
    Ok(found)
}

/// A link whose file is not there any more is another matter than a name that never was.
fn gone_or(path: &Path, error: &io::Error) -> Nothing {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if error.kind() == io::ErrorKind::NotFound && is_link {
        return (LogProblem::RotatedAway, None);
    }
    problem_of(error)
}

/// What an error of the operating system comes to.
pub fn problem_of(error: &io::Error) -> Nothing {
    match error.kind() {
        io::ErrorKind::NotFound => (LogProblem::Missing, None),
        io::ErrorKind::PermissionDenied => (LogProblem::NoAccess, None),
        _ => (LogProblem::Failed, Some(io_error(error))),
    }
}

/// What the name of a file says: `pika.INFO`, `pika.host.user.log.INFO.20261122-185135.4711`, with whatever a rotation
/// puts behind it.
struct Kind {
    level: Level,
    begun: Option<Begin>,
    compressed: bool,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let mut parts = name.split('.').skip(1);
        let level = parts.by_ref().find_map(|part| match part {
            "INFO" => Some(Level::Info),
            "WARNING" => Some(Level::Warning),
            "ERROR" => Some(Level::Error),
            "FATAL" => Some(Level::Fatal),
            _ => None,
        })?;
        let rest: Vec<&str> = parts.collect();
        let begun = rest.first().and_then(|stamp| {
            let date: Date = stamp.get(..8)?.parse().ok()?;
            stamp[8..].starts_with('-').then(|| Begin { year: date.year(), month: date.month() })
        });
        let compressed = rest.last().is_some_and(|end| matches!(*end, "gz" | "bz2" | "xz" | "zst" | "lz4"));
        Some(Self { level, begun, compressed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_logs() {
        let kind = |name: &str| Kind::of(name).map(|kind| (kind.level, kind.begun, kind.compressed));
        let november = Some(Begin { year: 2026, month: 11 });
        assert_eq!(kind("pika.INFO"), Some((Level::Info, None, false)));
        assert_eq!(
            kind("pika.db-1.example.root.log.WARNING.20261122-185135.4711"),
            Some((Level::Warning, november, false))
        );
        assert_eq!(kind("pika.h.u.log.ERROR.20261122-185135.4711.gz"), Some((Level::Error, november, true)));
        assert_eq!(kind("pika.FATAL.1"), Some((Level::Fatal, None, false)));
        for other in ["write2file0", "manifest", "INFO", "pika.log", "pika.info", "LOG"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }
}
