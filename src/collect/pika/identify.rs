//! Says what kind of server answered.

use super::resp::Reply;
use crate::i18n::reasons;
use crate::model::limits::MAX_EVIDENCE_CHARACTERS;
use crate::model::reason::Reason;
use crate::model::server::{Server, ServerKind};
use crate::parse::info::field;

/// From the replies to `INFO server`. `None` when the reply says nothing about the server.
pub fn from_info(reply: &Reply) -> Server {
    match reply {
        Reply::Text(info) => from_info_text(info),
        Reply::Error(error) => from_error(error),
        Reply::Number(_) | Reply::List(_) | Reply::Nothing | Reply::Other => Server {
            kind: ServerKind::UnknownRedisProtocol,
            product: None,
            evidence: reasons::info_not_a_text(),
        },
    }
}

fn from_info_text(info: &str) -> Server {
    let named = |kind, product: &str, key: &str| {
        field(info, key).map(|value| Server {
            kind,
            product: Some(format!("{product} {value}")),
            evidence: Reason::verbatim(format!("{key}:{value}")),
        })
    };
    // Kvrocks, KeyDB, Dragonfly and Valkey print `redis_version` too, so they come first.
    named(ServerKind::Pika, "Pika", "pika_version")
        .or_else(|| named(ServerKind::Valkey, "Valkey", "valkey_version"))
        .or_else(|| named(ServerKind::RedisLike, "Kvrocks", "kvrocks_version"))
        .or_else(|| named(ServerKind::RedisLike, "KeyDB", "keydb_version"))
        .or_else(|| named(ServerKind::RedisLike, "Dragonfly", "dragonfly_version"))
        .or_else(|| {
            let version = field(info, "redis_version")?;
            let sentinel = field(info, "redis_mode") == Some("sentinel");
            let (kind, product) = if sentinel {
                (ServerKind::Sentinel, "Redis Sentinel")
            } else {
                (ServerKind::Redis, "Redis")
            };
            Some(Server {
                kind,
                product: Some(format!("{product} {version}")),
                evidence: Reason::verbatim(format!("redis_version:{version}")),
            })
        })
        .unwrap_or_else(|| Server {
            kind: ServerKind::UnknownRedisProtocol,
            product: None,
            evidence: match info.lines().find(|line| !line.trim().is_empty()) {
                Some(line) => reasons::info_begins_with(shorten(line)),
                None => reasons::info_empty(),
            },
        })
}

/// Servers that do not answer INFO differ in the words of their refusal.
///
/// Pika writes `ERR NOAUTH …` where Redis writes `NOAUTH …`. A Codis proxy takes the argument of INFO
/// for a backend's address (pkg/proxy/session.go, 3.2), and ends its NOAUTH without a full stop.
fn from_error(error: &str) -> Server {
    let lower = error.to_ascii_lowercase();
    let kind = if lower.starts_with("err noauth") {
        ServerKind::PikaLocked
    } else if lower.starts_with("err backend server '")
        || lower.starts_with("err handle request, ")
        || lower == "err router is not online"
        || lower == "noauth authentication required"
    {
        ServerKind::CodisProxy
    } else if lower.starts_with("denied redis") {
        ServerKind::Redis
    } else if lower.starts_with("noauth") || lower.starts_with("noperm") {
        ServerKind::Locked
    } else {
        ServerKind::UnknownRedisProtocol
    };
    Server { kind, product: None, evidence: reasons::info_answered_by(shorten(error)) }
}

/// From the first bytes of something that is not RESP.
pub fn from_bytes(bytes: &[u8]) -> Server {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default();
    let kind = if text.starts_with("HTTP/")
        || text.trim_start().to_ascii_lowercase().starts_with("<!doctype html")
    {
        ServerKind::Http
    } else if text.starts_with("SSH-") {
        ServerKind::Ssh
    } else if text.starts_with("@RSYNCD:") {
        ServerKind::RsyncDaemon
    } else if matches!(bytes, [0x15 | 0x16, 0x03, 0x00..=0x04, ..]) {
        ServerKind::Tls
    } else {
        ServerKind::Garbage
    };
    let readable =
        !line.is_empty() && line.chars().all(|c| !c.is_control() && c != char::REPLACEMENT_CHARACTER);
    let evidence = if readable {
        reasons::sends(shorten(line))
    } else {
        let hex: Vec<String> = bytes.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        reasons::sends_bytes(hex.join(" "))
    };
    Server { kind, product: None, evidence }
}

/// The beginning of a text, short enough for a sentence.
fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_EVIDENCE_CHARACTERS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_EVIDENCE_CHARACTERS - 1).collect();
    short.push('…');
    short
}
