//! Servers that die, stall, lie or become others in the middle: a clear end, and never "equal".

use std::time::Duration;

use pikadoctor::collect::verify::VerifyOptions;
use pikadoctor::model::verification::Verification;

use crate::support::compared::{compare, compared, quick, run, some_data, state};
use crate::support::data_server::{Data, DataServer, Turn};

/// Compares a good source with a target that behaves so from its command number 40 on.
fn with_target(release: &str, turn: fn(&[Vec<u8>]) -> Turn) -> Verification {
    let source = DataServer::plain(release, some_data());
    let target =
        DataServer::start(
            release,
            some_data(),
            move |_: &mut Data, number, words| {
                if number >= 60 { turn(words) } else { Turn::Answer }
            },
        );
    compared(&source, &target, VerifyOptions::default())
}

fn ended(verification: &Verification, with: &str) {
    assert!(!verification.is_complete);
    let reason = verification.stopped.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains(with), "{reason:?} is not about {with:?}");
    assert!(!verification.ended_at.is_empty());
}

#[test]
fn a_server_that_dies_ends_the_run() {
    ended(&with_target("v3.3.6", |_| Turn::Die), "closed the connection");
    ended(&with_target("v2.3.6", |_| Turn::Die), "closed the connection");
}

#[test]
fn a_server_that_answers_with_errors_ends_the_run() {
    let error = |_: &[Vec<u8>]| Turn::Say(b"-ERR Server is loading\r\n".to_vec());
    ended(&with_target("v3.3.6", error), "Server is loading");
}

#[test]
fn a_listing_that_goes_back_or_never_ends_ends_the_run() {
    let same = |words: &[Vec<u8>]| match words[0].as_slice() {
        b"pkscanrange" => Turn::Say(b"*2\r\n$3\r\nzzz\r\n*1\r\n$4\r\nuser\r\n".to_vec()),
        _ => Turn::Answer,
    };
    let source = DataServer::plain("v3.3.6", some_data());
    for from in [1, 60] {
        let target =
            DataServer::start(
                "v3.3.6",
                some_data(),
                move |_, number, words| {
                    if number >= from { same(words) } else { Turn::Answer }
                },
            );
        ended(&compared(&source, &target, VerifyOptions::default()), "out of their order");
    }
    let empty = |words: &[Vec<u8>]| match words[0].as_slice() {
        b"pkscanrange" => Turn::Say(b"*2\r\n$1\r\na\r\n*0\r\n".to_vec()),
        _ => Turn::Answer,
    };
    let target = DataServer::start("v3.3.6", some_data(), move |_, _, words| empty(words));
    ended(&compared(&source, &target, VerifyOptions::default()), "out of their order");
}

#[test]
fn a_cursor_that_is_lost_ends_the_run() {
    // After a restart SCAN begins anew, and says so by counting from there.
    let source = DataServer::plain("v2.3.6", some_data());
    let target = DataServer::start("v2.3.6", some_data(), |_, _, words| {
        if words[0] == b"scan" && words[1] != b"0" {
            return Turn::Say(b"*2\r\n$3\r\n509\r\n*1\r\n$1\r\na\r\n".to_vec());
        }
        Turn::Answer
    });
    ended(&compared(&source, &target, VerifyOptions::default()), "no longer knows the place");
}

#[test]
fn a_server_that_becomes_another_one_ends_the_run() {
    for (line, other, about) in [
        ("pika_version:3.3.6", "pika_version:3.3.5", "another release"),
        ("process_id:", "process_id:9", "another process"),
        ("role:master", "role:slave", "another role"),
    ] {
        let source = DataServer::plain("v3.3.6", some_data());
        let recorded = crate::support::recording("v3.3.6/standalone/standalone");
        let target = DataServer::start("v3.3.6", some_data(), move |_, number, words| {
            let text: Vec<String> =
                words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            if number < 100 || words[0] != b"info" {
                return Turn::Answer;
            }
            let reply = recorded.reply(&text);
            let Some((_, body)) = reply.split_once("\r\n") else { return Turn::Answer };
            let body = body.replacen(line, other, 1);
            let body = body.trim_end_matches("\r\n");
            Turn::Say(format!("${}\r\n{body}\r\n", body.len()).into_bytes())
        });
        ended(&compared(&source, &target, VerifyOptions::default()), about);
    }
}

#[test]
fn a_run_whose_time_is_over_ends_and_can_be_taken_up() {
    // Twenty keys a second are too few for the second that it may take.
    let (_directory, path) = state();
    let (source, target) =
        (DataServer::plain("v3.3.6", some_data()), DataServer::plain("v3.3.6", some_data()));
    let options = quick(VerifyOptions { state: Some(path), ..VerifyOptions::default() });
    let slow = VerifyOptions { rate: Some(20), ..options.clone() };
    let stopped = run(async {
        tokio::time::timeout(Duration::from_millis(700), compare(&[&source], &[&target], &slow))
            .await
            .is_err()
    });
    assert!(stopped, "20 keys a second is not that fast");
    let again = run(compare(&[&source], &[&target], &options)).unwrap();
    assert!(again.is_complete && again.different == 0 && again.resumed == 1);
    assert_eq!(again.compared(), some_data().0.len() as u64);
}
