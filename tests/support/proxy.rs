//! Stands between the tool and any server, simulated or real, and writes down what is sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{listener_at, own_address};

/// A relay in front of one port that writes down what is sent to it.
pub struct Relay {
    pub address: String,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Relay {
    /// What was sent, one entry for each connection.
    pub fn sent(&self) -> Vec<String> {
        self.bytes().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// The same as bytes.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.sent.lock().unwrap().clone()
    }
}

pub fn relay(server: &str) -> Relay {
    relay_at("127.0.0.1:0", server)
}

/// The same on an address of its own.
pub fn relay_at(address: &str, server: &str) -> Relay {
    let server = server.to_owned();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let log = sent.clone();
    let address = listener_at(address, move |mut client| {
        let index = {
            let mut log = log.lock().unwrap();
            log.push(Vec::new());
            log.len() - 1
        };
        let mut upstream = TcpStream::connect(&server).unwrap();
        let mut back = upstream.try_clone().unwrap();
        let mut to_client = client.try_clone().unwrap();
        thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut to_client);
            let _ = to_client.shutdown(std::net::Shutdown::Write);
        });
        let mut buffer = [0; 16384];
        while let Ok(count) = client.read(&mut buffer) {
            if count == 0 {
                break;
            }
            log.lock().unwrap()[index].extend_from_slice(&buffer[..count]);
            if upstream.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = upstream.shutdown(std::net::Shutdown::Write);
    });
    Relay { address, sent }
}

/// Everything that any release counts from its client port.
pub const OFFSETS: [u16; 6] = [0, 1000, 1100, 2000, 3000, 10001];

/// The client port of every proxy.
const CLIENT: u16 = 9221;

/// A relay in front of the client port of a server, and one in front of each derived port that is open.
pub struct Proxy {
    /// What the tool is given.
    pub address: String,
    relays: BTreeMap<u16, Relay>,
}

impl Proxy {
    /// `server` is an IP address and a port.
    pub fn before(server: &str) -> Self {
        let (ip, port) = server.rsplit_once(':').unwrap();
        let port: u16 = port.parse().unwrap();
        // An address of its own, so that no port of another test can stand in the way.
        let own = own_address();
        let relays: BTreeMap<u16, Relay> = OFFSETS
            .into_iter()
            // To bind a port tells whether it is open, and, unlike a connection, tells the server nothing.
            .filter(|offset| TcpListener::bind((ip, port + offset)).is_err())
            .map(|offset| {
                let (here, there) = (format!("{own}:{}", CLIENT + offset), format!("{ip}:{}", port + offset));
                (offset, relay_at(&here, &there))
            })
            .collect();
        Self { address: relays[&0].address.clone(), relays }
    }

    /// What was sent to the port at that distance: an entry for each connection.
    pub fn sent(&self, offset: u16) -> Vec<Vec<u8>> {
        self.relays.get(&offset).map(Relay::bytes).unwrap_or_default()
    }

    /// The commands that were sent to the client port.
    pub fn commands(&self) -> Vec<String> {
        self.sent(0).iter().flat_map(|bytes| commands(&String::from_utf8_lossy(bytes))).collect()
    }
}

/// The commands in a stream of RESP arrays, one a line.
pub fn commands(stream: &str) -> Vec<String> {
    let mut lines = stream.split("\r\n");
    let mut commands = Vec::new();
    while let Some(count) = lines.next().and_then(|line| line.strip_prefix('*')) {
        let words: Vec<&str> = (0..count.parse().unwrap())
            .map(|_| {
                assert!(lines.next().unwrap().starts_with('$'));
                lines.next().unwrap()
            })
            .collect();
        commands.push(words.join(" "));
    }
    commands
}
