//! What a person, or the log of a job, sees while data is compared: on the standard error only.
//!
//! On a terminal one line that changes; anywhere else one line a minute and no control characters.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::collect::verify::{VerifyPhase, VerifyProgress};
use crate::i18n::texts;
use crate::model::text::{Language, escape_control};
use crate::render::armour::armoured_text;
use crate::render::words::duration;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Shows how far a comparison is.
pub struct Comparing {
    language: Language,
    began: Instant,
    bar: Option<ProgressBar>,
    /// When the last line was written, and about which comparison and phase.
    last: Mutex<Option<Instant>>,
}

impl Comparing {
    /// A line that changes where the standard error is a terminal.
    pub fn new(language: Language) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {elapsed}  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self { language, began: Instant::now(), bar, last: Mutex::new(None) }
    }

    /// The comparison `name` has come so far.
    pub fn tell(&self, name: &str, progress: &VerifyProgress) {
        let line = || armoured_text(&escape_control(&format!("{name}  {}", words(progress, self.language))));
        if let Some(bar) = &self.bar {
            bar.set_message(line());
            bar.tick();
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A run of less than a minute says what it found, and nothing before.
        if last.unwrap_or(self.began).elapsed() >= LINE_EVERY {
            *last = Some(Instant::now());
            let after = duration(self.began.elapsed().as_secs_f64());
            // Nobody reads it any more; the report is what counts.
            let _ = writeln!(io::stderr(), "+{after}  {}", line());
        }
    }

    /// Nothing more comes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `comparing  1200 of about 5000 keys, 400 a second, about 10s left, 3 to look at again`.
fn words(progress: &VerifyProgress, language: Language) -> String {
    let phase = match progress.phase {
        VerifyPhase::Counting => texts::PROGRESS_COUNTING.get(language).to_owned(),
        VerifyPhase::Comparing => texts::PROGRESS_COMPARING.get(language).to_owned(),
        VerifyPhase::Again(round) => texts::progress_again(language, round),
    };
    let done = if progress.phase == VerifyPhase::Counting { progress.listed } else { progress.compared };
    let mut text = match progress.of_about.filter(|all| *all >= done) {
        Some(all) => format!("{phase}  {}", texts::progress_keys_of(language, done, all)),
        None => format!("{phase}  {}", texts::progress_keys(language, done)),
    };
    if progress.rate >= 1.0 {
        text += &texts::progress_rate(language, format!("{:.0}", progress.rate));
        let left = progress.of_about.and_then(|all| all.checked_sub(done)).filter(|left| *left > 0);
        #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
        if let (VerifyPhase::Comparing, Some(left)) = (progress.phase, left) {
            text += &texts::progress_left(language, duration(left as f64 / progress.rate));
        }
    }
    if progress.open > 0 {
        text += &texts::progress_open(language, progress.open);
    }
    if progress.different > 0 {
        text += &texts::progress_different(language, progress.different);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let progress = VerifyProgress {
            phase: VerifyPhase::Comparing,
            listed: 1300,
            compared: 1200,
            of_about: Some(5200),
            open: 3,
            different: 0,
            rate: 400.0,
        };
        let line = words(&progress, Language::En);
        assert_eq!(
            line,
            "comparing  1200 of about 5200 keys, 400 a second, about 10s left, 3 to look at again"
        );
        let again = VerifyProgress { phase: VerifyPhase::Again(2), of_about: None, rate: 0.0, ..progress };
        assert_eq!(words(&again, Language::En), "looking again (2)  1200 keys, 3 to look at again");
        // More keys than the last scan counted: nothing is said of how many are left.
        let more = VerifyProgress {
            phase: VerifyPhase::Comparing,
            of_about: Some(1000),
            open: 0,
            rate: 9.0,
            ..again
        };
        assert_eq!(words(&more, Language::Zh), "比对中  1200 个 key，每秒 9 个");
    }
}
