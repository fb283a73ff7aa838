//! `check --wait`: looks again at what is not yet ok, until everything is, or the time is over, or waiting cannot help.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::connection::ConnectionArgs;
use super::output::ReportArgs;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::runtime;
use crate::cli::watch::{leave_signals, watch};
use crate::judge::policy::Policy;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::finding::{Ended, Finding, Gate, Report, State, Verdict};
use crate::parse::duration;
use crate::pipeline::request::CollectionPlan;
use crate::pipeline::{self, CHECK};

/// How long to wait, and how often to look.
#[derive(Debug, clap::Args)]
pub struct WaitArgs {
    /// Repeat what is not ok until everything is, or until this time is over; ends with GO or NO-GO
    #[arg(long, value_name = "DURATION", value_parser = duration::timeout, conflicts_with = "from")]
    wait: Option<Duration>,

    /// Interval between two rounds
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::timeout, requires = "wait")]
    every: Duration,
}

impl WaitArgs {
    /// How long, if at all.
    pub fn time(&self) -> Option<Duration> {
        self.wait
    }
}

/// What is needed to look and to judge, again and again.
pub struct WaitLoop<'a> {
    /// What is collected.
    pub plan: &'a CollectionPlan,
    /// The checks.
    pub catalogue: &'a Catalogue,
    /// What counts.
    pub policy: &'a Policy,
    /// What fails, and the language.
    pub report: &'a ReportArgs,
    /// How the servers are reached, and how long one round may take.
    pub connecting: &'a ConnectionArgs,
}

/// What an interrupted wait has seen so far.
struct Course {
    facts: Facts,
    rounds: u32,
    /// What could not pass in the last look: check and target.
    hopeless: BTreeSet<(String, String)>,
}

impl WaitLoop<'_> {
    /// Waits. The report is that of the last look, with the word GO or NO-GO.
    pub fn wait(&self, waiting: &WaitArgs, time: Duration) -> Result<Report, CliError> {
        leave_signals();
        watch(time + self.connecting.deadlines(self.plan.is_large()).left());
        runtime::run(async {
            let mut stops = Stops::listen().map_err(CliError::Signals)?;
            let began = Instant::now();
            let mut progress = Progress::new(self.report.language(), time);
            let mut course = Course { facts: Facts::default(), rounds: 0, hopeless: BTreeSet::new() };
            let watched = self.watch(&mut course, &mut progress, began + time, waiting.every);
            let ended = tokio::select! {
                biased;
                () = stops.next() => None,
                ended = watched => Some(ended?),
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
    ) -> Result<Ended, CliError> {
        let mut whole = true;
        loop {
            let (facts, report) = self.round(course, whole).await?;
            course.facts = facts;
            course.rounds += 1;
            progress.round(&report, self.report);
            let ok = report.exit_code == exit::OK;
            // What was ok in an early look may not be any more: the last look is at everything.
            if ok && whole {
                return Ok(Ended::Done);
            }
            let hopeless = self.hopeless(&report);
            // Twice: what is read in the middle of a change may look like what never changes.
            if whole && hopeless.iter().any(|one| course.hopeless.contains(one)) {
                return Ok(Ended::Hopeless);
            }
            let again = hopeless.iter().any(|one| course.hopeless.contains(one));
            course.hopeless = hopeless;
            whole = ok || again;
            if Instant::now() >= deadline {
                return Ok(Ended::TimeOver);
            }
            if !whole {
                let left = deadline.saturating_duration_since(Instant::now());
                tokio::time::sleep(every.min(left)).await;
            }
        }
    }

    /// Collects everything, or what was not ok in the last round.
    async fn round(&self, course: &Course, whole: bool) -> Result<(Facts, Report), CliError> {
        let part = if whole { self.plan.clone() } else { self.plan.subset(&self.failing(course)) };
        let deadlines = self.connecting.deadlines(self.plan.is_large());
        let later = pipeline::collect(&part, CHECK, &self.catalogue.knowledge, deadlines).await?;
        let mut facts = course.facts.clone();
        if facts.nodes.is_empty() {
            facts = later;
        } else {
            facts.merge(later);
        }
        let report = self.judge(facts.clone());
        Ok((facts, report))
    }

    fn judge(&self, facts: Facts) -> Report {
        self.report.judge(facts, self.catalogue, self.policy)
    }

    /// The targets of the last look that were not ok.
    fn failing(&self, course: &Course) -> BTreeSet<String> {
        let findings = self.judge(course.facts.clone()).findings.into_iter();
        let failing = findings.filter(|finding| self.report.fails(finding.state));
        failing.map(|finding| finding.target).collect()
    }

    /// What fails the run and does not pass by itself.
    fn hopeless(&self, report: &Report) -> BTreeSet<(String, String)> {
        let fails = |state: State| self.report.fails(state);
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
