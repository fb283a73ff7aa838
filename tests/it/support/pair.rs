//! A master and its replica that answer INFO and CONFIG as recorded servers do, and keep keys as told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pikadoctor::lab::recorded::Recording;

/// What is wrong with a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Writes never arrive.
    Lost,
    /// Writes arrive after 600 ms.
    Late,
    /// Another value arrives.
    WrongValue,
    /// Deletions never arrive.
    KeepsDeleted,
    /// The master answers writes as a replica does.
    MasterReadOnly,
    /// The user may not SET.
    SetNotPermitted,
    /// The user may SET and not EXPIRE.
    ExpireNotPermitted,
    /// The user may not GET on the replica.
    GetNotPermitted,
    /// The replica does not answer reads.
    ReadFails,
    /// The master closes the connection at the first write.
    Hangup,
    /// Old keys are not on the replica.
    Hollow,
    /// Every answer takes 60 ms.
    Slow,
    /// The master answers the first question of a connection about its replication after 1.5 s.
    LatePositions,
    /// The master does not list its keys.
    ListNotPermitted,
    /// A list is shorter on the replica.
    Shorter,
    /// A key of the sample changes on the master all the time.
    Busy,
}

/// A key: its type and its length, or value for strings.
#[derive(Clone, Debug)]
struct Held {
    kind: &'static str,
    value: String,
    length: usize,
    since: Instant,
    deleted: bool,
    expires: bool,
}

