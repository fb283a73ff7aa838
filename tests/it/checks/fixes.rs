//! What is to be typed stands in remedies, word by word, where it is quoted, can be taken by a program, and is tried. A text
//! that says what to do holds no command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pikadoctor::parse::document::decode::from_yaml;
use serde_json::Value as Json;

/// Texts that hold commands still, by check: how many. It can only become shorter.
const LEFT: &str = "tests/it/data/checks/commands-in-fixes.yaml";

/// Programs whose names mean nothing else in a sentence.
const PROGRAMS: [&str; 12] = [
    "redis-cli",
    "codis-admin",
    "curl",
    "nc",
    "ss",
    "getent",
    "pgrep",
    "grep",
    "chmod",
    "chown",
    "ssh",
    "ps",
];

/// What is this program's only where something is named to it.
const OWN: [&str; 8] = ["check", "forecast", "host", "logs", "lint", "keys", "verify", "route"];

/// Whether a text holds a command: a program with an argument, a macro that prints one, or an option with its value.
fn holds_command(text: &str) -> bool {
    if text.contains("redis_cli(") {
        return true;
    }
    let words: Vec<&str> = text
        .split(|sign: char| sign.is_whitespace() || "（）：，。；、".contains(sign))
        .map(|word| word.trim_start_matches(['(', '"', '`', '\'']))
        .filter(|word| !word.is_empty())
        .collect();
    let is_argument = |word: &str| word.starts_with(['-', '{', '<', '/']) || word.contains("://");
    words.windows(2).any(|pair| PROGRAMS.contains(&pair[0]) && is_argument(pair[1]))
        || words.windows(3).any(|three| {
            three[0] == "pikadoctor"
                && OWN.contains(&three[1])
                && (is_argument(three[2]) || three[2].contains(':'))
        })
        || words.windows(3).any(|three| three[0] == "config" && three[1] == "set" && three[2].contains('-'))
        || words.iter().any(|word| word.starts_with("--") && word.contains('='))
}

fn checks_below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("knowledge") {
            checks_below(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            files.push(path);
        }
    }
}

/// The texts of `fix`, at whatever depth.
fn fixes(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| fixes(item, found)),
        Json::Object(map) => {
            for (key, item) in map {
                match (key.as_str(), item) {
                    ("fix", Json::String(text)) => found.push(text.clone()),
                    // English stands for both: a command is the same in every language.
                    ("fix", Json::Object(texts)) => {
                        found.extend(texts.get("en").and_then(Json::as_str).map(str::to_owned));
                    }
                    _ => fixes(item, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn no_text_that_says_what_to_do_holds_a_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let mut files = Vec::new();
    checks_below(&root, &mut files);
    assert!(files.len() > 150, "{}", files.len());
    let mut has = BTreeMap::<String, Vec<String>>::new();
    for path in files {
        let check: Json = from_yaml(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut texts = Vec::new();
        fixes(&check, &mut texts);
        texts.retain(|text| holds_command(text));
        if !texts.is_empty() {
            let id = path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
            has.insert(id, texts);
        }
    }
    let left: BTreeMap<String, usize> = from_yaml(&fs::read_to_string(LEFT).unwrap()).unwrap();
    let new = has.iter().filter(|(id, texts)| texts.len() > left.get(*id).copied().unwrap_or(0));
    let new: Vec<String> = new.map(|(id, texts)| format!("{id}: {texts:#?}")).collect();
    assert!(new.is_empty(), "name a recipe (docs/authors/remedies.md):\n{}", new.join("\n"));
    let done = left.iter().filter(|(id, count)| has.get(*id).map_or(0, Vec::len) < **count);
    let done: Vec<_> = done.map(|(id, _)| id).collect();
    assert!(done.is_empty(), "{LEFT} can become shorter: {done:?}");
}

#[test]
fn a_command_is_told_from_a_sentence() {
    let commands = [
        "On the host:  ss -ltnp | grep codis",
        "Look at it by hand:  {{ redis_cli(node) }} info server",
        "curl -s http://HOST:18080/topom",
        "codis-admin --dashboard=HOST:18080 --reload",
        "再检查：pikadoctor check {{ here }} --peer OTHER:PORT",
        "pikadoctor check 10.0.0.1:9221",
        "config set expire-logs-days 7, and the same in pika.conf",
        "take it away: --remove-proxy --token=aa --force",
    ];
    for text in commands {
        assert!(holds_command(text), "{text}");
    }
    for text in [
        "pikadoctor forecast says before what slaveof would do.",
        "Give it more time (--timeout 60s).",
        "SENTINEL RESET makes every Sentinel forget it.",
        "Restart it without --remove-lock: it takes the lock.",
        "The log of the host says why; its ps and ss are not needed.",
    ] {
        assert!(!holds_command(text), "{text}");
    }
}

#[test]
fn what_a_person_puts_in_is_a_word_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let mut files = Vec::new();
    checks_below(&root, &mut files);
    let within = |text: &str| text.contains("~ to_fill(") || text.contains("~ secret(");
    let wrong: Vec<_> = files.iter().filter(|path| within(&fs::read_to_string(path).unwrap())).collect();
    assert!(wrong.is_empty(), "within a word nobody can fill it in: {wrong:?}");
}
