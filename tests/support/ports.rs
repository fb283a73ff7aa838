//! Addresses that nobody else uses.

use std::net::UdpSocket;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// The port that claims an address. UDP, so that nobody who looks at the address sees it.
const CLAIM_PORT: u16 = 64_999;

/// A loopback address for servers at ports that were recorded. No other test has it, of this program or of another one
/// on this host, until this program ends, as its servers do.
pub fn own_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static CLAIMS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    for _ in 0..10_000 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(251));
        // Above the networks of the laboratory.
        let host =
            format!("127.{}.{}.{}", 230 + number / 62_500 % 20, 1 + number / 250 % 250, 1 + number % 250);
        if let Ok(claim) = UdpSocket::bind((host.as_str(), CLAIM_PORT)) {
            CLAIMS.lock().unwrap().push(claim);
            return host;
        }
    }
    panic!("every address is taken");
}
