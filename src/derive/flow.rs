//! What two readings of both binlogs say: does the replica move, and how far is it behind.
//!
//! `lag` of INFO counts what was written into a socket. On 2.3.3 to 3.0.16 it was measured to be 0, with
//! both nodes saying "up", while no byte arrived; only the positions of both nodes told.

use crate::catalog::era;
use crate::model::limits::MAX_GREETINGS;
use crate::model::link::{Flow, LinkMode, Reading, Step};
use crate::model::node::Node;
use crate::model::release::Era;
use crate::model::replication::{BinlogOffset, BinlogPosition};

/// 70 bytes were measured for one connection; some reconnections are allowed for.
const GREETING_BYTES: u64 = 70;

/// By database, what follows from the last two readings.
pub fn flow(mode: LinkMode, master: &Node, replica: &Node, readings: &[Reading]) -> Option<Vec<Flow>> {
    let [.., first, last] = readings else { return None };
    let find = |positions: &[BinlogPosition], db: &Option<String>| {
        positions.iter().find(|position| position.db == *db).map(BinlogPosition::place)
    };
    let size = file_size(master).filter(|size| file_size(replica) == Some(*size));
    let flows = last.master.iter().filter_map(|of_master| {
        let (there, here) = (of_master.place(), find(&last.replica, &of_master.db)?);
        let (there_before, here_before) =
            (find(&first.master, &of_master.db)?, find(&first.replica, &of_master.db)?);
        let (master_moved, replica_moved) = (there_before != there, here_before != here);
        let writes_none = replica.config.as_ref().and_then(|config| config.get("write-binlog"));
        // A double master of 2.3 counts 17 bytes less for each record that came across (measured on 2.3.6).
        let one_binlog = mode == LinkMode::Replica || !within(master, &era::DOUBLE_MASTER_OF_2_3);
        let comparable = one_binlog
            && writes_none.is_none_or(|value| value != "no")
            && (size.is_some() || file_size(master).is_none() || file_size(replica).is_none());
        // The nodes are not read at the very same moment. What was there a whole interval ago is compared
        // with what is here now, so that a write in between is no lag. The replica is read first, so that a
        // lead in both readings is one, also when it is smaller than what was written in between.
        let step = if !comparable {
            Step::Incomparable
        } else if is_known_shift(master, replica, there, here) {
            Step::Shifted
        } else if here_before > there_before && here > there && mode == LinkMode::Replica {
            Step::Ahead
        } else if here >= there_before {
            Step::Level
        } else if replica_moved {
            Step::CatchingUp
        } else {
            Step::Stuck
        };
        let behind_bytes = size
            .filter(|_| here <= there)
            .and_then(|size| ((there.file - here.file) * size + there.offset).checked_sub(here.offset));
        Some(Flow {
            db: of_master.db.clone(),
            step,
            master: there,
            replica: here,
            master_moved,
            replica_moved,
            behind_bytes,
            seconds: last.at_seconds - first.at_seconds,
        })
    });
    let flows: Vec<Flow> = flows.collect();
    (!flows.is_empty()).then_some(flows)
}

fn within(node: &Node, era: &Era) -> bool {
    node.version.is_some_and(|version| version.is_of(era))
}

fn file_size(node: &Node) -> Option<u64> {
    node.config.as_ref()?.get("binlog-file-size")?.trim().parse().ok()
}

fn is_known_shift(master: &Node, replica: &Node, there: BinlogOffset, here: BinlogOffset) -> bool {
    if there.file != here.file || here.offset < there.offset {
        return false;
    }
    let lead = here.offset - there.offset;
    let greetings = within(replica, &era::GREETINGS_COUNTED)
        && within(master, &era::GREETS_ITS_PEER)
        && lead.is_multiple_of(GREETING_BYTES)
        && lead <= MAX_GREETINGS * GREETING_BYTES;
    let one_more = (within(replica, &era::COUNTS_ONE_BYTE_MORE)
        || within(master, &era::COUNTS_ONE_BYTE_MORE))
        && lead == 1;
    greetings || one_more
}
