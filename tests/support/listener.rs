//! Listeners that do what a test says.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

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
