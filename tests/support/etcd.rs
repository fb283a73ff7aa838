//! An HTTP server that says what it is given, and an etcd that serves a recorded tree.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use super::recordings_directory;

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
