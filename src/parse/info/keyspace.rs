//! INFO keyspace in its six spellings.

use crate::model::info::{InfoSection, KeyCount, KeyType, Keyspace};

/// INFO keyspace: the counts of the last finished scan.
pub fn keyspace(section: &InfoSection) -> Keyspace {
    let mut keyspace = Keyspace { scan_started: None, scanned: false, counts: Vec::new() };
    for line in &section.lines {
        if let Some(started) = line.strip_prefix("# Time:") {
            let started = started.trim();
            keyspace.scanned |= !started.starts_with("1970-01-01") && started != "0" && !started.is_empty();
            keyspace.scan_started.get_or_insert_with(|| started.to_owned());
        } else if !line.starts_with('#') {
            read_count(line, &mut keyspace.counts);
        }
    }
    keyspace
}

fn read_count(line: &str, counts: &mut Vec<KeyCount>) {
    if let Some((name, rest)) = line.split_once("keys=") {
        // `Strings: keys=…`, `db0_Strings: keys=…`, `db0 Strings_keys=…`
        let name = name.trim_end_matches([':', ' ', '_']);
        let (db, kind) = match name.rsplit_once(['_', ' ']) {
            Some((db, kind)) => (Some(db), kind),
            None => (None, name),
        };
        let Some(kind) = type_of(kind) else { return };
        let mut values = rest.split(',').map(str::trim);
        let Some(keys) = values.next().and_then(|keys| keys.parse().ok()) else { return };
        let mut expires = None;
        let mut invalid = None;
        for value in values {
            match value.split_once('=') {
                Some(("expires", count)) => expires = count.parse().ok(),
                // Misspelt up to 3.3.2.
                Some(("invalid_keys" | "invaild_keys", count)) => invalid = count.parse().ok(),
                _ => {}
            }
        }
        counts.push(KeyCount { db: db.map(str::to_owned), kind, keys, expires, invalid });
    } else if let Some((name, count)) = line.split_once(" keys:") {
        // `kv keys:0` up to 2.3, `string keys:0` and `string invaild keys:0` up to 3.0.5
        let Ok(count) = count.trim().parse() else { return };
        let (name, is_invalid) = match name.strip_suffix(" invaild") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some(kind) = type_of(name) else { return };
        if !is_invalid {
            counts.push(KeyCount { db: None, kind, keys: count, expires: None, invalid: None });
        } else if let Some(known) = counts.iter_mut().find(|known| known.kind == kind) {
            known.invalid = Some(count);
        }
    }
}

fn type_of(name: &str) -> Option<KeyType> {
    Some(match name.to_ascii_lowercase().as_str() {
        "kv" | "string" | "strings" => KeyType::Strings,
        "hash" | "hashes" => KeyType::Hashes,
        "list" | "lists" => KeyType::Lists,
        "set" | "sets" => KeyType::Sets,
        "zset" | "zsets" => KeyType::Zsets,
        "stream" | "streams" => KeyType::Streams,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Keyspace {
        keyspace(&InfoSection {
            header: "Keyspace".into(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    #[test]
    fn all_six_spellings() {
        let spellings: [(&[&str], Option<&str>, Option<u64>); 6] = [
            (&["kv keys:7"], None, None),
            (&["string keys:7", "string invaild keys:2"], None, Some(2)),
            (&["Strings: keys=7, expires=3, invaild_keys=2"], None, Some(2)),
            (&["db0_Strings: keys=7, expires=3, invaild_keys=2"], Some("db0"), Some(2)),
            (&["db0 Strings_keys=7, expires=3, invaild_keys=2"], Some("db0"), Some(2)),
            (&["db0 Strings_keys=7, expires=3, invalid_keys=2"], Some("db0"), Some(2)),
        ];
        for (lines, db, invalid) in spellings {
            let keyspace = read(lines);
            assert_eq!(keyspace.counts.len(), 1, "{lines:?}");
            let count = &keyspace.counts[0];
            assert_eq!(
                (count.db.as_deref(), count.kind, count.keys, count.invalid),
                (db, KeyType::Strings, 7, invalid)
            );
        }
        assert_eq!(read(&["db0 Streams_keys=1, expires=0, invalid_keys=0"]).counts[0].kind, KeyType::Streams);
    }

    #[test]
    fn a_server_that_never_scanned() {
        for time in ["# Time:1970-01-01 08:00:00", "# Time: 1970-01-01 08:00:00", "# Time:0"] {
            assert!(!read(&[time]).scanned, "{time}");
        }
        let scanned = read(&["# Time: 2026-11-22 19:00:00", "# Duration: 2s"]);
        assert!(scanned.scanned);
        assert_eq!(scanned.scan_started.as_deref(), Some("2026-11-22 19:00:00"));
        assert!(!read(&["# Use \"info keyspace 1\" to do async statistics"]).scanned);
    }
}
