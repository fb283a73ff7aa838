//! The run as a whole: opens, lists, compares, keeps, looks again, and says what it came to.

use tokio::time::{Instant, sleep, sleep_until};

use super::chosen::Choice;
use super::lookup::KeyState;
use super::options::{VerifyOptions, VerifyPhase, VerifyProgress};
use super::pace::{PaceController, PaceObservation, PaceStep, median};
use super::side::{HeldKey, SideListing, SideLookup};
use super::store::{OpenDifference, RunIdentity, RunStatus, StateChange, StateError, Store, TypeProgress};
use super::summary::{name_of, summary, why_not};
use super::watch::{PingLog, Pinger, Watch, databases};
use crate::catalog::era;
use crate::collect::clock;
use crate::collect::link::{Party, Session, Trouble};
use crate::collect::net::deadlines::Deadlines;
use crate::i18n::reasons;
use crate::model::knowledge::{CommandRule, Knowledge};
use crate::model::limits::{
    MAX_VERIFY_DATABASES, MAX_VERIFY_UNWRITTEN, VERIFY_COMMIT_INTERVAL, VERIFY_IDENTITY_INTERVAL,
    VERIFY_PIECE_KEYS, VERIFY_PING_INTERVAL, VERIFY_REST_INTERVAL,
};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;
use crate::model::verification::{CompareLevel, DataType, TypeCounts, Verification};

/// Compares the data of servers.
pub struct Verifier<'a> {
    /// What may be sent.
    pub knowledge: &'a Knowledge,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// What is compared, and how.
    pub options: &'a VerifyOptions,
}

/// One side of the comparison.
pub(super) struct Half<'a> {
    pub(super) listing: SideListing<'a>,
    pub(super) lookup: SideLookup<'a>,
    pub(super) watch: Watch<'a>,
    /// How many databases each server has.
    pub(super) databases: Vec<u64>,
}

/// A run that is under way.
pub(super) struct VerifyRun<'a, 't> {
    pub(super) options: &'a VerifyOptions,
    pub(super) source: Half<'a>,
    pub(super) target: Half<'a>,
    /// Whether the target takes its data from the source by replication.
    pub(super) linked: bool,
    pub(super) store: Store,
    pub(super) status: RunStatus,
    pub(super) change: StateChange,
    pub(super) pace: PaceController,
    tell: &'t mut dyn FnMut(&VerifyProgress),
    choice: Choice,
    told: VerifyProgress,
    counted_since: Instant,
    committed: Instant,
    checked: Instant,
    pings: PingLog,
    may_go_on: Instant,
    /// Keys compared since the last measurement, and when that was.
    window: (u64, Instant),
}

