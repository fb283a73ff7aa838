//! The ports that follow from `port`.

use crate::model::facts::Generation;

/// A port of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortUse {
    /// What is added to `port`.
    pub offset: u32,
    /// What it is for.
    pub role: &'static str,
    /// Whether it is open all the time. If not, it is open on a replica during a full sync.
    pub always: bool,
}

const fn always(offset: u32, role: &'static str) -> PortUse {
    PortUse { offset, role, always: true }
}

const fn during_full_sync(offset: u32, role: &'static str) -> PortUse {
    PortUse { offset, role, always: false }
}

/// Every port that a server of a generation opens. This is the one table of offsets that `lint` uses; when
/// `generations.yaml` lists the ports of each generation, that list replaces it.
///
/// Source: src/pika_server.cc, include/pika_define.h of the tags; measured on twelve releases.
pub fn ports_of(generation: Generation) -> Vec<PortUse> {
    let derived: &[PortUse] = match generation {
        Generation::G0 => &PUSHED_100,
        Generation::G1 | Generation::G3 => &PUSHED_1000,
        Generation::G2 => &PUSHED_1000_AND_HUB,
        Generation::G4 => &PULLED_WITH_RSYNCD,
        Generation::G5 => &PULLED,
    };
    let mut ports = vec![PortUse { offset: 0, role: "client", always: true }];
    ports.extend(derived);
    ports
}

const PUSHED_100: [PortUse; 3] =
    [always(100, "binlog"), always(200, "heartbeat"), during_full_sync(300, "rsync")];
const PUSHED_1000: [PortUse; 3] =
    [always(1000, "binlog"), always(2000, "heartbeat"), during_full_sync(3000, "rsync")];
const PUSHED_1000_AND_HUB: [PortUse; 4] = [
    always(1000, "binlog"),
    always(1100, "pika-hub"),
    always(2000, "heartbeat"),
    during_full_sync(3000, "rsync"),
];
const PULLED_WITH_RSYNCD: [PortUse; 2] = [always(1000, "rsync"), always(2000, "replication")];
const PULLED: [PortUse; 2] = [always(2000, "replication"), always(10001, "rsync")];
