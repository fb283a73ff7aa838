//! Opens files whose names somebody else may have chosen.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use nix::errno::Errno;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use std::os::fd::AsRawFd;

use super::bounded::read_bounded;
use crate::i18n::reasons;
use crate::model::limits::NAMED_STREAM_TIMEOUT;
use crate::model::reason::Refused;

/// Opens a regular file, and nothing else: a FIFO would never end, and to open a device can be an action in itself (a
/// watchdog begins to count). It is looked at before it is opened, and what was looked at is what is opened.
///
/// # Errors
/// What the operating system says, or that it is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // A descriptor of this kind opens nothing.
    let seen = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&seen)?.st_mode) {
        FileType::RegularFile => File::open(format!("/proc/self/fd/{}", seen.as_raw_fd())),
        FileType::Directory => Err(Errno::EISDIR.into()),
        _ => Err(Refused(reasons::no_regular_file()).into()),
    }
}

/// All of a file that a person named on the command line, if that is at most `most` bytes; `None` if there is more. It may be
/// a FIFO, as `<(command)` is in a shell; who writes there has a bounded time.
///
/// # Errors
/// What the operating system says, or that nothing more came in time.
pub fn read_named(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    match open_regular(path) {
        Err(error) if is_refused(&error) => {}
        opened => return read_bounded(opened?, most),
    }
    let (done, read) = mpsc::channel();
    let path = path.to_owned();
    // Nothing ends a read of a FIFO but its writer: the thread is left to itself when the time is over.
    thread::spawn(move || done.send(File::open(path).and_then(|file| read_bounded(file, most))));
    let late = |_| Err(Refused(reasons::nothing_came_in(NAMED_STREAM_TIMEOUT.as_secs())).into());
    read.recv_timeout(NAMED_STREAM_TIMEOUT).unwrap_or_else(late)
}

/// Whether this program itself refused the file, and not the operating system.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Refused>())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::time::Instant;

    use rustix::fs::{FileType, mknodat};

    use super::*;

    #[test]
    fn a_regular_file_is_opened_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "text").unwrap();
        symlink("file", path("link")).unwrap();
        mknodat(CWD, path("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        symlink("fifo", path("to-fifo")).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        for good in ["file", "link"] {
            assert_eq!(io::read_to_string(open_regular(&path(good)).unwrap()).unwrap(), "text", "{good}");
        }
        let began = Instant::now();
        for bad in [path("fifo"), path("to-fifo"), path("socket"), "/dev/zero".into(), "/dev/tty".into()] {
            let error = open_regular(&bad).unwrap_err();
            assert_eq!(error.to_string(), "it is no regular file", "{}", bad.display());
        }
        assert!(began.elapsed() < NAMED_STREAM_TIMEOUT, "nothing was waited for");
        assert_eq!(open_regular(place.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(open_regular(&path("missing")).unwrap_err().raw_os_error(), Some(2));
        assert!(open_regular(Path::new("/proc/self/stat")).is_ok(), "files of the kernel are regular");
    }

    #[test]
    fn what_a_person_names_may_be_a_fifo_and_has_a_bound() {
        let place = tempfile::tempdir().unwrap();
        let fifo = place.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let writer = fifo.clone();
        let writing = thread::spawn(move || fs::write(writer, "text").unwrap());
        assert_eq!(read_named(&fifo, 100).unwrap().unwrap(), b"text");
        writing.join().unwrap();
        assert_eq!(read_named(Path::new("/dev/zero"), 1000).unwrap(), None);
    }
}
