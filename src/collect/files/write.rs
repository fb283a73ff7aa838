//! Writes the files that a person names for what this program makes.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc::O_NONBLOCK;
use tempfile::NamedTempFile;

use super::way::follow;
use crate::i18n::reasons;
use crate::model::reason::Refused;

/// Writes a file so that a reader sees the old one or the new one, and never a part: a collector may read it at
/// any time. What is no regular file (`/dev/null`, a FIFO, `/dev/stdout`) is written to and never replaced. A link is
/// followed; an existing file keeps its mode and its owner, a new one is made by the umask.
///
/// # Errors
/// What the operating system says; also for a directory, a socket and a block device, and for a FIFO that nobody reads.
pub fn write_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if !leads_to_descriptor(path) {
        expect_own_way(path)?;
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && !leads_to_descriptor(path) => {
            replace(&fs::canonicalize(path)?, Some(&metadata), bytes)
        }
        Ok(metadata) => write_into(path, &metadata, bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(&end_of_links(path)?, None, bytes),
        Err(error) => Err(error),
    }
}

/// Refuses early what [`write_output`] is bound to fail with: a run may take minutes, and its report would be lost.
///
/// # Errors
/// A directory, a socket, a block device, or a place in a directory that is not there.
pub fn expect_output(path: &Path) -> io::Result<()> {
    if !leads_to_descriptor(path) {
        expect_own_way(path)?;
    }
    match fs::metadata(path) {
        Ok(metadata) => expect_writable_kind(&metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let end = end_of_links(path)?;
            fs::metadata(directory_of(&end)).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

fn expect_writable_kind(there: &Metadata) -> io::Result<()> {
    let kind = there.file_type();
    if kind.is_dir() {
        return Err(Errno::EISDIR.into());
    }
    if kind.is_block_device() || kind.is_socket() {
        return Err(io::Error::other("it is neither a file nor something that a report can be written to"));
    }
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether there is something at `path` already that a person could miss: not for a device or a FIFO.
pub fn would_be_lost(path: &Path) -> bool {
    fs::metadata(path).map_or_else(|_| path.is_symlink(), |metadata| metadata.is_file() || metadata.is_dir())
}

/// Refuses a link or a file of somebody else in a directory where everybody may put one, as `/tmp` is: it would lead what
/// root writes to a file of root's, or give the report away. The kernel has the same rules for whoever opens such a file
/// (`fs.protected_symlinks`, `fs.protected_regular`), and knows nothing of a file that is replaced.
fn expect_own_way(path: &Path) -> io::Result<()> {
    const STICKY_AND_FOR_ALL: u32 = 0o1002;
    let own = nix::unistd::geteuid().as_raw();
    let mut planted = None;
    follow(Path::new("/"), &std::path::absolute(path)?, |part| {
        let (Ok(there), Some(Ok(directory))) =
            (fs::symlink_metadata(part), part.parent().map(fs::symlink_metadata))
        else {
            return;
        };
        let is_for_all = directory.mode() & STICKY_AND_FOR_ALL == STICKY_AND_FOR_ALL;
        if is_for_all && !there.is_dir() && ![own, directory.uid()].contains(&there.uid()) {
            planted.get_or_insert_with(|| part.to_owned());
        }
    });
    match planted {
        Some(part) => Err(Refused(reasons::planted_by_another_user(part.display())).into()),
        None => Ok(()),
    }
}

/// A name of a descriptor that is open already: whoever opened it waits for the bytes in that very file.
fn leads_to_descriptor(path: &Path) -> bool {
    let mut parts = path.components().skip(1).filter_map(|part| part.as_os_str().to_str());
    match (path.is_absolute(), parts.next(), parts.next(), parts.next()) {
        (true, Some("dev"), Some("stdout" | "stderr" | "fd"), _) => true,
        (true, Some("proc"), Some(_), Some(of_process)) => of_process == "fd",
        _ => false,
    }
}

/// The file that a chain of links which leads nowhere yet would make.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut end = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&end) {
            Ok(target) => end = end.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(end),
        }
    }
    Err(Errno::ELOOP.into())
}

/// The file that is being made, under the name that it has until it is whole.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Removes the file that is being made, for whoever ends the process while this is done. No other is begun until the
/// lock that comes back is given up.
pub fn remove_unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    remove(&mut unfinished);
    unfinished
}

fn remove(unfinished: &mut Option<PathBuf>) {
    if let Some(path) = unfinished.take() {
        // Where it is whole already it has another name.
        let _ = fs::remove_file(path);
    }
}

/// A new file beside `path`, which [`remove_unfinished`] knows.
fn begin_beside(path: &Path) -> io::Result<NamedTempFile> {
    const BY_UMASK: u32 = 0o666;
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let made = tempfile::Builder::new()
        .prefix(".pikadoctor-")
        .permissions(Permissions::from_mode(BY_UMASK))
        .tempfile_in(directory_of(path))?;
    *unfinished = Some(made.path().to_owned());
    Ok(made)
}

