//! Real Pika servers, from `PIKADOCTOR_PIKA_HOME`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::process::free_client_port;
use super::{Run, pikadoctor};

pub fn home() -> PathBuf {
    PathBuf::from(std::env::var_os("PIKADOCTOR_PIKA_HOME").expect("PIKADOCTOR_PIKA_HOME is set"))
}

/// The versions below the home, which must include those that are promised.
pub fn versions() -> Vec<String> {
    let mut versions: Vec<String> = fs::read_dir(home())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("pika").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    versions.sort();
    for promised in ["2.3.0", "2.3.6", "3.3.6", "3.5.5"] {
        assert!(
            versions.iter().any(|version| version == promised),
            "{promised} is not below {}",
            home().display()
        );
    }
    versions
}

/// A running Pika with the stock configuration, but for its port, its paths and what `extra` says.
pub struct Pika {
    pub process: Child,
    pub directory: tempfile::TempDir,
    pub port: u16,
}

/// A server that is configured and not started.
pub struct Prepared {
    pub directory: tempfile::TempDir,
    pub port: u16,
    pub program: PathBuf,
    pub conf: String,
}

impl Prepared {
    pub fn new(version: &str, extra: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let named = extra.iter().find(|(name, _)| *name == "port").map(|(_, port)| port.parse().unwrap());
        let port: u16 = named.unwrap_or_else(free_client_port);
        let path = |name: &str| format!("{}/{name}", directory.path().display());
        let mut settings = vec![
            ("port", port.to_string()),
            ("log-path", path("log/")),
            ("db-path", path("db/")),
            ("dump-path", path("dump/")),
            ("db-sync-path", path("dbsync/")),
            ("pidfile", path("pika.pid")),
            // The stock 20000 wants more open files than many hosts allow.
            ("maxclients", "1000".to_owned()),
        ];
        settings.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
        settings.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let stock = fs::read_to_string(home().join(version).join("pika.conf")).unwrap();
        let key = |line: &str| line.split_once(':').map(|(key, _)| key.trim().to_owned());
        let mut lines: Vec<String> = stock
            .lines()
            .filter(|line| !settings.iter().any(|(name, _)| key(line).as_deref() == Some(name)))
            .map(str::to_owned)
            .collect();
        lines.extend(settings.iter().map(|(name, value)| format!("{name} : {value}")));
        let conf = path("pika.conf");
        fs::write(&conf, lines.join("\n") + "\n").unwrap();
        Self { port, program: home().join(version).join("pika"), conf, directory }
    }

    /// Starts it by `command`, to which nothing is added but where its output goes.
    pub fn spawn(&self, mut command: Command) -> Child {
        let output = fs::File::create(self.directory.path().join("output")).unwrap();
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap()
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-c", &self.conf]);
        command
    }

    /// Starts it by `command`, and waits until `listens` says that it does.
    pub fn start(self, command: Command, listens: impl Fn(u16) -> bool) -> Pika {
        let process = self.spawn(command);
        let mut pika = Pika { process, directory: self.directory, port: self.port };
        let began = Instant::now();
        while !listens(pika.port) {
            assert!(pika.process.try_wait().unwrap().is_none(), "it ended: {}", pika.output());
            assert!(began.elapsed() < Duration::from_secs(30), "it does not listen: {}", pika.output());
            thread::sleep(Duration::from_millis(100));
        }
        pika
    }
}

/// Whether somebody listens on a port of the loopback.
pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

impl Pika {
    pub fn start(version: &str, extra: &[(&str, &str)]) -> Self {
        let prepared = Prepared::new(version, extra);
        let command = prepared.command();
        prepared.start(command, listens)
    }

    /// Ends it without a word.
    pub fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after its end, with the same files.
    pub fn start_again(&mut self, version: &str) {
        let output = fs::File::create(self.directory.path().join("output")).unwrap();
        let conf = self.directory.path().join("pika.conf");
        let mut command = Command::new(home().join(version).join("pika"));
        command.arg("-c").arg(conf).current_dir(self.directory.path()).stdin(Stdio::null());
        self.process = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        let began = Instant::now();
        while !listens(self.port) {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not listen: {}", self.output());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn output(&self) -> String {
        fs::read_to_string(self.directory.path().join("output")).unwrap_or_default()
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends a command and returns its reply, as far as it comes within a moment.
    pub fn ask(&self, words: &[&str]) -> String {
        self.converse(&[words])
    }

    /// The same for several commands on one connection.
    pub fn converse(&self, commands: &[&[&str]]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut request = String::new();
        for words in commands {
            request += &format!("*{}\r\n", words.len());
            for word in *words {
                request += &format!("${}\r\n{word}\r\n", word.len());
            }
        }
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// Sends a command, and returns as much of its reply as comes at once.
    pub fn ask_line(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = [0; 512];
        let length = stream.read(&mut reply).unwrap();
        String::from_utf8_lossy(&reply[..length]).trim_end().to_owned()
    }

    /// Lines of its WARNING, ERROR and FATAL logs.
    pub fn complaints(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(self.directory.path().join("log")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if ["WARNING", "ERROR", "FATAL"].iter().any(|level| name.contains(level)) && !path.is_symlink() {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                lines
                    .extend(text.lines().filter(|line| line.starts_with(['W', 'E', 'F'])).map(str::to_owned));
            }
        }
        lines
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until `holds` says so, and panics after `longest`.
    pub fn wait_for(&self, what: &str, longest: Duration, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(
                began.elapsed() < longest,
                "{what}: not after {longest:?}: {}",
                self.ask(&["INFO", "replication"])
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub fn check(&self, arguments: &[&str]) -> Run {
        Run::of(pikadoctor().arg("check").arg(self.address()).args(arguments))
    }

    /// The exit code of a check while nothing is wrong with the server itself: 1 where `host/stopping` rightly warns
    /// that the rsync daemon of 3.1 to 3.4 will stay, which depends on the process ids that the host has come to.
    /// Waits for that daemon, which is started a moment after the client port is open.
    pub fn usual_code(&self, version: &str) -> i32 {
        if !["3.1.", "3.2.", "3.3.", "3.4."].iter().any(|line| version.starts_with(line)) {
            return 0;
        }
        let daemon = self.directory.path().join("dbsync/rsync/slash_rsync.pid");
        let began = Instant::now();
        while !fs::read_to_string(&daemon).is_ok_and(|pid| !pid.trim().is_empty()) {
            assert!(began.elapsed() < Duration::from_secs(10), "it starts no rsync daemon");
            thread::sleep(Duration::from_millis(100));
        }
        let digits = |path: &Path| fs::read_to_string(path).unwrap().trim().len();
        let stays = digits(&daemon) < digits(Path::new("/proc/sys/kernel/pid_max"));
        i32::from(stays && fs::canonicalize("/bin/sh").unwrap().ends_with("dash"))
    }

    pub fn report(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.check(&[&["--format", "json"], arguments].concat()).stdout).unwrap()
    }
}

impl Drop for Pika {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // From 3.1 to 3.4 a killed Pika leaves its rsync daemon behind, which may just be starting; end those of this
        // directory, and no others.
        let ours = format!("--config={}/", self.directory.path().display());
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let words = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
            if words.contains(&ours) {
                let _ = Command::new("kill").arg(process.file_name()).status();
            }
        }
    }
}
