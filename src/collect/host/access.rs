//! What an account may do with files: by their owners and modes, by the file system below them, and by the attribute
//! that keeps root from them, too. WriteAccess lists and security modules are not seen.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

use super::files::below;
use crate::model::host::Account;
use crate::model::limits::MAX_ENTRIES_LOOKED_AT;
use crate::model::storage::{Obstacle, PathRole};

/// The bit for running a file, or passing through a directory.
pub const EXECUTE: u32 = 1;
/// The bit for writing.
const WRITE: u32 = 2;
/// The bit for reading.
const READ: u32 = 4;
/// What nobody but the owner may remove from a directory.
const STICKY: u32 = 0o1000;

/// Whether an account may do what `bits` say with a file, by its owner and mode. `None`: the file or the account is not
/// known.
pub fn may(path: &Path, account: Option<&Account>, bits: u32) -> Option<bool> {
    let account = account?;
    Some(allows(&path.metadata().ok()?, account, bits))
}

/// Whether an account may do with what `meta` is about what `bits` say.
fn allows(meta: &fs::Metadata, account: &Account, bits: u32) -> bool {
    if account.uid == 0 {
        // Root may do everything but run what nobody may run.
        return meta.is_dir() || bits & EXECUTE == 0 || meta.mode() & 0o111 != 0;
    }
    let shift = if meta.uid() == account.uid {
        6
    } else if meta.gid() == account.gid || account.groups.contains(&meta.gid()) {
        3
    } else {
        0
    };
    (meta.mode() >> shift) & bits == bits
}

/// Whether an account may read `file`, which was opened at `inside` below `root`, and may get there. Rights beyond those of
/// the mode (an ACL) are not known, and not granted.
pub fn reaches(root: &Path, inside: &Path, file: &fs::File, account: &Account) -> bool {
    // What the one who runs this program may is what the kernel grants.
    if account.uid == nix::unistd::geteuid().as_raw() {
        return true;
    }
    let passes = |directory: &Path| may(&below(root, directory), Some(account), EXECUTE) == Some(true);
    file.metadata().is_ok_and(|meta| allows(&meta, account, READ)) && inside.ancestors().skip(1).all(passes)
}

/// Whether an account may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteAccess {
    /// It may.
    Granted,
    /// Something keeps it from that.
    Denied(Obstacle),
}

impl WriteAccess {
    /// What keeps it from writing.
    pub fn obstacle(self) -> Option<Obstacle> {
        match self {
            Self::Granted => None,
            Self::Denied(obstacle) => Some(obstacle),
        }
    }
}

/// Whether an account may write a file, or make and remove files in a directory. `None`: the file or the account is not
/// known.
pub fn write_access(path: &Path, account: Option<&Account>) -> Option<WriteAccess> {
    let bits = if path.metadata().ok()?.is_dir() { WRITE | EXECUTE } else { WRITE };
    let may = may(path, account, bits)?;
    let read_only = statvfs(path).is_ok_and(|space| space.flags().contains(FsFlags::ST_RDONLY));
    Some(if read_only {
        WriteAccess::Denied(Obstacle::ReadOnly)
    } else if is_immutable(path) {
        WriteAccess::Denied(Obstacle::Immutable)
    } else if may {
        WriteAccess::Granted
    } else {
        WriteAccess::Denied(Obstacle::Owner)
    })
}

/// Whether a file has the attribute `i` (`chattr +i`), where its file system has such a thing.
fn is_immutable(path: &Path) -> bool {
    let seen = statx(CWD, path, AtFlags::empty(), StatxFlags::empty());
    seen.is_ok_and(|seen| seen.stx_attributes.contains(StatxAttributes::IMMUTABLE))
}

/// What an account can still write below a directory. What is kept for root is not there for others.
pub fn free_bytes(directory: &Path, account: Option<&Account>) -> Option<u64> {
    let space = statvfs(directory).ok()?;
    let is_root = account.is_some_and(|account| account.uid == 0);
    let blocks = if is_root { space.blocks_free() } else { space.blocks_available() };
    Some(blocks.saturating_mul(space.fragment_size()))
}

/// How far an account gets with replacing a file as Pika does: `pika.conf.tmp` is written beside it and takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacing {
    /// What keeps it from writing the file beside.
    pub begin: Option<Obstacle>,
    /// What keeps it from putting that in the place of the old one.
    pub finish: Option<Obstacle>,
}

/// The same for one file and account. `None`: the directory or the account is not known.
pub fn replacing(path: &Path, account: Option<&Account>) -> Option<Replacing> {
    let directory = path.parent()?;
    let around = write_access(directory, account)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let begin = write_access(Path::new(&beside), account).unwrap_or(around).obstacle();
    let finish = match around {
        WriteAccess::Denied(obstacle) => Some(obstacle),
        WriteAccess::Granted if is_immutable(path) => Some(Obstacle::Immutable),
        WriteAccess::Granted => keeps_others_out(directory, path, account).then_some(Obstacle::Sticky),
    };
    Some(Replacing { begin, finish })
}

/// Whether a directory leaves what is in it to its owners.
fn keeps_others_out(directory: &Path, path: &Path, account: Option<&Account>) -> bool {
    let (Some(account), Ok(file), Ok(around)) = (account, fs::symlink_metadata(path), directory.metadata())
    else {
        return false;
    };
    around.mode() & STICKY != 0 && ![0, file.uid(), around.uid()].contains(&account.uid)
}

