//! INFO of a Pika, section by section.

use serde::{Deserialize, Serialize};

/// INFO server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Process id.
    pub pid: Option<i64>,
    /// The client port, as the server knows it; differs from the address behind a port mapping.
    pub tcp_port: Option<u16>,
    /// Seconds since the start. Some releases print an uninitialised number.
    pub uptime_seconds: Option<i64>,
    /// The configuration file as named on the command line.
    pub config_file: Option<String>,
    /// `server-id`, as text: from 3.3.0 a value above 65535 becomes `PIKA_SERVER_ID_MAX`.
    pub server_id: Option<String>,
    /// `run-id`, 3.5.0 and later.
    pub run_id: Option<String>,
    /// Operating system.
    pub os: Option<String>,
}

/// Connections of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Open connections of clients, this one included.
    pub connected: Option<u64>,
}

/// A long-running task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Whether it runs now.
    pub running: bool,
    /// The value as it came: `Yes, <start>,<seconds>`, `No`, or the name of a task.
    pub text: String,
    /// For how many seconds it has run, where the release says so.
    pub seconds: Option<i64>,
}

/// The tasks that INFO stats tells of. Null where the release has none of that kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// A bgsave.
    pub bgsave: Option<Task>,
    /// A key scan (`info keyspace 1`).
    pub key_scan: Option<Task>,
    /// A compaction that was asked for.
    pub compaction: Option<Task>,
    /// SLOTSRELOAD.
    pub slots_reload: Option<Task>,
    /// SLOTSCLEANUP.
    pub slots_cleanup: Option<Task>,
    /// A slot migration (3.5.0 and later).
    pub slots_migration: Option<Task>,
}

/// INFO data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Bytes below db-path.
    pub db_size_bytes: Option<u64>,
    /// Bytes below log-path: binlogs, and logs where they share the directory.
    pub log_size_bytes: Option<u64>,
    /// Memory of memtables and table readers in bytes. Not the memory of the process.
    pub used_memory_bytes: Option<u64>,
    /// `compression`.
    pub compression: Option<String>,
    /// Whether RocksDB stopped with a background error (`db_fatal`).
    pub fatal: Option<bool>,
    /// Its text.
    pub fatal_message: Option<String>,
}

/// INFO keyspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Keyspace {
    /// When the last scan was started, as it came. A server that never scanned prints 1970 or 0.
    pub scan_started: Option<String>,
    /// Whether a scan ever ran since the start of the server.
    pub scanned: bool,
    /// Counts of the last finished scan.
    pub counts: Vec<KeyCount>,
}

/// A type of keys, as a key scan counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// Strings.
    Strings,
    /// Hashes.
    Hashes,
    /// Lists.
    Lists,
    /// Sets.
    Sets,
    /// Sorted sets.
    Zsets,
    /// Streams (3.5.2 and later).
    Streams,
}

/// How many keys of one type a database held at the last scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyCount {
    /// The database; null where there is one for all.
    pub db: Option<String>,
    /// Their type.
    pub kind: KeyType,
    /// Keys.
    pub keys: u64,
    /// Keys with a time to live (3.0.6 and later).
    pub expires: Option<u64>,
    /// Keys that are expired and not yet removed (3.0.6 and later).
    pub invalid: Option<u64>,
}

/// One section of INFO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InfoSection {
    /// The lines between this section's header and the next, without line ends. With the header they
    /// give back what the server sent.
    pub lines: Vec<String>,
    /// The header without `# `, for example `Replication(MASTER)`.
    pub header: String,
}
