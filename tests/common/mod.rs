//! What several tests need: the binary, recordings, and servers that misbehave.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod chinese;
pub mod codis;
pub mod coordinator;
pub mod hosts;
pub mod pair;
pub mod process;
pub mod proxy;
pub mod real;
pub mod reports;
pub mod sentinel;
pub mod site;
pub mod sshd;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pikadoctor::lab::recorded::{RecordedServer, Recording};

/// The binary under test, in English and without a password from the environment.
pub fn pikadoctor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pikadoctor"));
    for variable in [
        "PIKADOCTOR_PASSWORD",
        "PIKADOCTOR_PASSWORD_MASTER",
        "PIKADOCTOR_PASSWORD_PEER",
        "PIKADOCTOR_ZOOKEEPER_AUTH",
        "PIKADOCTOR_ETCD_AUTH",
        "PIKADOCTOR_PRODUCT_AUTH",
        "PIKADOCTOR_SENTINEL_PASSWORD",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary with `arguments`.
pub fn run(arguments: &[&str]) -> Run {
    Run::of(pikadoctor().args(arguments))
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the binary runs");
        Self {
            code: status.code().expect("it is not killed by a signal"),
            stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
        }
    }

    /// The standard output without line breaks and indentation, for looking up a sentence.
    pub fn text(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A recording below `tests/recordings/`, without `.json`.
pub fn recording(name: &str) -> Recording {
    let path = recordings_directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn recordings_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// The names of all recordings of Pika, ordered.
pub fn all_recordings() -> Vec<String> {
    fn walk(directory: &Path, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let relative = path.strip_prefix(recordings_directory()).unwrap().with_extension("");
                names.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    let mut names = Vec::new();
    walk(&recordings_directory(), &mut names);
    names.sort();
    names
}

/// The network in which everything was recorded: the master is its host 1, the replica host 2.
pub const RECORDED_NETWORK: &str = "10.79.0.";

/// Recorded servers at the addresses that they say they have, but for the network, which is one of 127/8.
pub struct RecordedNetwork {
    /// Stands for `10.79.0.` and is as long, so that the lengths in the replies stay right.
    pub prefix: String,
    _servers: Vec<RecordedServer>,
}

impl RecordedNetwork {
    /// Serves each recording at a place of the network, `1:9221` for example. Networks that something
    /// listens in already are left out, so that any number of tests can do this side by side.
    pub async fn of(servers: &[(Recording, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..360 {
            // 127.1.0. to 127.9.9.; another process begins elsewhere.
            let number = 10 + (NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id()) % 90;
            let prefix = format!("127.{}.{}.", number / 10, number % 10);
            match Self::at(prefix, servers).await {
                Ok(network) => return network,
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("something listens in every network");
    }

    async fn at(prefix: String, servers: &[(Recording, &str)]) -> std::io::Result<Self> {
        let mut started = Vec::new();
        for (recording, place) in servers {
            let address = format!("{prefix}{place}").parse().unwrap();
            started.push(RecordedServer::start_at(moved(recording.clone(), &prefix), address).await?);
        }
        Ok(Self { prefix, _servers: started })
    }

    /// `text` with the addresses that were recorded.
    pub fn as_recorded(&self, text: &str) -> String {
        text.replace(&self.prefix, RECORDED_NETWORK)
    }
}

/// The recording with its addresses in another network.
fn moved(mut recording: Recording, prefix: &str) -> Recording {
    assert_eq!(prefix.len(), RECORDED_NETWORK.len());
    for reply in &mut recording.replies {
        reply.reply = reply.reply.replace(RECORDED_NETWORK, prefix);
    }
    recording
}

/// A recorded server in a thread of its own, until it is dropped.
pub struct Served {
    pub address: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

pub fn serve(recording: Recording) -> Served {
    serve_at(recording, "127.0.0.1:0")
}

/// The same on an address of its own.
pub fn serve_at(recording: Recording, address: &str) -> Served {
    let address: SocketAddr = address.parse().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = RecordedServer::start_at(recording, address).await.unwrap();
            tell.send(server.address).unwrap();
            let _ = stopped.await;
        });
    });
    let address: SocketAddr = told.recv().unwrap();
    Served { address: address.to_string(), stop: Some(stop) }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
    }
}

/// A listener that does with each connection what `behave` does.
pub fn listener(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    listener_at("127.0.0.1:0", behave)
}

/// The same on an address of its own.
pub fn listener_at(address: &str, behave: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let address = listener.local_addr().unwrap().to_string();
    let behave = Arc::new(behave);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behave = behave.clone();
            thread::spawn(move || behave(stream));
        }
    });
    address
}

/// A listener that reads a request and answers with `bytes`.
pub fn answering(bytes: &'static [u8]) -> String {
    listener(move |mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(bytes);
        thread::sleep(Duration::from_secs(30));
    })
}
