//! What is to be hidden, and where it is looked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;

use super::views::{DecodedText, views};

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// From this length on a secret is looked for everywhere, within words as well.
const LONG: usize = 8;

/// A shorter one than this is looked for only where a text says that it is one.
const SHORT: usize = 4;

/// A text may be cut where it is kept: what is left of a secret at the end of a text is hidden, too, when it has this many bytes …
const CUT: usize = 4;

/// … and the text as many as no shorter one is cut to. The names and values that reports are made of are shorter.
const CUT_TEXT: usize = 60;

/// The beginning of a secret that stands within a text, where another program cut it: this much, and three quarters.
const BEGINNING: usize = 12;

/// A part of a secret in base64 that is worth a search: six bytes, whatever stands before them.
const BASE64_CORE: usize = 8;

/// Words that stand in every report. As a password they would be guessed first; to hide them everywhere would make the
/// report worthless and protect nothing.
const EVERYDAY: [&str; 60] = [
    "admin",
    "auth",
    "backup",
    "cache",
    "client",
    "closed",
    "cluster",
    "codis",
    "config",
    "connected",
    "critical",
    "data",
    "database",
    "default",
    "demo",
    "disabled",
    "down",
    "enabled",
    "error",
    "etcd",
    "false",
    "group",
    "guest",
    "host",
    "info",
    "init",
    "localhost",
    "master",
    "monitor",
    "name",
    "node",
    "none",
    "null",
    "online",
    "open",
    "password",
    "pika",
    "port",
    "prod",
    "proxy",
    "redis",
    "replica",
    "role",
    "root",
    "sentinel",
    "server",
    "slave",
    "slaveof",
    "standalone",
    "state",
    "status",
    "sync",
    "test",
    "true",
    "unknown",
    "user",
    "version",
    "warning",
    "zookeeper",
    "zsets",
];

/// Words behind which a password stands.
const NAMES: [&str; 9] = [
    "auth",
    "requirepass",
    "masterauth",
    "userpass",
    "password",
    "passwd",
    "auth-pass",
    "product_auth",
    "session_auth",
];

/// How far one is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// In quotes, and behind a word that names a password.
    WhereNamed,
    /// Where it is a word of its own.
    Words,
    /// Everywhere.
    Everywhere,
}

/// The secrets of a run.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<Secret>);

