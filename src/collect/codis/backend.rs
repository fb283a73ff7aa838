//! Asks a Pika behind a Codis what it knows about the slots of its keys.

use tokio::time::Instant;

use super::listed::{self, Belongs};
use crate::collect::link::{Party, Session, Trouble};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::codis::topology::{SlotIndex, StraySlots};
use crate::model::knowledge::CommandRule;
use crate::model::reason::Reason;
use crate::parse::codis::slot_set;

/// A key whose slot by its tag differs from that of the whole.
const TAGGED_KEY: &str = "{user1}:a";

/// What Codis says of the slots of one server.
pub struct Assigned<'a> {
    /// Slots that are to be moved away from its group.
    pub leaving: &'a [(u64, u64)],
    /// Slots that are on their way, from or to any group.
    pub moving: &'a [(u64, u64)],
    /// Slots of its group. Null for a replica, and where no dashboard tells.
    pub own: Option<&'a [(u64, u64)]>,
    /// Whether slots of it are being moved away, or will be.
    pub source: bool,
}

impl Assigned<'_> {
    fn belongs(&self, slot: u64) -> Belongs {
        match self.own {
            _ if within(self.moving, slot) => Belongs::Moving,
            Some(own) if !within(own, slot) => Belongs::Elsewhere,
            _ => Belongs::Here,
        }
    }
}

fn within(ranges: &[(u64, u64)], slot: u64) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&slot))
}

/// Looks.
pub async fn collect_slot_index(
    party: Party<'_>,
    rules: &[CommandRule],
    deadlines: &Deadlines,
    assigned: &Assigned<'_>,
) -> Result<SlotIndex, Trouble> {
    let mut session = Session::open(party, rules, deadlines, false).await?;
    let mut index = SlotIndex::default();
    let mut quickest = f64::INFINITY;
    for _ in 0..3 {
        let began = Instant::now();
        let reply = session.ask_one(&["slotshashkey", TAGGED_KEY]).await?;
        quickest = quickest.min(began.elapsed().as_secs_f64());
        if let Reply::List(numbers) = reply
            && let [Reply::Number(slot)] = numbers[..]
        {
            index.tagged_slot = Some(slot);
        }
    }
    index.round_trip_seconds = Some(quickest);
    match session.ask_one(&["slotsinfo"]).await? {
        Reply::List(slots) => {
            let counts: Vec<(u64, u64)> = slots.iter().filter_map(count).collect();
            let sum = |counts: &mut dyn Iterator<Item = &(u64, u64)>| {
                counts.fold(0_u64, |sum, (_, keys)| sum.saturating_add(*keys))
            };
            index.indexed = Some(sum(&mut counts.iter()));
            let leaving = |(slot, _): &&(u64, u64)| within(assigned.leaving, *slot);
            index.indexed_moving = Some(sum(&mut counts.iter().filter(leaving)));
            index.elsewhere = assigned.own.map(|_| {
                let astray =
                    |(slot, keys): &&(u64, u64)| *keys > 0 && assigned.belongs(*slot) == Belongs::Elsewhere;
                let ids = counts.iter().filter(astray).map(|(slot, _)| *slot).collect();
                StraySlots { slots: slot_set(ids), keys: sum(&mut counts.iter().filter(astray)) }
            });
            index.slots_with_keys = Some(counts.iter().filter(|(_, keys)| *keys > 0).count() as u64);
        }
        Reply::Error(text) => index.refusal = Some(Reason::verbatim(text)),
        _ => index.refusal = Some(reasons::slotsinfo_other_type()),
    }
    if assigned.source {
        index.sample = listed::sample(&mut session, |slot| assigned.belongs(slot)).await?;
    }
    Ok(index)
}

/// A slot and its keys: `[5, 22]`.
fn count(reply: &Reply) -> Option<(u64, u64)> {
    let Reply::List(pair) = reply else { return None };
    let [Reply::Number(slot), Reply::Number(keys)] = pair[..] else { return None };
    Some((u64::try_from(slot).ok()?, u64::try_from(keys).ok()?))
}
