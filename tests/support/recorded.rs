//! Recorded servers, each at an address of its own.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use pikadoctor::lab::recorded::{RecordedServer, Recording};

/// A recording below `src/lab/data/recordings/`, without `.json`.
pub fn recording(name: &str) -> Recording {
    let path = recordings_directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn recordings_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lab/data/recordings")
}

/// A recorded server in a thread of its own, until it is dropped.
pub struct Served {
    pub address: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

pub fn serve(recording: Recording) -> Served {
    serve_at(recording, "127.0.0.1:0")
}

/// The same on an address of its own.
pub fn serve_at(recording: Recording, address: &str) -> Served {
    let address: SocketAddr = address.parse().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut attempts = 0;
            let server = loop {
                match RecordedServer::start_at(recording.clone(), address).await {
                    // A process that is just being started has what this one listens on, until it is another program.
                    Err(error) if error.kind() == ErrorKind::AddrInUse && attempts < 200 => attempts += 1,
                    started => break started.unwrap(),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            tell.send(server.address).unwrap();
            let _ = stopped.await;
        });
    });
    let address: SocketAddr = told.recv().unwrap();
    Served { address: address.to_string(), stop: Some(stop), thread: Some(thread) }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        // Its address is free for the next one then.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}