impl<'a> Verifier<'a> {
    /// Compares what `sources` have with what `targets` have. `linked`: the target replicates from the source.
    ///
    /// # Errors
    /// When the state cannot be used, because it is that of another comparison for example. Whatever else ends the run
    /// is said in what is returned.
    pub async fn run(
        &self,
        sources: &[Party<'_>],
        targets: &[Party<'_>],
        linked: bool,
        tell: &mut dyn FnMut(&VerifyProgress),
    ) -> Result<Verification, StateError> {
        let mut begun = Verification { started_at: clock::now(), ..self.named(sources, targets) };
        if let Some(reason) = sources.iter().chain(targets).find_map(|party| why_not(party.node)) {
            begun.stopped = Some(reason);
            begun.ended_at = clock::now();
            return Ok(begun);
        }
        let (store, mut status) = Store::open(self.options.state.as_deref(), &self.identity(&begun))?;
        if status.started_at.is_empty() {
            status.started_at.clone_from(&begun.started_at);
        } else {
            status.resumed += 1;
        }
        let opened = tokio::join!(self.open(sources), self.open(targets));
        let (source, target, mut pinger) = match opened {
            (Ok((source, of_source)), Ok((target, of_target))) => {
                (source, target, Pinger::new(of_source.into_iter().chain(of_target).collect()))
            }
            (Err(trouble), _) | (_, Err(trouble)) => {
                begun.stopped = Some(trouble.reason().clone());
                summary(&mut begun, &store, &status, self.options, None)?;
                return Ok(begun);
            }
        };
        self.note_gaps(&mut begun, &source, &target, sources.iter().chain(targets));
        let now = Instant::now();
        let known = known_keys(sources);
        let mut run = VerifyRun {
            options: self.options,
            source,
            target,
            linked,
            store,
            status,
            change: StateChange::default(),
            pace: PaceController::new(self.options.rate, self.options.unpaced, &[], None),
            tell,
            choice: Choice { share: None, shard: self.options.shard },
            told: VerifyProgress {
                phase: VerifyPhase::Comparing,
                listed: 0,
                compared: 0,
                of_about: known,
                open: 0,
                different: 0,
                rate: 0.0,
            },
            counted_since: now,
            committed: now,
            checked: now,
            pings: PingLog::default(),
            may_go_on: now,
            window: (0, now),
        };
        let pings = run.pings.clone();
        let ended = match run.measure_rest(&mut pinger).await {
            Ok(()) => tokio::select! {
                ended = run.whole() => ended,
                // A server that does not answer a PING any more does not answer anything.
                reason = pinger.note_into(&pings) => Err(reason),
            },
            Err(reason) => Err(reason),
        };
        // What was found until then is kept in any case.
        run.status.complete = ended.is_ok();
        let kept = run.commit();
        begun.stopped = ended.err().or(kept.err());
        let VerifyRun { store, status, pace, .. } = run;
        summary(&mut begun, &store, &status, self.options, Some(&pace))?;
        Ok(begun)
    }

    fn named(&self, sources: &[Party<'_>], targets: &[Party<'_>]) -> Verification {
        let (sources, targets) = (name_of(sources), name_of(targets));
        let joined = |servers: &[crate::model::verification::ComparedServer]| {
            servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(",")
        };
        Verification {
            name: format!("{} <- {}", joined(&targets), joined(&sources)),
            sources,
            targets,
            level: self.options.level,
            life_tolerance_seconds: self.options.life_tolerance.map(|tolerance| tolerance.as_secs()),
            shard: self.options.shard,
            ..Verification::default()
        }
    }

    fn identity(&self, begun: &Verification) -> RunIdentity {
        let server = |server: &crate::model::verification::ComparedServer| {
            format!("{} {}", server.name, server.release)
        };
        let options = &self.options;
        let shard = options.shard.map_or_else(String::new, |shard| format!("{}/{}", shard.number, shard.of));
        RunIdentity {
            format: 1,
            sources: begun.sources.iter().map(server).collect(),
            targets: begun.targets.iter().map(server).collect(),
            options: format!(
                "level {}, life {:?}, sample {:?}, shard {shard}",
                options.level.word(),
                begun.life_tolerance_seconds,
                options.sample
            ),
        }
    }

    /// What no run on these releases can see.
    fn note_gaps<'n>(
        &self,
        begun: &mut Verification,
        source: &Half<'_>,
        target: &Half<'_>,
        parties: impl Iterator<Item = &'n Party<'n>>,
    ) {
        let spares = source.lookup.spares_mortals() || target.lookup.spares_mortals();
        if spares && self.options.level > CompareLevel::Exists {
            let reason = reasons::verify_mortals_spared();
            begun.unavailable.push(Unavailable::not_in_release("counts.mortal", reason));
        }
        let mut releases = parties.filter_map(|party| party.node.version);
        if releases.any(|release| release.is_of(&era::ACL)) {
            begun
                .unavailable
                .push(Unavailable::not_in_release("counts.stream", reasons::verify_streams_not_listed()));
        }
    }

    async fn open(&self, parties: &[Party<'_>]) -> Result<(Half<'a>, Vec<Session<'a>>), Trouble> {
        let rules: &'a [CommandRule] = &self.knowledge.commands;
        let mut sessions: [Vec<Session<'a>>; 4] = Default::default();
        for party in parties {
            for sessions in &mut sessions {
                sessions.push(Session::open(*party, rules, &self.deadlines, false).await?);
            }
        }
        let [list, look, watch, ping] = sessions;
        let half = Half {
            listing: SideListing::new(list)?,
            lookup: SideLookup::new(look)?,
            watch: Watch::new(watch).await?,
            databases: parties.iter().map(|party| databases(party.node)).collect(),
        };
        Ok((half, ping))
    }
}

/// How many keys the sources counted at their last scan, where all of them did.
fn known_keys(sources: &[Party<'_>]) -> Option<u64> {
    let counts = sources.iter().map(|party| {
        let keyspace = party.node.keyspace.as_ref().filter(|keyspace| keyspace.scanned)?;
        Some(keyspace.counts.iter().map(|count| count.keys).sum::<u64>())
    });
    counts.sum::<Option<u64>>().filter(|sum| *sum > 0)
}

/// What one batch of merged listings has.
#[derive(Debug, Default)]
struct MergedBatch {
    both: (Vec<HeldKey>, Vec<HeldKey>),
    source_only: Vec<HeldKey>,
    target_only: Vec<HeldKey>,
    last: Option<Vec<u8>>,
    /// Keys that were passed, those that are not looked at included.
    passed: usize,
}

impl VerifyRun<'_, '_> {
    async fn whole(&mut self) -> Result<(), Reason> {
        if !self.status.compared {
            self.choose().await?;
            for db in 0..self.databases() {
                self.compare_database(db).await?;
            }
            self.status.compared = true;
            self.commit()?;
        }
        self.look_again().await?;
        self.check_identity().await
    }

    fn databases(&self) -> u32 {
        let most = self.source.databases.iter().chain(&self.target.databases).max().copied().unwrap_or(1);
        u32::try_from(most.min(MAX_VERIFY_DATABASES)).unwrap_or(1)
    }

    /// How quickly the servers answer before anything is asked of them.
    async fn measure_rest(&mut self, pinger: &mut Pinger<'_>) -> Result<(), Reason> {
        let mut times: Vec<Vec<u64>> = Vec::new();
        for _ in 0..9 {
            // Back to back they are answered from a warm cache, and nothing later would be as quick.
            if !self.options.unpaced {
                sleep(VERIFY_REST_INTERVAL).await;
            }
            times.push(pinger.ping().await?);
        }
        let servers = times.first().map_or(0, Vec::len);
        let of_server = |server: usize| median(times.iter().map(|times| times[server]));
        let at_rest: Vec<u64> = (0..servers).map(of_server).collect();
        let lag = self.lag().await?;
        self.pace = PaceController::new(self.options.rate, self.options.unpaced, &at_rest, lag);
        Ok(())
    }

    /// By how many bytes the target is behind, where it follows the source.
    async fn lag(&mut self) -> Result<Option<u64>, Reason> {
        if !self.linked {
            return Ok(None);
        }
        let target = self.target.watch.positions().await?;
        let source = self.source.watch.positions().await?;
        Ok(super::watch::bytes_behind(&source, &target))
    }

    /// Which keys are looked at. A sample needs to know of how many; that is counted once.
    async fn choose(&mut self) -> Result<(), Reason> {
        let Some(wanted) = self.options.sample else { return Ok(()) };
        if self.status.sample.is_none() {
            self.told.phase = VerifyPhase::Counting;
            let mut count = 0u64;
            for db in 0..self.databases() {
                self.source.listing.select(db, &self.source.databases).await?;
                for kind in DataType::ALL {
                    self.source.listing.begin(kind, None, db, &self.source.databases);
                    loop {
                        while !self.source.listing.is_ready() {
                            self.wait_for_turn(VERIFY_PIECE_KEYS).await?;
                            self.source.listing.fill().await?;
                            self.window.0 += VERIFY_PIECE_KEYS as u64;
                            self.watch_servers().await?;
                        }
                        if self.source.listing.pop().is_none() {
                            break;
                        }
                        count += 1;
                    }
                    self.told.listed = count;
                    self.tell_now(0);
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a share; 53 bits are enough")]
            let share = (wanted as f64 / count.max(1) as f64).min(1.0);
            self.status.sample = Some((share, count));
            self.told.listed = 0;
            self.told.phase = VerifyPhase::Comparing;
            self.commit()?;
        }
        self.choice.share = self.status.sample.map(|(share, _)| share);
        self.told.of_about = Some(wanted);
        Ok(())
    }

    async fn compare_database(&mut self, db: u32) -> Result<(), Reason> {
        let mut selected = false;
        for kind in DataType::ALL {
            let known = self.store.progress(db, kind).map_err(|error| error.reason())?;
            let mut progress = known.unwrap_or_else(|| TypeProgress {
                after: None,
                done: false,
                counts: empty_counts(db, kind),
            });
            if progress.done {
                self.told.listed += progress.counts.on_source;
                self.told.compared += progress.counts.compared;
                continue;
            }
            if !selected {
                selected = true;
                self.select(db).await?;
                let (source, target) = (&mut self.source, &mut self.target);
                tokio::try_join!(
                    source.listing.select(db, &source.databases),
                    target.listing.select(db, &target.databases),
                )?;
            }
            self.told.listed += progress.counts.on_source;
            self.told.compared += progress.counts.compared;
            self.compare_type(db, kind, &mut progress).await?;
        }
        Ok(())
    }

    /// Lookups go to this database from now on.
    pub(super) async fn select(&mut self, db: u32) -> Result<(), Reason> {
        self.source.lookup.select(db, &self.source.databases).await?;
        self.target.lookup.select(db, &self.target.databases).await?;
        Ok(())
    }

    async fn compare_type(
        &mut self,
        db: u32,
        kind: DataType,
        progress: &mut TypeProgress,
    ) -> Result<(), Reason> {
        let after = progress.after.clone();
        self.source.listing.begin(kind, after.as_deref(), db, &self.source.databases);
        self.target.listing.begin(kind, after.as_deref(), db, &self.target.databases);
        loop {
            while !(self.source.listing.is_ready() && self.target.listing.is_ready()) {
                tokio::try_join!(self.source.listing.fill(), self.target.listing.fill())?;
            }
            let batch = merged(&mut self.source.listing, &mut self.target.listing, self.choice);
            if batch.passed == 0 {
                break;
            }
            self.wait_for_turn(batch.passed).await?;
            self.compare_batch(db, kind, &batch, progress).await?;
            self.watch_servers().await?;
        }
        progress.done = true;
        self.note_progress(db, kind, progress);
        self.commit_if_due()
    }

    async fn compare_batch(
        &mut self,
        db: u32,
        kind: DataType,
        batch: &MergedBatch,
        progress: &mut TypeProgress,
    ) -> Result<(), Reason> {
        let level = self.options.level;
        let tolerance = self.tolerance();
        let lives = tolerance.is_some();
        let (source, target) = (&mut self.source, &mut self.target);
        // While the keys of this batch are looked up, the next ones are listed.
        let (in_source, in_target, (), ()) = tokio::try_join!(
            source.lookup.states(kind, &batch.both.0, level, lives),
            target.lookup.states(kind, &batch.both.1, level, lives),
            source.listing.fill(),
            target.listing.fill(),
        )?;
        let differs =
            |(source, target): (&KeyState, &KeyState)| source.difference(target, tolerance).is_some();
        let states = in_source.iter().zip(&in_target);
        let differing: Vec<usize> =
            states.enumerate().filter(|(_, pair)| differs(*pair)).map(|(index, _)| index).collect();
        let on_source: Vec<HeldKey> = differing
            .iter()
            .map(|index| batch.both.0[*index].clone())
            .chain(batch.source_only.iter().cloned())
            .collect();
        for (keys, half) in [(&on_source, &mut *source), (&batch.target_only, &mut *target)] {
            if keys.is_empty() {
                continue;
            }
            // Whether they have an end tells later whether what is gone has expired.
            let lives = half.lookup.states(kind, keys, CompareLevel::Exists, true).await?;
            for (key, state) in keys.iter().zip(lives) {
                let mortal = state.life.is_some_and(|life| life >= 0) || !state.is_there;
                self.change.opened.push(OpenDifference { db, kind, name: key.name.clone(), mortal });
            }
        }
        let counts = &mut progress.counts;
        let was_read = |state: &KeyState| match level {
            CompareLevel::Exists => true,
            CompareLevel::Length => state.length.is_some() || !state.is_there,
            CompareLevel::Value => state.contents.is_some() || !state.is_there,
        };
        let unread =
            in_source.iter().zip(&in_target).filter(|(one, other)| !(was_read(one) && was_read(other)));
        counts.unread += unread.count() as u64;
        let both = batch.both.0.len() as u64;
        counts.on_source += both + batch.source_only.len() as u64;
        counts.on_target += both + batch.target_only.len() as u64;
        let compared = both + (batch.source_only.len() + batch.target_only.len()) as u64;
        counts.compared += compared;
        progress.after.clone_from(&batch.last);
        self.told.listed += both + batch.source_only.len() as u64;
        self.told.compared += compared;
        self.told.open += (on_source.len() + batch.target_only.len()) as u64;
        self.window.0 += batch.passed as u64;
        self.note_progress(db, kind, progress);
        self.tell_now(0);
        self.commit_if_due()
    }

    pub(super) fn tolerance(&self) -> Option<i64> {
        self.options.life_tolerance.map(|tolerance| i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX))
    }

    fn note_progress(&mut self, db: u32, kind: DataType, progress: &TypeProgress) {
        self.change.progress.retain(|(of, known, _)| (*of, *known) != (db, kind));
        self.change.progress.push((db, kind, progress.clone()));
    }

    /// Writes what has been found so far.
    pub(super) fn commit(&mut self) -> Result<(), Reason> {
        let now = Instant::now();
        let spent = now.duration_since(self.counted_since);
        self.counted_since = now;
        self.committed = now;
        self.status.took_ms += u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
        let change = StateChange { status: Some(self.status.clone()), ..std::mem::take(&mut self.change) };
        self.store.write(&change).map_err(|error| error.reason())
    }

    fn commit_if_due(&mut self) -> Result<(), Reason> {
        let is_due =
            self.committed.elapsed() >= self.options.commit_interval.unwrap_or(VERIFY_COMMIT_INTERVAL);
        if is_due || self.change.opened.len() >= MAX_VERIFY_UNWRITTEN { self.commit() } else { Ok(()) }
    }

    /// Waits until `keys` more may be asked for.
    pub(super) async fn wait_for_turn(&mut self, keys: usize) -> Result<(), Reason> {
        let now = Instant::now();
        if self.source.watch.is_over() {
            return Err(reasons::verify_time_is_over());
        }
        if self.may_go_on > now {
            // What was found so far must not wait with it.
            if self.may_go_on - now > VERIFY_COMMIT_INTERVAL {
                self.commit()?;
            }
            sleep_until(self.may_go_on).await;
        }
        self.may_go_on = self.may_go_on.max(now) + self.pace.time_for(keys);
        Ok(())
    }

    /// Measures the reply times, and looks from time to time whether the servers are still those that they were.
    pub(super) async fn watch_servers(&mut self) -> Result<(), Reason> {
        if self.checked.elapsed() >= VERIFY_IDENTITY_INTERVAL {
            self.checked = Instant::now();
            self.check_identity().await?;
        }
        let measured = std::mem::take(&mut *self.pings.borrow_mut());
        for reply_us in measured {
            let window = self.window.1.elapsed();
            let is_over = window >= VERIFY_PING_INTERVAL * 10;
            #[expect(clippy::cast_precision_loss, reason = "a rate for a person and for the controller")]
            let actual = self.window.0 as f64 / window.as_secs_f64().max(0.05);
            self.told.rate = actual;
            if is_over {
                self.window = (0, Instant::now());
            }
            let lag_bytes = if is_over { self.lag().await? } else { None };
            let step = self.pace.observe(&PaceObservation { reply_us, lag_bytes, actual });
            if let PaceStep::Pause(pause) = step {
                self.commit()?;
                self.pings.borrow_mut().clear();
                sleep(pause).await;
                let left_alone = std::mem::take(&mut *self.pings.borrow_mut());
                self.pace.rested(&left_alone);
                break;
            }
        }
        if self.source.watch.is_over() { Err(reasons::verify_time_is_over()) } else { Ok(()) }
    }

    async fn check_identity(&mut self) -> Result<(), Reason> {
        self.source.watch.check().await?;
        self.target.watch.check().await
    }

    pub(super) fn tell_round(&mut self, round: u64, open: u64) {
        self.told.phase = VerifyPhase::Again(round);
        self.told.open = open;
        self.tell_now(0);
    }

    pub(super) fn tell_now(&mut self, different: u64) {
        self.told.different += different;
        (self.tell)(&self.told);
    }
}

pub(super) fn empty_counts(db: u32, kind: DataType) -> TypeCounts {
    TypeCounts {
        db: format!("db{db}"),
        kind,
        on_source: 0,
        on_target: 0,
        compared: 0,
        unread: 0,
        differences: crate::model::verification::DifferenceCounts::default(),
        expired: 0,
        settled: 0,
        changed: 0,
    }
}

/// Takes the next keys of two listings in one order, until one of them has to be read on.
fn merged(source: &mut SideListing<'_>, target: &mut SideListing<'_>, choice: Choice) -> MergedBatch {
    let mut batch = MergedBatch::default();
    while batch.passed < VERIFY_PIECE_KEYS && source.is_ready() && target.is_ready() {
        let (in_source, in_target) = match (source.head(), target.head()) {
            (None, None) => break,
            (Some(of_source), Some(of_target)) => (of_source <= of_target, of_target <= of_source),
            (of_source, of_target) => (of_source.is_some(), of_target.is_some()),
        };
        let of_source = in_source.then(|| source.pop()).flatten();
        let of_target = in_target.then(|| target.pop()).flatten();
        let Some(name) = of_source.as_ref().or(of_target.as_ref()).map(|key| key.name.clone()) else { break };
        batch.passed += 1;
        if choice.takes(&name) {
            match (of_source, of_target) {
                (Some(of_source), Some(of_target)) => {
                    batch.both.0.push(of_source);
                    batch.both.1.push(of_target);
                }
                (Some(of_source), None) => batch.source_only.push(of_source),
                (None, Some(of_target)) => batch.target_only.push(of_target),
                (None, None) => {}
            }
        }
        batch.last = Some(name);
    }
    batch
}
