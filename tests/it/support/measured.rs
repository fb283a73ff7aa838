//! Runs whose memory and time are bounded.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::pikadoctor;

/// What a run left behind, and the most memory that it had.
pub struct Measured {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub kilobytes: u64,
    /// The time of the processor, of all threads.
    pub cpu: Duration,
    pub took: Duration,
}

/// Runs the program, and looks at its peak of memory until it ends: its own peak, whatever the children of other tests
/// take meanwhile.
pub fn measure(arguments: &[&str]) -> Measured {
    measure_run(pikadoctor().args(arguments))
}

/// The same of a program that is called in another way.
pub fn measure_run(command: &mut Command) -> Measured {
    let began = Instant::now();
    let mut child =
        command.env("PIKADOCTOR_PASSWORD", "").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
    let process = format!("/proc/{}", child.id());
    let (mut kilobytes, mut cpu) = (0, Duration::ZERO);
    let code = loop {
        // The peak only grows; the last reading before the end misses a few milliseconds.
        let text = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        kilobytes = kilobytes.max(peak.and_then(|peak| peak.trim().parse().ok()).unwrap_or(0));
        cpu = cpu.max(cpu_of(&process));
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
        cpu,
        took: began.elapsed(),
    }
}

/// The time of the processor that a process had until now, in hundredths of a second, as Linux counts it for everybody.
fn cpu_of(process: &str) -> Duration {
    let text = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
    // Behind the name in brackets: utime and stime are the twelfth and the thirteenth word.
    let words = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = words.skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}