/// What a directory of Pika holds that its user has to write and may not: what an earlier start or a restore left as
/// another user. Looks two levels deep.
pub fn foreign(place: &Path, role: PathRole, today: &str, account: Option<&Account>) -> Option<PathBuf> {
    let mut left = MAX_ENTRIES_LOOKED_AT;
    let from = match role {
        // Older dumps are not touched by the next one; that of today is removed before it.
        PathRole::Dump => place.join(today),
        PathRole::Db | PathRole::DbSync | PathRole::Log => place.to_owned(),
    };
    let held = |path: &Path| write_access(path, account).is_some_and(|access| access != WriteAccess::Granted);
    if role == PathRole::Dump && from.is_dir() && held(&from) {
        return Some(from);
    }
    foreign_below(&from, role, 2, &mut left, &held)
}

fn foreign_below(
    place: &Path,
    role: PathRole,
    levels: usize,
    left: &mut usize,
    held: &impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let entries = fs::read_dir(place).ok()?;
    for entry in entries.flatten() {
        *left = left.checked_sub(1)?;
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        let matters = kind.is_dir() || (kind.is_file() && is_written(role, &entry.file_name()));
        if matters && held(&path) {
            return Some(path);
        }
        if kind.is_dir() && levels > 1 {
            let found = foreign_below(&path, role, levels - 1, left, held);
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Whether a file of that name is opened for writing where it lies. Others are made anew, for which the directory counts.
fn is_written(role: PathRole, name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    match role {
        PathRole::Db => name == "LOCK",
        PathRole::Log => name.starts_with("write2file") || name == "manifest",
        PathRole::DbSync => name.starts_with("slash_rsync.") || name == "rsync.secret",
        PathRole::Dump => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn account(uid: u32, gid: u32, groups: &[u32]) -> Account {
        Account { uid, gid, groups: groups.to_vec(), name: None }
    }

    /// A directory, and one who has no right there but those of everybody.
    fn place() -> (tempfile::TempDir, Account) {
        let directory = tempfile::tempdir().unwrap();
        mode(directory.path(), 0o755);
        let owner = directory.path().metadata().unwrap();
        (directory, account(owner.uid() + 7, owner.gid() + 7, &[]))
    }

    #[test]
    fn the_class_of_the_user_decides_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f");
        fs::write(&file, "").unwrap();
        let owner = file.metadata().unwrap();
        let may_write = |bits, account: &Account| {
            mode(&file, bits);
            may(&file, Some(account), WRITE)
        };
        let stranger = account(owner.uid() + 7, owner.gid() + 7, &[]);
        let member = account(owner.uid() + 7, owner.gid() + 7, &[owner.gid()]);
        assert_eq!(may_write(0o644, &stranger), Some(false));
        assert_eq!(may_write(0o646, &stranger), Some(true));
        assert_eq!(may_write(0o664, &member), Some(true));
        assert_eq!(may_write(0o606, &member), Some(false), "the group is asked, and not the others");
        assert_eq!(may_write(0o444, &account(0, 0, &[])), Some(true), "root writes all");
        assert_eq!(may(&file, None, WRITE), None);
    }

    #[test]
    fn a_configuration_is_replaced_by_who_may_write_beside_it() {
        let (directory, stranger) = place();
        let conf = directory.path().join("pika.conf");
        fs::write(&conf, "").unwrap();
        let seen = || replacing(&conf, Some(&stranger)).unwrap();
        let both = |obstacle| Replacing { begin: obstacle, finish: obstacle };
        mode(&conf, 0o666);
        assert_eq!(seen(), both(Some(Obstacle::Owner)), "that the file itself may be written helps nobody");
        mode(directory.path(), 0o777);
        mode(&conf, 0o644);
        assert_eq!(seen(), both(None));
        let beside = directory.path().join("pika.conf.tmp");
        fs::write(&beside, "").unwrap();
        mode(&beside, 0o600);
        assert_eq!(
            seen(),
            Replacing { begin: Some(Obstacle::Owner), finish: None },
            "what an earlier one left"
        );
        mode(&beside, 0o666);
        mode(directory.path(), 0o1777);
        assert_eq!(seen(), Replacing { begin: None, finish: Some(Obstacle::Sticky) });
        assert_eq!(replacing(&conf, Some(&account(0, 0, &[]))), Some(both(None)));
        assert_eq!(replacing(&directory.path().join("gone/pika.conf"), Some(&stranger)), None);
    }

    #[test]
    fn what_another_user_left_in_a_directory_is_named() {
        let (directory, stranger) = place();
        mode(directory.path(), 0o777);
        let of = |role| foreign(directory.path(), role, "20260102", Some(&stranger));
        let make = |name: &str, bits| {
            let path = directory.path().join(name);
            fs::create_dir_all(&path).unwrap();
            mode(&path, bits);
            path
        };
        make("20260101", 0o755);
        assert_eq!(of(PathRole::Dump), None, "an older dump is in nobody's way");
        let inside = make("20260102/db0", 0o755);
        make("20260102", 0o777);
        assert_eq!(of(PathRole::Dump), Some(inside.clone()));
        mode(&inside, 0o777);
        assert_eq!(of(PathRole::Dump), None);
        mode(&directory.path().join("20260101"), 0o777);
        assert_eq!(of(PathRole::Db), None);
        let lock = inside.parent().unwrap().join("LOCK");
        fs::write(&lock, "").unwrap();
        mode(&lock, 0o644);
        assert_eq!(of(PathRole::Db), Some(lock));
        assert_eq!(of(PathRole::Log), None, "a file of that name is none of its binlog's");
    }
}
