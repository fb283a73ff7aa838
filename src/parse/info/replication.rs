//! INFO replication, INFO log and INFO doublemaster: where the releases differ most.

use super::section::section_field;
use crate::model::info::InfoSection;
use crate::model::replication::{
    Binlog, BinlogPosition, DoubleMaster, Lag, LinkState, Master, Replica, Replication, Role, Stage,
};

/// INFO replication.
pub fn replication(section: &InfoSection) -> Replication {
    let number = |key: &str| section_field(section, key).and_then(|value| value.parse().ok());
    let role_text = section_field(section, "role").map(str::to_owned);
    let role = role_text.as_deref().and_then(|text| role(text, &section.header));
    let master = section_field(section, "master_host").map(|host| Master {
        host: Some(host.to_owned()),
        port: number("master_port"),
        link_up: section_field(section, "master_link_status").and_then(|status| match status {
            "up" => Some(true),
            "down" => Some(false),
            _ => None,
        }),
        states: link_states(section),
    });
    Replication {
        role,
        role_text,
        master,
        replicas: section.lines.iter().filter_map(|line| replica(line)).collect(),
        connected_replicas: section_field(section, "connected_slaves").and_then(|value| value.parse().ok()),
        read_only: section_field(section, "slave_read_only").and_then(|value| match value {
            "1" | "yes" => Some(true),
            "0" | "no" => Some(false),
            _ => None,
        }),
        priority: number("slave_priority"),
        replication_id: section_field(section, "ReplicationID").map(str::to_owned),
        eligible_for_election: section_field(section, "is_eligible_for_master_election")
            .and_then(|value| value.parse().ok()),
        offset: section_field(section, "slave_repl_offset").and_then(|value| value.parse().ok()),
    }
}

/// Up to 3.0.16 a replica with replicas prints `role:slave`; only the header tells.
fn role(text: &str, header: &str) -> Option<Role> {
    match text {
        "master" => Some(Role::Master),
        "slave" if header.contains("MASTER/SLAVE") => Some(Role::MasterAndSlave),
        "slave" => Some(Role::Slave),
        "master&&slave" => Some(Role::MasterAndSlave),
        "double_master" => Some(Role::DoubleMaster),
        _ => None,
    }
}

/// How many replicas a section lists.
pub fn count_replicas(section: &InfoSection) -> usize {
    section.lines.iter().filter(|line| is_replica(line)).count()
}

