//! Facts about the files of a Pika on its host: what is there, who may write it, and what is free.

use serde::{Deserialize, Serialize};

/// What keeps a user from writing a file or below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// Its owner and mode.
    Owner,
    /// The file system, which is mounted read-only.
    ReadOnly,
    /// Its attribute `i`, which keeps root from it, too.
    Immutable,
    /// The directory around it, in which everybody may write and nobody may replace what is another's (`chmod +t`).
    Sticky,
}

/// A configuration file where it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfOnHost {
    /// The path.
    pub path: String,
    /// Whether it is there. Null: this tool's user may not look.
    pub exists: Option<bool>,
    /// Whether the user of the process may replace it: it is written as `pika.conf.tmp` beside it, which takes its place.
    /// Who may write the file itself does not matter.
    pub writable: Option<bool>,
    /// Whether the user of the process may write `pika.conf.tmp` beside it. CONFIG REWRITE of 2.2.6 to 3.4.1 ends the process
    /// where it may not.
    pub beside: Option<bool>,
    /// What keeps it from being replaced.
    pub kept_by: Option<Obstacle>,
    /// How long it is.
    pub bytes: Option<u64>,
    /// Bytes that the user of the process can still write beside it. A file that is written where there is no room is left
    /// empty.
    pub free_bytes: Option<u64>,
}

/// What a directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PathRole {
    /// db-path
    Db,
    /// dump-path
    Dump,
    /// db-sync-path
    DbSync,
    /// log-path
    Log,
}

/// A directory of a Pika.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PathOnHost {
    /// What it is for.
    pub role: PathRole,
    /// Where it is, as the process sees it.
    pub path: String,
    /// Whether it exists. If not, the rest is about the directory in which it would be made.
    pub exists: bool,
    /// Whether it is a directory. True for one that would be made.
    pub directory: bool,
    /// The file system below it.
    pub mount: Option<Mount>,
    /// Whether a file can be renamed between here and db-path: one mount, not only one device.
    pub renames_to_db: Option<bool>,
    /// Whether it is a mount point itself, which cannot be renamed.
    pub is_mount_point: Option<bool>,
    /// Bytes that the user of the process can still write.
    pub free_bytes: Option<u64>,
    /// Bytes in all.
    pub total_bytes: Option<u64>,
    /// Files that can still be made. Null where the file system does not count them.
    pub free_files: Option<u64>,
    /// Whether the user of the process may write there.
    pub writable: Option<bool>,
    /// What keeps it from writing there.
    pub kept_by: Option<Obstacle>,
    /// Something within that the user of the process has to write, and may not. Null when nothing was seen.
    pub foreign: Option<String>,
    /// Whether it lies on a disk that turns. Null when that is not known.
    pub rotational: Option<bool>,
    /// Whether the process holds files open below it. Only of the database and the logs of one that runs; null when its
    /// files may not be seen, with the reason in `unavailable`.
    pub in_use: Option<bool>,
    /// A file of the kind that the process holds open in another place, when it holds none here.
    pub held_elsewhere: Option<HeldFile>,
    /// How much lies below it. Only of db-sync-path, where a full copy arrives; null where not all of it could be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A file that a process holds open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeldFile {
    /// Where it is, or was.
    pub path: String,
    /// Whether it was deleted: it is there as long as the process is.
    pub deleted: bool,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// The kind of file system.
    pub kind: String,
    /// What is mounted.
    pub source: Option<String>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// The space for a full copy of the data, which arrives beside the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FullSyncSpace {
    /// The size of the data that would come.
    pub needed_bytes: u64,
    /// The server whose data it is.
    pub from: String,
    /// What is free below db-sync-path.
    pub available_bytes: u64,
    /// db-sync-path.
    pub path: String,
    /// What lies there: what has arrived, while a copy is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_bytes: Option<u64>,
}

/// The files of the database of a Pika.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DatabaseOnHost {
    /// How much lies below db-path. Null where not all of it could be looked at.
    pub bytes: Option<u64>,
    /// Files that the database names and that are not there.
    pub missing: Vec<MissingFile>,
    /// Manifests that could not be read.
    pub unread: Vec<String>,
}

/// A file that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MissingFile {
    /// Where it should be.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: StoreFile,
}

/// What a file of RocksDB is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreFile {
    /// CURRENT, which names the manifest.
    Current,
    /// The manifest, which names the data files.
    Manifest,
    /// A data file.
    Data,
}

/// The space for a dump of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DumpSpace {
    /// The size of the data.
    pub data_bytes: u64,
    /// Whether a dump is made of hard links, which take no room: dump-path and db-path are on one mount.
    pub linked: bool,
    /// What is free below dump-path.
    pub available_bytes: u64,
    /// dump-path.
    pub path: String,
}

/// What lies below log-path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogFiles {
    /// Binlogs that name a file that is not there.
    #[serde(default)]
    pub lost: Vec<LostBinlog>,
    /// How many binlogs there are: one, from 3.1.0 on one for each database or slot.
    pub binlogs: u64,
    /// How many files they have.
    pub binlog_files: u64,
    /// Their size.
    pub binlog_bytes: u64,
    /// How many files the logs of the server have.
    pub server_files: u64,
    /// Their size.
    pub server_bytes: u64,
}

/// A binlog whose manifest names a file that is not there. Where the number of the file stands in the manifest depends on the
/// release; without it both are looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LostBinlog {
    /// The manifest.
    pub manifest: String,
    /// The file that a release up to 2.3 would open, if that is not there.
    pub up_to_2_3: Option<String>,
    /// The file that a release from 3.0 on would open, if that is not there.
    pub from_3_0: Option<String>,
}

/// How large the binlog can become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BinlogBound {
    /// How many files of each binlog are kept (expire-logs-nums, at least ten).
    pub files: u64,
    /// How large a file is (binlog-file-size).
    pub file_bytes: u64,
    /// How many binlogs there can be.
    pub binlogs: u64,
    /// The product of the three.
    pub most_bytes: u64,
    /// How large they are now.
    pub now_bytes: u64,
    /// What is free below log-path.
    pub available_bytes: u64,
    /// log-path.
    pub path: String,
}

/// How much memory the settings of a Pika allow it, by the parts that they bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemoryBound {
    /// How large one memtable is (write-buffer-size).
    pub buffer_bytes: u64,
    /// How many of them a column family has.
    pub buffers: u64,
    /// How many column families there are.
    pub families: u64,
    /// What all memtables have together at most (max-write-buffer-size). Null: nothing bounds them together, up to 3.0.16.
    pub buffers_most_bytes: Option<u64>,
    /// What the memtables can come to.
    pub memtable_bytes: u64,
    /// What the block caches of RocksDB can come to.
    pub block_cache_bytes: u64,
    /// What the cache of values can come to (cache-maxmemory), from 3.5.2 on.
    pub value_cache_bytes: u64,
    /// The sum of the three. The indexes and filters of open data files come to it.
    pub most_bytes: u64,
}
