//! Files that another user's process names.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::support::{Run, pikadoctor};

/// Something that is called `pika` and was started with a configuration. It ends with the test.
struct Pretender(Child);

impl Pretender {
    fn start(place: &Path, conf: &str) -> Self {
        let program = place.join("pika");
        fs::write(&program, "#!/bin/sh\nread _\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(&program);
        command.args(["-c", conf]).current_dir(place).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Until it is the shell that the script names, the process has another name.
        let began = Instant::now();
        let comm = format!("/proc/{}/comm", child.id());
        while fs::read_to_string(&comm).unwrap_or_default() != "pika\n" {
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", child.try_wait());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child)
    }
}

impl Drop for Pretender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_with_a_configuration_that_is_no_file_does_not_hold_up_the_run() {
    let place = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&place.path().join("fifo"), Mode::S_IRWXU).unwrap();
    symlink("fifo", place.path().join("link")).unwrap();
    for conf in ["fifo", "link", "/dev/zero", "/dev/tty", "/dev/fd/0"] {
        let pretender = Pretender::start(place.path(), conf);
        let began = Instant::now();
        let run = Run::of(pikadoctor().args(["host", "--pid", &pretender.0.id().to_string(), "-v"]));
        assert!(began.elapsed() < Duration::from_secs(30), "{conf}");
        assert_eq!(run.code, 3, "{conf}: {}{}", run.stdout, run.stderr);
        let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("it is no regular file"), "{conf}: {}", run.stdout);
    }
}
