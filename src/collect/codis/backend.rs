//! Asks a Pika behind a Codis what it knows about the slots of its keys.

use tokio::time::Instant;

use crate::collect::link::{Party, Session, Trouble};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::codis::topology::SlotIndex;
use crate::model::knowledge::CommandRule;
use crate::model::reason::Reason;

/// A key whose slot by its tag differs from that of the whole.
const TAGGED_KEY: &str = "{user1}:a";

/// Looks. `moving`: whether a slot is to be moved away.
pub async fn collect_slot_index(
    party: Party<'_>,
    rules: &[CommandRule],
    deadlines: &Deadlines,
    moving: impl Fn(u64) -> bool,
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
            index.indexed_moving = Some(sum(&mut counts.iter().filter(|(slot, _)| moving(*slot))));
            index.slots_with_keys = Some(counts.iter().filter(|(_, keys)| *keys > 0).count() as u64);
        }
        Reply::Error(text) => index.refusal = Some(Reason::verbatim(text)),
        _ => index.refusal = Some(reasons::slotsinfo_other_type()),
    }
    Ok(index)
}

/// A slot and its keys: `[5, 22]`.
fn count(reply: &Reply) -> Option<(u64, u64)> {
    let Reply::List(pair) = reply else { return None };
    let [Reply::Number(slot), Reply::Number(keys)] = pair[..] else { return None };
    Some((u64::try_from(slot).ok()?, u64::try_from(keys).ok()?))
}
