//! How large the binlog of a Pika can become, by its settings.

use crate::catalog::era;
use crate::model::host::Instance;
use crate::model::storage::{BinlogBound, PathRole};

/// Fewer files are not kept, whatever the setting says.
const LEAST_FILES: u64 = 10;
/// What the size of a file is when the setting is none that Pika takes.
const USUAL_FILE_BYTES: u64 = 100 << 20;

/// The bound of the binlog. `None`: the settings or the release are not known.
pub fn binlog(instance: &Instance) -> Option<BinlogBound> {
    let version = instance.version?;
    let setting = |name: &str| instance.settings.get(name).map(String::as_str);
    let files = number(setting("expire-logs-nums")?).max(LEAST_FILES);
    let told = bytes(setting("binlog-file-size")?);
    let file_bytes = if (1024..=1 << 30).contains(&told) { told } else { USUAL_FILE_BYTES };
    let seen = instance.log_files.as_ref().map_or(0, |files| files.binlogs);
    let binlogs = if version.is_of(&era::RESP_TRYSYNC) {
        1
    } else if version.is_of(&era::SHARDING) && setting("instance-mode").is_some_and(|mode| mode != "classic")
    {
        // A server has the slots that it was given; before the first one it can be all of them.
        if seen > 0 { seen } else { number(setting("default-slot-num")?) }
    } else {
        number(setting("databases").unwrap_or("1")).max(1)
    };
    let path = instance.paths.as_ref()?.iter().find(|path| path.role == PathRole::Log)?;
    Some(BinlogBound {
        files,
        file_bytes,
        binlogs,
        most_bytes: files.saturating_mul(file_bytes).saturating_mul(binlogs),
        now_bytes: instance.log_files.as_ref()?.binlog_bytes,
        available_bytes: path.free_bytes?,
        path: path.path.clone(),
    })
}

fn number(text: &str) -> u64 {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Bytes; from 3.5.0 on the last character may be a unit.
fn bytes(text: &str) -> u64 {
    let factor = match text.trim().chars().last().map(|last| last.to_ascii_uppercase()) {
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    number(text).saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::storage::{LogFiles, PathOnHost};

    fn instance(version: &str, settings: &[(&str, &str)], binlogs: u64) -> Instance {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let log = PathOnHost {
            role: PathRole::Log,
            path: "/data/log".into(),
            exists: true,
            directory: true,
            mount: None,
            renames_to_db: None,
            is_mount_point: None,
            free_bytes: Some(5 << 30),
            total_bytes: None,
            free_files: None,
            writable: None,
            kept_by: None,
            foreign: None,
            rotational: None,
            in_use: None,
            held_elsewhere: None,
            bytes: None,
        };
        Instance {
            version: version.parse().ok(),
            settings: settings.iter().map(own).collect::<BTreeMap<_, _>>(),
            log_files: Some(LogFiles { binlogs, ..LogFiles::default() }),
            paths: Some(vec![log]),
            ..Instance::default()
        }
    }

    #[test]
    fn the_bound_is_files_by_size_by_binlogs() {
        let of = |version: &str, settings: &[(&str, &str)], binlogs: u64| {
            binlog(&instance(version, settings, binlogs)).map(|bound| bound.most_bytes)
        };
        let usual = [("expire-logs-nums", "10"), ("binlog-file-size", "104857600")];
        assert_eq!(of("2.3.6", &usual, 1), Some(1000 << 20));
        assert_eq!(
            of("2.3.6", &[("expire-logs-nums", "3"), ("binlog-file-size", "100M")], 1),
            Some(1000 << 20)
        );
        let three = [usual[0], usual[1], ("databases", "3"), ("instance-mode", "classic")];
        assert_eq!(of("3.3.6", &three, 3), Some(3000 << 20));
        assert_eq!(of("3.0.16", &three, 1), Some(1000 << 20), "one binlog up to 3.0.16");
        let slots = [
            ("expire-logs-nums", "8192"),
            usual[1],
            ("instance-mode", "sharding"),
            ("default-slot-num", "16"),
        ];
        assert_eq!(of("3.3.6", &slots, 4), Some(4 * 8192 * (100 << 20)));
        assert_eq!(of("3.3.6", &slots, 0), Some(16 * 8192 * (100 << 20)), "before it has slots");
        assert_eq!(
            of("3.5.5", &[("expire-logs-nums", "10"), ("binlog-file-size", "200M")], 1),
            Some(2000 << 20)
        );
        assert_eq!(of("3.5.5", &[("expire-logs-nums", "10")], 1), None);
    }
}
