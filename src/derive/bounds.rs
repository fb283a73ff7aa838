//! How large the binlog and the memory of a Pika can become, by its settings.

use crate::catalog::era;
use crate::model::host::Instance;
use crate::model::storage::{BinlogBound, MemoryBound, PathRole};

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

/// Memory that a release takes where the setting is missing or none that it takes: a memtable, all memtables, a block cache,
/// the cache of values.
const BUFFER_BYTES: u64 = 256 << 20;
const EARLY_BUFFER_BYTES: u64 = 4 << 20;
const BUFFERS_BYTES: u64 = 10 << 30;
const EARLY_BUFFERS_BYTES: u64 = 2 << 30;
const BLOCK_CACHE_BYTES: u64 = 8 << 20;
const VALUE_CACHE_BYTES: u64 = 10 << 30;
const LEAST_VALUE_CACHE_BYTES: u64 = 512 << 20;

/// The bound of the memory. `None`: the settings or the release are not known.
pub fn memory(instance: &Instance) -> Option<MemoryBound> {
    let version = instance.version?;
    let setting = |name: &str| instance.settings.get(name).map(String::as_str);
    // Only the file holds all of them, and without it nothing tells what a missing one means.
    if setting("write-buffer-size").is_none() && instance.conf.as_ref()?.exists != Some(true) {
        return None;
    }
    let has_units = version.is_of(&era::CONF_UNITS);
    let size = |name: &str| {
        let text = setting(name).unwrap_or_default();
        if has_units { bytes(text) } else { number(text) }
    };
    let or = |value: u64, usual: u64| if value == 0 { usual } else { value };
    let early = version.is_of(&era::RESP_TRYSYNC);
    let buffer_bytes = or(size("write-buffer-size"), if early { EARLY_BUFFER_BYTES } else { BUFFER_BYTES });
    let buffers = or(number(setting("max-write-buffer-num").unwrap_or_default()), 2);
    let stores = if early {
        1
    } else if version.is_of(&era::SHARDING) && setting("instance-mode").is_some_and(|mode| mode != "classic")
    {
        number(setting("default-slot-num")?).max(1)
    } else {
        number(setting("databases").unwrap_or("1")).max(1)
    };
    let instances = number(setting("db-instance-num").unwrap_or_default());
    let of_store = if version.is_of(&era::FAMILIES_IN_ONE_STORE) {
        7 * or(instances, 3)
    } else if version.is_of(&era::STREAMS) {
        12
    } else if version.is_of(&era::NEMO) {
        5
    } else {
        10
    };
    let families = stores * of_store;
    let buffers_most_bytes = (!early).then(|| {
        let usual =
            if version.is_of(&era::WRITE_BUFFERS_2_GIB) { EARLY_BUFFERS_BYTES } else { BUFFERS_BYTES };
        or(size("max-write-buffer-size"), usual)
    });
    let full = buffer_bytes.saturating_mul(buffers).saturating_mul(families);
    let memtable_bytes = full.min(buffers_most_bytes.unwrap_or(u64::MAX));
    let told = setting("block-cache").filter(|text| !text.is_empty() && !text.starts_with('-'));
    let block_cache = if version.is_of(&era::BLOCK_CACHE_SETTING) {
        told.map_or(BLOCK_CACHE_BYTES, |_| size("block-cache"))
    } else {
        BLOCK_CACHE_BYTES
    };
    let is_shared = setting("share-block-cache") == Some("yes");
    let block_cache_bytes = if is_shared { block_cache } else { block_cache.saturating_mul(families) };
    let has_values =
        version.is_of(&era::VALUE_CACHE) && setting("cache-model").is_some_and(|model| number(model) == 1);
    // Units are no part of this one, and what is too small is not taken.
    let told = number(setting("cache-maxmemory").unwrap_or_default());
    let values = if told < LEAST_VALUE_CACHE_BYTES { VALUE_CACHE_BYTES } else { told };
    let value_cache_bytes = if has_values { values } else { 0 };
    Some(MemoryBound {
        buffer_bytes,
        buffers,
        families,
        buffers_most_bytes,
        memtable_bytes,
        block_cache_bytes,
        value_cache_bytes,
        most_bytes: memtable_bytes.saturating_add(block_cache_bytes).saturating_add(value_cache_bytes),
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
    fn the_bound_of_memory_is_by_release() {
        let of = |version: &str, settings: &[(&str, &str)]| {
            let conf = crate::model::storage::ConfOnHost { exists: Some(true), ..Default::default() };
            let one = Instance { conf: Some(conf), ..instance(version, settings, 1) };
            memory(&one).map(|bound| (bound.memtable_bytes, bound.block_cache_bytes, bound.value_cache_bytes))
        };
        let buffer = ("write-buffer-size", "268435456");
        // Five families up to 2.3.8, ten in 3.0, and nothing that bounds them together.
        assert_eq!(of("2.3.6", &[buffer]), Some((2560 << 20, 40 << 20, 0)));
        assert_eq!(of("3.0.16", &[buffer, ("share-block-cache", "yes")]), Some((5120 << 20, 8 << 20, 0)));
        assert_eq!(of("3.0.16", &[]), Some((80 << 20, 80 << 20, 0)), "4 MiB are usual there");
        let three = [buffer, ("databases", "3"), ("block-cache", "0")];
        assert_eq!(of("3.1.0", &three), Some((2 << 30, 0, 0)));
        assert_eq!(of("3.3.6", &three), Some((10 << 30, 0, 0)));
        let slots = [
            buffer,
            ("instance-mode", "sharding"),
            ("default-slot-num", "16"),
            ("max-write-buffer-size", "1073741824"),
        ];
        assert_eq!(of("3.3.6", &slots), Some((1 << 30, 160 * (8 << 20), 0)));
        let units = [("write-buffer-size", "256M"), ("cache-model", "1"), ("cache-maxmemory", "1073741824")];
        assert_eq!(of("3.5.5", &units), Some((6144 << 20, 96 << 20, 1 << 30)));
        assert_eq!(of("3.5.2", &[("write-buffer-size", "256M")]), Some((5120 << 20, 80 << 20, 0)));
        let too_small = [("cache-model", "1"), ("cache-maxmemory", "10G"), ("db-instance-num", "2")];
        assert_eq!(of("4.0.1", &too_small), Some((7168 << 20, 112 << 20, 10 << 30)));
        assert_eq!(memory(&instance("3.3.6", &[], 1)), None, "no file was read");
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
