//! A directory of 2 GB of logs is read in a moment, with little memory.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::support::measured::measure;

const GIB: u64 = 1024 * 1024 * 1024;

/// What glog of a busy server writes, 4 MiB of it at the end of a file of `length`, which is otherwise a hole.
fn write(path: &Path, level: char, length: u64, last: &str) {
    let mut file = File::create(path).unwrap();
    let line = format!(
        "{level}20261122 10:00:00.000001 20009 pika_dispatch.cc:88] accept new conn 72:10.79.0.254:51568:0\n"
    );
    let text = line.repeat(4 * 1024 * 1024 / line.len());
    file.set_len(length).unwrap();
    file.seek(SeekFrom::Start(length - text.len() as u64 - last.len() as u64)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.write_all(last.as_bytes()).unwrap();
}

#[test]
fn two_gigabytes_cost_a_moment_and_little_memory() {
    let (small, large) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(small.path().join("pika.INFO"), "I20261122 10:00:00.000001 9 a.cc:1] x\n").unwrap();
    let failed = "W20261122 10:00:00.000001 9 a.cc:1] Auth with master error: err invalid password\n";
    for index in 0..3 {
        let name = |level: &str| large.path().join(format!("pika.h.u.log.{level}.2026112{index}-000000.7"));
        write(&name("INFO"), 'I', GIB / 2, "");
        write(&name("WARNING"), 'W', GIB / 4, if index == 2 { failed } else { "" });
    }
    let logs = |directory: &Path| measure(&["logs", directory.to_str().unwrap()]);
    let nothing = logs(small.path());
    assert_eq!(nothing.code, 0, "{}", nothing.stdout);
    assert!(nothing.kilobytes > 0, "the peak cannot be read from /proc");
    let report = logs(large.path());
    let above = report.kilobytes.saturating_sub(nothing.kilobytes);
    eprintln!("{:?}, {above} kB more than for one line", report.took);
    assert_eq!(report.code, 2, "the newest line of the warnings is seen: {}", report.stdout);
    let words = report.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("MiB of older lines not read"), "{}", report.stdout);
    // An optimised build takes about 30 ms. To read 2 GiB takes a build for tests many times as long as this bound,
    // which is wide enough for a machine that is busy with the other tests.
    assert!(report.took < Duration::from_secs(20), "{:?}", report.took);
    assert!(above < 16 * 1024, "{above} kB");
}