fn replace(path: &Path, replaced: Option<&Metadata>, bytes: &[u8]) -> io::Result<()> {
    let mut made = begin_beside(path)?;
    made.write_all(bytes)?;
    if let Some(replaced) = replaced {
        keep_owner(made.as_file(), replaced)?;
        made.as_file().set_permissions(replaced.permissions())?;
    }
    made.as_file().sync_all()?;
    made.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Only root can give a file away; where that fails the one who wrote it owns it.
fn keep_owner(made: &File, replaced: &Metadata) -> io::Result<()> {
    let now = made.metadata()?;
    if (now.uid(), now.gid()) != (replaced.uid(), replaced.gid()) {
        let _ = std::os::unix::fs::fchown(made, Some(replaced.uid()), Some(replaced.gid()));
    }
    Ok(())
}

fn write_into(path: &Path, there: &Metadata, bytes: &[u8]) -> io::Result<()> {
    expect_writable_kind(there)?;
    if there.file_type().is_fifo() && !leads_to_descriptor(path) {
        // Without a reader this ends at once instead of waiting for one for ever.
        let mut fifo = OpenOptions::new()
            .write(true)
            .custom_flags(O_NONBLOCK)
            .open(path)
            .map_err(|error| io::Error::new(error.kind(), format!("nobody reads this FIFO ({error})")))?;
        // From here on a slow reader is waited for.
        fcntl(&fifo, FcntlArg::F_SETFL(OFlag::empty()))?;
        return fifo.write_all(bytes);
    }
    // What stands in the file of a descriptor stays there.
    let mut into = OpenOptions::new().write(true).append(there.is_file()).open(path)?;
    into.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn a_link_is_followed_and_the_mode_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let (real, link) = (place.path().join("real"), place.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o600)).unwrap();
        symlink("real", &link).unwrap();
        write_output(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(real.metadata().unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_link_that_leads_nowhere_yet_makes_its_file() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        symlink("to-come", &link).unwrap();
        write_output(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(place.path().join("to-come")).unwrap(), b"new");
        symlink("circle", place.path().join("circle")).unwrap();
        write_output(&place.path().join("circle"), b"new").unwrap_err();
    }

    #[test]
    fn a_device_and_a_fifo_stay_what_they_are() {
        let place = tempfile::tempdir().unwrap();
        let (null, fifo) = (place.path().join("null"), place.path().join("fifo"));
        symlink("/dev/null", &null).unwrap();
        write_output(&null, b"new").unwrap();
        assert!(fs::metadata(&null).unwrap().file_type().is_char_device());
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        nix::unistd::mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let error = write_output(&fifo, b"new").unwrap_err();
        assert!(error.to_string().starts_with("nobody reads this FIFO"), "{error}");
        let read = fifo.clone();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            File::open(read).unwrap().read_to_string(&mut text).map(|_| text)
        });
        // The reader may come later than this.
        while write_output(&fifo, b"new").is_err() {
            std::thread::yield_now();
        }
        assert_eq!(reader.join().unwrap().unwrap(), "new");
        assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
        assert_eq!(write_output(place.path(), b"new").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn what_a_descriptor_leads_to_is_written_to_and_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        fs::write(&path, "before ").unwrap();
        let open = OpenOptions::new().append(true).open(&path).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        for named in [format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}")] {
            write_output(Path::new(&named), b"new ").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "before new new ");
        assert_eq!(open.metadata().unwrap().ino(), path.metadata().unwrap().ino());
        for other in ["dev/fd/1", "/dev/shm/report", "/proc/1", "/home/dev/fd/1"] {
            assert!(!leads_to_descriptor(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn what_another_user_has_put_into_a_directory_of_everybody_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (own, shared) = (place.path().join("own"), place.path().join("shared"));
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
        fs::write(&own, "old").unwrap();
        for name in ["link", "file", "directory"] {
            let planted = shared.join(name);
            match name {
                "link" => symlink(&own, &planted).unwrap(),
                "file" => fs::write(&planted, "").unwrap(),
                _ => symlink(place.path(), &planted).unwrap(),
            }
            let named = if name == "directory" { planted.join("own") } else { planted.clone() };
            write_output(&named, b"by its owner").unwrap();
            // Only root can make it another user's.
            if nix::unistd::geteuid().is_root() {
                std::os::unix::fs::lchown(&planted, Some(990), Some(990)).unwrap();
                let error = write_output(&named, b"new").unwrap_err();
                assert!(error.to_string().contains("another user"), "{name}: {error}");
                assert_eq!(expect_output(&named).unwrap_err().to_string(), error.to_string());
                assert_eq!(fs::read(&own).unwrap(), b"by its owner");
            }
        }
    }

    #[test]
    fn whoever_ends_the_process_leaves_no_half_of_a_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("report");
        // Other tests of this process write files meanwhile, and theirs may be the one that is known.
        let is_known = |made: &NamedTempFile| UNFINISHED.lock().unwrap().as_deref() == Some(made.path());
        assert!((0..1000).any(|_| is_known(&begin_beside(&path).unwrap())), "what is begun is known");
        let made = begin_beside(&path).unwrap();
        remove(&mut Some(made.path().to_owned()));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        write_output(&path, b"new").unwrap();
        remove(&mut Some(made.path().to_owned()));
        assert_eq!(fs::read(&path).unwrap(), b"new", "what is whole stays");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("report");
        fs::create_dir(&path).unwrap();
        write_output(&path.join("missing/report"), b"new").unwrap_err();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }
}
