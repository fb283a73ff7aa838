//! What a person, or the log of a pipeline, sees while `check --wait` waits: on the standard error only.
//!
//! On a terminal a bar for each link that catches up; anywhere else one line for each change of state and no
//! control characters.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::output::ReportArgs;
use crate::i18n::texts;
use crate::model::finding::{Finding, Report, State};
use crate::model::link::Link;
use crate::model::replication::Stage;
use crate::model::text::{Language, escape_control};
use crate::render::armour::armoured_text;
use crate::render::words::{duration, state as state_word};

/// Shows what changes from look to look.
pub struct Progress {
    language: Language,
    began: Instant,
    /// What each target came to in the last look.
    states: BTreeMap<String, State>,
    screen: Option<Screen>,
    /// How far each link was behind in the last look that knew, and when that was.
    lags: BTreeMap<String, Lag>,
}

struct Lag {
    /// Bytes behind.
    bytes: u64,
    at: Instant,
    /// The most that it was behind: the length of its bar.
    most: u64,
    /// Bytes per second that it came nearer, between the last two looks.
    speed: Option<f64>,
}

struct Screen {
    all: MultiProgress,
    /// The line at the foot: what is still not ok.
    foot: ProgressBar,
    bars: BTreeMap<String, ProgressBar>,
}

impl Progress {
    /// Bars where the standard error is a terminal. `time`: how long the wait lasts at most.
    pub fn new(language: Language, time: Duration) -> Self {
        let screen = io::stderr().is_terminal().then(|| {
            let all = MultiProgress::new();
            let foot = all.add(ProgressBar::new_spinner());
            let limit = duration(time.as_secs_f64());
            let template = format!("{{spinner}} {{elapsed}} / {limit}  {{wide_msg}}");
            foot.set_style(
                ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            foot.enable_steady_tick(Duration::from_millis(200));
            Screen { all, foot, bars: BTreeMap::new() }
        });
        Self { language, began: Instant::now(), states: BTreeMap::new(), screen, lags: BTreeMap::new() }
    }

    /// A look is over.
    pub fn round(&mut self, report: &Report, printing: &ReportArgs) {
        let mut worst: BTreeMap<&str, &Finding> = BTreeMap::new();
        // They are ordered worst first.
        for finding in report.findings.iter().filter(|finding| finding.state.rank() <= State::Ok.rank()) {
            worst.entry(&finding.target).or_insert(finding);
        }
        for (target, finding) in &worst {
            let before = self.states.insert((*target).to_owned(), finding.state);
            let first_and_fine = before.is_none() && !printing.fails(finding.state);
            if before != Some(finding.state) && !first_and_fine {
                self.line(&change(before, finding, self.began.elapsed(), self.language));
            }
        }
        for link in &report.facts.links {
            self.measure(link);
        }
        let failing = worst.values().filter(|finding| printing.fails(finding.state)).count();
        let count = worst.len();
        if let Some(screen) = &mut self.screen {
            let text = texts::progress_failing(self.language, failing, count);
            screen.foot.set_message(text);
            for link in &report.facts.links {
                let copying = copies(report, link);
                let fails =
                    worst.get(link.name.as_str()).is_some_and(|finding| printing.fails(finding.state));
                let message = link_progress(copying, self.lags.get(&link.name), self.language);
                screen.draw(&link.name, self.lags.get(&link.name), fails, message);
            }
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self) {
        if let Some(screen) = &self.screen {
            let _ = screen.all.clear();
        }
    }

    fn line(&self, text: &str) {
        let text = armoured_text(&escape_control(text));
        let written = match &self.screen {
            Some(screen) => screen.all.println(&text),
            None => writeln!(io::stderr(), "{text}"),
        };
        // Nobody reads it any more; the report is what counts.
        let _ = written;
    }

    fn measure(&mut self, link: &Link) {
        let behind = link.flow.iter().flatten().map(|flow| flow.behind_bytes).sum::<Option<u64>>();
        let Some(bytes) = behind.filter(|_| link.flow.is_some()) else { return };
        let now = Instant::now();
        let known = self.lags.get(&link.name);
        #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
        let speed = known.and_then(|known| {
            let seconds = now.duration_since(known.at).as_secs_f64();
            (bytes < known.bytes && seconds > 0.0).then(|| (known.bytes - bytes) as f64 / seconds)
        });
        let most = known.map_or(bytes, |known| known.most.max(bytes));
        self.lags.insert(link.name.clone(), Lag { bytes, at: now, most, speed });
    }
}

impl Screen {
    fn draw(&mut self, link: &str, lag: Option<&Lag>, fails: bool, message: String) {
        if !fails {
            if let Some(bar) = self.bars.remove(link) {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = self.bars.entry(link.to_owned()).or_insert_with(|| {
            let bar = self.all.insert_before(&self.foot, ProgressBar::new(1));
            let style = ProgressStyle::with_template("  {prefix}  [{bar:12}] {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(escape_control(link));
            bar
        });
        bar.set_length(lag.map_or(1, |lag| lag.most.max(1)));
        bar.set_position(lag.map_or(0, |lag| lag.most - lag.bytes));
        bar.set_message(message);
    }
}

/// Whether the replica takes a full copy.
fn copies(report: &Report, link: &Link) -> bool {
    let replica = report.facts.node(&link.replica).and_then(|node| node.replication.as_ref());
    let states = replica.and_then(|replication| replication.master.as_ref()).map(|master| &master.states);
    states.is_some_and(|states| states.iter().any(|state| state.stage == Stage::FullSync))
}

/// `full copy`, `behind 3.2 MiB, about 4s left`.
fn link_progress(copying: bool, lag: Option<&Lag>, language: Language) -> String {
    if copying {
        return texts::PROGRESS_FULL_COPY.get(language).to_owned();
    }
    let Some(lag) = lag else { return String::new() };
    let bytes = bytesize::ByteSize(lag.bytes);
    let mut text = texts::progress_behind(language, bytes);
    #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
    if let Some(speed) = lag.speed {
        let left = duration(lag.bytes as f64 / speed);
        text.push_str(&texts::progress_left(language, left));
    }
    text
}

/// `+1m 5s  10.0.0.2:9221 <- 10.0.0.1:9221  critical -> ok`, with what is found.
fn change(before: Option<State>, finding: &Finding, after: Duration, language: Language) -> String {
    let now = state_word(finding.state, language).to_lowercase();
    let states = match before {
        Some(before) => format!("{} -> {now}", state_word(before, language).to_lowercase()),
        None => now,
    };
    let found = if finding.state.matters() {
        let text = finding.problems.first().map_or(finding.note.as_str(), |problem| problem.found.as_str());
        let line = text.lines().next().unwrap_or_default();
        format!("  {}: {line}", finding.check)
    } else {
        String::new()
    };
    format!("+{}  {}  {states}{found}", duration(after.as_secs_f64()), finding.target)
}
