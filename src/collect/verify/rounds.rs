//! Looks again at what differed. While clients write, a key can differ for a moment because its change is still on its way;
//! what counts is what stays different while both sides stand still and the link has had time.

use tokio::time::{Instant, sleep};

use super::engine::{VerifyRun, empty_counts};
use super::lookup::{KeyState, WITHOUT_END};
use super::store::{OpenDifference, SettledDifference, TypeProgress};
use super::watch::has_reached;
use crate::i18n::reasons;
use crate::model::limits::{
    MAX_VERIFY_ROUNDS, VERIFY_CATCH_UP, VERIFY_EXPIRY_SECONDS, VERIFY_PIECE_KEYS, VERIFY_ROUND_PAUSE,
};
use crate::model::reason::Reason;
use crate::model::verification::{DataType, DifferenceKind};

/// What a second look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is the same now.
    Same,
    /// It is on neither side any more, and had no end.
    Gone,
    /// It is gone because its life was over.
    Expired,
    /// It differs for good.
    Differs(DifferenceKind),
    /// The target has it as another type, which is counted under the type of the source.
    CountedElsewhere,
    /// The source did not stand still, or the key is about to expire: it is looked at once more.
    NotAtRest,
}

impl VerifyRun<'_, '_> {
    /// Looks at everything that differed until it is the same, or differs for good, or could not be seen at rest.
    pub(super) async fn look_again(&mut self) -> Result<(), Reason> {
        loop {
            let open = self.store.open_count().map_err(|error| error.reason())?;
            if open == 0 {
                return Ok(());
            }
            self.status.rounds += 1;
            let is_last = self.status.rounds >= self.options.rounds.unwrap_or(MAX_VERIFY_ROUNDS);
            self.tell_round(self.status.rounds, open);
            sleep(self.options.round_pause.unwrap_or(VERIFY_ROUND_PAUSE)).await;
            let mut last: Option<OpenDifference> = None;
            loop {
                let chunk = self
                    .store
                    .open_after(last.as_ref(), VERIFY_PIECE_KEYS)
                    .map_err(|error| error.reason())?;
                let Some(end) = chunk.last().cloned() else { break };
                self.wait_for_turn(chunk.len()).await?;
                self.look_at(&chunk, is_last).await?;
                self.watch_servers().await?;
                last = Some(end);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Looks at some keys of one type of one database.
    async fn look_at(&mut self, chunk: &[OpenDifference], is_last: bool) -> Result<(), Reason> {
        let Some(OpenDifference { db, kind, .. }) = chunk.first().cloned() else { return Ok(()) };
        self.select(db).await?;
        let names: Vec<Vec<u8>> = chunk.iter().map(|open| open.name.clone()).collect();
        let level = self.options.level;
        let databases = self.source.databases.clone();
        let before = self.source.lookup.states_anew(kind, &names, level, (db, &databases)).await?;
        self.wait_for_link().await?;
        let of_target = self.target.databases.clone();
        let target = self.target.lookup.states_anew(kind, &names, level, (db, &of_target)).await?;
        let after = self.source.lookup.states_anew(kind, &names, level, (db, &databases)).await?;
        // A key that was deleted and written again between the two looks at the source seems to have stood still there.
        self.wait_for_link().await?;
        let later = self.target.lookup.states_anew(kind, &names, level, (db, &of_target)).await?;
        let elsewhere = self.under_other_types(&names, db, &before, &target).await?;
        let known = self.store.progress(db, kind).map_err(|error| error.reason())?;
        let mut progress =
            known.unwrap_or_else(|| TypeProgress { after: None, done: true, counts: empty_counts(db, kind) });
        for (index, open) in chunk.iter().enumerate() {
            let states = [&before[index], &target[index], &after[index], &later[index]];
            let verdict = match verdict(open, states, self.tolerance()) {
                Verdict::Differs(difference) => match (difference, elsewhere[index].as_ref()) {
                    (DifferenceKind::Missing, Some(types)) if types.has_target_only() => {
                        Verdict::Differs(DifferenceKind::Type)
                    }
                    (DifferenceKind::OnlyThere, Some(types)) if types.has_source_only() => {
                        Verdict::CountedElsewhere
                    }
                    _ => Verdict::Differs(difference),
                },
                verdict => verdict,
            };
            let counts = &mut progress.counts;
            match verdict {
                Verdict::NotAtRest if !is_last => continue,
                Verdict::NotAtRest if ends_soon(&before[index]) || ends_soon(&target[index]) => {
                    counts.expired += 1;
                }
                Verdict::NotAtRest => counts.changed += 1,
                Verdict::Expired => counts.expired += 1,
                Verdict::Same | Verdict::Gone => counts.settled += 1,
                Verdict::CountedElsewhere => {}
                Verdict::Differs(difference) => {
                    *counts.differences.of(difference) += 1;
                    let types = elsewhere[index].as_ref();
                    let (source, target) = (&before[index], &target[index]);
                    self.change.settled.push(SettledDifference {
                        db,
                        kind,
                        name: open.name.clone(),
                        difference,
                        source: described(kind, source, difference),
                        target: if difference == DifferenceKind::Type {
                            types.map(OtherTypes::of_target)
                        } else {
                            described(kind, target, difference)
                        },
                        server: None,
                    });
                    self.tell_now(1);
                }
            }
            self.change.closed.push(open.clone());
        }
        self.change.progress.retain(|(of, known, _)| (*of, *known) != (db, kind));
        self.change.progress.push((db, kind, progress));
        // All of it or nothing: what is closed here is counted here.
        self.commit()
    }

    /// Waits until the target has what the source had when this was called, for as long as that may take.
    async fn wait_for_link(&mut self) -> Result<(), Reason> {
        if !self.linked {
            return Ok(());
        }
        let seen = self.source.watch.positions().await?;
        let ends = Instant::now() + VERIFY_CATCH_UP;
        let mut pause = std::time::Duration::from_millis(5);
        while !has_reached(&seen, &self.target.watch.positions().await?) && Instant::now() < ends {
            if self.source.watch.is_over() {
                return Err(reasons::verify_time_is_over());
            }
            sleep(pause).await;
            pause = (pause * 2).min(std::time::Duration::from_millis(500));
        }
        Ok(())
    }

    /// For names that one side alone has as this type: every type that they have on both.
    async fn under_other_types(
        &mut self,
        names: &[Vec<u8>],
        db: u32,
        source: &[KeyState],
        target: &[KeyState],
    ) -> Result<Vec<Option<OtherTypes>>, Reason> {
        let mut found = vec![None; names.len()];
        let alone: Vec<usize> =
            (0..names.len()).filter(|at| source[*at].is_there != target[*at].is_there).collect();
        let (of_source, of_target) = (self.source.databases.clone(), self.target.databases.clone());
        let asked: Vec<Vec<u8>> = alone.iter().map(|at| names[*at].clone()).collect();
        let in_source = self.source.lookup.have_any(&asked, db, &of_source).await?;
        let in_target = self.target.lookup.have_any(&asked, db, &of_target).await?;
        for (index, at) in alone.into_iter().enumerate() {
            // A name that one side does not have at all has no other type there.
            if in_source[index] && in_target[index] {
                let source = self.source.lookup.types(&names[at], db, &of_source).await?;
                let target = self.target.lookup.types(&names[at], db, &of_target).await?;
                found[at] = Some(OtherTypes { source, target });
            }
        }
        Ok(found)
    }
}

/// The types of a name on both sides.
#[derive(Clone, Debug)]
struct OtherTypes {
    source: Vec<DataType>,
    target: Vec<DataType>,
}

impl OtherTypes {
    fn has_target_only(&self) -> bool {
        self.target.iter().any(|kind| !self.source.contains(kind))
    }

    fn has_source_only(&self) -> bool {
        self.source.iter().any(|kind| !self.target.contains(kind))
    }

    fn of_target(&self) -> String {
        self.target.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
    }
}

/// What follows from what the source had, what the target had then, what the source had afterwards, and the target in
/// the end.
fn verdict(
    open: &OpenDifference,
    [before, target, after, later]: [&KeyState; 4],
    tolerance: Option<i64>,
) -> Verdict {
    if !before.is_there && !target.is_there && !after.is_there {
        return if open.mortal { Verdict::Expired } else { Verdict::Gone };
    }
    if !before.stands_still(after) {
        return Verdict::NotAtRest;
    }
    let Some(difference) = before.difference(target, tolerance) else { return Verdict::Same };
    if !target.stands_still(later) {
        return Verdict::NotAtRest;
    }
    // Clocks differ, and a replica deletes what has expired when it comes to it: a key at the end of its life says nothing.
    let one_sided = matches!(difference, DifferenceKind::Missing | DifferenceKind::OnlyThere);
    if one_sided && (ends_soon(before) || ends_soon(target)) {
        return Verdict::NotAtRest;
    }
    Verdict::Differs(difference)
}

fn ends_soon(state: &KeyState) -> bool {
    state.is_there && state.life.is_some_and(|life| (0..=VERIFY_EXPIRY_SECONDS).contains(&life))
}

/// What a side has, as far as it tells the difference.
fn described(kind: DataType, state: &KeyState, difference: DifferenceKind) -> Option<String> {
    if !state.is_there {
        return None;
    }
    if difference == DifferenceKind::Life {
        return Some(match state.life? {
            WITHOUT_END => "no end".to_owned(),
            life => format!("{life} s"),
        });
    }
    let mut text = kind.word().to_owned();
    if let Some(length) = state.length {
        text += &format!(" of {length}");
    }
    if let Some(contents) = state.contents.filter(|_| difference == DifferenceKind::Value) {
        text += ", sha256 ";
        text.extend(contents.iter().take(8).map(|byte| format!("{byte:02x}")));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(length: i64, life: i64) -> KeyState {
        KeyState { is_there: true, length: Some(length), contents: None, life: Some(life) }
    }

    #[test]
    fn a_difference_counts_when_it_stays_while_the_source_stands_still() {
        let gone = KeyState::default();
        let differs = Verdict::Differs;
        let cases = [
            (there(1, -1), there(1, -1), there(1, -1), Verdict::Same),
            (there(1, -1), there(2, -1), there(1, -1), differs(DifferenceKind::Length)),
            (there(1, -1), there(2, -1), there(2, -1), Verdict::NotAtRest),
            (there(1, -1), gone.clone(), there(1, -1), differs(DifferenceKind::Missing)),
            (there(1, -1), gone.clone(), gone.clone(), Verdict::NotAtRest),
            (gone.clone(), there(1, -1), gone.clone(), differs(DifferenceKind::OnlyThere)),
            (gone.clone(), there(1, -1), there(1, -1), Verdict::NotAtRest),
            (gone.clone(), gone.clone(), gone.clone(), Verdict::Gone),
            // At the end of a life.
            (there(1, 3), gone.clone(), there(1, 3), Verdict::NotAtRest),
            (gone.clone(), there(1, 3), gone.clone(), Verdict::NotAtRest),
            (there(1, 300), gone.clone(), there(1, 299), differs(DifferenceKind::Missing)),
            // Lives.
            (there(1, 300), there(1, 295), there(1, 300), Verdict::Same),
            (there(1, 300), there(1, 250), there(1, 300), differs(DifferenceKind::Life)),
            (there(1, 300), there(1, -1), there(1, 299), differs(DifferenceKind::Life)),
            (there(1, 300), there(1, 250), there(1, 600), Verdict::NotAtRest),
        ];
        let mut open = OpenDifference { db: 0, kind: DataType::String, name: b"k".to_vec(), mortal: false };
        for (before, target, after, expected) in cases {
            let found = verdict(&open, [&before, &target, &after, &target], Some(10));
            assert_eq!(found, expected, "{before:?} {target:?} {after:?}");
        }
        // It was deleted and written again meanwhile: the target has it in the end.
        let again = there(1, -1);
        let found = verdict(&open, [&again, &gone, &again, &again], Some(10));
        assert_eq!(found, Verdict::NotAtRest);
        open.mortal = true;
        assert_eq!(verdict(&open, [&gone; 4], None), Verdict::Expired);
        let (mortal, lasting) = (there(1, 300), there(1, -1));
        assert_eq!(verdict(&open, [&mortal, &lasting, &mortal, &lasting], None), Verdict::Same);
    }
}
