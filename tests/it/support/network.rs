//! All recordings, and recorded servers in a network of their own.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pikadoctor::lab::recorded::{RecordedServer, Recording};

use super::recordings_directory;

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
        for attempt in 1..=3600 {
            // 127.1.0. to 127.9.9.; another process begins elsewhere.
            let number = 10 + (NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id()) % 90;
            let prefix = format!("127.{}.{}.", number / 10, number % 10);
            match Self::at(prefix, servers).await {
                Ok(network) => return network,
                // Where all are taken, one becomes free when another test ends.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    if attempt % 90 == 0 {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
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
