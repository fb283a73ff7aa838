//! A directory of 2 GB of logs is read in a moment, with little memory.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pikadoctor;

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

/// What a run printed, its exit code, how long it took, and the most memory that it had in KiB: its own, whatever the
/// children of other tests take meanwhile.
fn run(directory: &Path) -> (String, Option<i32>, Duration, u64) {
    let mut printed = tempfile::tempfile().unwrap();
    let began = Instant::now();
    let mut child =
        pikadoctor().arg("logs").arg(directory).stdout(printed.try_clone().unwrap()).spawn().unwrap();
    let mut peak = 0;
    let ended = loop {
        // The kernel keeps the peak, so that only what comes within the last millisecond is missed.
        peak = peak.max(high_water_mark(child.id()).unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(1));
    };
    let took = began.elapsed();
    let mut text = String::new();
    printed.rewind().unwrap();
    printed.read_to_string(&mut text).unwrap();
    (text, ended.code(), took, peak)
}

/// Of a process, in KiB; `None` when it has ended.
fn high_water_mark(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
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
    let (nothing, code, _, before) = run(small.path());
    assert_eq!(code, Some(0), "{nothing}");
    let (report, code, took, after) = run(large.path());
    eprintln!("{took:?}, {} KiB more than for one line", after.saturating_sub(before));
    assert_eq!(code, Some(2), "the newest line of the warnings is seen: {report}");
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("MiB of older lines not read"), "{report}");
    // An optimised build takes a tenth of what this one takes, about 30 ms; the rest is for a machine that is busy.
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(before > 0 && after.saturating_sub(before) < 16 * 1024, "{before} KiB, then {after} KiB");
}
