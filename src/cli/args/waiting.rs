//! `check --wait`: looks again at what is not yet ok, until everything is, or the time is over, or waiting cannot help.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::connection;
use super::options::Printing;
use crate::cli::outcome::Failure;
use crate::cli::progress::Progress;
use crate::judge::policy::Policy;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::finding::{Ended, Finding, Gate, Report, State, Verdict};
use crate::pipeline::inquiry::{Inquiry, replace};
use crate::pipeline::servers::Scope;
use crate::plan::values::parse_duration;

/// How long to wait, and how often to look.
#[derive(Debug, clap::Args)]
pub struct Waiting {
    /// Look again at what is not ok, until everything is or this time is over; ends with GO or NO-GO
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "from")]
    wait: Option<Duration>,

    /// Time between two looks
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, requires = "wait")]
    every: Duration,
}

impl Waiting {
    /// How long, if at all.
    pub fn time(&self) -> Option<Duration> {
        self.wait
    }
}

/// What is needed to look and to judge, again and again.
pub struct Watch<'a> {
    /// What to look at.
    pub inquiry: &'a Inquiry,
    /// Adds what a plan and files say to what was seen.
    pub complete: &'a dyn Fn(&mut Facts),
    /// The checks.
    pub catalogue: &'a Catalogue,
    /// What counts.
    pub policy: &'a Policy,
    /// What fails, and the language.
    pub printing: &'a Printing,
    /// How far one look goes that begins now.
    pub scope: &'a dyn Fn() -> Scope,
}

/// What an interrupted wait has seen so far.
struct Course {
    facts: Facts,
    rounds: u32,
    /// What could not pass in the last look: check and target.
    hopeless: BTreeSet<(String, String)>,
}

impl Watch<'_> {
    /// Waits. The report is that of the last look, with the word GO or NO-GO.
    pub fn wait(&self, waiting: &Waiting, time: Duration) -> Result<Report, Failure> {
        connection::run(async {
            let mut stops = Stops::listen().map_err(Failure::new)?;
            let began = Instant::now();
            let mut progress = Progress::new(self.printing.language(), time);
            let mut course = Course { facts: Facts::default(), rounds: 0, hopeless: BTreeSet::new() };
            let watched = self.watch(&mut course, &mut progress, began + time, waiting.every);
            let ended = tokio::select! {
                biased;
                () = stops.next() => None,
                ended = watched => Some(ended),
            };
            progress.end();
            let mut report = self.judge(course.facts);
            if ended.is_none() {
                report.exit_code = exit::UNKNOWN;
            }
            let ended = ended.unwrap_or(Ended::Interrupted);
            Ok(Report { gate: Some(gate(&report, course.rounds, began, ended)), ..report })
        })?
    }

    async fn watch(
        &self,
        course: &mut Course,
        progress: &mut Progress,
        deadline: Instant,
        every: Duration,
    ) -> Ended {
        let mut whole = true;
        loop {
            let (seen, report) = self.look(course, whole).await;
            course.facts = seen;
            course.rounds += 1;
            progress.round(&report, self.printing);
            let ok = report.exit_code == exit::OK;
            // What was ok in an early look may not be any more: the last look is at everything.
            if ok && whole {
                return Ended::Done;
            }
            let hopeless = self.hopeless(&report);
            // Twice: what is read in the middle of a change may look like what never changes.
            if whole && hopeless.iter().any(|one| course.hopeless.contains(one)) {
                return Ended::Hopeless;
            }
            let again = hopeless.iter().any(|one| course.hopeless.contains(one));
            course.hopeless = hopeless;
            whole = ok || again;
            if Instant::now() >= deadline {
                return Ended::TimeOver;
            }
            if !whole {
                let left = deadline.saturating_duration_since(Instant::now());
                tokio::time::sleep(every.min(left)).await;
            }
        }
    }

    /// Looks at everything, or at what was not ok in the last look.
    async fn look(&self, course: &Course, whole: bool) -> (Facts, Report) {
        let scope = (self.scope)();
        let knowledge = &self.catalogue.knowledge;
        let part = if whole { self.inquiry.clone() } else { self.inquiry.part(&self.failing(course)) };
        let mut later = part.look(knowledge, scope).await;
        (self.complete)(&mut later);
        let mut facts = course.facts.clone();
        if facts.nodes.is_empty() {
            facts = later;
        } else {
            replace(&mut facts, later);
        }
        let report = self.judge(facts.clone());
        (facts, report)
    }

    fn judge(&self, facts: Facts) -> Report {
        self.printing.judge(facts, self.catalogue, self.policy)
    }

    /// The targets of the last look that were not ok.
    fn failing(&self, course: &Course) -> BTreeSet<String> {
        let findings = self.judge(course.facts.clone()).findings.into_iter();
        let failing = findings.filter(|finding| self.printing.fails(finding.state));
        failing.map(|finding| finding.target).collect()
    }

    /// What fails the run and does not pass by itself.
    fn hopeless(&self, report: &Report) -> BTreeSet<(String, String)> {
        let fails = |state: State| self.printing.fails(state);
        let stays = |finding: &&Finding| {
            fails(finding.state)
                && finding.problems.iter().any(|problem| fails(problem.state) && !problem.may_pass)
        };
        let findings = report.findings.iter().filter(stays);
        findings.map(|finding| (finding.check.clone(), finding.target.clone())).collect()
    }
}

/// The word of a run that began at `began`.
pub fn gate(report: &Report, rounds: u32, began: Instant, ended: Ended) -> Gate {
    let verdict = if report.exit_code == exit::OK { Verdict::Go } else { Verdict::NoGo };
    Gate { verdict, rounds, waited_seconds: began.elapsed().as_secs_f64(), ended }
}

/// The signals that ask the program to stop: Ctrl-C, and what a pipeline sends when it is cancelled.
struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Stops {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
