//! sentinel.conf, as redis-sentinel reads it: words, quotes, a `#` at the beginning of a line.

use super::reading::{ServiceConfText, host_kind};
use crate::i18n::reasons;
use crate::model::companion::{
    CompanionContent, CompanionKey, CompanionKind, ConfMaster, Effective, Fault, UnknownKey,
};
use crate::model::conf::Place;
use crate::model::reason::Reason;
use crate::parse::nearest;

/// What Sentinel takes when the file does not say.
const DOWN_AFTER_MS: i64 = 30_000;

/// The plain settings that the checks look at; all others are those of any Redis and are left alone.
const PLAIN: [&str; 4] = ["port", "bind", "protected-mode", "requirepass"];

/// A line in words, each with its place in the file.
struct Line {
    words: Vec<(String, usize)>,
}

impl Line {
    fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |(word, _)| word.as_str())
    }

    fn number(&self, index: usize) -> Option<i64> {
        self.word(index).parse().ok()
    }
}

pub fn read(reading: &ServiceConfText<'_>) -> CompanionContent {
    let mut content = CompanionContent::default();
    let mut lines = Vec::new();
    let mut at = 0;
    for text in reading.text.split_inclusive('\n') {
        match split(text, at) {
            Ok(Some(line)) => lines.push(line),
            Ok(None) => {}
            Err(place) => content.syntax.push(fault(reading, place, reasons::quote_not_closed())),
        }
        at += text.len();
    }
    let (own, plain): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| line.word(0).eq_ignore_ascii_case("sentinel"));
    for line in plain {
        let key = line.word(0).to_ascii_lowercase();
        if let Some(name) = PLAIN.iter().find(|name| **name == key) {
            let values: Vec<&str> = line.words[1..].iter().map(|(word, _)| word.as_str()).collect();
            let value = values.join(" ");
            let value = if *name == "requirepass" { reading.tokens.token(&value) } else { value };
            content.values.push(effective(name, value, reading.place(line.words[0].1)));
        }
    }
    // `sentinel monitor` first: up to Redis 6.0 the order of the lines counts, later it does not.
    let keys: Vec<&CompanionKey> =
        reading.knowledge.companion_keys.iter().filter(|key| key.file == CompanionKind::Sentinel).collect();
    for line in own.iter().filter(|line| line.word(1).eq_ignore_ascii_case("monitor")) {
        if line.words.len() == 6 {
            content.masters.push(monitored(reading, line));
            if line.number(5).is_none_or(|quorum| quorum < 1) {
                content.syntax.push(fault(reading, line.words[5].1, reasons::quorum_not_positive()));
            }
            if line.word(4).parse::<u16>().is_err() {
                content.syntax.push(fault(reading, line.words[4].1, reasons::port_not_a_number()));
            }
        }
    }
    for line in own {
        take(reading, line, &keys, &mut content);
    }
    content
}

