//! What lies below log-path: the binlog, which Pika removes, and the logs of the server, which most releases do not.

use std::fs;
use std::path::Path;

use crate::model::limits::MAX_ENTRIES_LOOKED_AT;
use crate::model::storage::LogFiles;

/// The binlog of a database or slot lies at most so deep: `log/log_db0/0/`.
const LEVELS: usize = 3;

/// Adds up what lies below `place`. `None`: not all of it could be looked at.
pub fn look(place: &Path) -> Option<LogFiles> {
    let mut found = LogFiles::default();
    let mut left = MAX_ENTRIES_LOOKED_AT;
    add(place, LEVELS, &mut left, &mut found)?;
    Some(found)
}

fn add(place: &Path, levels: usize, left: &mut usize, found: &mut LogFiles) -> Option<()> {
    let mut has_binlog = false;
    for entry in fs::read_dir(place).ok()?.flatten() {
        *left = left.checked_sub(1)?;
        let Ok(meta) = entry.metadata() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if meta.is_dir() {
            if levels > 1 {
                add(&entry.path(), levels - 1, left, found)?;
            }
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
    Some(())
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
        write("log_db0/manifest", 100);
        write("log_db1/write2file0", 1);
        write("pika.host.root.log.INFO.20261130-183935.5861", 30);
        let expected =
            LogFiles { binlogs: 2, binlog_files: 3, binlog_bytes: 16, server_files: 1, server_bytes: 30 };
        assert_eq!(look(place.path()), Some(expected));
        assert_eq!(look(&place.path().join("nothing")), None);
    }
}
