//! The few settings of a pika.conf that what a host must give depends on. `derive::conf` reads whole files.

use std::collections::BTreeMap;

/// The settings that are read. No password is among them.
pub const NAMES: [&str; 24] = [
    "port",
    "log-path",
    "db-path",
    "dump-path",
    "dump-prefix",
    "db-sync-path",
    "network-interface",
    "maxclients",
    "max-cache-files",
    "expire-logs-nums",
    "binlog-file-size",
    "databases",
    "instance-mode",
    "default-slot-num",
    "write-buffer-size",
    "max-write-buffer-size",
    "max-write-buffer-num",
    "block-cache",
    "share-block-cache",
    "cache-maxmemory",
    "cache-model",
    "db-instance-num",
    "compact-cron",
    "compact-interval",
];

/// The settings of a file. The first line with a name counts, as with Pika.
pub fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
        if let Some(name) = NAMES.iter().find(|known| **known == name.trim()) {
            settings.entry((*name).to_owned()).or_insert_with(|| value.trim().to_owned());
        }
    }
    // What is missing is what 3.1.0 and later take then; earlier releases take something at random.
    for (name, value) in DIRECTORIES.into_iter().chain(SCHEDULES) {
        settings.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    settings
}

/// The directories of a file that does not name them.
const DIRECTORIES: [(&str, &str); 4] =
    [("log-path", "./log/"), ("db-path", "./db/"), ("dump-path", "./dump/"), ("db-sync-path", "./dbsync/")];

/// A file that does not name them has nothing compacted by a schedule.
const SCHEDULES: [(&str, &str); 2] = [("compact-cron", ""), ("compact-interval", "")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_passwords_are_not() {
        let read = settings(
            "# port : 1\nport : 9221\nport:1\nrequirepass : sesame\ndb-path :/a b/\nnetwork-interface :\n",
        );
        let pairs: Vec<(&str, &str)> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("compact-cron", ""),
                ("compact-interval", ""),
                ("db-path", "/a b/"),
                ("db-sync-path", "./dbsync/"),
                ("dump-path", "./dump/"),
                ("log-path", "./log/"),
                ("network-interface", ""),
                ("port", "9221"),
            ]
        );
    }
}