#[derive(Clone, PartialEq, Eq)]
struct Secret {
    text: Vec<u8>,
    reach: Reach,
    /// What base64 and hexadecimal digits make of it, wherever it stands in what was encoded.
    encoded: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secrets {
    /// Adds one. Of `user:password` the password is one as well.
    pub fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let secret = Secret { text: text.into(), reach: reach(text), encoded: encoded(text) };
        if !self.0.contains(&secret) {
            self.0.push(secret);
            // The longest first: one may be a part of another.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.text.len()));
        }
        if let Some((_, password)) = text.split_once(':') {
            self.add(password);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without them. `None`: it holds none.
    pub fn hide(&self, text: &str) -> Option<String> {
        let mut hidden: Vec<(usize, usize)> = Vec::new();
        for view in views(text) {
            for secret in &self.0 {
                secret.find(&view, &mut |from, to| hidden.push(view.original(from, to)));
            }
        }
        if hidden.is_empty() {
            return None;
        }
        hidden.sort_unstable();
        let mut safe = String::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in hidden {
            if to <= at {
                continue;
            }
            if from > at || at == 0 {
                safe.push_str(&text[at..floor(text, from)]);
                safe.push_str(HIDDEN);
            }
            at = ceil(text, to);
        }
        safe.push_str(&text[at..]);
        Some(safe)
    }
}

/// The character that `at` is in begins there.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The character that `at` is in ends there.
fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

impl Secret {
    /// Calls `found` with the begin and end of each place.
    fn find(&self, view: &DecodedText, found: &mut dyn FnMut(usize, usize)) {
        let text = view.bytes.as_slice();
        let most = (self.text.len() * 3).div_ceil(4);
        let is_cut = most >= BEGINNING && self.reach == Reach::Everywhere;
        let needle = if is_cut { &self.text[..most] } else { &self.text[..] };
        for from in memmem::find_iter(text, needle) {
            let to = from + common(&text[from..], &self.text);
            if self.stands(text, from, to) {
                found(from, to);
            }
        }
        if self.reach != Reach::WhereNamed && text.len() >= CUT_TEXT {
            self.find_cut(text, found);
        }
        for encoded in &self.encoded {
            // The beginning will do: the rest may be cut.
            let encoded = &encoded[..encoded.len().min(BEGINNING)];
            for from in memmem::find_iter(text, encoded) {
                let is_part = |byte: &u8| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
                };
                let before = text[..from].iter().rev().take_while(|byte| is_part(byte)).count();
                let behind = text[from + encoded.len()..].iter().take_while(|byte| is_part(byte)).count();
                found(from - before, from + encoded.len() + behind);
            }
        }
    }

    /// Looks at the end of a text for the beginning of the secret.
    fn find_cut(&self, text: &[u8], found: &mut dyn FnMut(usize, usize)) {
        let is_mark =
            |byte: &u8| matches!(byte, b'.' | b'\'' | b'"' | b'`' | b')' | b' ' | 0xe2 | 0x80 | 0xa6);
        let marks = text.iter().rev().take_while(|byte| is_mark(byte)).count();
        for end in [text.len(), text.len() - marks] {
            for length in (CUT..self.text.len()).rev() {
                let Some(from) = end.checked_sub(length) else { continue };
                if text[from..end] == self.text[..length] && self.is_begun(text, from) {
                    found(from, end);
                    break;
                }
            }
        }
    }

    /// Whether the place is one where it is looked for.
    fn stands(&self, text: &[u8], from: usize, to: usize) -> bool {
        match self.reach {
            Reach::Everywhere => true,
            Reach::Words => self.is_begun(text, from) && !text.get(to).is_some_and(|byte| is_word(*byte)),
            Reach::WhereNamed => is_quoted(text, from, to) || is_named(text, from, to),
        }
    }

    fn is_begun(&self, text: &[u8], from: usize) -> bool {
        self.reach == Reach::Everywhere || from == 0 || !is_word(text[from - 1])
    }
}

/// How many of the first bytes are the same.
fn common(text: &[u8], secret: &[u8]) -> usize {
    text.iter().zip(secret).take_while(|(a, b)| a == b).count()
}

/// Letters and digits, of other scripts as well, and what joins them to one name.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_quoted(text: &[u8], from: usize, to: usize) -> bool {
    let before = from.checked_sub(1).and_then(|at| text.get(at));
    matches!(
        (before, text.get(to)),
        (Some(b'\''), Some(b'\'')) | (Some(b'"'), Some(b'"')) | (Some(b'`'), Some(b'`'))
    )
}

/// Whether the word before names a password.
fn is_named(text: &[u8], from: usize, to: usize) -> bool {
    if text.get(to).is_some_and(|byte| is_word(*byte)) {
        return false;
    }
    let before = text[..from].trim_ascii_end();
    let before = before.strip_suffix(b":").or(before.strip_suffix(b"=")).unwrap_or(before).trim_ascii_end();
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    let apart = before.len() < from;
    let is_name = |name: &&str| {
        let Some(start) = before.len().checked_sub(name.len()) else { return false };
        before[start..].eq_ignore_ascii_case(name.as_bytes())
            && (start == 0 || !before[start - 1].is_ascii_alphanumeric())
    };
    apart && NAMES.iter().any(is_name)
}

fn reach(text: &str) -> Reach {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let everyday = EVERYDAY.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text.len() {
        length if length < SHORT || everyday || (digits && length < LONG) => Reach::WhereNamed,
        // A long number may be the beginning of another one.
        length if length < LONG || digits => Reach::Words,
        _ => Reach::Everywhere,
    }
}

