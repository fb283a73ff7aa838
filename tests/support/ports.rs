//! Ports that nobody uses.

use std::net::TcpListener;

/// A client port whose derived ports are free, too, and none of those that the kernel gives to outgoing
/// connections.
pub fn free_port() -> u16 {
    for _ in 0..500 {
        let seed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = 10_000 + seed % 12_000;
        let derived = [0, 1000, 1100, 2000, 3000, 10001].map(|offset| port + offset);
        if derived.iter().all(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok()) {
            return port;
        }
    }
    panic!("no free port with free derived ports");
}
