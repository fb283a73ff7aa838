//! Real Pika servers, where there are any: found, started with a configuration of ours, asked and ended.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::{Parser, Value, cmd};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::error::LabError;
use crate::collect::pika::resp::read_value;
use crate::model::limits::{PIKA_ANSWER_TIMEOUT, PIKA_START_TIMEOUT, PIKA_STOP_TIMEOUT};

/// What is in a configuration file where the binary has none beside it. 2.x and 3.0 do not start without a
/// log level.
const LEAST: &str = "thread-num : 1\nloglevel : info\nsync-thread-num : 2\n";

/// Where binaries are.
#[derive(Clone, Debug)]
pub enum Home {
    /// `<directory>/<version>/pika`, perhaps with the stock `pika.conf` beside it.
    Directory(PathBuf),
    /// `pika-<version>` in PATH.
    Path,
}

impl Home {
    /// The binary of a release, `2.3.6` for example. The error says where it was looked for.
    pub fn binary(&self, version: &str) -> Result<PathBuf, LabError> {
        match self {
            Self::Directory(directory) => {
                let path = directory.join(version).join("pika");
                // The server is started in a directory of its own.
                let found = fs::canonicalize(&path).ok().filter(|path| path.is_file());
                found.ok_or_else(|| LabError::NoBinary(path.display().to_string()))
            }
            Self::Path => {
                let name = format!("pika-{version}");
                which::which(&name).map_err(|_| LabError::NoBinary(format!("{name} in PATH")))
            }
        }
    }
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The binary.
    pub binary: PathBuf,
    /// The client port.
    pub port: u16,
    /// Settings that are not the stock ones.
    pub settings: BTreeMap<String, String>,
    /// Whether it finds rsync.
    pub rsync: bool,
    /// Whether it can dump its data.
    pub dumps: bool,
    /// The password that the one who asks is to use.
    pub password: Option<String>,
}

/// A running server on 127.0.0.1. It and all that it wrote are gone when this is dropped.
pub struct Pika {
    process: Child,
    directory: TempDir,
    start: Start,
    /// Where clients reach it.
    pub address: SocketAddr,
}