/// What of the secret is the same in every text in base64 that holds it, and its hexadecimal digits.
fn encoded(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let whole = STANDARD_NO_PAD.encode(&padded);
        // The first characters hold bits of what stands before, the last one those of what stands behind.
        let first = (8 * before).div_ceil(6);
        let last = 8 * padded.len() / 6;
        let core = &whole[first..last];
        if core.len() >= BASE64_CORE {
            all.push(core.into());
            all.push(core.replace('+', "-").replace('/', "_").into());
        }
    }
    if bytes.len() >= SHORT {
        let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        all.push(lower.to_ascii_uppercase().into());
        all.push(lower.into());
        // The whole, where it is all that was encoded.
        all.push(STANDARD_NO_PAD.encode(bytes).into());
    }
    all.retain(|encoded| encoded.len() >= BASE64_CORE);
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    fn of(secrets: &[&str]) -> Secrets {
        let mut all = Secrets::default();
        for secret in secrets {
            all.add(secret);
        }
        all
    }

    fn hidden(secret: &str, text: &str) -> String {
        of(&[secret]).hide(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_long_secret_is_hidden_however_it_is_written() {
        let secret = "pa/ss wörd+\"1\"&x";
        let json = serde_json::to_string(secret).unwrap();
        let json = json.trim_matches('"');
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let form = "pa%2Fss+w%C3%B6rd%2B%221%22%26x";
        let resp = r#"pa/ss w\xc3\xb6rd+\"1\"&x"#;
        let unicode = r#"pa\/ss w\u00f6rd\u002b\"1\"&x"#;
        let html = "pa/ss wörd+&quot;1&#34;&amp;x";
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        let twice = serde_json::to_string(&serde_json::to_string(secret).unwrap()).unwrap();
        let basic = STANDARD.encode(format!("root:{secret}"));
        let odd = STANDARD.encode(format!("ro:{secret} and more"));
        let even = URL_SAFE.encode(format!("r:{secret}"));
        let texts = [
            secret,
            json,
            &percent,
            &percent.to_uppercase(),
            form,
            resp,
            unicode,
            html,
            &hex,
            &twice,
            &basic,
            &odd,
            &even,
        ];
        for text in texts {
            for whole in
                [text.to_owned(), format!("a{text}"), format!("错误 `{text}` (x)"), format!("{text}b")]
            {
                let left = hidden(secret, &whole);
                assert!(
                    left.contains(HIDDEN) && left.len() <= whole.len() - text.len() + HIDDEN.len() + 8,
                    "{whole}: {left}"
                );
            }
        }
        assert_eq!(
            hidden(secret, &format!("say '{secret}' and '{json}'.")),
            "say '(hidden)' and '(hidden)'."
        );
    }

    #[test]
    fn what_was_cut_is_hidden_too() {
        let secret = "correct-horse-battery";
        assert_eq!(hidden(secret, "args: `correct-horse-bat`, 1"), "args: `(hidden)`, 1");
        let long = "-ERR unknown command `AUTH`, with args beginning with: ";
        assert_eq!(hidden(secret, &format!("{long}`corre")), format!("{long}`(hidden)"));
        assert_eq!(hidden(secret, &format!("{long}'corre' …")), format!("{long}'(hidden)' …"));
        for text in ["a correct", "a correct answer", &format!("{long}`correct`, 1")] {
            assert_eq!(hidden(secret, text), text);
        }
    }

    #[test]
    fn a_short_secret_does_not_destroy_the_report() {
        for (secret, text, left) in [
            // Of four to seven characters: as a word of its own.
            ("sesame", "open sesame, opensesame sesame7", "open (hidden), opensesame sesame7"),
            // Of one to three, numbers and everyday words: where the text says that it is one.
            (
                "1",
                "1 of 1: config 1, AUTH 1, 'AUTH' '1'",
                "1 of 1: config 1, AUTH (hidden), 'AUTH' '(hidden)'",
            ),
            (
                "abc",
                "abc requirepass: abc masterauth=abc abcd",
                "abc requirepass: (hidden) masterauth=(hidden) abcd",
            ),
            ("9221", "10.0.0.1:9221 `9221` auth 9221", "10.0.0.1:9221 `(hidden)` auth (hidden)"),
            ("master", "role:master password master", "role:master password (hidden)"),
            // A long number may be a part of another.
            ("12345678", "used 123456789, 12345678", "used 123456789, (hidden)"),
        ] {
            assert_eq!(hidden(secret, text), left, "{secret}");
        }
    }

    #[test]
    fn of_a_user_and_a_password_both_forms_are_hidden() {
        let secrets = of(&["codis:0penSesame"]);
        assert_eq!(secrets.hide("http://codis:0penSesame@a/").unwrap(), "http://(hidden)@a/");
        assert_eq!(secrets.hide("bad password 0penSesame").unwrap(), "bad password (hidden)");
        let header = STANDARD.encode("codis:0penSesame");
        assert_eq!(
            secrets.hide(&format!("Basic {header} was refused")).unwrap(),
            "Basic (hidden) was refused"
        );
        assert!(secrets.hide("codis is not there").is_none());
    }

    #[test]
    fn nothing_to_hide() {
        assert!(Secrets::default().is_empty());
        assert!(of(&["0penSesame"]).hide("ok \\n %zz & + é").is_none());
        assert_eq!(format!("{:?}", of(&["0penSesame"])), "Secrets([Secret(…)])");
    }
}
