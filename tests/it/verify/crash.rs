//! A run that ends in the middle is taken up and comes to the same, wherever that was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pikadoctor::collect::verify::VerifyOptions;
use pikadoctor::model::verification::{CompareLevel, DataType, TypeCounts, Verification};
use tokio::sync::Notify;

use crate::support::compared::{compare, quick, run, some_data, state};
use crate::support::data_server::{Contents, Data, DataServer, Turn};

fn changed() -> Data {
    let mut data = some_data();
    data.remove(DataType::String, b"user:0010");
    data.remove(DataType::Hash, b"h:7");
    data.put(b"h:7", Contents::Set([b"m".to_vec()].into()));
    data.put(b"zzz", Contents::Text(b"x".to_vec()));
    data.get(DataType::List, b"l:3").0 = Contents::List(vec![b"one".to_vec()]);
    data.get(DataType::String, b"user:0599").0 = Contents::Text(b"value 600".to_vec());
    data
}

/// What a run came to, without what depends on time.
fn result(verification: &Verification) -> (Vec<TypeCounts>, u64, Vec<String>) {
    let examples = verification.examples.iter().map(|example| format!("{example:?}")).collect();
    (verification.counts.clone(), verification.different, examples)
}

fn undisturbed(release: &str, options: &VerifyOptions) -> (Verification, u64) {
    let (source, target) = (DataServer::plain(release, some_data()), DataServer::plain(release, changed()));
    let whole = run(compare(&[&source], &[&target], options)).unwrap();
    assert!(whole.is_complete);
    let commands = target.sent.lock().unwrap().len() as u64;
    (whole, commands)
}

/// Whether the run is dropped when the target is sent its command number `at`, taken up and dropped again the same way
/// until it comes to its end: every part of it goes on from what the last transaction said.
fn comes_to_the_same(release: &str, every: impl Fn(u64) -> Vec<u64>) {
    let options = quick(VerifyOptions {
        level: CompareLevel::Value,
        // Every batch is a transaction.
        commit_interval: Some(Duration::ZERO),
        ..VerifyOptions::default()
    });
    let (whole, commands) = undisturbed(release, &options);
    assert_eq!(whole.different, 5, "{:?}", whole.examples);
    for at in every(commands) {
        let (_directory, path) = state();
        let options = VerifyOptions { state: Some(path), ..options.clone() };
        let source = DataServer::plain(release, some_data());
        let (killed, count) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
        let (kill, counted) = (killed.clone(), count.clone());
        let target = DataServer::start(release, changed(), move |_, _, _| {
            if counted.fetch_add(1, Ordering::Relaxed) + 1 == at {
                kill.notify_one();
                return Turn::Stall;
            }
            Turn::Answer
        });
        let died = run(async {
            let (sources, targets) = ([&source], [&target]);
            tokio::select! {
                () = killed.notified() => true,
                ended = compare(&sources, &targets, &options) => { ended.unwrap(); false }
            }
        });
        let again = run(compare(&[&source], &[&target], &options)).unwrap();
        assert!(again.is_complete, "{at}: {:?}", again.stopped);
        assert_eq!(result(&again), result(&whole), "{release}: ended at {at} of {commands}");
        assert!(died, "{at} of {commands} was never reached");
    }
}

#[test]
fn a_run_by_range_that_ends_anywhere_comes_to_the_same_when_it_is_taken_up() {
    comes_to_the_same("v3.3.6", |commands| {
        let begin = commands.saturating_sub(200).max(1);
        (1..20).map(|part| (part * commands / 20).max(20)).chain((begin..commands).step_by(13)).collect()
    });
}

#[test]
fn a_run_by_cursor_that_ends_anywhere_comes_to_the_same_when_it_is_taken_up() {
    comes_to_the_same("v2.3.6", |commands| (1..15).map(|part| (part * commands / 15).max(20)).collect());
}

#[test]
fn what_was_compared_before_the_end_is_not_looked_at_again() {
    let (_directory, path) = state();
    let options = quick(VerifyOptions {
        state: Some(path),
        commit_interval: Some(Duration::ZERO),
        ..VerifyOptions::default()
    });
    let (source, target) =
        (DataServer::plain("v3.3.6", some_data()), DataServer::plain("v3.3.6", some_data()));
    run(compare(&[&source], &[&target], &options)).unwrap();
    let before = target.sent.lock().unwrap().len();
    let again = run(compare(&[&source], &[&target], &options)).unwrap();
    assert!(again.is_complete);
    assert_eq!((again.resumed, again.compared()), (1, some_data().0.len() as u64));
    let sent = target.sent.lock().unwrap();
    let looked: Vec<_> =
        sent[before..].iter().filter(|words| words[0] == b"pkscanrange" || words[0] == b"strlen").collect();
    assert!(looked.is_empty(), "{looked:?}");
}

#[test]
fn a_state_of_another_comparison_is_refused() {
    let (_directory, path) = state();
    let of = |level, shard| {
        quick(VerifyOptions { level, shard, state: Some(path.clone()), ..VerifyOptions::default() })
    };
    let (source, target) =
        (DataServer::plain("v3.3.6", some_data()), DataServer::plain("v3.3.6", some_data()));
    let newer = DataServer::plain("v3.5.5", some_data());
    let first = of(CompareLevel::Exists, None);
    run(compare(&[&source], &[&target], &first)).unwrap();
    let shard = pikadoctor::model::verification::Shard { number: 1, of: 2 };
    for (sources, targets, options) in [
        ([&source], [&target], of(CompareLevel::Value, None)),
        ([&source], [&target], of(CompareLevel::Exists, Some(shard))),
        ([&target], [&source], first.clone()),
        ([&source], [&newer], first.clone()),
    ] {
        let refused = run(compare(&sources, &targets, &options)).unwrap_err();
        assert!(refused.to_string().contains("is that of another comparison"), "{refused}");
    }
    assert!(run(compare(&[&source], &[&target], &first)).unwrap().is_complete);
}
