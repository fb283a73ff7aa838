//! What can be wrong in a scenario. Each fault can be switched off, and must then be missed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What can be wrong with a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFault {
    /// Settings that should be others.
    Set(BTreeMap<String, String>),
    /// Another release than it should be.
    Release(String),
    /// Derived ports, by their distance from the client port.
    Ports(BTreeMap<u16, PortFault>),
    /// Lines of INFO that say something else.
    Says(BTreeMap<String, String>),
    /// It does not run.
    Down,
    /// Another program has its port.
    Taken,
    /// It takes connections and says nothing.
    Mute,
    /// Settings that were changed with CONFIG SET once the links stood.
    ConfigSet(BTreeMap<String, String>),
    /// So many keys that a client wrote to it once the links stood. A replica that is read-only refuses them.
    Writes(u32),
    /// Commands that clients have sent to it, and how often.
    Used(BTreeMap<String, u64>),
    /// It takes another address for its own, as with the wrong card in network-interface, and announces it. Up to
    /// 3.0.1 the master dials that address and is kept out there: state 2, and listed as online (measured on 2.3.0
    /// and 2.3.6 with a filter; without a way back from the master it is state 1, and not listed).
    Announces(String),
    /// It does not answer as a server should.
    Hostile(Hostility),
}

/// How a server misbehaves that is broken, or wants to do harm to whoever asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostility {
    /// It answers with one byte a second.
    OneByteASecond,
    /// It announces a bulk string of a gigabyte, and sends bytes without end.
    EndlessBulk,
    /// It announces an array of a billion elements, and sends the first of them.
    BillionElements,
    /// It answers with arrays in arrays in arrays.
    DeepNesting,
    /// It resets the connection in the middle of its second answer.
    ResetInTheMiddle,
    /// It gives one answer too many, so that each of those that follow comes for another question.
    OutOfStep,
    /// Terminal escapes and bytes that are no UTF-8 stand in every value.
    Escapes,
    /// INFO has 50 MB.
    HugeInfo,
    /// It says another release each time.
    ShiftingRelease,
}

/// What can be wrong with a derived port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortFault {
    /// Nobody listens.
    Closed,
    /// A packet filter drops everything.
    Filtered,
    /// Another program listens.
    Taken,
}

/// What can be wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFault {
    /// Everything is green and nothing arrives.
    Silent,
    /// Everything is green, the old data is there, and nothing new arrives, as after a clash of session ids.
    Stale,
    /// New writes arrive, the old data is not there.
    Hollow,
    /// Records arrive, and the keys are not to be read.
    Lost,
    /// Records arrive so many milliseconds later.
    Late(u64),
    /// Another value arrives.
    WrongValue,
    /// Deletions do not take effect.
    KeepsDeleted,
    /// A list has fewer elements on the replica.
    Shorter,
    /// A full copy is on its way, or hangs: a reading does not tell them apart.
    FullSync,
    /// The replica has so many bytes more than its master.
    Ahead(u64),
    /// The replica is so many bytes behind and stands still.
    Behind(u64),
    /// The master still lists an older connection.
    AlreadyListed,
    /// The half of a double master has given up.
    GivenUp,
    /// The replica's question is never answered.
    Unheard,
    /// A derived port is dropped on its way between the two.
    Blocked(u16),
    /// A full copy is on its way and is done so many milliseconds after somebody first looked at the replica.
    FullSyncFor(u64),
    /// The host of the replica has no rsync; the full copy that was asked for cannot begin.
    NoRsync,
    /// The host of the master has no rsync; the daemon of the replica waits for it.
    NoRsyncOnMaster,
    /// The replica is so many bytes behind, and the master is written to faster than the replica takes it.
    FallsBehind(u64),
    /// The master could not dump its data for the full copy that was asked for.
    DumpFailed,
    /// The replica was away for so long that the master has purged what it needs next.
    Purged,
    /// `slaveof` named the master by this name.
    ByName(String),
    /// The master has a second address, with this last number, and `slaveof` named that one.
    SecondAddress(u8),
}
