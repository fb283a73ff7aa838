//! Which files a process holds open: a database that was moved or deleted below a running Pika is served as before, and is
//! gone with the process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::files::{Roots, absent, held, resolve};
use crate::i18n::reasons;
use crate::model::limits::{DATABASE_LOOK_INTERVAL, MAX_DATABASE_LOOKS};
use crate::model::storage::{HeldFile, PathOnHost, PathRole};
use crate::model::unavailable::Unavailable;

/// Why it is not known which files a process holds open.
#[derive(Debug)]
pub enum HeldError {
    /// They cannot be listed.
    Io(io::Error),
    /// There is none any more: the process is ending.
    Ending,
}

impl HeldError {
    /// The fact at `path`, which could not be had for this reason.
    pub fn unavailable(&self, path: String) -> Unavailable {
        match self {
            Self::Io(error) => absent(path, error, reasons::its_open_files()),
            Self::Ending => {
                Unavailable::failed(path, reasons::about(reasons::its_open_files(), reasons::no_open_files()))
            }
        }
    }
}

/// Says of the database and the logs of a process whether it works on what lies there.
pub fn find_held(roots: &Roots, pid: u32, cwd: &Path, paths: &mut [PathOnHost]) -> Result<(), HeldError> {
    for _ in 1..MAX_DATABASE_LOOKS {
        look_once(roots, pid, cwd, paths)?;
        if paths.iter().all(|path| path.in_use != Some(false)) || !roots.is_live() {
            return Ok(());
        }
        thread::sleep(DATABASE_LOOK_INTERVAL);
    }
    look_once(roots, pid, cwd, paths)
}

fn look_once(roots: &Roots, pid: u32, cwd: &Path, paths: &mut [PathOnHost]) -> Result<(), HeldError> {
    let open: Vec<(PathBuf, bool)> = fs::read_dir(roots.process(pid).join("fd"))
        .map_err(HeldError::Io)?
        .filter_map(|file| held(&file.ok()?.path()).ok())
        .filter(|(path, _)| path.is_absolute())
        .collect();
    if open.is_empty() {
        return Err(HeldError::Ending);
    }
    let root = roots.root_of(Some(pid));
    // The names are those of our root; that of a process in a changed root is a directory in it.
    let changed_root = fs::read_link(roots.process(pid).join("root")).ok().filter(|root| root.is_absolute());
    for path in paths {
        // Every release keeps the lock of each database and the newest file of the binlog open (measured on 2.3.0 to
        // 4.0.1).
        let of_role: fn(&str) -> bool = match path.role {
            PathRole::Db => |name| name == "LOCK",
            PathRole::Log => |name| name.starts_with("write2file"),
            PathRole::Dump | PathRole::DbSync => continue,
        };
        let place = resolve(&root, &cwd.join(&path.path));
        let place = match &changed_root {
            Some(changed) => changed.join(place.strip_prefix("/").unwrap_or(&place)),
            None => place,
        };
        path.in_use = Some(open.iter().any(|(file, gone)| !gone && file.starts_with(&place)));
        let named = |(file, _): &&(PathBuf, bool)| {
            file.file_name().and_then(|name| name.to_str()).is_some_and(of_role)
        };
        let elsewhere = open.iter().filter(|(file, gone)| *gone || !file.starts_with(&place)).find(named);
        path.held_elsewhere = elsewhere
            .filter(|_| path.in_use == Some(false))
            .map(|(file, gone)| HeldFile { path: file.display().to_string(), deleted: *gone });
    }
    Ok(())
}
