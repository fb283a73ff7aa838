//! The files of the database of a Pika: whether all that its manifests name are there, and how large it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::files::{Roots, read};
use crate::model::limits::{
    DATABASE_LOOK_INTERVAL, MAX_DATABASE_FILES, MAX_DATABASE_LOOKS, MAX_HOST_FILE_BYTES,
};
use crate::model::storage::{DatabaseOnHost, MissingFile, StoreFile};
use crate::parse::manifest::data_files;

/// How deep below db-path a store lies: `db/kv`, `db/db0/strings`.
const LEVELS: usize = 3;

/// Looks at the stores below `place`. `shown` is what it is called.
pub fn look(roots: &Roots, place: &Path, shown: &Path) -> DatabaseOnHost {
    let mut found = DatabaseOnHost { bytes: Some(0), ..DatabaseOnHost::default() };
    let mut left = MAX_DATABASE_FILES;
    let mut stores = Vec::new();
    measure(place, LEVELS, &mut left, &mut found, &mut stores);
    for store in stores {
        let named = |name: &str| {
            let within = store.strip_prefix(place).unwrap_or(&store).join(name);
            shown.join(within).display().to_string()
        };
        match missing(roots, &store) {
            Ok(missing) => found.missing.extend(missing.into_iter().map(|(file, kind)| MissingFile {
                path: named(&file),
                name: file,
                kind,
            })),
            Err(()) => found.unread.push(named("MANIFEST")),
        }
    }
    found
}

/// How much lies below a directory. `None`: not all of it could be seen.
pub fn bytes_below(place: &Path) -> Option<u64> {
    let mut found = DatabaseOnHost { bytes: Some(0), ..DatabaseOnHost::default() };
    measure(place, LEVELS + 1, &mut { MAX_DATABASE_FILES }, &mut found, &mut Vec::new());
    found.bytes
}

/// Adds up what lies below a directory, and finds the stores: directories with data files or a manifest.
fn measure(
    place: &Path,
    levels: usize,
    left: &mut usize,
    found: &mut DatabaseOnHost,
    stores: &mut Vec<PathBuf>,
) {
    let Ok(entries) = fs::read_dir(place) else {
        found.bytes = None;
        return;
    };
    let mut is_store = false;
    for entry in entries.flatten() {
        let Some(fewer) = left.checked_sub(1) else {
            found.bytes = None;
            return;
        };
        *left = fewer;
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            if levels > 1 {
                measure(&entry.path(), levels - 1, left, found, stores);
            }
            continue;
        }
        let name = entry.file_name();
        let name = name.to_string_lossy();
        is_store |= name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst");
        found.bytes = found.bytes.map(|bytes| bytes.saturating_add(meta.len()));
    }
    if is_store {
        stores.push(place.to_owned());
    }
}

/// The files that a store lacks, with what they are. A store in use changes while it is looked at: what is missing is looked
/// for again. The error: its manifest cannot be read.
fn missing(roots: &Roots, store: &Path) -> Result<Vec<(String, StoreFile)>, ()> {
    let mut known: Option<BTreeSet<(String, StoreFile)>> = None;
    for look in 0..MAX_DATABASE_LOOKS {
        if look > 0 {
            if !roots.is_live() {
                break;
            }
            thread::sleep(DATABASE_LOOK_INTERVAL);
        }
        let now = missing_now(store)?;
        let still = match known {
            Some(known) => known.intersection(&now).cloned().collect(),
            None => now,
        };
        if still.is_empty() {
            return Ok(Vec::new());
        }
        known = Some(still);
    }
    Ok(known.into_iter().flatten().collect())
}

fn missing_now(store: &Path) -> Result<BTreeSet<(String, StoreFile)>, ()> {
    let one = |name: &str, kind| Ok(BTreeSet::from([(name.to_owned(), kind)]));
    let Ok(current) = read(&store.join("CURRENT")) else { return one("CURRENT", StoreFile::Current) };
    let current = String::from_utf8_lossy(&current).trim().to_owned();
    if !current.starts_with("MANIFEST-") || current.contains('/') {
        return Err(());
    }
    let manifest = store.join(&current);
    let Ok(meta) = manifest.metadata() else { return one(&current, StoreFile::Manifest) };
    // Of a longer one only a part would be read.
    if meta.len() >= MAX_HOST_FILE_BYTES {
        return Err(());
    }
    let files = data_files(&read(&manifest).map_err(drop)?).map_err(drop)?;
    let name = |number: &u64| format!("{number:06}.sst");
    let is_missing = |name: &String| fs::symlink_metadata(store.join(name)).is_err();
    Ok(files.iter().map(name).filter(is_missing).map(|name| (name, StoreFile::Data)).collect())
}