fn take(reading: &ServiceConfText<'_>, line: &Line, keys: &[&CompanionKey], content: &mut CompanionContent) {
    let name = line.word(1).to_ascii_lowercase();
    let at = line.words.get(1).unwrap_or(&line.words[0]).1;
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        content.unknown.push(UnknownKey {
            key: name.chars().take(64).collect(),
            nearest: nearest(&name, keys),
            belongs_to: None,
            releases: Vec::new(),
            place: reading.place(at),
        });
        return;
    };
    let count = line.words.len() - 2;
    if key.arguments.is_some_and(|wanted| wanted != count) {
        let wanted = key.arguments.unwrap_or_default();
        let message = reasons::sentinel_words(name, count, wanted);
        content.syntax.push(fault(reading, at, message));
        return;
    }
    if key.name == "myid" {
        content.values.push(effective("myid", line.word(2).to_owned(), reading.place(at)));
    }
    // What is about a name has the name first; the others are about the Sentinel itself.
    let about_name = !matches!(
        name.as_str(),
        "monitor"
            | "myid"
            | "current-epoch"
            | "announce-ip"
            | "announce-port"
            | "deny-scripts-reconfig"
            | "sentinel-user"
            | "sentinel-pass"
            | "resolve-hostnames"
            | "announce-hostnames"
    );
    if name == "resolve-hostnames" {
        content.values.push(effective("resolve-hostnames", line.word(2).to_owned(), reading.place(at)));
    }
    if !about_name {
        return;
    }
    let Some(master) = content.masters.iter_mut().find(|master| master.name == line.word(2)) else {
        let message = reasons::sentinel_unknown_name();
        content.syntax.push(fault(reading, line.words.get(2).map_or(at, |(_, at)| *at), message));
        return;
    };
    match (name.as_str(), line.number(3)) {
        ("down-after-milliseconds", Some(ms)) => master.down_after_ms = ms,
        ("parallel-syncs", Some(count)) => master.parallel_syncs = count,
        ("down-after-milliseconds" | "parallel-syncs", None) => {
            content.syntax.push(fault(reading, line.words[3].1, reasons::not_a_number()));
        }
        ("auth-pass", _) => master.auth_pass = reading.tokens.token(line.word(3)),
        ("known-sentinel", _) => master.known_sentinels += 1,
        _ => {}
    }
}

fn monitored(reading: &ServiceConfText<'_>, line: &Line) -> ConfMaster {
    ConfMaster {
        name: line.word(2).to_owned(),
        host: line.word(3).to_owned(),
        address: host_kind(line.word(3)),
        port: line.word(4).parse().ok(),
        quorum: line.number(5),
        down_after_ms: DOWN_AFTER_MS,
        parallel_syncs: 1,
        auth_pass: String::new(),
        known_sentinels: 0,
        place: reading.place(line.words[1].1),
    }
}

fn nearest(name: &str, keys: &[&CompanionKey]) -> Option<String> {
    nearest::nearest(name, keys.iter().map(|key| (&key.name, &key.name)), 3).cloned()
}

fn effective(key: &str, value: String, place: Place) -> Effective {
    let number = value.parse().ok();
    Effective {
        key: key.to_owned(),
        value,
        number,
        stated: true,
        releases: Vec::new(),
        address: None,
        place: Some(place),
    }
}

fn fault(reading: &ServiceConfText<'_>, at: usize, message: Reason) -> Fault {
    Fault { message, place: reading.place(at) }
}

/// The words of a line that begins at byte `at`; nothing for an empty one and a comment; the place of a quote that is
/// not closed.
fn split(text: &str, at: usize) -> Result<Option<Line>, usize> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if first.is_whitespace() {
            continue;
        }
        if first == '#' && words.is_empty() {
            return Ok(None);
        }
        let mut word = String::new();
        if first == '"' || first == '\'' {
            loop {
                match chars.next() {
                    None | Some((_, '\n')) => return Err(at + start),
                    Some((_, '\\')) if first == '"' => word.extend(chars.next().map(|(_, c)| c)),
                    Some((_, c)) if c == first => break,
                    Some((_, c)) => word.push(c),
                }
            }
        } else {
            word.push(first);
            while let Some((_, c)) = chars.next_if(|(_, c)| !c.is_whitespace()) {
                word.push(c);
            }
        }
        words.push((word, at + start));
    }
    Ok((!words.is_empty()).then_some(Line { words }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_redis_does_it() {
        let words = |text: &str| {
            let line = split(text, 0).unwrap().unwrap();
            line.words.into_iter().map(|(word, _)| word).collect::<Vec<_>>()
        };
        assert_eq!(words("sentinel auth-pass m \"a b\\\"c\"\n"), ["sentinel", "auth-pass", "m", "a b\"c"]);
        assert_eq!(words("  bind 127.0.0.1 # not a comment\n").len(), 6);
        assert_eq!(words("dir ''\n"), ["dir", ""]);
        assert!(split("# sentinel\n", 0).unwrap().is_none());
        assert!(split("\n", 0).unwrap().is_none());
        assert!(matches!(split("dir \"x\n", 10), Err(14)));
    }
}
