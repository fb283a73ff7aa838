//! Coordinators that misbehave when told to, and what they name.

use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::listener;

pub use super::shared::etcd::*;
pub use super::shared::zookeeper::*;

/// How a ZooKeeper misbehaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    /// Takes the connection and says nothing.
    Silent,
    /// Closes the connection at once, as a member without a majority does.
    Closes,
    /// Answers authentication with AuthFailed.
    RefusesAuth,
    /// Answers so many requests and then no more.
    StopsAfter(usize),
    /// Waits before every answer.
    Slow(Duration),
    /// Says that an answer has two gigabytes.
    Huge,
    /// Answers every request with random bytes of the right length.
    Garbage,
    /// Serves reading only.
    ReadOnly,
    /// Shows password hashes to anyone, as before 3.4.14.
    ShowsHashes,
}

impl Behaviour for Manner {
    fn accept(&self, stream: &mut TcpStream) -> Option<()> {
        match self {
            Self::Closes => None,
            Self::Silent => silence(stream),
            _ => Some(()),
        }
    }

    fn is_read_only(&self) -> bool {
        *self == Self::ReadOnly
    }

    fn wait(&self, stream: &mut TcpStream, answered: usize) -> Option<()> {
        match self {
            Self::StopsAfter(count) if answered >= *count => return silence(stream),
            Self::Slow(pause) => thread::sleep(*pause),
            _ => {}
        }
        Some(())
    }

    fn refuses_auth(&self) -> bool {
        *self == Self::RefusesAuth
    }

    fn shows_hashes(&self) -> bool {
        *self == Self::ShowsHashes
    }

    fn spoil(&self, body: &mut [u8]) -> Option<i32> {
        if *self == Self::Garbage {
            body.iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::try_from(at * 37 % 251).unwrap());
        }
        (*self == Self::Huge).then_some(i32::MAX)
    }
}

/// Reads until the other end has had enough.
fn silence(stream: &mut TcpStream) -> Option<()> {
    let _ = stream.read_to_end(&mut Vec::new());
    None
}

/// The tree with every `from` in a content or a path replaced.
pub fn replaced(tree: &Tree, from: &str, to: &str) -> Tree {
    let replace = |(path, node): (&String, &Znode)| {
        let data = String::from_utf8(node.data.clone()).unwrap().replace(from, to).into_bytes();
        (path.replace(from, to), Znode { data, ..node.clone() })
    };
    tree.iter().map(replace).collect()
}

/// A dashboard that answers with a token and a product.
pub fn serve_dashboard(token: &str, product: &str) -> String {
    let model = format!(r#"{{"token":"{token}","product_name":"{product}","admin_addr":"x:1"}}"#);
    serve_http(move |path, _| (path == "/topom/model").then(|| (200, "application/json", model.clone())))
}

/// The same tree, with somebody who listens at the admin_addr of each proxy of this host in the dashboard's lists; those
/// of other hosts are taken away, for what dialling them comes to is the network's affair. Gives the addresses, too:
/// those that are dialled now, and those that were recorded.
pub fn with_proxies_at_work(tree: &Tree) -> (Tree, Vec<(String, String)>) {
    let (mut tree, mut moved) = (tree.clone(), Vec::new());
    for (_, node) in tree.iter_mut().filter(|(path, _)| path.contains("/proxy/proxy-")) {
        let mut model: Value = serde_json::from_slice(&node.data).unwrap_or_default();
        let Some(recorded) = model["admin_addr"].as_str().map(str::to_owned) else { continue };
        if recorded.starts_with("127.") {
            moved.push((listener(drop), recorded));
        } else {
            model.as_object_mut().unwrap().remove("admin_addr");
            node.data = model.to_string().into_bytes();
        }
    }
    let tree = moved.iter().fold(tree, |tree, (address, recorded)| replaced(&tree, recorded, address));
    (tree, moved)
}
