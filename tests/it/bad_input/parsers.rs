//! Whatever comes in, no parser panics, and what it takes in it keeps.

use pikadoctor::catalog::check_file::{for_each_parts, read_check};
use pikadoctor::collect::pika::identify;
use pikadoctor::collect::pika::resp::Reply;
use pikadoctor::model::info::InfoSection;
use pikadoctor::model::release::{Releases, Version};
use pikadoctor::model::text::escape_control;
use pikadoctor::parse::info;
use proptest::prelude::*;

/// Lines as INFO has them, and lines as it should not have them.
fn info_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,12}:[ -~]{0,20}",
        "# (Server|Replication\\(MASTER/SLAVE\\)|Keyspace|Time:0|Use x)",
        "slave[0-9]{0,3}:ip=[0-9.]{0,9},port=[0-9]{0,6},(state=online,sid=[0-9]{1,3}|conn_fd=1),lag=\\(?(db0:)?[0-9a-z ]{0,22}\\)?",
        "\\(?(db|table)[0-9|]{0,3}\\)?[: ]?binlog_offset=[0-9 ]{0,30},safety_purge=[a-z0-9]{0,12}",
        "(db0[_ ])?(Strings|kv|zset)(_| )?keys[=:][0-9]{0,22}, expires=[0-9]{0,3}, invaild_keys=x",
        "repl_connect_status:",
        "db0:[a-z_]{0,16}",
        "\\PC{0,40}",
        "",
    ]
}

proptest! {
    #[test]
    fn info_is_split_without_loss(lines in proptest::collection::vec(info_line(), 0..40)) {
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let sections = info::sections(&text);
        for section in sections.values() {
            let _ = (info::process(section), info::clients(section), info::tasks(section), info::data(section, None));
            let _ = (info::replication(section), info::double_master(section), info::keyspace(section));
            let _ = (info::binlog(&[section]), info::commands(section));
            for line in &section.lines {
                prop_assert!(text.contains(line.as_str()));
            }
        }
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,400}") {
        let section = InfoSection { header: text.clone(), lines: text.split('\n').map(str::to_owned).collect() };
        let _ = info::replication(&section);
        let _ = info::keyspace(&section);
        let _ = identify::from_info(&Reply::Text(text.clone()));
        let _ = identify::from_info(&Reply::Error(text.clone()));
        let _ = read_check("a/b", "b.yaml", &text);
        let _ = for_each_parts(&text);
        let _ = text.parse::<Version>();
        let _ = text.parse::<Releases>();
    }

    #[test]
    fn any_bytes_are_named(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let evidence = identify::from_bytes(&bytes).evidence;
        prop_assert!(evidence.as_str().chars().count() < 120);
    }

    #[test]
    fn escaped_text_has_no_control_character(text in any::<String>()) {
        prop_assert!(!escape_control(&text).chars().any(char::is_control));
    }

    #[test]
    fn versions_and_ranges_print_as_they_are_read(
        major in 2u32..5, minor in 0u32..6, patch in 0u32..30, more in 0u32..30, stage in "(-alpha|-beta|-rc[1-9])?"
    ) {
        let text = format!("{major}.{minor}.{patch}{stage}");
        let version: Version = text.parse().unwrap();
        prop_assert_eq!(version.to_string(), text.as_str());
        if version.line().is_some() {
            let last = format!("{major}.{minor}.{}", patch + more);
            let range: Releases = format!("{text}-{last}").parse().unwrap();
            prop_assert!(range.contains(version));
            prop_assert!(range.contains(last.parse().unwrap()));
            let next: Version = format!("{major}.{minor}.{}", patch + more + 1).parse().unwrap();
            prop_assert!(!range.contains(next));
            prop_assert_eq!(range.to_string().parse::<Releases>().unwrap(), range);
        }
    }
}
