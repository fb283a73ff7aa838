//! What comes of a link between two releases, and what both sides then say of it.

use super::fault::LinkFault;
use super::persona::Persona;
use super::state::{Fate, Flow, Join, Listed, Server, Stage, State};
use crate::catalog::era;
use crate::model::knowledge::Knowledge;
use crate::model::link::Outcome;

const NOTHING: Flow = Flow { old: false, later: false };
const ALL: Flow = Flow { old: true, later: true };

impl Join {
    /// A link that has still to be settled.
    pub fn new(replica: usize, master: usize, named: (String, u16), outcome: Outcome) -> Self {
        let fate = Fate::of(Stage::Connecting, Listed::No, NOTHING);
        Self { replica, master, double: false, named, faults: Vec::new(), full: false, outcome, fate }
    }

    /// Whether every record comes back for ever: a double master whose ids are neither crossed nor equal.
    pub fn echoes(&self, state: &State) -> bool {
        let (master, replica) = (&state.servers[self.master], &state.servers[self.replica]);
        let crossed =
            master.peer_server_id() == replica.server_id() && replica.peer_server_id() == master.server_id();
        self.double && !crossed && master.server_id() != replica.server_id()
    }

    /// Decides what comes of it: the matrix of releases, passwords, databases, ids, and then the faults.
    pub fn settle(&mut self, state: &State) {
        let (master, replica) = (&state.servers[self.master], &state.servers[self.replica]);
        self.fate = if !master.running {
            Fate::of(Stage::Connecting, Listed::No, NOTHING)
        } else if self.double {
            pair_fate(replica, master)
        } else {
            turned_away(replica, master).unwrap_or_else(|| of_outcome(self.outcome))
        };
        if self.fate.stage != Stage::Up {
            return;
        }
        if replica.announces.is_some() && replica.persona.is_of(&era::LISTED_BY_DECLARED_ADDRESS) {
            // The master dials an address at which nobody is.
            self.fate = Fate::of(Stage::Waiting, Listed::Lagging, NOTHING);
            return;
        }
        for fault in &self.faults {
            self.fate = match fault {
                LinkFault::SecondAddress(_) => by_another_address(replica, self.full, self.fate),
                // Without a copy there is nothing to fail.
                LinkFault::NoRsync | LinkFault::NoRsyncOnMaster | LinkFault::DumpFailed if !self.full => {
                    self.fate
                }
                fault => faulted(fault, replica, self.fate),
            };
        }
    }
}

fn of_outcome(outcome: Outcome) -> Fate {
    let up = |old, later| Fate::of(Stage::Up, Listed::Online, Flow { old, later });
    match outcome {
        Outcome::Works => up(true, true),
        Outcome::Silent => up(false, false),
        Outcome::Stale => up(true, false),
        Outcome::Hollow => up(false, true),
        Outcome::Refused => Fate::of(Stage::Error, Listed::No, NOTHING),
        Outcome::Retries => Fate::of(Stage::Connecting, Listed::No, NOTHING),
        Outcome::Waits => Fate::of(Stage::FullSync, Listed::No, NOTHING),
        Outcome::Dies => Fate { dies: true, ..Fate::of(Stage::Connecting, Listed::No, NOTHING) },
    }
}

/// What ends a handshake: passwords, databases, ids.
fn turned_away(replica: &Server, master: &Server) -> Option<Fate> {
    let persona = &replica.persona;
    let asked = master.setting("requirepass");
    let own = replica.setting("requirepass");
    let mut sent = replica.setting("masterauth");
    if sent.is_empty() && persona.is_of(&era::AUTH_BY_EITHER) {
        sent.clone_from(&own);
    }
    if !asked.is_empty() && sent != asked {
        let again = !sent.is_empty() && !persona.is_of(&era::AUTH_BY_EITHER) && !persona.speaks_protobuf();
        let stage = if again { Stage::Connecting } else { Stage::Refused };
        return Some(Fate::of(stage, Listed::No, NOTHING));
    }
    // Up to 2.3.2 the answer to AUTH is taken for that to trysync.
    if !asked.is_empty() && own.is_empty() && persona.is_of(&era::AUTH_BY_EITHER) {
        return Some(Fate::of(Stage::Error, Listed::Offline, NOTHING));
    }
    let ids = [&replica.replication_id, &master.replication_id];
    let other_id = persona.has_replication_id() && !ids[0].is_empty() && ids[0] != ids[1];
    if replica.databases() != master.databases() || other_id {
        return Some(Fate::of(Stage::Refused, Listed::No, NOTHING));
    }
    None
}

/// Equal ids let nothing pass. Ids that are not crossed make an echo: whoever reads INFO sees a healthy pair.
fn pair_fate(replica: &Server, master: &Server) -> Fate {
    let equal = replica.server_id() == master.server_id();
    Fate::of(Stage::Up, Listed::Online, if equal { NOTHING } else { ALL })
}