/// A running pair.
pub struct RecordedPair {
    pub master: String,
    pub replica: String,
    keys: Arc<Mutex<HashMap<String, Held>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl RecordedPair {
    pub fn start(master: Recording, replica: Recording, fault: Fault) -> Self {
        let keys: Arc<Mutex<HashMap<String, Held>>> = Arc::default();
        let sent: Arc<Mutex<Vec<String>>> = Arc::default();
        for (name, kind, length) in
            [("s", "string", 5), ("h", "hash", 2), ("l", "list", 30), ("t", "set", 4), ("z", "zset", 1)]
        {
            let held = Held {
                kind,
                value: "x".repeat(length),
                length,
                since: Instant::now().checked_sub(Duration::from_secs(60)).unwrap(),
                deleted: false,
                expires: false,
            };
            keys.lock().unwrap().insert(name.to_owned(), held);
        }
        let serve = |recording: Recording, is_master: bool| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let server = Server {
                recording: Arc::new(recording),
                is_master,
                fault,
                keys: keys.clone(),
                sent: sent.clone(),
            };
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let server = server.clone();
                    thread::spawn(move || server.converse(stream));
                }
            });
            address
        };
        Self { master: serve(master, true), replica: serve(replica, false), keys, sent }
    }

    /// The keys of this tool's that are there and not deleted, and whether each has an end.
    pub fn canaries(&self) -> Vec<(String, bool)> {
        let keys = self.keys.lock().unwrap();
        let mut canaries: Vec<_> = keys
            .iter()
            .filter(|(name, held)| name.starts_with("pikadoctor:") && !held.deleted)
            .map(|(name, held)| (name.clone(), held.expires))
            .collect();
        canaries.sort();
        canaries
    }

    /// Every command that either received, in order, `master:` or `replica:` before it.
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Server {
    recording: Arc<Recording>,
    is_master: bool,
    fault: Fault,
    keys: Arc<Mutex<HashMap<String, Held>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn converse(&self, stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        let mut is_first = true;
        while let Some(words) = read_command(&mut reader) {
            let side = if self.is_master { "master" } else { "replica" };
            self.sent.lock().unwrap().push(format!("{side}: {}", words.join(" ")));
            if self.fault == Fault::Slow {
                thread::sleep(Duration::from_millis(60));
            }
            if self.fault == Fault::LatePositions
                && self.is_master
                && is_first
                && words[1..] == ["replication"]
            {
                thread::sleep(Duration::from_millis(1500));
            }
            is_first = false;
            let Some(reply) = self.reply(&words) else { return };
            if writer.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn reply(&self, words: &[String]) -> Option<String> {
        let lower = words[0].to_lowercase();
        let name = words.get(1).map_or("", String::as_str);
        let no_permission = || "-NOPERM this user has no permissions to run the command\r\n".to_owned();
        let mut keys = self.keys.lock().unwrap();
        Some(match lower.as_str() {
            "set" | "del" | "expire" if !self.is_master => {
                "-ERR READONLY You can't write against a read only replica.\r\n".to_owned()
            }
            "set" => match self.fault {
                Fault::Hangup => return None,
                Fault::MasterReadOnly => {
                    "-ERR READONLY You can't write against a read only replica.\r\n".to_owned()
                }
                Fault::SetNotPermitted => no_permission(),
                _ => {
                    let held = Held {
                        kind: "string",
                        value: words[2].clone(),
                        length: words[2].len(),
                        since: Instant::now(),
                        deleted: false,
                        expires: false,
                    };
                    keys.insert(name.to_owned(), held);
                    "+OK\r\n".to_owned()
                }
            },
            "expire" if self.fault == Fault::ExpireNotPermitted => no_permission(),
            "expire" => match keys.get_mut(name) {
                Some(held) => {
                    held.expires = true;
                    ":1\r\n".to_owned()
                }
                None => ":0\r\n".to_owned(),
            },
            "del" => match keys.get_mut(name) {
                Some(held) => {
                    held.deleted = true;
                    ":1\r\n".to_owned()
                }
                None => ":0\r\n".to_owned(),
            },
            "get" if !self.is_master && self.fault == Fault::GetNotPermitted => no_permission(),
            "get" if !self.is_master && self.fault == Fault::ReadFails => {
                "-ERR Full sync not completed\r\n".to_owned()
            }
            "get" => match keys.get(name).filter(|held| self.shows(held)) {
                Some(held) if self.fault == Fault::WrongValue && !self.is_master => {
                    bulk(&held.value.replace(|_| true, "0"))
                }
                Some(held) => bulk(&held.value),
                None => "$-1\r\n".to_owned(),
            },
            "pkscanrange" | "scan" if self.fault == Fault::ListNotPermitted => no_permission(),
            "scan" => {
                let found: Vec<&String> =
                    keys.iter().filter(|(_, held)| !held.deleted).map(|(key, _)| key).collect();
                let keys: String = found.iter().map(|key| bulk(key)).collect();
                format!("*2\r\n$1\r\n0\r\n*{}\r\n{keys}", found.len())
            }
            "ttl" => ":-1\r\n".to_owned(),
            "pkscanrange" => {
                let found: Vec<&String> = keys
                    .iter()
                    .filter(|(_, held)| held.kind == name && !held.deleted)
                    .map(|(key, _)| key)
                    .collect();
                let keys: String = found.iter().map(|key| bulk(key)).collect();
                format!("*2\r\n$0\r\n\r\n*{}\r\n{keys}", found.len())
            }
            "type" => format!(
                "+{}\r\n",
                keys.get(name).filter(|held| self.shows(held)).map_or("none", |held| held.kind)
            ),
            "strlen" | "hlen" | "llen" | "scard" | "zcard" => {
                let short = usize::from(self.fault == Fault::Shorter && !self.is_master && lower == "llen");
                if self.fault == Fault::Busy && self.is_master && lower == "llen" {
                    keys.get_mut(name).unwrap().length += 1;
                }
                format!(":{}\r\n", keys.get(name).map_or(0, |held| held.length - short))
            }
            _ => {
                drop(keys);
                self.recording.reply(words)
            }
        })
    }

    /// Whether this server answers as if it had the key.
    fn shows(&self, held: &Held) -> bool {
        if self.is_master {
            return !held.deleted;
        }
        let old = held.since.elapsed() > Duration::from_secs(30);
        let deleted = held.deleted && self.fault != Fault::KeepsDeleted;
        let arrived = match self.fault {
            Fault::Lost => old,
            Fault::Late => held.since.elapsed() > Duration::from_millis(600),
            Fault::Hollow => !old,
            _ => true,
        };
        arrived && !deleted
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn read_command(reader: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    let mut next = |reader: &mut BufReader<TcpStream>| {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        line.trim_end()[1..].parse::<usize>().ok()
    };
    let count = next(reader)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = next(reader)?;
        let mut bytes = vec![0; length + 2];
        reader.read_exact(&mut bytes).ok()?;
        words.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    Some(words)
}
