//! A server that answers INFO and CONFIG as a recorded one does, and has keys of every type, with whatever bytes in their
//! names and values. It lists and reads them in the ways of its release.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pikadoctor::lab::recorded::Recording;
use pikadoctor::model::verification::DataType;

use super::{own_address, recording};

/// The contents of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Contents {
    Text(Vec<u8>),
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    List(Vec<Vec<u8>>),
    Zset(BTreeMap<Vec<u8>, f64>),
    Set(BTreeSet<Vec<u8>>),
}

impl Contents {
    fn kind(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::String,
            Self::Hash(_) => DataType::Hash,
            Self::List(_) => DataType::List,
            Self::Zset(_) => DataType::Zset,
            Self::Set(_) => DataType::Set,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Hash(fields) => fields.len(),
            Self::List(elements) => elements.len(),
            Self::Zset(scores) => scores.len(),
            Self::Set(members) => members.len(),
        }
    }
}

/// All keys, by database, type and name, with their seconds to live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data(pub BTreeMap<(u32, DataType, Vec<u8>), (Contents, i64)>);

impl Data {
    /// Puts a key without an end into database 0.
    pub fn put(&mut self, name: &[u8], contents: Contents) {
        self.put_in(0, name, contents, -1);
    }

    pub fn put_in(&mut self, db: u32, name: &[u8], contents: Contents, life: i64) {
        self.0.insert((db, contents.kind(), name.to_vec()), (contents, life));
    }

    pub fn remove(&mut self, kind: DataType, name: &[u8]) {
        assert!(self.0.remove(&(0, kind, name.to_vec())).is_some(), "{}", name.escape_ascii());
    }

    pub fn get(&mut self, kind: DataType, name: &[u8]) -> &mut (Contents, i64) {
        self.0.get_mut(&(0, kind, name.to_vec())).unwrap()
    }
}

/// What a server does with a command beside answering it.
pub enum Turn {
    /// It answers as it should.
    Answer,
    /// It answers with this.
    Say(Vec<u8>),
    /// It closes the connection, and takes no other.
    Die,
    /// It says nothing more.
    Stall,
}

type Hook = dyn Fn(&mut Data, u64, &[Vec<u8>]) -> Turn + Send + Sync;

/// A running server.
#[derive(Clone)]
pub struct DataServer {
    /// Where it is.
    pub address: String,
    /// Its keys.
    pub data: Arc<Mutex<Data>>,
    /// Every command that it was sent, in order.
    pub sent: Arc<Mutex<Vec<Vec<Vec<u8>>>>>,
    recording: Arc<Recording>,
    release: String,
    hook: Arc<Hook>,
}

