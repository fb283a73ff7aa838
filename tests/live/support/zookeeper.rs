//! A real ZooKeeper that is filled with a recorded tree.

use std::net::TcpStream;
use std::time::Duration;

pub use super::shared::zookeeper::*;

/// A session on a real ZooKeeper that fills it. Ephemeral nodes are there until it is dropped.
pub struct Writer {
    stream: TcpStream,
    xid: i32,
}

impl Writer {
    /// A session of two minutes, so that it need not be kept alive.
    pub fn connect(address: &str, credentials: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut hello = [0; 12].to_vec();
        hello.extend(120_000i32.to_be_bytes());
        hello.extend([0; 8]);
        put(&mut hello, &[0; 16]);
        hello.push(0);
        write_frame(&mut stream, &hello).unwrap();
        read_frame(&mut stream).unwrap();
        let mut writer = Self { stream, xid: 0 };
        if let Some(credentials) = credentials {
            let mut body = [0; 4].to_vec();
            put(&mut body, b"digest");
            put(&mut body, credentials.as_bytes());
            assert_eq!(writer.send(-4, 100, &body), 0, "addauth");
        }
        writer
    }

    /// Creates the nodes of `tree`. Where a node is protected, only this connection's credentials let in.
    pub fn fill(&mut self, tree: &Tree) {
        for (path, node) in tree.iter().filter(|(path, _)| *path != "/") {
            let mut body = Vec::new();
            put(&mut body, path.as_bytes());
            put(&mut body, &node.data);
            let (perms, scheme, id) = if node.is_open() { OPEN } else { (31, "auth", "") };
            body.extend(1i32.to_be_bytes());
            body.extend(perms.to_be_bytes());
            put(&mut body, scheme.as_bytes());
            put(&mut body, id.as_bytes());
            body.extend(i32::from(node.ephemeral).to_be_bytes());
            self.xid += 1;
            let error = self.send(self.xid, 1, &body);
            assert_eq!(error, 0, "create {path}");
        }
    }

    fn send(&mut self, xid: i32, operation: i32, body: &[u8]) -> i32 {
        let mut request = xid.to_be_bytes().to_vec();
        request.extend(operation.to_be_bytes());
        request.extend_from_slice(body);
        write_frame(&mut self.stream, &request).unwrap();
        let reply = read_frame(&mut self.stream).expect("ZooKeeper answers");
        assert_eq!(reply[..4], xid.to_be_bytes());
        i32::from_be_bytes(reply[12..16].try_into().unwrap())
    }
}
