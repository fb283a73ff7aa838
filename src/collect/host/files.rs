//! Where `/proc`, `/sys` and the rest are, and bounded reads from there.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};

use procfs_core::FromRead;

use super::access;
use super::processes::account;
use crate::collect::files::open::open_regular;
use crate::i18n::{io_error, reasons};
use crate::model::host::Account;
use crate::model::limits::{MAX_HOST_FILE_BYTES, MAX_SYMLINKS};
use crate::model::reason::{Argument, Reason, Refused};
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

    /// A file that a process calls `named`, as bytes: read as that process sees it, and with the rights of its user. None
    /// where it may not be told which file that is: from here the name may lead to another one.
    pub fn read_named_by(&self, pid: u32, named: &Path) -> Option<io::Result<Vec<u8>>> {
        if !self.sees(pid) {
            return None;
        }
        let whole = if named.is_absolute() {
            named.to_owned()
        } else {
            held(&self.process(pid).join("cwd")).ok()?.0.join(named)
        };
        let account = account(self, pid).ok()?;
        Some(read_as(&self.root_of(Some(pid)), &whole, Some(&account)))
    }
}

/// A file that the process with the root `root` and the user `account` named, as bytes, up to a bound. What this user may
/// not read is not read for it either: a link of his could lead to any file of the one who runs this program.
/// Without an account a person named it.
pub fn read_as(root: &Path, named: &Path, account: Option<&Account>) -> io::Result<Vec<u8>> {
    let inside = resolve(root, named);
    let file = open_regular(&below(root, &inside))?;
    if account.is_some_and(|account| !access::reaches(root, &inside, &file, account)) {
        return Err(Refused(reasons::not_readable_by_its_user()).into());
    }
    bounded(file)
}

/// A file as bytes, up to a bound.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bounded(open_regular(path)?)
}

fn bounded(file: File) -> io::Result<Vec<u8>> {
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

/// The same. `passed` gets each directory and each link of the way, and the last part, as the process calls them.
pub fn follow(root: &Path, path: &Path, mut passed: impl FnMut(&Path)) -> PathBuf {
    let mut left: Vec<PathBuf> = parts(path);
    let mut walked = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part.as_os_str() == ".." {
            walked.pop();
            continue;
        }
        let next = walked.join(&part);
        passed(&next);
        match fs::read_link(below(root, &next)) {
            Ok(target) if links < MAX_SYMLINKS => {
                links += 1;
                if target.is_absolute() {
                    walked = PathBuf::from("/");
                }
                left.extend(parts(&target));
            }
            _ => walked = next,
        }
    }
    walked
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let normal = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    let mut parts: Vec<PathBuf> = normal.collect();
    parts.reverse();
    parts
}

/// A path of a process as a path of ours.
pub fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_process_that_may_not_be_seen_names_no_file_of_ours() {
        let place = tempfile::tempdir().unwrap();
        let process = place.path().join("proc/7");
        fs::create_dir_all(&process).unwrap();
        let read = |pid: u32, name: &str| {
            let read = Roots::below(place.path()).read_named_by(pid, Path::new(name));
            read.map(|read| read.map_err(|error| error.to_string()))
        };
        let own_status = fs::read_to_string("/proc/self/status").unwrap();
        let run_as = |id: u32| {
            let lines = own_status.lines().map(|line| match line.split_once(':') {
                Some((key @ ("Uid" | "Gid"), _)) => format!("{key}:\t{id}\t{id}\t{id}\t{id}"),
                Some(("Groups", _)) => "Groups:\t".to_owned(),
                _ => line.to_owned(),
            });
            fs::write(process.join("status"), lines.collect::<Vec<_>>().join("\n")).unwrap();
        };
        run_as(990);
        assert_eq!(read(7, "/etc/pika.conf"), None, "neither its root nor its mounts are seen");
        symlink("../../box", process.join("root")).unwrap();
        let file = |name: &str| place.path().join("box").join(name);
        for directory in ["etc", "data"] {
            fs::create_dir_all(file(directory)).unwrap();
        }
        fs::write(file("data/pika.conf"), "port : 9221").unwrap();
        let mode =
            |name: &str, mode| fs::set_permissions(file(name), fs::Permissions::from_mode(mode)).unwrap();
        mode("data/pika.conf", 0o644);
        for directory in ["etc", "data", ""] {
            mode(directory, 0o755);
        }
        symlink("/data/pika.conf", file("etc/pika.conf")).unwrap();
        // The link leads on below its root, and not below ours.
        let text = Some(Ok(b"port : 9221".to_vec()));
        assert_eq!(read(7, "/etc/pika.conf"), text);
        assert_eq!(read(7, "pika.conf"), None, "its directory is not seen");
        symlink("/etc", process.join("cwd")).unwrap();
        assert_eq!(read(7, "pika.conf"), text);

        // What its user may not read, or not get at, is not read for it.
        let refused = Some(Err("the user that the process runs as may not read it".to_owned()));
        mode("data/pika.conf", 0o600);
        assert_eq!(read(7, "pika.conf"), refused);
        mode("data/pika.conf", 0o644);
        mode("data", 0o700);
        assert_eq!(read(7, "pika.conf"), refused);
        run_as(file("data").metadata().unwrap().uid());
        assert_eq!(read(7, "pika.conf"), text);

        nix::unistd::mkfifo(&file("etc/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(7, "fifo"), Some(Err("it is no regular file".to_owned())), "and not waited for");
    }

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
