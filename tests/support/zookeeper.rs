//! ZooKeeper: recorded trees, and a server that serves them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use super::recordings_directory;

/// `rwcda` for anyone.
pub const OPEN: (i32, &str, &str) = (31, "world", "anyone");

/// A node of a tree.
#[derive(Clone, Debug)]
pub struct Znode {
    pub data: Vec<u8>,
    pub ephemeral: bool,
    pub acl: Vec<(i32, String, String)>,
}

impl Znode {
    pub fn open(data: &str) -> Self {
        let (perms, scheme, id) = OPEN;
        Self { data: data.into(), ephemeral: false, acl: vec![(perms, scheme.into(), id.into())] }
    }

    pub fn is_open(&self) -> bool {
        self.acl.iter().any(|(_, scheme, _)| scheme == "world")
    }
}

/// A tree by path.
pub type Tree = BTreeMap<String, Znode>;

/// A recorded tree of ZooKeeper, without the nodes that ZooKeeper itself has.
pub fn recorded_tree(name: &str) -> Tree {
    let path = recordings_directory().join(format!("coordinator/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut tree = Tree::new();
    for line in text.lines() {
        let node: Value = serde_json::from_str(line).unwrap();
        let path = node["path"].as_str().unwrap().to_owned();
        let acl = node["acl"].as_array().unwrap().iter().map(|entry| {
            let word = |key: &str| entry[key].as_str().unwrap().to_owned();
            (i32::try_from(entry["perms"].as_i64().unwrap()).unwrap(), word("scheme"), word("id"))
        });
        let data = node["data"].as_str().unwrap().into();
        tree.insert(path, Znode { data, ephemeral: node["ephemeralOwner"] != "0x0", acl: acl.collect() });
    }
    tree
}

fn children(tree: &Tree, path: &str) -> Vec<String> {
    let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
    let below = tree.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    below
        .map(|(path, _)| path[prefix.len()..].to_owned())
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect()
}

/// How a ZooKeeper behaves. What a method does by default is what a healthy one does.
pub trait Behaviour: Clone + Send + 'static {
    /// Before anything is said on a connection; `None` closes it.
    fn accept(&self, _stream: &mut TcpStream) -> Option<()> {
        Some(())
    }

    /// Whether it serves reading only.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Before an answer, when so many requests have been answered; `None` closes the connection.
    fn wait(&self, _stream: &mut TcpStream, _answered: usize) -> Option<()> {
        Some(())
    }

    /// Whether authentication fails.
    fn refuses_auth(&self) -> bool {
        false
    }

    /// Whether it shows password hashes to anyone, as before 3.4.14.
    fn shows_hashes(&self) -> bool {
        false
    }

    /// Changes the body of an answer. `Some`: only this length is sent, and no answer.
    fn spoil(&self, _body: &mut [u8]) -> Option<i32> {
        None
    }
}

/// A healthy one.
#[derive(Clone)]
pub struct Honest;

impl Behaviour for Honest {}

/// A ZooKeeper that serves a tree until the test ends.
pub struct FakeZookeeper {
    pub address: String,
}

impl FakeZookeeper {
    /// `password`: what lets in where a node is protected.
    pub fn start(tree: Tree, behaviour: impl Behaviour, password: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tree, password) = (Arc::new(tree), password.map(str::to_owned));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tree, behaviour, password) = (tree.clone(), behaviour.clone(), password.clone());
                thread::spawn(move || serve(stream, &tree, &behaviour, password.as_deref()));
            }
        });
        Self { address }
    }
}

fn serve(
    mut stream: TcpStream,
    tree: &Tree,
    behaviour: &impl Behaviour,
    password: Option<&str>,
) -> Option<()> {
    behaviour.accept(&mut stream)?;
    read_frame(&mut stream)?;
    let mut hello = Vec::new();
    hello.extend(0i32.to_be_bytes());
    hello.extend(10_000i32.to_be_bytes());
    hello.extend(77i64.to_be_bytes());
    put(&mut hello, &[0; 16]);
    hello.push(u8::from(behaviour.is_read_only()));
    write_frame(&mut stream, &hello)?;
    let (mut admitted, mut answered) = (false, 0);
    loop {
        let request = read_frame(&mut stream)?;
        let xid = i32::from_be_bytes(request.get(..4)?.try_into().ok()?);
        let operation = i32::from_be_bytes(request.get(4..8)?.try_into().ok()?);
        behaviour.wait(&mut stream, answered)?;
        answered += 1;
        let mut error = 0i32;
        let mut body = Vec::new();
        if operation == 100 {
            let given =
                take(&request, 12).and_then(|(_, rest)| take(&request, rest)).map(|(given, _)| given)?;
            admitted = password.is_some_and(|password| password.as_bytes() == given);
            if behaviour.refuses_auth() {
                error = -115;
            }
        } else if operation != -11 {
            let (path, _) = take(&request, 8)?;
            let path = String::from_utf8(path.to_vec()).ok()?;
            match tree.get(&path) {
                None => error = -101,
                Some(node) if !node.is_open() && !admitted && operation != 6 => error = -102,
                Some(node) if operation == 6 && !node.is_open() && !admitted => {
                    if behaviour.shows_hashes() {
                        put_acl(&mut body, node);
                    } else {
                        error = -102;
                    }
                }
                Some(node) => match operation {
                    4 => {
                        put(&mut body, &node.data);
                        put_stat(&mut body, tree, &path, node);
                    }
                    6 => put_acl(&mut body, node),
                    8 => {
                        let names = children(tree, &path);
                        body.extend(i32::try_from(names.len()).unwrap().to_be_bytes());
                        for name in &names {
                            put(&mut body, name.as_bytes());
                        }
                    }
                    // Nothing that writes is ever sent; a test that sees this fails.
                    _ => return None,
                },
            }
        }
        if let Some(length) = behaviour.spoil(&mut body) {
            stream.write_all(&length.to_be_bytes()).ok()?;
            continue;
        }
        let mut reply = xid.to_be_bytes().to_vec();
        reply.extend(1i64.to_be_bytes());
        reply.extend(error.to_be_bytes());
        reply.extend(body);
        write_frame(&mut stream, &reply)?;
        if error == -115 || operation == -11 {
            return None;
        }
    }
}

pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(i32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

fn put_acl(out: &mut Vec<u8>, node: &Znode) {
    out.extend(i32::try_from(node.acl.len()).unwrap().to_be_bytes());
    for (perms, scheme, id) in &node.acl {
        out.extend(perms.to_be_bytes());
        put(out, scheme.as_bytes());
        put(out, id.as_bytes());
    }
}

fn put_stat(out: &mut Vec<u8>, tree: &Tree, path: &str, node: &Znode) {
    out.extend([0; 44]);
    out.extend(if node.ephemeral { 0x0100_0010_618a_0003i64 } else { 0 }.to_be_bytes());
    out.extend(i32::try_from(node.data.len()).unwrap().to_be_bytes());
    out.extend(i32::try_from(children(tree, path).len()).unwrap().to_be_bytes());
    out.extend([0; 8]);
}

fn take(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length = usize::try_from(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()?;
    Some((bytes.get(at + 4..at + 4 + length)?, at + 4 + length))
}

pub fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).ok()?];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

pub fn write_frame(stream: &mut TcpStream, body: &[u8]) -> Option<()> {
    let mut frame = Vec::new();
    put(&mut frame, body);
    stream.write_all(&frame).ok()
}
