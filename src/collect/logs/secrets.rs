//! Lines that hold a password.
//!
//! Up to 3.0.16 a replica logs the AUTH that it sends, byte for byte, over several lines. From 3.5.0 on a server logs
//! every line of its configuration file when it starts. The log of slow commands has whatever a client sent.

use super::prefix::Line;
use crate::parse::hide::secrets::HIDDEN;

/// The settings whose values are passwords.
const SETTINGS: [&[u8]; 3] = [b"requirepass", b"masterauth", b"userpass"];

/// Whether a line of glog holds a password.
pub fn in_line(line: &Line<'_>) -> bool {
    let message = line.message;
    if line.source.ends_with(b"base_conf.cc") {
        // `18 requirepass SECRET`
        let mut words = message.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).skip(1);
        return words.next().is_some_and(|word| SETTINGS.contains(&word)) && words.next().is_some();
    }
    if !message.starts_with(b"command: ") {
        return false;
    }
    // `"config" "SET" "masterauth" "SECRET"`
    let mut words = message.split(|byte| *byte == b'"').skip(1).step_by(2);
    let is = |word: Option<&[u8]>, known: &[&[u8]]| {
        word.is_some_and(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    let command = words.next();
    is(command, &[b"auth"])
        || (is(command, &[b"config"]) && is(words.next(), &[b"set"]) && is(words.next(), &SETTINGS))
}

/// Whether a line without a prefix, of a message over several lines, is the name of a command whose argument is a
/// password.
pub fn in_continuation(line: &[u8]) -> bool {
    line.trim_ascii().eq_ignore_ascii_case(b"auth")
}

/// Whether a text that is about to be kept names a password and goes on. No pattern lets that happen; this holds even
/// when somebody writes one that does.
pub fn would_show(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SETTINGS.iter().filter_map(|name| std::str::from_utf8(name).ok()).any(|name| {
        text.split(name).skip(1).any(|rest| {
            let rest = rest.trim_start_matches(['"', ' ', ':', '=']);
            !rest.is_empty() && !rest.starts_with([',', '.', ')']) && !rest.starts_with(HIDDEN)
        })
    })
}

/// Words behind which a password stands.
const BEFORE_PASSWORDS: [&str; 10] = [
    "requirepass",
    "masterauth",
    "userpass",
    "auth",
    "auth-pass",
    "password",
    "passwd",
    "product_auth",
    "session_auth",
    "coordinator_auth",
];

/// A text of which nobody knows what it says, without what may be a password: the word behind one that names a
/// password, rules of ACL that set one (`>word`, `<word`, `#hash`), and the part of an address that logs in. `known`: words that are no
/// secrets, wherever they stand.
pub fn without_secrets(text: &str, known: impl Fn(&str) -> bool) -> String {
    let mut hide_next = false;
    let mut words = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_matches(['"', '\'', '`', ',', ';', '(', ')', '[', ']']);
        if hide_next && matches!(bare, ":" | "=" | "") {
            words.push(word);
            continue;
        }
        // `reading:AUTH` as well: the name is the last part, or one with something behind it.
        let parts = bare.split([':', '=']).map(|part| part.trim_matches(['"', '\'']));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let is_name = |part: &&str| BEFORE_PASSWORDS.iter().any(|name| part.eq_ignore_ascii_case(name));
        let (names_one, has_value) = match parts.iter().position(is_name) {
            Some(at) => (true, at + 1 < parts.len()),
            None => (false, false),
        };
        let sets_one = bare.strip_prefix(['>', '<', '#']).is_some_and(|rest| !rest.is_empty());
        let logs_in = bare.split_once("://").is_some_and(|(_, rest)| logs_in(rest));
        let hidden = hide_next || (names_one && has_value) || sets_one || logs_in;
        hide_next = names_one && !has_value;
        words.push(if hidden && !known(word) { HIDDEN } else { word });
    }
    words.join(" ")
}

/// Whether the rest of an address, behind `scheme://`, has a user and a password, be it cut before the `@`.
fn logs_in(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    rest.contains('@') || !(port.bytes().all(|byte| byte.is_ascii_digit()) || port.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::super::prefix::{Begin, parse};
    use super::*;

    fn holds(source: &str, message: &str) -> bool {
        let text = format!("I20261122 18:41:15.146634 2 {source}:1] {message}");
        in_line(&parse(text.as_bytes(), Begin { year: 2026, month: 1 }).unwrap())
    }

    #[test]
    fn nothing_of_a_password_is_left() {
        for (text, left) in [
            ("ACL rule: user a on >s3cret ~* is wrong", "ACL rule: user a on (hidden) ~* is wrong"),
            ("bad line requirepass s3cret here", "bad line requirepass (hidden) here"),
            ("bad line requirepass : s3cret here", "bad line requirepass : (hidden) here"),
            ("masterauth=s3cret", "(hidden)"),
            ("dial http://a:s3cret", "dial (hidden)"),
            (
                "dial http://10.0.0.1:18080/topom and http://[::1]/",
                "dial http://10.0.0.1:18080/topom and http://[::1]/",
            ),
            ("while reading:AUTH s3cret", "while reading:AUTH (hidden)"),
            ("\"AUTH\" \"s3cret\" refused", "\"AUTH\" (hidden) refused"),
            ("dial http://a:s3cret@10.0.0.1:1/ failed", "dial (hidden) failed"),
            (
                "Binlog: Open file /a/write2file7 error IO error: x",
                "Binlog: Open file /a/write2file7 error IO error: x",
            ),
        ] {
            assert_eq!(without_secrets(text, |_| false), left);
        }
    }

    #[test]
    fn lines_with_passwords() {
        assert!(holds("base_conf.cc", "18 requirepass secret-root"));
        assert!(holds("base_conf.cc", "19 masterauth x"));
        assert!(!holds("base_conf.cc", "19 masterauth "));
        assert!(!holds("base_conf.cc", "4 port 9221"));
        assert!(holds("pika_client_conn.cc", r#"command: "AUTH" "secret", start_time(s): 1"#));
        assert!(holds("pika_client_conn.cc", r#"command: "config" "SET" "MasterAuth" "secret""#));
        assert!(!holds("pika_client_conn.cc", r#"command: "SET" "auth" "x""#));
        assert!(in_continuation(b"auth\r"));
        assert!(!in_continuation(b"author"));
        assert!(would_show("18 requirepass hunter2"));
        assert!(would_show("REQUIREPASS: x"));
        assert!(!would_show("Meta Sync Failed: Auth with master error, Invalid masterauth"));
    }
}
