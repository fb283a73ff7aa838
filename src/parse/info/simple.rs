//! The sections that are plain lists of `key:value`.

use std::collections::BTreeMap;

use super::section::section_field;
use crate::model::info::{Clients, Data, InfoSection, Process, Task, Tasks};

fn number<T: std::str::FromStr>(section: &InfoSection, key: &str) -> Option<T> {
    section_field(section, key)?.parse().ok()
}

fn text(section: &InfoSection, key: &str) -> Option<String> {
    section_field(section, key).map(str::to_owned)
}

/// INFO server.
pub fn process(section: &InfoSection) -> Process {
    Process {
        pid: number(section, "process_id"),
        tcp_port: number(section, "tcp_port"),
        uptime_seconds: number(section, "uptime_in_seconds"),
        config_file: text(section, "config_file"),
        server_id: text(section, "server_id"),
        run_id: text(section, "run_id"),
        os: text(section, "os"),
    }
}

/// INFO clients.
pub fn clients(section: &InfoSection) -> Clients {
    Clients { connected: number(section, "connected_clients") }
}

/// INFO data; up to 3.1.1 `log_size` stands in INFO log.
pub fn data(section: &InfoSection, log: Option<&InfoSection>) -> Data {
    let log_size = number(section, "log_size").or_else(|| number(log?, "log_size"));
    Data {
        db_size_bytes: number(section, "db_size"),
        log_size_bytes: log_size,
        used_memory_bytes: number(section, "used_memory"),
        compression: text(section, "compression"),
        fatal: section_field(section, "db_fatal").and_then(|value| match value {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }),
        fatal_message: text(section, "db_fatal_msg"),
    }
}

/// INFO stats. Task lines read `Yes, <start>,<seconds>`, `No, , 0`, `Yes`, `No`, or name the task.
pub fn tasks(section: &InfoSection) -> Tasks {
    let task = |key: &str| {
        let text = section_field(section, key)?;
        let mut parts = text.split(',').map(str::trim);
        let running = !matches!(parts.next(), Some("No" | ""));
        Some(Task {
            running,
            seconds: if running { parts.nth(1).and_then(|seconds| seconds.parse().ok()) } else { None },
            text: text.to_owned(),
        })
    };
    Tasks {
        bgsave: task("is_bgsaving"),
        // The misspelling is Pika's, in every release.
        key_scan: task("is_scaning_keyspace"),
        compaction: task("is_compact"),
        slots_reload: task("is_slots_reloading"),
        slots_cleanup: task("is_slots_cleanuping").or_else(|| task("is_slots_cleaningup")),
        slots_migration: task("is_slots_migrating"),
    }
}

/// INFO command_exec_count.
pub fn commands(section: &InfoSection) -> BTreeMap<String, u64> {
    section
        .lines
        .iter()
        .filter_map(|line| {
            let (name, count) = line.split_once(':')?;
            Some((name.trim().to_ascii_uppercase(), count.trim().parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(lines: &[&str]) -> InfoSection {
        InfoSection { header: String::new(), lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn tasks_of_all_releases() {
        let tasks = tasks(&section(&[
            "is_bgsaving:Yes, Sun Nov 22 18:00:01 2026, 12",
            "is_scaning_keyspace:No",
            "is_compact:KV",
            "is_slots_reloading:No, , 0",
        ]));
        let bgsave = tasks.bgsave.unwrap();
        assert!(bgsave.running);
        assert_eq!(bgsave.seconds, Some(12));
        assert!(!tasks.key_scan.unwrap().running);
        assert!(tasks.compaction.unwrap().running);
        assert!(!tasks.slots_reload.unwrap().running);
        assert_eq!(tasks.slots_migration, None);
    }

    #[test]
    fn wild_numbers_do_not_stop_the_parser() {
        let process =
            process(&section(&["uptime_in_seconds:-8244249720974663727", "tcp_port:99999", "process_id:x"]));
        assert_eq!(process.uptime_seconds, Some(-8_244_249_720_974_663_727));
        assert_eq!(process.tcp_port, None);
        assert_eq!(process.pid, None);
    }

    #[test]
    fn a_background_error_is_read() {
        let data = data(&section(&["db_fatal:1", "db_fatal_msg:IO error: No space left on device"]), None);
        assert_eq!(data.fatal, Some(true));
        assert_eq!(data.fatal_message.as_deref(), Some("IO error: No space left on device"));
        assert_eq!(super::data(&section(&["db_fatal:yes"]), None).fatal, None);
    }
}
