//! PKCLUSTER INFO SLOT of 3.2 to 3.4 in sharding mode.

use crate::model::node::TableSlots;
use crate::parse::codis::slot_set;

/// The slots that are served, by table in the order of their names. Each begins with a line as
/// `(db0:5) binlog_offset=0 0,safety_purge=none`.
pub fn served_slots(text: &str) -> Vec<TableSlots> {
    let mut tables: std::collections::BTreeMap<&str, Vec<u64>> = std::collections::BTreeMap::new();
    for line in text.lines() {
        let Some((name, _)) = line.strip_prefix('(').and_then(|rest| rest.split_once(')')) else { continue };
        let Some((table, slot)) = name.rsplit_once(':') else { continue };
        if let Ok(slot) = slot.parse() {
            tables.entry(table).or_default().push(slot);
        }
    }
    let served =
        |(table, slots): (&str, Vec<u64>)| TableSlots { table: table.to_owned(), slots: slot_set(slots) };
    tables.into_iter().map(served).collect()
}

#[cfg(test)]
mod tests {
    use super::served_slots;

    /// What a real 3.3.6 answered to two commands, the first before slots were added to it.
    #[test]
    fn slots_are_read_by_table() {
        assert_eq!(served_slots(""), []);
        let text = "(db0:0) binlog_offset=0 0,safety_purge=none\r\n  Role: Master\r\n  connected_slaves: 0\r\n\r\n\
                    (db0:1) binlog_offset=3 77,safety_purge=none\r\n  Role: Slave\r\n  master: 10.0.0.1:9221\r\n\r\n\
                    (db1:7) binlog_offset=0 0,safety_purge=none\r\n  Role: Master\r\n  connected_slaves: 0\r\n\r\n";
        let served = served_slots(text);
        let shown: Vec<(&str, u64, &str)> =
            served.iter().map(|of| (of.table.as_str(), of.slots.count, of.slots.ranges.as_str())).collect();
        assert_eq!(shown, [("db0", 2, "0-1"), ("db1", 1, "7")]);
    }
}
