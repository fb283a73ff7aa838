//! What the tool says while it looks is there in Chinese, each phrase once, and none that nothing says any more.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{Run, answering, pikadoctor};
use pikadoctor::catalog::built_in;
use pikadoctor::judge::phrases::Phrases;
use pikadoctor::model::text::{Bilingual, Language};
use regex::{Captures, Regex};

/// Words of the operating system and the resolver.
const LIBRARIES: [&str; 5] =
    ["(os error ", "failed to lookup", "Name or service", "Temporary failure", "error resolving"];

fn phrases() -> Phrases {
    Phrases::new(&built_in().knowledge.phrases, Language::Zh)
}

#[test]
fn each_phrase_is_found_by_what_it_says() {
    let phrases = phrases();
    let value = Regex::new(r"\{(\w+)\}").unwrap();
    for phrase in &built_in().knowledge.phrases {
        let said = |text: &str| {
            value.replace_all(text, |name: &Captures<'_>| format!("<{}>", &name[1])).into_owned()
        };
        assert_eq!(phrases.localized(&said(&phrase.en)), said(&phrase.zh), "{phrase:?}");
        assert!(!said(&phrase.zh).contains(['{', '}']), "{phrase:?}");
    }
}

#[test]
fn what_a_phrase_holds_is_looked_up_too_and_what_is_unknown_stays() {
    let phrases = phrases();
    for (said, spoken) in [
        ("10.0.0.1:9221 was not reached", "未能连接 10.0.0.1:9221"),
        ("master.config: 10.0.0.1:9221 was not reached", "master.config: 未能连接 10.0.0.1:9221"),
        (
            "/data/db: Permission denied (os error 13); run pikadoctor as the user of Pika or as root",
            "/data/db: 权限不足 (os error 13)；请以 Pika 的用户或 root 运行 pikadoctor",
        ),
        ("ERR {address} of a server", "ERR {address} of a server"),
        ("a\nb was not reached", "未能连接 a\nb"),
        ("", ""),
    ] {
        assert_eq!(phrases.localized(said), spoken);
    }
    let english = Phrases::new(&built_in().knowledge.phrases, Language::En);
    assert_eq!(english.localized("it was not reached"), "it was not reached");
}

/// All Rust files below a directory, with sentences that go on in the next line in one.
fn sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else {
            let _ = writeln!(text, "{}", fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn no_phrase_is_there_that_nothing_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for room in ["src/collect", "src/parse", "src/derive", "src/pipeline", "src/judge"] {
        sources(&root.join(room), &mut text);
    }
    for file in ["generations.yaml", "dialects.yaml"] {
        text += &fs::read_to_string(root.join("checks/knowledge").join(file)).unwrap();
    }
    let text = Regex::new(r"\\\n\s*").unwrap().replace_all(&text, "");
    let value = Regex::new(r"\{\w+\}").unwrap();
    // What libraries say stands in none of them.
    let own = |phrase: &&Bilingual| !LIBRARIES.iter().any(|theirs| phrase.en.contains(theirs));
    for phrase in built_in().knowledge.phrases.iter().filter(own) {
        for words in value.split(&phrase.en) {
            assert!(text.contains(words.trim_matches('`')), "nothing says {words:?} of {:?}", phrase.en);
        }
    }
}

#[test]
fn a_person_reads_one_language() {
    let address = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let run = Run::of(pikadoctor().args(["check", &address, "--lang", "zh"]));
    assert!(run.stdout.contains("应答者未按 Pika 检查：它发送 `HTTP/1.1 400 Bad Request`"), "{}", run.stdout);
    let facts = Run::of(pikadoctor().args(["check", &address, "--lang", "zh", "--format", "json"]));
    assert!(
        facts.stdout.contains("what answers is not examined as a Pika"),
        "facts are the same for everybody"
    );
}
