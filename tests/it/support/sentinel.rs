//! Recorded Sentinels with the servers that they watch, changed where a test wants them otherwise.

use std::path::Path;

use pikadoctor::lab::recorded::{RecordedReply, Recording};
use serde_json::{Map, Value};

use super::{Served, own_address, serve_at};

/// Where everything was recorded.
const RECORDED_HOST: &str = "127.0.0.1";

/// The port of a Sentinel whose own address was not recorded.
const SENTINEL_PORT: &str = "27001";

/// A recorded set at an address of its own.
pub struct RecordedSet {
    host: String,
    sentinels: Vec<(String, Vec<Value>)>,
    servers: Map<String, Value>,
}

impl RecordedSet {
    /// One of `tests/it/data/sentinel/`, without `.json`.
    pub fn load(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/data/sentinel/{name}.json"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let host = own_address();
        let document: Map<String, Value> = serde_json::from_str(&text.replace(RECORDED_HOST, &host)).unwrap();
        let sentinels = document["sentinels"].as_object().unwrap().iter().map(|(address, replies)| {
            let port = address.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
            let address = format!("{host}:{}", port.unwrap_or(SENTINEL_PORT));
            (address, replies.as_array().unwrap().clone())
        });
        Self {
            sentinels: sentinels.collect(),
            servers: document["servers"].as_object().unwrap().clone(),
            host,
        }
    }

    /// The addresses of the Sentinels.
    pub fn sentinels(&self) -> Vec<String> {
        self.sentinels.iter().map(|(address, _)| address.clone()).collect()
    }

    /// `text` with the address that was recorded.
    pub fn as_recorded(&self, text: &str) -> String {
        text.replace(&self.host, RECORDED_HOST)
    }

    /// Changes the reply of a Sentinel, by its place, to a command.
    pub fn change(&mut self, sentinel: usize, command: &str, change: impl Fn(&mut Value)) {
        let replies = &mut self.sentinels[sentinel].1;
        let reply = replies.iter_mut().find(|reply| words(reply).join(" ") == command);
        change(&mut reply.unwrap_or_else(|| panic!("{command} was not recorded"))["reply"]);
    }

    /// The same on every Sentinel.
    pub fn change_all(&mut self, command: &str, change: impl Fn(&mut Value)) {
        for sentinel in 0..self.sentinels.len() {
            self.change(sentinel, command, &change);
        }
    }

    /// Sets what a Sentinel answers.
    pub fn answer(&mut self, sentinel: usize, command: &str, answer: &Value) {
        self.change(sentinel, command, |reply| *reply = answer.clone());
    }

    /// The same on every Sentinel.
    pub fn answer_all(&mut self, command: &str, answer: &Value) {
        self.change_all(command, |reply| *reply = answer.clone());
    }

    /// Sets a field of the first entry that a Sentinel answers.
    pub fn set(&mut self, sentinel: usize, command: &str, field: &str, value: &str) {
        self.change(sentinel, command, |reply| set_field(&mut reply[0], field, value));
    }

    /// The same on every Sentinel.
    pub fn set_all(&mut self, command: &str, field: &str, value: &str) {
        for sentinel in 0..self.sentinels.len() {
            self.set(sentinel, command, field, value);
        }
    }

    /// Replaces text in what a server says of itself.
    pub fn rewrite_server(&mut self, port: u16, from: &str, to: &str) {
        let replies = self.servers.get_mut(&format!("{}:{port}", self.host)).unwrap();
        let text = replies.to_string();
        assert!(text.contains(from), "{from} is not in {text}");
        *replies = serde_json::from_str(&text.replace(from, to)).unwrap();
    }

    /// Serves all of it until the result is dropped.
    pub fn serve(&self) -> Vec<Served> {
        let servers = self.servers.iter().map(|(address, replies)| (address, replies.as_array().unwrap()));
        let sentinels = self.sentinels.iter().map(|(address, replies)| (address, replies));
        servers
            .chain(sentinels)
            .map(|(address, replies)| {
                let replies = replies.iter().map(|reply| RecordedReply {
                    command: words(reply),
                    reply: encode(&reply["reply"]),
                    at_s: None,
                    note: None,
                });
                serve_at(Recording { pika: None, what: None, replies: replies.collect() }, address)
            })
            .collect()
    }
}

fn words(reply: &Value) -> Vec<String> {
    reply["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Sets a field of a flat list of names and values, or adds it.
pub fn set_field(entry: &mut Value, field: &str, value: &str) {
    let list = entry.as_array_mut().unwrap();
    match (0..list.len()).step_by(2).find(|index| list[*index] == field) {
        Some(index) => list[index + 1] = value.into(),
        None => list.extend([field.into(), value.into()]),
    }
}

/// A decoded reply as bytes; `ERR!` begins an error.
pub fn encode(reply: &Value) -> String {
    match reply {
        Value::Null => "$-1\r\n".to_owned(),
        Value::Number(number) => format!(":{number}\r\n"),
        Value::Array(items) => {
            format!("*{}\r\n{}", items.len(), items.iter().map(encode).collect::<String>())
        }
        Value::String(text) => match text.strip_prefix("ERR!") {
            Some(error) => format!("-{error}\r\n"),
            None => format!("${}\r\n{text}\r\n", text.len()),
        },
        other => panic!("{other} is no reply"),
    }
}