impl DataServer {
    /// A server of a release, `v3.3.6` for example. `hook` is asked before each command that is not AUTH, INFO or CONFIG
    /// with the number of such commands so far.
    pub fn start(
        release: &str,
        data: Data,
        hook: impl Fn(&mut Data, u64, &[Vec<u8>]) -> Turn + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((own_address(), 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            data: Arc::new(Mutex::new(data)),
            sent: Arc::default(),
            recording: Arc::new(recording(&format!("{release}/standalone/standalone"))),
            release: release.to_owned(),
            hook: Arc::new(hook),
        };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                thread::spawn(move || server.converse(stream));
            }
        });
        server
    }

    /// A server that does nothing else than answer.
    pub fn plain(release: &str, data: Data) -> Self {
        Self::start(release, data, |_, _, _| Turn::Answer)
    }

    fn is_2(&self) -> bool {
        self.release.starts_with("v2")
    }

    fn converse(&self, stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        let mut db = 0;
        while let Some(words) = read_command(&mut reader) {
            let command = words[0].to_ascii_lowercase();
            let text: Vec<String> =
                words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            let turn = {
                let mut sent = self.sent.lock().unwrap();
                sent.push(words.clone());
                let number = sent.len() as u64;
                drop(sent);
                (self.hook)(&mut self.data.lock().unwrap(), number, &words)
            };
            let reply = match turn {
                Turn::Say(reply) => reply,
                Turn::Die => return,
                Turn::Stall => {
                    thread::sleep(Duration::from_secs(60));
                    return;
                }
                Turn::Answer if command == b"info" => self.info(&text),
                Turn::Answer if matches!(command.as_slice(), b"config" | b"acl") => {
                    self.recording.reply(&text).into_bytes()
                }
                Turn::Answer if command == b"select" => {
                    db = text[1].parse().unwrap();
                    b"+OK\r\n".to_vec()
                }
                Turn::Answer => self.reply(db, &command, &words),
            };
            if writer.write_all(&reply).is_err() {
                return;
            }
        }
    }

    /// What was recorded, with the port of this server: two servers are not one.
    fn info(&self, words: &[String]) -> Vec<u8> {
        let reply = self.recording.reply(words);
        let Some((_, body)) = reply.split_once("\r\n").filter(|_| reply.starts_with('$')) else {
            return reply.into_bytes();
        };
        let port = self.address.rsplit(':').next().unwrap();
        let own = |line: &str| {
            if line.starts_with("tcp_port:") { format!("tcp_port:{port}") } else { line.to_owned() }
        };
        let body = body.trim_end_matches("\r\n").split("\r\n").map(own).collect::<Vec<_>>().join("\r\n");
        bulk(body.as_bytes())
    }

    fn reply(&self, db: u32, command: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
        let data = self.data.lock().unwrap();
        let name = words.get(1).cloned().unwrap_or_default();
        let of = |kind| data.0.get(&(db, kind, name.clone())).map(|(contents, _)| contents);
        let size = |kind| number(i64::try_from(of(kind).map_or(0, Contents::len)).unwrap());
        let first = DataType::ALL.into_iter().find(|kind| of(*kind).is_some());
        let count = |at: usize| -> usize { String::from_utf8_lossy(&words[at]).parse().unwrap() };
        match command {
            b"ping" => b"+PONG\r\n".to_vec(),
            b"type" => format!("+{}\r\n", first.map_or("none", DataType::word)).into_bytes(),
            b"ttl" => {
                let life = first.map(|kind| data.0[&(db, kind, name.clone())].1);
                number(life.unwrap_or(-2))
            }
            b"strlen" => size(DataType::String),
            b"hlen" => size(DataType::Hash),
            b"llen" => size(DataType::List),
            b"zcard" => size(DataType::Zset),
            b"scard" => size(DataType::Set),
            b"pkscanrange" => {
                assert!(!self.is_2(), "2.x does not have it");
                let kind = DataType::ALL.into_iter().find(|kind| kind.word().as_bytes() == words[1]).unwrap();
                let (start, end, limit) = (&words[2], &words[3], count(5));
                let within = |name: &&Vec<u8>| *name >= start && (end.is_empty() || *name <= end);
                let of_type = data.0.keys().filter(|(of, known, _)| (*of, *known) == (db, kind));
                let names: Vec<&Vec<u8>> = of_type.map(|(_, _, name)| name).filter(within).collect();
                let next = names.get(limit).map_or_else(Vec::new, |name| (*name).clone());
                let listed: Vec<Vec<u8>> = names.into_iter().take(limit).cloned().collect();
                [b"*2\r\n".to_vec(), bulk(&next), array(&listed)].concat()
            }
            b"scan" => {
                assert!(self.is_2(), "it is not asked of later releases");
                let (cursor, step) = (count(1), count(3));
                let names: Vec<Vec<u8>> = data.0.keys().map(|(_, _, name)| name.clone()).collect();
                page(&names, cursor, step, 1)
            }
            b"getrange" => {
                let Some(Contents::Text(text)) = of(DataType::String) else { return bulk(b"") };
                let (start, stop) = (count(2).min(text.len()), (count(3) + 1).min(text.len()));
                bulk(&text[start..stop])
            }
            b"pkhscanrange" => {
                let Some(Contents::Hash(fields)) = of(DataType::Hash) else {
                    return b"*2\r\n$0\r\n\r\n*0\r\n".to_vec();
                };
                let mut rest = fields.iter().filter(|(field, _)| **field >= words[2]);
                let piece: Vec<Vec<u8>> = rest
                    .by_ref()
                    .take(count(5))
                    .flat_map(|(field, value)| [field.clone(), value.clone()])
                    .collect();
                let next = rest.next().map_or_else(Vec::new, |(field, _)| field.clone());
                [b"*2\r\n".to_vec(), bulk(&next), array(&piece)].concat()
            }
            b"hscan" => {
                let Some(Contents::Hash(fields)) = of(DataType::Hash) else { return page(&[], 0, 1, 2) };
                let flat: Vec<Vec<u8>> =
                    fields.iter().flat_map(|(field, value)| [field.clone(), value.clone()]).collect();
                page(&flat, count(2), count(4), 2)
            }
            b"sscan" => {
                let Some(Contents::Set(members)) = of(DataType::Set) else { return page(&[], 0, 1, 1) };
                page(&members.iter().cloned().collect::<Vec<_>>(), count(2), count(4), 1)
            }
            b"zscan" => {
                let Some(Contents::Zset(scores)) = of(DataType::Zset) else { return page(&[], 0, 1, 2) };
                let flat: Vec<Vec<u8>> = scores
                    .iter()
                    .flat_map(|(member, score)| [member.clone(), format!("{score}").into_bytes()])
                    .collect();
                page(&flat, count(2), count(4), 2)
            }
            b"zrange" => {
                let Some(Contents::Zset(scores)) = of(DataType::Zset) else { return array(&[]) };
                let mut ordered: Vec<(&Vec<u8>, &f64)> = scores.iter().collect();
                ordered.sort_by(|one, other| one.1.total_cmp(other.1).then(one.0.cmp(other.0)));
                let members: Vec<Vec<u8>> = ordered.into_iter().map(|(member, _)| member.clone()).collect();
                array(slice(&members, count(2), count(3)))
            }
            b"zscore" => match of(DataType::Zset) {
                Some(Contents::Zset(scores)) => scores
                    .get(&words[2])
                    .map_or_else(|| b"$-1\r\n".to_vec(), |score| bulk(format!("{score}").as_bytes())),
                _ => b"$-1\r\n".to_vec(),
            },
            b"lrange" => {
                let Some(Contents::List(elements)) = of(DataType::List) else { return array(&[]) };
                array(slice(elements, count(2), count(3)))
            }
            other => panic!("{} has no answer to {}", self.release, other.escape_ascii()),
        }
    }
}

