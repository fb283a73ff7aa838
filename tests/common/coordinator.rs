//! Coordinators for tests: recorded trees, a ZooKeeper that serves them and misbehaves when told to, one that is
//! real and is filled with them, and an HTTP server that says what it is given.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

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

    fn is_open(&self) -> bool {
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

/// The tree with every `from` in a content or a path replaced.
pub fn replaced(tree: &Tree, from: &str, to: &str) -> Tree {
    let replace = |(path, node): (&String, &Znode)| {
        let data = String::from_utf8(node.data.clone()).unwrap().replace(from, to).into_bytes();
        (path.replace(from, to), Znode { data, ..node.clone() })
    };
    tree.iter().map(replace).collect()
}

pub fn children(tree: &Tree, path: &str) -> Vec<String> {
    let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
    let below = tree.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    below
        .map(|(path, _)| path[prefix.len()..].to_owned())
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect()
}

/// How a ZooKeeper behaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    Honest,
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

/// A ZooKeeper that serves a tree until the test ends.
pub struct FakeZookeeper {
    pub address: String,
}

impl FakeZookeeper {
    /// `password`: what lets in where a node is protected.
    pub fn start(tree: Tree, manner: Manner, password: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tree, password) = (Arc::new(tree), password.map(str::to_owned));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tree, manner, password) = (tree.clone(), manner.clone(), password.clone());
                thread::spawn(move || serve(stream, &tree, &manner, password.as_deref()));
            }
        });
        Self { address }
    }
}

fn serve(mut stream: TcpStream, tree: &Tree, manner: &Manner, password: Option<&str>) -> Option<()> {
    match manner {
        Manner::Closes => return None,
        Manner::Silent => {
            let _ = stream.read_to_end(&mut Vec::new());
            return None;
        }
        _ => {}
    }
    read_frame(&mut stream)?;
    let mut hello = Vec::new();
    hello.extend(0i32.to_be_bytes());
    hello.extend(10_000i32.to_be_bytes());
    hello.extend(77i64.to_be_bytes());
    put(&mut hello, &[0; 16]);
    hello.push(u8::from(*manner == Manner::ReadOnly));
    write_frame(&mut stream, &hello)?;
    let (mut admitted, mut answered) = (false, 0);
    loop {
        let request = read_frame(&mut stream)?;
        let xid = i32::from_be_bytes(request.get(..4)?.try_into().ok()?);
        let operation = i32::from_be_bytes(request.get(4..8)?.try_into().ok()?);
        if matches!(manner, Manner::StopsAfter(count) if answered >= *count) {
            let _ = stream.read_to_end(&mut Vec::new());
            return None;
        }
        if let Manner::Slow(pause) = manner {
            thread::sleep(*pause);
        }
        answered += 1;
        let mut error = 0i32;
        let mut body = Vec::new();
        if operation == 100 {
            let given =
                take(&request, 12).and_then(|(_, rest)| take(&request, rest)).map(|(given, _)| given)?;
            admitted = password.is_some_and(|password| password.as_bytes() == given);
            if *manner == Manner::RefusesAuth {
                error = -115;
            }
        } else if operation != -11 {
            let (path, _) = take(&request, 8)?;
            let path = String::from_utf8(path.to_vec()).ok()?;
            match tree.get(&path) {
                None => error = -101,
                Some(node) if !node.is_open() && !admitted && operation != 6 => error = -102,
                Some(node) if operation == 6 && !node.is_open() && !admitted => {
                    if *manner == Manner::ShowsHashes { put_acl(&mut body, node) } else { error = -102 }
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
        if *manner == Manner::Huge {
            stream.write_all(&i32::MAX.to_be_bytes()).ok()?;
            continue;
        }
        if *manner == Manner::Garbage {
            body.iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::try_from(at * 37 % 251).unwrap());
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

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
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

fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).ok()?];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

fn write_frame(stream: &mut TcpStream, body: &[u8]) -> Option<()> {
    let mut frame = Vec::new();
    put(&mut frame, body);
    stream.write_all(&frame).ok()
}

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

/// What an HTTP server says to a path: status, type and body. `None`: 404, as Go says it.
pub type Answer = Option<(u16, &'static str, String)>;

/// An HTTP server. `answer` gets the path with its query, and the header `Authorization`.
pub fn serve_http(answer: impl Fn(&str, Option<&str>) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || answer_http(stream, &*answer));
        }
    });
    address
}

fn answer_http(stream: TcpStream, answer: &dyn Fn(&str, Option<&str>) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("GET"), "nothing but GET is ever sent");
        let path = words.next()?.to_owned();
        let mut authorization = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("authorization") {
                authorization = Some(value.to_owned());
            }
        }
        let (status, kind, body) = answer(&path, authorization.as_deref()).unwrap_or((
            404,
            "text/plain; charset=utf-8",
            "404 page not found\n".into(),
        ));
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok()?;
    }
}

/// An etcd with its v2 API that has `tree`, the node at the root of a recorded answer.
pub fn etcd_answers(tree: Value) -> impl Fn(&str, Option<&str>) -> Answer + Send + Sync + 'static {
    move |path, _| {
        let path = path.split('?').next().unwrap();
        if path == "/version" {
            let version = r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#.to_owned();
            return Some((200, "application/json", version));
        }
        let key = path.strip_prefix("/v2/keys")?;
        let mut node = &tree["node"];
        let mut at = String::new();
        for name in key.split('/').skip(1) {
            at = format!("{at}/{name}");
            let below = node["nodes"].as_array();
            let Some(found) = below.and_then(|nodes| nodes.iter().find(|node| node["key"] == *at)) else {
                let error =
                    format!(r#"{{"errorCode":100,"message":"Key not found","cause":"{at}","index":9}}"#);
                return Some((404, "application/json", error));
            };
            node = found;
        }
        Some((200, "application/json", format!(r#"{{"action":"get","node":{node}}}"#)))
    }
}

/// The recorded tree of etcd.
pub fn recorded_etcd() -> Value {
    let path = recordings_directory().join("coordinator/19-etcd.jsonl");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A dashboard that answers with a token and a product.
pub fn serve_dashboard(token: &str, product: &str) -> String {
    let model = format!(r#"{{"token":"{token}","product_name":"{product}","admin_addr":"x:1"}}"#);
    serve_http(move |path, _| (path == "/topom/model").then(|| (200, "application/json", model.clone())))
}
