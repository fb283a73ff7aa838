//! A report is in one language, whatever language the facts were collected in.

use crate::support::{Run, answering, pikadoctor};

#[test]
fn a_person_reads_one_language() {
    let address = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let run = Run::of(pikadoctor().args(["check", &address, "--lang", "zh", "--format", "tap"]));
    assert!(run.stdout.contains("应答者未按 Pika 检查：它发送 `HTTP/1.1 400 Bad Request`"), "{}", run.stdout);
    let facts = Run::of(pikadoctor().args(["check", &address, "--lang", "zh", "--format", "json"]));
    assert!(
        facts.stdout.contains("what answers is not examined as a Pika"),
        "facts are the same for everybody"
    );
}
