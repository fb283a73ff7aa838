//! Whether the writes of a double master come to rest.
//!
//! Where the ids of the two nodes are not crossed, each takes the other's records for new ones and sends
//! them back, for ever. The canary's own records travel with them: after its deletion it is there again.

use tokio::time::{Instant, sleep};

use super::reading::positions;
use super::session::{Session, Trouble};
use crate::collect::pika::resp::Reply;
use crate::model::limits::{ECHO_INTERVAL, ECHO_REST, ECHO_TIMEOUT};
use crate::model::link::Echo;
use crate::model::replication::BinlogPosition;

/// Watches both nodes after the canaries `keys` were deleted.
pub async fn watch<'s>(
    a: &mut Session<'s>,
    b: &mut Session<'s>,
    keys: &[String],
    run_ends: Instant,
) -> Result<Echo, Trouble> {
    let began = Instant::now();
    let ends = (began + ECHO_TIMEOUT).min(run_ends);
    let first = both(a, b).await?;
    let mut last = first.clone();
    let mut last_growth = began;
    let mut reappeared = false;
    let looks: Vec<[&str; 2]> = keys.iter().map(|key| ["exists", key.as_str()]).collect();
    let looks: Vec<&[&str]> = looks.iter().map(<[&str; 2]>::as_slice).collect();
    while Instant::now() < ends {
        for session in [&mut *a, &mut *b] {
            let there = session.ask(&looks).await?;
            reappeared |= there.iter().any(|reply| matches!(reply, Reply::Number(count) if *count > 0));
        }
        let now = both(a, b).await?;
        if now != last {
            last_growth = Instant::now();
            last = now;
        }
        // Once it is proven there is nothing more to see.
        if reappeared {
            break;
        }
        sleep(ECHO_INTERVAL).await;
    }
    Ok(Echo {
        reappeared,
        grown_bytes: grown(&first, &last),
        seconds: began.elapsed().as_secs_f64(),
        at_rest: last_growth.elapsed() >= ECHO_REST,
    })
}

async fn both<'s>(a: &mut Session<'s>, b: &mut Session<'s>) -> Result<[Vec<BinlogPosition>; 2], Trouble> {
    let (of_a, of_b) = tokio::join!(positions(a), positions(b));
    Ok([of_a?, of_b?])
}

/// Bytes within one file; a file that was begun meanwhile counts from its start.
fn grown(before: &[Vec<BinlogPosition>; 2], after: &[Vec<BinlogPosition>; 2]) -> u64 {
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs
        .map(|(before, after)| {
            if before.file == after.file { after.offset.saturating_sub(before.offset) } else { after.offset }
        })
        .sum()
}
