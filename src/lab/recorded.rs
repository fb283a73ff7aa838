//! Serves a recording: a server that answers each command as a real one answered it.

use std::net::SocketAddr;
use std::sync::Arc;

use redis::{Parser, Value};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::collect::pika::resp::read_value;

/// What a real server said: one file below `src/lab/data/recordings/`.
#[derive(Clone, Debug, Deserialize)]
pub struct Recording {
    /// The tag of the Pika; absent for other servers.
    pub pika: Option<String>,
    /// What the file shows.
    pub what: Option<String>,
    /// Commands and their replies.
    pub replies: Vec<RecordedReply>,
}

/// One command and its reply.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedReply {
    /// The words of the command.
    pub command: Vec<String>,
    /// The bytes of the reply.
    #[serde(default)]
    pub reply: String,
    /// Seconds after the first of several readings.
    pub at_s: Option<f64>,
    /// Set on readings that were repeated later.
    pub note: Option<String>,
}

impl Recording {
    /// The bytes that answer `words`.
    ///
    /// A setting that was not asked for by name is taken from the recorded `CONFIG GET *`. A command
    /// that was not recorded is answered as unknown.
    pub fn reply(&self, words: &[String]) -> String {
        let matching = |recorded: &&RecordedReply| {
            recorded.command.len() == words.len()
                && recorded.command.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        let mut recorded = self.replies.iter().filter(matching);
        if let Some(first) = recorded.find(|recorded| recorded.note.is_none()) {
            return first.reply.clone();
        }
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        match lower.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["config", "get", name] => self.setting(name),
            // Recorded where it matters; on all other connections of 3.5.3 and later it is this user.
            ["acl", "whoami"] => "$7\r\ndefault\r\n".to_owned(),
            ["acl", "list"] => self.users(),
            ["auth", _] => "-ERR invalid password\r\n".to_owned(),
            // Keys were not recorded; a server that refused to list them would be another finding.
            ["scan" | "pkscanrange", ..] => "*2\r\n$1\r\n0\r\n*0\r\n".to_owned(),
            _ => format!("-ERR unknown command \"{}\"\r\n", lower.first().map_or("", String::as_str)),
        }
    }

    /// The users of 3.5.3 and later, as they follow from the settings at the start of the server:
    /// `default` has requirepass, `limit` has userpass, and none set means that any password will do.
    fn users(&self) -> String {
        let user = |name: &str, password: &str| {
            let empty = self.setting(password).ends_with("$0\r\n\r\n");
            let secret = if empty { "nopass" } else { "#0" };
            format!("user {name} on {secret} ~* &* +@all")
        };
        let users = [user("default", "requirepass"), user("limit", "userpass")];
        users.iter().fold("*2\r\n".to_owned(), |reply, user| format!("{reply}${}\r\n{user}\r\n", user.len()))
    }

    fn setting(&self, name: &str) -> String {
        let all = self
            .replies
            .iter()
            .find(|recorded| recorded.command.join(" ").eq_ignore_ascii_case("config get *"));
        let Some(all) = all else { return "*0\r\n".to_owned() };
        // Elements of the array: a `$length` line, then the text.
        let texts: Vec<&str> = all.reply.split("\r\n").skip(1).collect();
        let texts: Vec<&str> = texts.chunks(2).filter_map(|pair| pair.get(1).copied()).collect();
        match texts.chunks(2).find(|pair| pair[0] == name) {
            Some([name, value]) => {
                format!("*2\r\n${}\r\n{name}\r\n${}\r\n{value}\r\n", name.len(), value.len())
            }
            // Without a single reply that could be meant, the server refuses as it refused `*`.
            _ if all.reply.starts_with('-') => all.reply.clone(),
            _ => "*0\r\n".to_owned(),
        }
    }
}

/// A recorded server that listens until it is dropped.
pub struct RecordedServer {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl RecordedServer {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(recording: Recording) -> std::io::Result<Self> {
        Self::start_at(recording, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Listens on `address`.
    pub async fn start_at(recording: Recording, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let recording = Arc::new(recording);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, recording.clone()));
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for RecordedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, recording: Arc<Recording>) {
    let (mut reader, mut writer) = stream.into_split();
    let mut parser = Parser::new();
    while let Ok(Value::Array(words)) = read_value(&mut parser, &mut reader).await {
        let words: Vec<String> = words
            .into_iter()
            .filter_map(|word| match word {
                Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                _ => None,
            })
            .collect();
        if writer.write_all(recording.reply(&words).as_bytes()).await.is_err() {
            return;
        }
    }
}
