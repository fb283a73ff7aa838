//! Reads the positions of both binlogs, that of the replica first: what it has then, its master has afterwards.

use tokio::time::Instant;

use super::session::{Session, Trouble};
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::info::InfoSection;
use crate::model::link::Reading;
use crate::model::replication::{BinlogPosition, Replication};
use crate::parse::info;

/// Asks both servers. `listed` is the place of the replica among the master's replicas.
pub async fn read(
    master: &mut Session<'_>,
    replica: &mut Session<'_>,
    listed: Option<usize>,
    first: Instant,
) -> Result<Reading, Trouble> {
    let at_seconds = first.elapsed().as_secs_f64();
    // In this order a replica that shows more than its master is ahead of it, however little that is.
    let (here, replica_positions) = state(replica).await?;
    let (there, master_positions) = state(master).await?;
    let listed = there.as_ref().and_then(|there| there.replicas.get(listed?)).cloned();
    let of_replica = here.and_then(|here| here.master);
    Ok(Reading {
        at_seconds,
        master: master_positions,
        replica: replica_positions,
        lags: listed.as_ref().map(|listed| listed.lags.clone()),
        listed_as: listed.and_then(|listed| listed.state),
        link_up: of_replica.and_then(|of_replica| of_replica.link_up),
    })
}

/// The binlog positions of one server.
pub async fn positions(session: &mut Session<'_>) -> Result<Vec<BinlogPosition>, Trouble> {
    Ok(state(session).await?.1)
}

async fn state(session: &mut Session<'_>) -> Result<(Option<Replication>, Vec<BinlogPosition>), Trouble> {
    let commands: Vec<&[&str]> = [["info", "replication"].as_slice(), &["info", "log"]]
        .into_iter()
        .filter(|words| session.may(words))
        .collect();
    let replies = session.ask(&commands).await?;
    let mut sections: Vec<InfoSection> = Vec::new();
    let mut replication = None;
    for reply in replies {
        let text = match reply {
            Reply::Text(text) => text,
            Reply::Error(text) => return Err(Trouble::Broken(reasons::info_answered_with(text))),
            _ => continue,
        };
        for (name, section) in info::sections(&text) {
            if name == "replication" {
                replication = Some(info::replication(&section));
            }
            sections.push(section);
        }
    }
    let binlog = info::binlog(&sections.iter().collect::<Vec<_>>());
    Ok((replication, binlog.map(|binlog| binlog.positions).unwrap_or_default()))
}
