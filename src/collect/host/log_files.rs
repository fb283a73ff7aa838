//! What lies below log-path: the binlog, which Pika removes, and the logs of the server, which most releases do not.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::thread;

use crate::model::limits::{DATABASE_LOOK_INTERVAL, MAX_ENTRIES_LOOKED_AT};
use crate::model::storage::{LogFiles, LostBinlog};

/// The binlog of a database or slot lies at most so deep: `log/log_db0/0/`.
const LEVELS: usize = 3;

/// Adds up what lies below `place`. `None`: not all of it could be looked at. `shown` is what it is called.
pub fn look(place: &Path, shown: &Path) -> Option<LogFiles> {
    let mut found = LogFiles::default();
    let mut left = MAX_ENTRIES_LOOKED_AT;
    add(place, shown, LEVELS, &mut left, &mut found)?;
    Some(found)
}

fn add(place: &Path, shown: &Path, levels: usize, left: &mut usize, found: &mut LogFiles) -> Option<()> {
    let mut has_binlog = false;
    let mut has_manifest = false;
    for entry in fs::read_dir(place).ok()?.flatten() {
        *left = left.checked_sub(1)?;
        let Ok(meta) = entry.metadata() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if meta.is_dir() {
            if levels > 1 {
                add(&entry.path(), &shown.join(entry.file_name()), levels - 1, left, found)?;
            }
        } else if name == "manifest" {
            has_manifest = true;
        } else if name.starts_with("write2file") {
            has_binlog = true;
            found.binlog_files += 1;
            found.binlog_bytes += meta.len();
        } else if meta.is_file() && name.contains(".log.") {
            found.server_files += 1;
            found.server_bytes += meta.len();
        }
    }
    found.binlogs += u64::from(has_binlog);
    // Below log-path itself lies the binlog of 2.x and 3.0; that of a database or slot is one of 3.1 or later.
    let of_2_x = levels == LEVELS;
    if has_manifest
        && (of_2_x || is_opened(place))
        && let Some(lost_now) = lost(place, shown, of_2_x)
    {
        // A file by one reading alone is the usual case there.
        if of_2_x && (lost_now.up_to_2_3.is_none() || lost_now.from_3_0.is_none()) {
            found.lost.push(lost_now);
        } else {
            // A server that takes over a position replaces the files and the manifest one after the other.
            thread::sleep(DATABASE_LOOK_INTERVAL);
            found.lost.extend(lost(place, shown, of_2_x));
        }
    }
    Some(())
}

/// Whether a release from 3.1 on opens the binlog of this directory: `log_db0`, `log_db0/5`. Not `log_db0_deleting`, nor what
/// somebody put aside.
fn is_opened(place: &Path) -> bool {
    let Some(name) = place.file_name().and_then(|name| name.to_str()) else { return false };
    name.strip_prefix("log_").unwrap_or(name).chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// The file that the manifest of a binlog names, if that is not there. It holds the position, from 3.0 on as
/// `number: u32, offset: u64, …`, before as `offset: u64, …, number: u32` with the number at byte 20
/// (`Version::StableSave` in src/pika_binlog.cc v2.0.0, v2.3.8, v3.0.0, v3.1.0 and v4.0.1).
fn lost(place: &Path, shown: &Path, of_2_x: bool) -> Option<LostBinlog> {
    let mut head = [0; 24];
    File::open(place.join("manifest")).ok()?.read_exact(&mut head).ok()?;
    let missing = |at: usize| {
        let number = u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?);
        let name = format!("write2file{number}");
        fs::symlink_metadata(place.join(&name)).is_err().then(|| shown.join(name).display().to_string())
    };
    let (up_to_2_3, from_3_0) = (missing(20).filter(|_| of_2_x), missing(0));
    (up_to_2_3.is_some() || from_3_0.is_some()).then(|| LostBinlog {
        manifest: shown.join("manifest").display().to_string(),
        up_to_2_3,
        from_3_0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binlogs_and_the_logs_of_the_server_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, length: usize| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; length]).unwrap();
        };
        write("log_db0/write2file7", 10);
        write("log_db0/write2file8", 5);
        write("log_db1/manifest", 5);
        write("log_db1/write2file0", 1);
        write("pika.host.root.log.INFO.20261130-183935.5861", 30);
        let expected = LogFiles {
            binlogs: 2,
            binlog_files: 3,
            binlog_bytes: 16,
            server_files: 1,
            server_bytes: 30,
            lost: vec![],
        };
        assert_eq!(look(place.path(), place.path()), Some(expected));
        assert_eq!(look(&place.path().join("nothing"), place.path()), None);
    }

    /// The manifests of real servers at the position 1:200222 and 1:200174.
    #[test]
    fn a_manifest_names_its_file_at_another_place_up_to_2_3() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let look = || look(place.path(), Path::new("/data/log")).unwrap().lost;
        let text = |path: &str| Some(path.to_owned());
        let (mut old, mut new) = ([0; 32], [0; 32]);
        old[..3].copy_from_slice(&[0x1e, 0x0e, 3]);
        old[20] = 1;
        new[..7].copy_from_slice(&[1, 0, 0, 0, 0xee, 0x0d, 3]);
        write("manifest", &old);
        write("write2file1", b"");
        let lost = LostBinlog {
            manifest: "/data/log/manifest".into(),
            up_to_2_3: None,
            from_3_0: text("/data/log/write2file200222"),
        };
        assert_eq!(look(), std::slice::from_ref(&lost), "it is there for a 2.3");
        fs::remove_file(place.path().join("write2file1")).unwrap();
        assert_eq!(look(), [LostBinlog { up_to_2_3: text("/data/log/write2file1"), ..lost.clone() }]);
        write("manifest", &new);
        write("write2file0", b"");
        assert_eq!(look(), [LostBinlog { from_3_0: text("/data/log/write2file1"), ..lost }], "of a 3.0");
        write("write2file1", b"");
        assert_eq!(look(), []);
        write("log_db0/5/manifest", &new);
        let slot = LostBinlog {
            manifest: "/data/log/log_db0/5/manifest".into(),
            up_to_2_3: None,
            from_3_0: text("/data/log/log_db0/5/write2file1"),
        };
        write("put.aside/manifest", &new);
        write("log_db1_deleting/manifest", &new);
        assert_eq!(look(), [slot]);
    }
}
