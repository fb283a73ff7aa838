//! Processes that end with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::proxy::OFFSETS;

/// A process that ends with the test, by its own pid.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of `host` that nobody listens on.
pub fn free_port(host: &str) -> u16 {
    TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().port()
}

/// A client port whose derived ports are free, too, and none of those that the kernel gives to outgoing
/// connections.
pub fn free_client_port() -> u16 {
    for _ in 0..500 {
        let port = 10_000 + free_port("127.0.0.1") % 12_000;
        let derived = OFFSETS.map(|offset| port + offset);
        if derived.iter().all(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok()) {
            return port;
        }
    }
    panic!("no free port with free derived ports");
}

/// Starts a server in silence, and waits until it listens at host and port.
pub fn start(address: (&str, u16), program: &str, arguments: &[&str]) -> Ended {
    let child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let ended = Ended(child);
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "{program} does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    ended
}
