//! Runs whose memory and time are bounded.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::pikadoctor;

/// What a run left behind, and the most memory that it had.
pub struct Measured {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub kilobytes: u64,
    pub took: Duration,
}

/// Runs the program, and looks at its peak of memory until it ends: its own peak, whatever the children of other tests
/// take meanwhile.
pub fn measure(arguments: &[&str]) -> Measured {
    let began = Instant::now();
    let mut child = pikadoctor()
        .args(arguments)
        .env("PIKADOCTOR_PASSWORD", "")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let stdout = thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let stderr = thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let status = format!("/proc/{}/status", child.id());
    let mut kilobytes = 0;
    let code = loop {
        // The peak only grows; the last reading before the end misses a few milliseconds.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        kilobytes = kilobytes.max(peak.and_then(|peak| peak.trim().parse().ok()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().expect("it is not killed by a signal");
        }
        thread::sleep(Duration::from_millis(2));
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what it prints is UTF-8");
    Measured {
        code,
        stdout: text(stdout.join().unwrap()),
        stderr: text(stderr.join().unwrap()),
        kilobytes,
        took: began.elapsed(),
    }
}
