//! The end of a run that does not end by itself: its time is over, or somebody stops it.
//!
//! Whatever a run does when that happens, be it waiting, parsing, judging or rendering, it says so and ends with UNKNOWN: a
//! monitoring system must neither wait for it nor take a signal for a state of the server. A thread of its own looks
//! after that, for code that computes asks nobody whether it may go on.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::said;
use crate::collect::files::write::remove_unfinished;
use crate::model::exit;
use crate::model::limits::{MAX_JUDGING_TIMEOUT, MIN_JUDGING_TIMEOUT};

/// How often the thread looks whether the time was changed.
const LOOK: Duration = Duration::from_millis(100);

/// What is watched.
#[derive(Clone, Copy)]
struct Watched {
    /// When it is over. `None`: never.
    until: Option<Instant>,
    /// Whether somebody else looks after signals.
    signals_taken: bool,
    /// How the end is said.
    say: fn(&str),
}

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);

/// Watches a run that may take `time` for what it collects, and a moment more for the rest.
pub fn watch(time: Duration) {
    let rest = (3 * time).clamp(MIN_JUDGING_TIMEOUT, MAX_JUDGING_TIMEOUT);
    set(|watched| watched.until = Some(Instant::now() + time + rest));
}

/// Watches for signals only: what is read has no end that could be told before.
pub fn watch_for_signals() {
    set(|_| {});
}

/// Leaves the signals to the run, which has something to say when one comes.
pub fn leave_signals() {
    set(|watched| watched.signals_taken = true);
}

/// Has the end said on the standard output, as the protocol of a plugin wants it.
pub fn say_by(say: fn(&str)) {
    set(|watched| watched.say = say);
}

/// The document is there: whoever reads it may take their time.
pub fn is_done() {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watched) = watched.as_mut() {
        watched.until = None;
    }
}

fn set(change: impl FnOnce(&mut Watched)) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let begins = watched.is_none();
    change(watched.get_or_insert(Watched { until: None, signals_taken: false, say: said::say }));
    if begins {
        let (ready, listens) = mpsc::channel();
        // Without the thread the run is as it would be without this file. With it, no signal is missed from here on.
        drop(watched);
        if thread::Builder::new().name("watch".to_owned()).spawn(move || look_after(&ready)).is_ok() {
            let _ = listens.recv();
        }
    }
}

fn look_after(ready: &mpsc::Sender<()>) {
    // Without it the run says by itself that it may open no more files.
    let Ok(runtime) = super::runtime::new() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        let _ = ready.send(());
        loop {
            let stopped = tokio::select! {
                _ = interrupt.recv() => true,
                _ = terminate.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let Some(watched) = *WATCHED.lock().unwrap_or_else(PoisonError::into_inner) else { continue };
            if stopped && !watched.signals_taken {
                end(watched, "stopped by a signal before there was a report");
            }
            if watched.until.is_some_and(|until| Instant::now() >= until) {
                end(
                    watched,
                    "the time for the run was over before there was a report: too much to read or to judge",
                );
            }
        }
    });
}

fn end(watched: Watched, why: &str) {
    (watched.say)(why);
    // What is being written would be left behind under the name that it has for the moment. Nothing is begun any more.
    let _nothing_begins = remove_unfinished();
    std::process::exit(i32::from(exit::UNKNOWN));
}
