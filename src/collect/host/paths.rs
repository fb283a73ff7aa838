//! The directories of a Pika: which file system they are on, what is free, and who may write.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use procfs_core::process::{MountInfo, MountInfos};

use super::access::{WriteAccess, foreign, write_access};
use super::files::{ProcError, Roots, absent, below, number, parsed, resolve};
use crate::collect::clock;
use crate::model::host::Account;
use crate::model::storage::{Mount, PathOnHost, PathRole};
use crate::model::unavailable::Unavailable;

/// The settings that name directories.
const ROLES: [(PathRole, &str); 4] = [
    (PathRole::Db, "db-path"),
    (PathRole::Dump, "dump-path"),
    (PathRole::DbSync, "db-sync-path"),
    (PathRole::Log, "log-path"),
];

/// The mounts that a process sees.
pub fn mounts(roots: &Roots, pid: Option<u32>) -> Result<MountInfos, ProcError> {
    let of_process = pid.map(|pid| roots.process(pid).join("mountinfo"));
    let path = of_process.unwrap_or_else(|| roots.proc.join("self/mountinfo"));
    parsed(&path)
}

/// Looks at the directories that `setting` names.
pub fn collect_paths<'s>(
    roots: &Roots,
    pid: Option<u32>,
    account: Option<&Account>,
    cwd: &Path,
    setting: impl Fn(&str) -> Option<&'s str>,
) -> Result<Vec<PathOnHost>, Unavailable> {
    let root = roots.root_of(pid);
    let failed = |error: ProcError| Unavailable::failed("paths", &error);
    let mounts = mounts(roots, pid).map_err(failed)?;
    // What a dump of today is called.
    let today = format!("{}{}", setting("dump-prefix").unwrap_or_default(), clock::today());
    let mut seen: Vec<(PathOnHost, Option<i32>)> = Vec::new();
    for (role, name) in ROLES {
        if let Some(value) = setting(name).filter(|value| !value.is_empty()) {
            // `./dbsync/` below a directory is shown without the dot.
            let named: PathBuf = cwd.join(value).components().collect();
            let one = one(roots, &root, &mounts, account, role, &named, &today);
            seen.push(one.map_err(|error| absent("paths", &error, named.display()))?);
        }
    }
    let db = seen.iter().find(|(path, _)| path.role == PathRole::Db).and_then(|(_, mount)| *mount);
    Ok(seen
        .into_iter()
        .map(|(mut path, mount)| {
            path.renames_to_db = db.zip(mount).map(|(db, own)| db == own);
            path
        })
        .collect())
}

fn one(
    roots: &Roots,
    root: &Path,
    mounts: &MountInfos,
    account: Option<&Account>,
    role: PathRole,
    named: &Path,
    today: &str,
) -> io::Result<(PathOnHost, Option<i32>)> {
    let shown = named.display().to_string();
    let place = resolve(root, named);
    let here = nearest(root, &place)?;
    let exists = here == place;
    let seen = below(root, &here);
    let mount = mount_of(mounts, &place);
    let space = statvfs(&seen).ok();
    let is_root = account.is_some_and(|account| account.uid == 0);
    // Blocks are counted in fragments. What is kept for root is not there for others.
    let blocks = |count: u64| space.as_ref().map(|space| count.saturating_mul(space.fragment_size()));
    let free =
        space.as_ref().map(|space| if is_root { space.blocks_free() } else { space.blocks_available() });
    let read_only = space.as_ref().is_some_and(|space| space.flags().contains(FsFlags::ST_RDONLY));
    let directory = seen.metadata().map_or(true, |meta| meta.is_dir());
    let access = write_access(&seen, account);
    let within = if exists && directory { foreign(&seen, role, today, account) } else { None };
    let fact = PathOnHost {
        role,
        path: shown,
        exists,
        directory,
        mount: mount.map(|mount| Mount {
            point: mount.mount_point.display().to_string(),
            kind: mount.fs_type.clone(),
            source: mount.mount_source.clone(),
            read_only: mount.mount_options.contains_key("ro") || read_only,
        }),
        renames_to_db: None,
        is_mount_point: mount.map(|mount| exists && mount.mount_point == place),
        free_bytes: free.and_then(blocks),
        total_bytes: space.as_ref().and_then(|space| blocks(space.blocks())),
        free_files: space
            .as_ref()
            .filter(|space| space.files() > 0)
            .map(|space| if is_root { space.files_free() } else { space.files_available() }),
        writable: access.map(|access| access == WriteAccess::Granted),
        kept_by: access.and_then(WriteAccess::obstacle),
        foreign: within.map(|path| shown_below(root, &path)),
        rotational: mount.and_then(|mount| rotational(roots, mount)),
        in_use: None,
        held_elsewhere: None,
        bytes: None,
    };
    Ok((fact, mount.map(|mount| mount.mnt_id)))
}

/// A path of ours as the process below `root` calls it.
fn shown_below(root: &Path, path: &Path) -> String {
    Path::new("/").join(path.strip_prefix(root).unwrap_or(path)).display().to_string()
}

/// The path itself, or the nearest one above it that exists. What may not be looked at is not taken for missing.
fn nearest(root: &Path, path: &Path) -> io::Result<PathBuf> {
    for part in path.ancestors() {
        match fs::symlink_metadata(below(root, part)) {
            Ok(_) => return Ok(part.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(_) => {}
        }
    }
    Ok(PathBuf::from("/"))
}

/// The mount that a path lies on: the deepest one, and of those at the same point the last.
fn mount_of<'m>(mounts: &'m MountInfos, path: &Path) -> Option<&'m MountInfo> {
    let on_the_way = mounts.iter().filter(|mount| path.starts_with(&mount.mount_point));
    on_the_way.max_by_key(|mount| mount.mount_point.components().count())
}

/// Whether the disk of a mount turns. A partition has no queue of its own; its disk is above it.
fn rotational(roots: &Roots, mount: &MountInfo) -> Option<bool> {
    let device = roots.sys.join("dev/block").join(&mount.majmin);
    let own = number(&device.join("queue/rotational"));
    own.or_else(|| number(&device.join("../queue/rotational"))).map(|value| value != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_the_last_mount_is_the_one() {
        let line = |id, point: &str, kind: &str| {
            MountInfo::from_line(&format!("{id} 1 8:1 / {point} rw - {kind} /dev/sda1 rw")).unwrap()
        };
        let mounts = MountInfos(vec![
            line(20, "/", "ext4"),
            line(21, "/data", "xfs"),
            line(22, "/data/db", "ext4"),
            line(23, "/data", "tmpfs"),
        ]);
        let id = |path: &str| mount_of(&mounts, Path::new(path)).map(|mount| mount.mnt_id);
        assert_eq!(id("/data/db/x"), Some(22));
        assert_eq!(id("/data/dbsync"), Some(23), "a later mount hides an earlier one");
        assert_eq!(id("/database"), Some(20), "a path is more than its letters");
    }
}