/// Whether a line is `slave12:…`.
fn is_replica(line: &str) -> bool {
    let index = line.split_once(':').and_then(|(name, _)| name.strip_prefix("slave"));
    index.is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All that is said of the state of the link to the master, in whichever of five notations.
fn link_states(section: &InfoSection) -> Vec<LinkState> {
    let state = |db: Option<&str>, raw: &str, field: &str| LinkState {
        db: db.map(str::to_owned),
        raw: raw.to_owned(),
        field: field.to_owned(),
        stage: Stage::Unknown,
    };
    let mut states = Vec::new();
    if let Some(raw) = section_field(section, "repl_state") {
        states.push(state(None, raw, "repl_state"));
    }
    for field in ["db_repl_error_state", "db_repl_state"] {
        for (db, raw) in section_field(section, field).map(parenthesised).unwrap_or_default() {
            states.push(state(Some(db), raw, field));
        }
    }
    // `repl_connect_status:` has no value; a line for each database follows it. They look like keys of
    // their own, and like the binlog lines further down.
    let after = section.lines.iter().skip_while(|line| !line.starts_with("repl_connect_status:")).skip(1);
    for line in after {
        match line.split_once(':') {
            Some((db, raw)) if db.starts_with("db") && !raw.contains('=') => {
                states.push(state(Some(db), raw.trim(), "repl_connect_status"));
            }
            _ => break,
        }
    }
    // Between 3.1.1 and 3.5.4 a healthy link prints no state of its own.
    if states.is_empty()
        && let Some(raw) = section_field(section, "master_link_status")
    {
        states.push(state(None, raw, "master_link_status"));
    }
    states
}

/// `(db0:0)(db1:not syncing)` as pairs.
fn parenthesised(text: &str) -> Vec<(&str, &str)> {
    text.split('(').filter_map(|part| part.trim_end().strip_suffix(')')?.split_once(':')).collect()
}

/// `slave0:ip=10.0.0.2,port=9221,state=online,sid=1,lag=0` and the later `…,conn_fd=5,lag=(db0:0)`.
fn replica(line: &str) -> Option<Replica> {
    let (_, rest) = line.split_once(':').filter(|_| is_replica(line))?;
    // `lag=` comes last and may contain commas one day; take it off first.
    let (fields, lag) = match rest.split_once(",lag=") {
        Some((fields, lag)) => (fields, Some(lag)),
        None => (rest, None),
    };
    let value = |key: &str| fields.split(',').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    let lags = match lag {
        Some(lag) if lag.starts_with('(') => {
            parenthesised(lag).into_iter().map(|(db, text)| lag_of(Some(db), text)).collect()
        }
        Some(lag) => vec![lag_of(None, lag)],
        None => Vec::new(),
    };
    Some(Replica {
        ip: value("ip")?.to_owned(),
        port: value("port")?.parse().ok()?,
        state: value("state").map(str::to_owned),
        session: value("sid").and_then(|sid| sid.parse().ok()),
        lags,
    })
}

/// The server subtracts unsigned numbers: a replica that is ahead shows a lag near 2^64.
fn lag_of(db: Option<&str>, text: &str) -> Lag {
    let bytes: Option<u64> = text.trim().parse().ok();
    let ahead = bytes.is_some_and(|bytes| bytes > u64::MAX / 2);
    Lag { db: db.map(str::to_owned), bytes: bytes.filter(|_| !ahead), text: text.to_owned(), ahead }
}

/// The end of the binlog, from INFO log (up to 3.1.1) and INFO replication (later).
///
/// Forms: `binlog_offset:F O`, `db0:binlog_offset=F O,safety_purge=S`, `db0 binlog_offset=F O,…`, and
/// `(table1|0):binlog_offset=F O,…` in sharding mode.
pub fn binlog(sections: &[&InfoSection]) -> Option<Binlog> {
    let mut positions = Vec::new();
    for section in sections {
        for line in &section.lines {
            if let Some(place) =
                line.strip_prefix("binlog_offset:").or_else(|| line.strip_prefix("write2file:"))
            {
                let safety_purge = section_field(section, "safety_purge").map(str::to_owned);
                positions.extend(position(None, place, safety_purge));
            } else if let Some((db, rest)) = line.split_once("binlog_offset=") {
                let db = db.trim_end_matches([':', ' ']).trim_matches(['(', ')']);
                let (place, safety_purge) = match rest.split_once(",safety_purge=") {
                    Some((place, purge)) => (place, Some(purge.trim().to_owned())),
                    None => (rest, None),
                };
                positions.extend(position(Some(db), place, safety_purge));
            }
        }
    }
    (!positions.is_empty()).then_some(Binlog { positions })
}

fn position(db: Option<&str>, place: &str, safety_purge: Option<String>) -> Option<BinlogPosition> {
    let mut numbers = place.split_whitespace();
    Some(BinlogPosition {
        db: db.map(str::to_owned),
        file: numbers.next()?.parse().ok()?,
        offset: numbers.next()?.parse().ok()?,
        safety_purge,
    })
}

/// INFO doublemaster.
pub fn double_master(section: &InfoSection) -> DoubleMaster {
    let number = |key: &str| section_field(section, key).and_then(|value| value.parse().ok());
    DoubleMaster {
        enabled: section_field(section, "double_master_mode").and_then(|mode| match mode {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }),
        peer_host: section_field(section, "the peer-master host")
            .filter(|host| !host.is_empty())
            .map(str::to_owned),
        peer_port: number("the peer-master port").filter(|port| *port != 0),
        peer_server_id: number("the peer-master server_id"),
        state: section_field(section, "repl_state").map(|raw| LinkState {
            db: None,
            raw: raw.to_owned(),
            field: "double_master.repl_state".into(),
            stage: Stage::Unknown,
        }),
        received: section_field(section, "double_master_recv_info").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(header: &str, lines: &[&str]) -> InfoSection {
        InfoSection { header: header.into(), lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn connect_status_lines_are_states_and_binlog_lines_are_not() {
        let section = section(
            "Replication(SLAVE)",
            &[
                "role:slave",
                "ReplicationID:",
                "master_host:10.0.0.1",
                "master_port:9221",
                "master_link_status:down",
                "repl_connect_status:",
                "db0:syncing_full",
                "db1:error",
                "slave_priority:100",
                "slave_read_only:1",
                "db0:binlog_offset=3 15330,safety_purge=none",
                "slave_repl_offset:15330",
            ],
        );
        let replication = replication(&section);
        let master = replication.master.unwrap();
        let states: Vec<_> =
            master.states.iter().map(|state| (state.db.as_deref(), state.raw.as_str())).collect();
        assert_eq!(states, [(Some("db0"), "syncing_full"), (Some("db1"), "error")]);
        assert_eq!(master.link_up, Some(false));
        assert_eq!(replication.replication_id.as_deref(), Some(""));
        let binlog = binlog(&[&section]).unwrap();
        assert_eq!((binlog.positions[0].file, binlog.positions[0].offset), (3, 15330));
        assert_eq!(binlog.positions[0].db.as_deref(), Some("db0"));
    }

    #[test]
    fn a_replica_with_replicas_is_seen_in_the_header_up_to_3_0() {
        assert_eq!(role("slave", "Replication(MASTER/SLAVE)"), Some(Role::MasterAndSlave));
        assert_eq!(role("slave", "Replication(SLAVE)"), Some(Role::Slave));
        assert_eq!(role("master&&slave", "Replication(Master && SLAVE)"), Some(Role::MasterAndSlave));
        assert_eq!(role("double_master", "Replication(DOUBLEMASTER)"), Some(Role::DoubleMaster));
        assert_eq!(role("sentinel", ""), None);
    }

    #[test]
    fn every_form_of_the_binlog_line() {
        let log = section("Log", &["safety_purge:write2file3", "binlog_offset:12 20116"]);
        assert_eq!(
            binlog(&[&log]).unwrap().positions,
            [BinlogPosition { db: None, file: 12, offset: 20116, safety_purge: Some("write2file3".into()) }]
        );
        let later = section(
            "Replication(MASTER)",
            &[
                "db0 binlog_offset=0 15255,safety_purge=none",
                "(table1|0):binlog_offset=1 2,safety_purge=error",
            ],
        );
        let positions = binlog(&[&later]).unwrap().positions;
        assert_eq!(positions[0].db.as_deref(), Some("db0"));
        assert_eq!(positions[1].db.as_deref(), Some("table1|0"));
        assert_eq!((positions[1].file, positions[1].offset), (1, 2));
        assert!(binlog(&[&section("Log", &["binlog_offset:x y", "log_size:1"])]).is_none());
    }

    #[test]
    fn every_form_of_the_replica_line() {
        let old = replica("slave0:ip=10.0.0.2,port=9221,state=online,sid=1,lag=0").unwrap();
        assert_eq!((old.ip.as_str(), old.port, old.session), ("10.0.0.2", 9221, Some(1)));
        assert_eq!(old.lags[0].bytes, Some(0));
        let new = replica("slave12:ip=10.0.0.2,port=9221,conn_fd=49,lag=(db0:7)(db1:not syncing)").unwrap();
        assert_eq!(new.lags.len(), 2);
        assert_eq!((new.lags[1].bytes, new.lags[1].text.as_str()), (None, "not syncing"));
        let ahead = replica("slave0:ip=a,port=1,conn_fd=4,lag=(db0:18446744073709551000)").unwrap();
        assert!(ahead.lags[0].ahead);
        assert_eq!(ahead.lags[0].bytes, None);
        assert!(replica("slave_priority:100").is_none());
        assert!(replica("slaveX:ip=a,port=1").is_none());
        assert!(replica("slave0:ip=a").is_none());
    }

    #[test]
    fn read_only_is_a_number_or_a_word() {
        for (text, expected) in
            [("1", Some(true)), ("yes", Some(true)), ("0", Some(false)), ("no", Some(false)), ("?", None)]
        {
            let section = section("Replication(SLAVE)", &[&format!("slave_read_only:{text}")]);
            assert_eq!(replication(&section).read_only, expected);
        }
    }
}
