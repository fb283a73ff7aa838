//! Files that a process names: which they are, and whether its user may read them.

use std::io;
use std::path::Path;

use super::access;
use super::files::{Roots, below, bounded, held, resolve};
use super::processes::account;
use crate::collect::files::open::open_regular;
use crate::i18n::reasons;
use crate::model::host::Account;
use crate::model::reason::Refused;

/// A file that a process calls `named`, as bytes: read as that process sees it, and with the rights of its user. None
/// where it may not be told which file that is: from here the name may lead to another one.
pub fn read_named_by(roots: &Roots, pid: u32, named: &Path) -> Option<io::Result<Vec<u8>>> {
    if !roots.sees(pid) {
        return None;
    }
    let whole = if named.is_absolute() {
        named.to_owned()
    } else {
        held(&roots.process(pid).join("cwd")).ok()?.0.join(named)
    };
    let account = account(roots, pid).ok()?;
    Some(read_as(&roots.root_of(Some(pid)), &whole, Some(&account)))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_process_that_may_not_be_seen_names_no_file_of_ours() {
        let place = tempfile::tempdir().unwrap();
        let process = place.path().join("proc/7");
        fs::create_dir_all(&process).unwrap();
        let read = |pid: u32, name: &str| {
            let read = read_named_by(&Roots::below(place.path()), pid, Path::new(name));
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
}