/// `slaveof` with an address of the master that it does not take for its own. Measured in both ways on
/// twelve releases.
fn by_another_address(replica: &Server, full: bool, fate: Fate) -> Fate {
    let persona = &replica.persona;
    if persona.is_of(&era::OWN_RSYNC) {
        fate
    } else if full && persona.speaks_protobuf() {
        Fate::of(Stage::Error, Listed::Offline, NOTHING)
    } else if full {
        Fate::of(Stage::FullSync, Listed::No, NOTHING)
    } else if persona.is_of(&era::BINLOG_SENDER_BY_ADDRESS) {
        Fate::of(Stage::Waiting, Listed::Online, NOTHING)
    } else {
        fate
    }
}

fn faulted(fault: &LinkFault, replica: &Server, fate: Fate) -> Fate {
    let protobuf = replica.persona.speaks_protobuf();
    let up = |old, later| Fate::of(Stage::Up, Listed::Online, Flow { old, later });
    match fault {
        LinkFault::Silent => up(false, false),
        LinkFault::Stale => up(true, false),
        LinkFault::Hollow => up(false, true),
        LinkFault::FullSync
        | LinkFault::FullSyncFor(_)
        | LinkFault::NoRsync
        | LinkFault::NoRsyncOnMaster
        | LinkFault::DumpFailed
        | LinkFault::Purged => {
            let listed = if protobuf { Listed::FullSync } else { Listed::No };
            Fate::of(Stage::FullSync, listed, NOTHING)
        }
        // It was a replica of this master before, and has kept what it got then.
        LinkFault::Ahead(_) => {
            let listed = if protobuf { Listed::Offline } else { Listed::No };
            Fate::of(Stage::Error, listed, Flow { old: true, later: false })
        }
        LinkFault::AlreadyListed => {
            let (stage, listed) =
                if protobuf { (Stage::Refused, Listed::Offline) } else { (Stage::Error, Listed::Offline) };
            Fate::of(stage, listed, NOTHING)
        }
        LinkFault::GivenUp => Fate::of(Stage::GivenUp, Listed::No, NOTHING),
        // Up to 3.0 the master dials +1000 of the replica, which dials +2000 of the master.
        LinkFault::Blocked(1000) if !protobuf => Fate::of(Stage::Waiting, Listed::Lagging, NOTHING),
        LinkFault::Blocked(2000) if !protobuf => Fate::of(Stage::Waiting, Listed::Offline, ALL),
        LinkFault::Blocked(1000 | 10001) => Fate::of(Stage::FullSync, Listed::FullSync, NOTHING),
        LinkFault::Unheard | LinkFault::Blocked(2000) => Fate::of(Stage::Connecting, Listed::No, NOTHING),
        LinkFault::FallsBehind(_) => Fate::of(Stage::Up, Listed::Lagging, Flow { old: true, later: false }),
        LinkFault::Behind(_) => Fate::of(Stage::Up, Listed::Online, Flow { old: true, later: false }),
        _ => fate,
    }
}

/// What the matrix says of two releases.
pub fn outcome(knowledge: &Knowledge, replica: &Server, master: &Server, full: bool) -> Outcome {
    let old = replica.setting("identify-binlog-type") == "old";
    let rule = knowledge.dialects.pairs.iter().find(|rule| {
        rule.master.contains(master.persona.version)
            && rule.replica.contains(replica.persona.version)
            && rule.binlog_type_old.is_none_or(|wanted| wanted == old)
    });
    rule.map_or(Outcome::Retries, |rule| if full { rule.full } else { rule.incremental })
}

/// The word that the release has for a stage, in the field that it has for it.
pub fn word(persona: &Persona, stage: Stage) -> &'static str {
    let words = if persona.is_of(&era::LINK_WORDS_OF_2_X) {
        ["1", "2", "4", "3", "5", "5", "0"]
    } else if persona.is_of(&era::LINK_WORDS_OF_3_0) {
        ["connect", "connecting", "wait dbsync", "connected", "error", "error", "no connect"]
    } else if persona.is_of(&era::LINK_WORDS_OF_3_1_0) {
        // It has one word for a full copy and for a refused position.
        [
            "should meta sync",
            "wait meta sync response",
            "connecting",
            "establish success",
            "error",
            "connecting",
            "",
        ]
    } else if persona.is_of(&era::LINK_WORDS_OF_3_1_1) {
        ["NoConnect", "NoConnect", "WaitDBSync", "Connected", "NoConnect", "Error", ""]
    } else {
        ["no_connect", "no_connect", "syncing_full", "connected", "no_connect", "error", ""]
    };
    let index = match stage {
        Stage::Connecting => 0,
        Stage::Waiting => 1,
        Stage::FullSync => 2,
        Stage::Up => 3,
        Stage::Refused => 4,
        Stage::Error => 5,
        Stage::GivenUp => 6,
    };
    words[index]
}