impl Pika {
    /// Starts a server and waits until it listens. The error has the last lines of what it said.
    pub async fn start(start: &Start) -> Result<Self, LabError> {
        let directory = tempfile::tempdir()?;
        write_conf(start, directory.path())?;
        let process = spawn(start, directory.path())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, start.port));
        let mut pika = Self { process, directory, start: start.clone(), address };
        pika.wait_until_it_listens().await?;
        Ok(pika)
    }

    async fn wait_until_it_listens(&mut self) -> Result<(), LabError> {
        let ends = Instant::now() + PIKA_START_TIMEOUT;
        while TcpStream::connect(self.address).await.is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || Instant::now() > ends {
                let (binary, output) = (self.start.binary.clone(), self.last_words());
                return Err(LabError::DoesNotListen { binary, output });
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Its configuration file.
    pub fn conf(&self) -> PathBuf {
        self.directory.path().join(CONF)
    }

    /// What its configuration file says of a key now.
    pub fn setting(&self, key: &str) -> Option<String> {
        let text = fs::read_to_string(self.conf()).ok()?;
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
    }

    /// With which password it is asked from now on.
    pub fn use_password(&mut self, password: String) {
        self.start.password = Some(password);
    }

    /// Ends it as an operator does. What it leaves running, as 3.1 to 3.4 may their rsync daemon, goes on running. The
    /// error: it does not end.
    pub async fn stop(&mut self) -> Result<(), LabError> {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).map_err(io::Error::other)?);
        if self.process.try_wait()?.is_none() {
            kill(pid, Signal::SIGCONT)?;
            kill(pid, Signal::SIGTERM)?;
        }
        let ends = Instant::now() + PIKA_STOP_TIMEOUT;
        while self.process.try_wait()?.is_none() {
            if Instant::now() > ends {
                return Err(LabError::DoesNotEnd(self.address));
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Starts it again after a stop, with what its file says now.
    pub async fn start_again(&mut self) -> Result<(), LabError> {
        self.process = spawn(&self.start, self.directory.path())?;
        self.wait_until_it_listens().await
    }

    /// Writes as much as fills three files of a binlog whose files have a megabyte.
    pub async fn fill_binlog(&self) -> Result<(), LabError> {
        let value = "v".repeat(100_000);
        for number in 0..25 {
            self.ask(&["set", &format!("big:{number}"), &value]).await?;
        }
        Ok(())
    }

    /// Removes the oldest files of its binlog; it must not run.
    pub fn remove_binlog(&self, files: usize) -> io::Result<()> {
        // Where the release has one for each database, it is in a directory of its own.
        let mut directories = vec![self.directory.path().join("log")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let number = name.strip_prefix("write2file").and_then(|number| number.parse().ok());
                if path.is_dir() {
                    directories.push(path);
                } else if number.is_some_and(|number: usize| number < files) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    /// From its next start on it finds rsync, and can dump its data from now on.
    pub fn mend_surroundings(&mut self) -> io::Result<()> {
        let dump = self.directory.path().join("dump");
        if !self.start.dumps && dump.is_file() {
            fs::remove_file(dump)?;
        }
        self.start.dumps = true;
        self.start.rsync = true;
        Ok(())
    }

    /// The rsync daemons that a Pika of this directory has left behind, and no others. Their pid file may be gone.
    fn rsyncs(&self) -> Vec<Pid> {
        let ours = format!("--config={}/", self.directory.path().display());
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        let pid = |process: io::Result<fs::DirEntry>| {
            let process = process.ok()?;
            let pid = process.file_name().to_string_lossy().parse().ok()?;
            let words = fs::read_to_string(process.path().join("cmdline")).ok()?;
            (words.starts_with("rsync") && words.contains(&ours)).then(|| Pid::from_raw(pid))
        };
        processes.filter_map(pid).collect()
    }

    /// Sends one command on a connection of its own. Errors of the server are its answer.
    pub async fn ask(&self, words: &[&str]) -> Result<String, LabError> {
        timeout(PIKA_ANSWER_TIMEOUT, self.run_command(words))
            .await
            .map_err(|_| LabError::NoAnswer { address: self.address, command: words.join(" ") })?
            .map_err(|source| LabError::Ask { address: self.address, source })
    }

    async fn run_command(&self, words: &[&str]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let mut stream = TcpStream::connect(self.address).await?;
        let (mut reader, mut writer) = stream.split();
        let mut parser = Parser::new();
        if let Some(password) = &self.start.password {
            writer.write_all(&cmd("auth").arg(password).get_packed_command()).await?;
            read_value(&mut parser, &mut reader).await?;
        }
        let mut command = cmd(words[0]);
        for word in &words[1..] {
            command.arg(word);
        }
        writer.write_all(&command.get_packed_command()).await?;
        Ok(match read_value(&mut parser, &mut reader).await? {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::SimpleString(text) => text,
            Value::Okay => "OK".to_owned(),
            Value::ServerError(error) => format!("{error:?}"),
            other => format!("{other:?}"),
        })
    }

    /// Stops it where it is: it keeps its ports and says nothing more.
    pub fn freeze(&self) -> Result<(), LabError> {
        let pid = i32::try_from(self.process.id()).map_err(io::Error::other)?;
        Ok(kill(Pid::from_raw(pid), Signal::SIGSTOP)?)
    }

    fn last_words(&self) -> String {
        let said = fs::read_to_string(self.directory.path().join("output")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Pika {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        for pid in self.rsyncs() {
            let _ = kill(pid, Signal::SIGTERM);
        }
    }
}

/// The name of the configuration file in the directory of a server.
const CONF: &str = "pika.conf";

/// Starts the process in its directory.
fn spawn(start: &Start, directory: &Path) -> Result<Child, LabError> {
    let output = File::create(directory.join("output"))?;
    let errors = output.try_clone()?;
    let mut command = Command::new(&start.binary);
    command.arg("-c").arg(directory.join(CONF)).current_dir(directory);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    if !start.rsync {
        command.env("PATH", directory);
    }
    command.spawn().map_err(|source| LabError::Start { binary: start.binary.clone(), source })
}

/// The stock configuration with what must be otherwise on this machine, and what the scenario says.
fn write_conf(start: &Start, directory: &Path) -> io::Result<()> {
    let path = |name: &str| format!("{}/{name}", directory.display());
    let dump = path("dump");
    if !start.dumps {
        // A directory cannot be made where a file is.
        fs::write(&dump, "")?;
    }
    let mut settings: BTreeMap<String, String> = [
        ("port", start.port.to_string()),
        ("log-path", path("log/")),
        ("db-path", path("db/")),
        ("dump-path", dump + "/"),
        ("db-sync-path", path("dbsync/")),
        ("pidfile", path("pika.pid")),
        ("daemonize", "no".to_owned()),
        ("network-interface", "lo".to_owned()),
        // The stock 20000 need more open files than many hosts allow.
        ("maxclients", "1000".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    settings.extend(start.settings.clone());
    let stock = start.binary.parent().map(|directory| directory.join("pika.conf"));
    let stock = stock.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_else(|| LEAST.to_owned());
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.trim().to_owned());
    let kept = stock.lines().filter(|line| !key(line).is_some_and(|key| settings.contains_key(&key)));
    let set = settings.iter().map(|(name, value)| format!("{name} : {value}"));
    let conf: Vec<String> = kept.map(str::to_owned).chain(set).collect();
    fs::write(directory.join(CONF), conf.join("\n") + "\n")
}

/// What every release counts from its client port.
const DERIVED: [u16; 6] = [0, 1000, 1100, 2000, 3000, 10001];

/// Client ports that are free with all that is counted from them, and in nobody's way among each other.
pub fn free_ports(count: usize) -> Result<Vec<u16>, LabError> {
    let uses = |port: u16| DERIVED.map(|offset| port.checked_add(offset));
    let mut ports: Vec<u16> = Vec::new();
    for _ in 0..1000 {
        if ports.len() == count {
            return Ok(ports);
        }
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = bound?.port();
        let free = |port: Option<u16>| {
            port.is_some_and(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok())
        };
        let taken: Vec<Option<u16>> = ports.iter().flat_map(|port| uses(*port)).collect();
        if uses(port).into_iter().all(|port| free(port) && !taken.contains(&port)) {
            ports.push(port);
        }
    }
    Err(LabError::NoFreePorts)
}
