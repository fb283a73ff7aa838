//! A server that says one thing.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use super::listener;

/// A listener that reads a request and answers with `bytes`.
pub fn answering(bytes: &'static [u8]) -> String {
    listener(move |mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(bytes);
        thread::sleep(Duration::from_secs(30));
    })
}
