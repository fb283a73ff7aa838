//! Old keys of the master that must be on the replica, with the same type and length.
//!
//! A canary shows that new writes arrive. A replica whose old data is gone passes it; only looking at
//! old keys finds that out.

use std::collections::BTreeMap;

use tokio::time::{Instant, sleep};

use super::session::{Session, Trouble};
use crate::catalog::era;
use crate::collect::pika::gate::CANARY;
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::limits::{
    MAX_KEY_CHARACTERS, MAX_SAMPLE_EXAMPLES, MAX_SAMPLE_KEYS, MAX_SAMPLE_SCANS, SAMPLE_RETRY_INTERVALS,
};
use crate::model::link::{Sample, SampleDifference};

/// The keys that one SCAN looks at. Cursors are shared by all clients of a server; an odd step does not meet
/// those of others.
const SCAN_COUNT: &str = "199";
/// Keys of Pika's own, which differ between nodes.
const INTERNAL: &str = "_internal:";
/// Types that a range can be asked for.
const TYPES: [&str; 5] = ["string", "hash", "list", "set", "zset"];

/// What a key is on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    /// `string`, `hash`, …; `none` when it is not there.
    kind: String,
    /// Bytes or elements.
    length: i64,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_none() { f.write_str("none") } else { write!(f, "{} of {}", self.kind, self.length) }
    }
}

impl Shape {
    fn is_none(&self) -> bool {
        self.kind == "none"
    }
}

/// Compares keys of one database, and adds what it finds to `sample`. The database was selected before.
pub async fn compare(
    master: &mut Session<'_>,
    replica: &mut Session<'_>,
    db: Option<&str>,
    most: usize,
    run_ends: Instant,
    sample: &mut Sample,
) -> Result<(), Trouble> {
    let keys = find(master, most.min(MAX_SAMPLE_KEYS)).await?;
    let mut there = shapes(master, &keys).await?;
    let mut here = shapes(replica, &keys).await?;
    let mut open: Vec<usize> = (0..keys.len()).collect();
    for pause in std::iter::once(None).chain(SAMPLE_RETRY_INTERVALS.map(Some)) {
        if let Some(pause) = pause {
            if open.is_empty() || Instant::now() + pause >= run_ends {
                break;
            }
            sleep(pause).await;
            let again: Vec<String> = open.iter().map(|index| keys[*index].clone()).collect();
            // The replica is asked first: what it has then, the master had before.
            let (of_replica, of_master) = (shapes(replica, &again).await?, shapes(master, &again).await?);
            for ((index, of_replica), of_master) in open.iter().zip(of_replica).zip(of_master) {
                here[*index] = of_replica;
                // A key that changes on the master proves nothing.
                if there[*index] != of_master {
                    there[*index] = of_master;
                    sample.changed += 1;
                }
            }
        }
        open.retain(|index| there[*index] != here[*index] && !there[*index].is_none());
    }
    for (index, key) in keys.iter().enumerate() {
        if there[index].is_none() {
            continue;
        }
        sample.compared += 1;
        *sample.types.entry(there[index].kind.clone()).or_default() += 1;
        if !open.contains(&index) {
            continue;
        }
        if here[index].is_none() {
            sample.missing += 1;
        } else {
            sample.different += 1;
        }
        if sample.examples.len() < MAX_SAMPLE_EXAMPLES {
            sample.examples.push(SampleDifference {
                db: db.map(str::to_owned),
                key: key.chars().take(MAX_KEY_CHARACTERS).collect(),
                master: there[index].to_string(),
                replica: here[index].to_string(),
            });
        }
    }
    Ok(())
}