/// A piece of a listing by cursor, whose elements have so many parts.
fn page(flat: &[Vec<u8>], cursor: usize, step: usize, parts: usize) -> Vec<u8> {
    let end = (cursor + step).min(flat.len() / parts);
    let next = if end == flat.len() / parts { 0 } else { cursor + step };
    let piece = &flat[(cursor * parts).min(flat.len())..end * parts];
    [b"*2\r\n".to_vec(), bulk(next.to_string().as_bytes()), array(piece)].concat()
}

fn slice(elements: &[Vec<u8>], start: usize, stop: usize) -> &[Vec<u8>] {
    &elements[start.min(elements.len())..(stop + 1).min(elements.len())]
}

fn number(number: i64) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

fn bulk(text: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

fn array(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", texts.len()).into_bytes();
    out.extend(texts.iter().flat_map(|text| bulk(text)));
    out
}

fn read_command(reader: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let mut line = String::new();
    let mut length = |reader: &mut BufReader<TcpStream>| -> Option<usize> {
        line.clear();
        reader.read_line(&mut line).ok()?;
        line.get(1..)?.trim().parse().ok()
    };
    let count = length(reader)?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; length(reader)? + 2];
            reader.read_exact(&mut word).ok()?;
            word.truncate(word.len() - 2);
            Some(word)
        })
        .collect()
}
