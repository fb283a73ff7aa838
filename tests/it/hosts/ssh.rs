//! What is asked of ssh and makes no sense is refused before anything is called.

use std::path::Path;

use crate::support::{Run, pikadoctor, run};

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_called() {
    let refused = |arguments: &[&str], words: &str| {
        let run = run(&[&["host"], arguments].concat());
        assert_eq!(run.code, 3, "{arguments:?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    };
    refused(&["--ssh=-oProxyCommand=touch x"], "is no destination of ssh");
    refused(&["--ssh", "db1", "--conf", "/etc/pika.conf"], "--pika-version");
    refused(&["--ssh", "db1", "--conf", "pika.conf", "--pika-version", "3.3.6"], "it is a file of db1");
    refused(&["--ssh-copy"], "--ssh <USER@HOST>");
}

#[test]
fn a_destination_that_is_an_option_is_refused() {
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh=-oProxyCommand=touch x"]));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("is no destination of ssh"), "{}", run.stderr);
    assert!(!Path::new("x").exists());
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh", "a", "--ssh", "b"]));
    assert!(run.stderr.contains("2 times for 1 server"), "{}", run.stderr);
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh-copy"]));
    assert!(run.stderr.contains("--ssh-copy needs --ssh"), "{}", run.stderr);
}