/// Up to `most` keys of a server, of as many types as can be had within bounds. What can be asked for
/// without harm differs from release to release; the gate knows it.
pub async fn find(master: &mut Session<'_>, most: usize) -> Result<Vec<String>, Trouble> {
    let each = (most / TYPES.len()).max(1).to_string();
    let ranges = TYPES.map(|kind| ["pkscanrange", kind, "", "", "limit", each.as_str()]);
    let mut keys: Vec<String> = Vec::new();
    // On 4.x all types lie in one store, and asking for one after the other reads it five times.
    let by_cursor = master.may(&["scan", "0", "count", SCAN_COUNT]);
    if master.may(&ranges[0]) && !by_cursor {
        let ranges: Vec<&[&str]> = ranges.iter().map(<[&str; 6]>::as_slice).collect();
        for reply in master.ask(&ranges).await? {
            keys.extend(listed(&reply)?.1);
        }
    } else {
        let mut cursor = "0".to_owned();
        for _ in 0..MAX_SAMPLE_SCANS {
            let reply = master.ask_one(&["scan", &cursor, "count", SCAN_COUNT]).await?;
            let (next, found) = listed(&reply)?;
            keys.extend(found);
            if next == "0" || keys.len() >= most {
                break;
            }
            cursor = next;
        }
    }
    keys.sort();
    keys.dedup();
    keys.truncate(most);
    Ok(keys)
}

/// The two parts of an answer: where to go on, and keys. A server that refuses to list its keys has not shown that
/// it has none.
fn listed(reply: &Reply) -> Result<(String, Vec<String>), Trouble> {
    if let Reply::Error(text) = reply {
        return Err(Trouble::Broken(reasons::master_does_not_list_keys(text)));
    }
    match reply {
        Reply::List(parts) if parts.len() == 2 => {
            let next = if let Reply::Text(next) = &parts[0] { next.clone() } else { "0".to_owned() };
            let found = parts[1].texts().into_iter().filter(|key| usable(key)).map(str::to_owned);
            Ok((next, found.collect()))
        }
        _ => Err(Trouble::Broken(reasons::key_list_of_other_shape())),
    }
}

/// Keys whose bytes are not UTF-8 cannot be asked for again; Pika's and our own are not the user's.
fn usable(key: &str) -> bool {
    !key.contains('\u{fffd}') && !key.starts_with(INTERNAL) && !key.starts_with(CANARY)
}

async fn shapes(session: &mut Session<'_>, keys: &[String]) -> Result<Vec<Shape>, Trouble> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<[&str; 2]> = keys.iter().map(|key| ["type", key.as_str()]).collect();
    let kinds: Vec<&[&str]> = kinds.iter().map(<[&str; 2]>::as_slice).collect();
    let mut shapes = Vec::with_capacity(keys.len());
    for reply in session.ask(&kinds).await? {
        let kind = match reply {
            Reply::Text(kind) => kind,
            Reply::Error(text) => return Err(Trouble::Broken(reasons::type_answered_with(text))),
            _ => "none".to_owned(),
        };
        shapes.push(Shape { kind, length: 0 });
    }
    let lengths = BTreeMap::from([
        ("string", "strlen"),
        ("hash", "hlen"),
        ("list", "llen"),
        ("set", "scard"),
        ("zset", "zcard"),
        ("stream", "xlen"),
        ("streams", "xlen"),
    ]);
    let lives = lives(session, keys).await?;
    let mut asked: Vec<(usize, [&str; 2])> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if let Some(command) = lengths.get(shapes[index].kind.as_str()) {
            let words = [*command, key.as_str()];
            if session.may(&words) && lives[index] {
                asked.push((index, words));
            }
        }
    }
    if asked.is_empty() {
        return Ok(shapes);
    }
    let commands: Vec<&[&str]> = asked.iter().map(|(_, words)| words.as_slice()).collect();
    for ((index, _), reply) in asked.iter().zip(session.ask(&commands).await?) {
        shapes[*index].length = if let Reply::Number(length) = reply { length } else { -1 };
    }
    Ok(shapes)
}

/// For each key, whether its length may be asked for. On 4.0.1 that brings a key with an end back to life: its
/// cache takes milliseconds for seconds. There only keys without an end are asked.
async fn lives(session: &mut Session<'_>, keys: &[String]) -> Result<Vec<bool>, Trouble> {
    let commands: Vec<[&str; 2]> = keys.iter().map(|key| ["ttl", key.as_str()]).collect();
    if !session.release().is_some_and(|release| release.is_of(&era::LENGTHS_REVIVE)) {
        return Ok(vec![true; keys.len()]);
    }
    let commands: Vec<&[&str]> = commands.iter().map(<[&str; 2]>::as_slice).collect();
    Ok(session.ask(&commands).await?.iter().map(|reply| *reply == Reply::Number(-1)).collect())
}
