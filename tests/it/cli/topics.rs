//! `explain` of what is no check.

use crate::support::{Run, run};
use pikadoctor::catalog::built_in;
use pikadoctor::model::topics::{CopyBegins, CopyFailure};

fn explain(arguments: &[&str]) -> Run {
    run(&[&["explain"], arguments].concat())
}

#[test]
fn a_topic_is_found_by_each_of_its_words_in_both_languages() {
    for topic in &*built_in().knowledge.topics {
        let by_id = explain(&[&topic.id]);
        assert_eq!(by_id.code, 0, "{}", topic.id);
        for word in &topic.also {
            assert_eq!(explain(&[word]).stdout, by_id.stdout, "{word}");
        }
        let chinese = explain(&[&topic.id, "--lang", "zh"]);
        assert!(chinese.code == 0 && chinese.stdout.contains(topic.title.zh.as_str()), "{}", chinese.stdout);
        for check in &topic.checks {
            assert!(built_in().checks.iter().any(|known| known.id == *check), "{check}");
        }
    }
    assert_eq!(explain(&["keyspaces"]).code, 3);
}

#[test]
fn a_topic_says_what_concerns_a_release() {
    let of = |release| explain(&["keyspace", "--release", release]).stdout;
    assert!(of("3.5.5").contains("info keyspace 0") && of("3.5.5").contains("a minute old"));
    assert!(!of("2.3.6").contains("a minute old"));
}

/// Every way to fail is known for every generation that has it, and once.
#[test]
fn a_failed_copy_is_begun_anew_in_one_way_on_each_release() {
    let known = built_in().knowledge.full_copies;
    let begins = |failure: CopyFailure, release: &str| -> Vec<CopyBegins> {
        let release = release.parse().unwrap();
        let of = known.iter().filter(|entry| entry.failure == failure && entry.releases.contains(release));
        of.map(|entry| entry.begins).collect()
    };
    for failure in [
        CopyFailure::DiskFull,
        CopyFailure::DumpFailed,
        CopyFailure::MasterEnded,
        CopyFailure::PortBlocked,
        CopyFailure::ReplicaEnded,
    ] {
        for release in ["2.3.0", "2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
            assert_eq!(begins(failure, release).len(), 1, "{failure:?} {release}");
        }
    }
    assert_eq!(begins(CopyFailure::DumpFailed, "2.3.6"), [CopyBegins::RestartMaster]);
    assert_eq!(begins(CopyFailure::DumpFailed, "3.0.16"), [CopyBegins::Slaveof]);
    assert_eq!(begins(CopyFailure::RsyncMissing, "3.5.5"), []);
}
