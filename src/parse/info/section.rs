//! INFO as sections of lines.

use std::collections::BTreeMap;

use crate::model::info::InfoSection;

/// The words that headers of INFO begin with. Other lines with `#` belong to the section they stand
/// in: `# Time:…` and `# Use "info keyspace 1"…` in Keyspace, `#strings_RocksDB` in RocksDB.
const HEADERS: [&str; 16] = [
    "Server",
    "Data",
    "Log",
    "Clients",
    "Hub",
    "Stats",
    "CPU",
    "Replication",
    "Keyspace",
    "DoubleMaster",
    "Command_Exec_Count",
    "Commandstats",
    "Cache",
    "RocksDB",
    "Synchronization Status",
    "Running Status",
];

/// The value of the first `key:value` line, without blanks around it.
pub fn field<'t>(info: &'t str, key: &str) -> Option<&'t str> {
    info.lines().find_map(|line| value_of(line, key))
}

fn value_of<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    Some(line.trim_end_matches('\r').strip_prefix(key)?.strip_prefix(':')?.trim())
}

/// The first `key:value` line of a section. Only the first colon separates, and values contain blanks.
pub fn section_field<'s>(section: &'s InfoSection, key: &str) -> Option<&'s str> {
    section.lines.iter().find_map(|line| value_of(line, key))
}

/// Splits INFO into its sections by lower-case name; a header `Replication(MASTER)` has the name
/// `replication`. What stands before the first header has the name `""`.
pub fn sections(info: &str) -> BTreeMap<String, InfoSection> {
    let mut sections = BTreeMap::new();
    let mut name = String::new();
    let mut current = InfoSection { header: String::new(), lines: Vec::new() };
    let mut put = |name: String, section: InfoSection| {
        if !name.is_empty() || section.lines.iter().any(|line| !line.is_empty()) {
            sections.insert(name, section);
        }
    };
    for line in info.strip_suffix("\r\n").unwrap_or(info).split("\r\n") {
        if let Some(header) = header(line) {
            put(std::mem::take(&mut name), current);
            name = header.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
            current = InfoSection { header: header.to_owned(), lines: Vec::new() };
        } else {
            current.lines.push(line.to_owned());
        }
    }
    put(name, current);
    sections
}

fn header(line: &str) -> Option<&str> {
    let header = line.strip_prefix("# ")?;
    let word = header.split('(').next().unwrap_or_default().trim();
    HEADERS.iter().any(|known| known.eq_ignore_ascii_case(word)).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_colon_separates() {
        assert_eq!(field("a:1\r\nconfig_file:/a:b/c d.conf\r\n", "config_file"), Some("/a:b/c d.conf"));
        assert_eq!(
            field("pika_build_compile_date: Nov 22 2026\r\n", "pika_build_compile_date"),
            Some("Nov 22 2026")
        );
        assert_eq!(field("repl_state_x:1\r\nrepl_state: 3\r\n", "repl_state"), Some("3"));
        assert_eq!(field("role:master", "rol"), None);
    }

    #[test]
    fn comments_of_a_section_are_not_headers() {
        let info = "# Keyspace\r\n# Time:1970-01-01 08:00:00\r\nkv keys:0\r\n\r\n# DoubleMaster(MASTER)\r\nrole:master\r\n";
        let sections = sections(info);
        assert_eq!(sections.keys().collect::<Vec<_>>(), ["doublemaster", "keyspace"]);
        assert_eq!(sections["keyspace"].lines, ["# Time:1970-01-01 08:00:00", "kv keys:0", ""]);
        assert_eq!(sections["doublemaster"].header, "DoubleMaster(MASTER)");
    }

    #[test]
    fn what_comes_before_a_header_is_kept() {
        let sections = sections("stray\r\n# Server\r\na:1\r\n");
        assert_eq!(sections[""].lines, ["stray"]);
        assert!(super::sections("").is_empty());
    }
}
