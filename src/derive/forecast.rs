//! What `slaveof` would do, from the facts of both servers, without sending it.
//!
//! The order of the questions is that of the servers: what the replica answers at once, what the master
//! makes of the replica, and where the binlog goes on. Sources: `SlaveofCmd` of src/pika_admin.cc (v2.3.0,
//! v2.3.6, v3.0.16, v3.1.0, v3.2.9, v3.3.6, v3.5.5), `AddBinlogSender` and `SetMaster` of src/pika_server.cc
//! (v2.3.6), `HandleMetaSyncRequest`, `TrySyncOffsetCheck` of src/pika_repl_server_conn.cc and
//! `HandleMetaSyncResponse` of src/pika_repl_client_conn.cc (v3.1.0, v3.3.6, v3.5.0, v3.5.5).

use super::link_auth::auth;
use super::side::{Missing, Side};
use crate::catalog::era;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::link::{AuthVerdict, Cause, Dialect, Forecast, MasterAddress, Outcome, Prospect};
use crate::model::network::{AddressKind, PeerRoute};
use crate::model::node::Node;
use crate::model::reason::{Argument, Reason};
use crate::model::release::Version;
use crate::model::replication::{BinlogPosition, Role};

/// What the forecast looks at.
pub struct Question<'n> {
    /// The server that would be sent `slaveof`.
    pub replica: Side<'n>,
    /// The server that would be its master.
    pub master: Side<'n>,
    /// The address in the command.
    pub address: &'n Address,
    /// The same with what is known of it.
    pub known_address: Option<&'n MasterAddress>,
    /// What is known of the two releases.
    pub dialect: Option<&'n Dialect>,
    /// The address that a full copy carries, where it is known.
    pub sent_address: Option<&'n str>,
    /// The way from the replica to the master, where the replica's host was seen.
    pub replica_route: Option<&'n PeerRoute>,
    /// The way from the master to the replica, where the master's host was seen.
    pub master_route: Option<&'n PeerRoute>,
    /// Whether the master lists the replica although the replica does not follow it.
    pub lists_replica: bool,
    /// Whether the command would say `force`.
    pub forced: bool,
}

/// Where an answer ends the forecast: what would come of it, and why.
struct End {
    answer: &'static str,
    prospect: Prospect,
    cause: Cause,
    on_replica: Option<Reason>,
    on_master: Option<Reason>,
    replaces_data: bool,
}

/// How the replica would come to its data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Incremental,
    Full,
}

/// What `slaveof` answers when it does not complain.
const ANSWER_OK: &str = "OK";

impl End {
    fn new(answer: &'static str, prospect: Prospect, cause: Cause) -> Self {
        Self { answer, prospect, cause, on_replica: None, on_master: None, replaces_data: false }
    }

    fn after_ok(prospect: Prospect, cause: Cause) -> Self {
        Self::new(ANSWER_OK, prospect, cause)
    }

    /// The two values that decide, side by side.
    fn with(mut self, on_replica: impl Into<Argument>, on_master: impl Into<Argument>) -> Self {
        self.on_replica = Some(on_replica.into().into());
        self.on_master = Some(on_master.into().into());
        self
    }
}

/// The forecast.
pub fn forecast(question: &Question<'_>) -> Forecast {
    // It can be the word of a server, and goes into a command line.
    let host = shlex::try_quote(&question.address.host).unwrap_or_default();
    let force = if question.forced { " force" } else { "" };
    let command = format!("slaveof {host} {}{force}", question.address.port);
    let forced = question.forced;
    match question.end() {
        Ok(end) => Forecast {
            command,
            forced,
            answer: (!end.answer.is_empty()).then(|| end.answer.to_owned()),
            prospect: end.prospect,
            cause: end.cause,
            missing: None,
            on_replica: end.on_replica,
            on_master: end.on_master,
            replaces_data: end.replaces_data,
        },
        Err(Missing(reason)) => Forecast {
            command,
            forced,
            answer: None,
            prospect: Prospect::Unknown,
            cause: Cause::MissingFact,
            missing: Some(reason),
            on_replica: None,
            on_master: None,
            replaces_data: false,
        },
    }
}

impl Question<'_> {
    fn end(&self) -> Result<End, Missing> {
        let at_once = self.answered_at_once();
        if self.master_follows_replica() {
            let is_refused = |end: &End| end.prospect == Prospect::Refused;
            return Ok(match at_once?.filter(is_refused) {
                Some(end) => End::new(end.answer, Prospect::Refused, Cause::MasterFollows),
                None => End::after_ok(Prospect::Circle, Cause::MasterFollows),
            });
        }
        if let Some(end) = at_once? {
            return Ok(end);
        }
        if let Some(end) = self.wrong_card()? {
            return Ok(end);
        }
        self.master.version()?;
        let dialect = self.dialect.ok_or_else(|| Missing(Reason::verbatim("link.dialect")))?;
        // Where even the handshake is not understood, nothing else matters.
        if matches!(dialect.incremental, Outcome::Refused | Outcome::Retries) {
            return self.of_dialect(dialect.incremental, Way::Incremental);
        }
        if let Some(end) = self.turned_away()? {
            return Ok(end);
        }
        let (way, end) = self.way()?;
        if matches!(end.prospect, Prospect::Error | Prospect::Retries) {
            return Ok(end);
        }
        if let Some(end) = self.wrong_address(way)? {
            return Ok(end);
        }
        match way {
            Way::Incremental if dialect.incremental != Outcome::Works => {
                self.of_dialect(dialect.incremental, way)
            }
            Way::Full if dialect.full != Outcome::Works => self.of_dialect(dialect.full, way),
            Way::Full if auth(&self.master, &self.replica)?.rsync_refuses => {
                Ok(End::after_ok(Prospect::Waits, Cause::RsyncSecret)
                    .with("masterauth set", "requirepass empty"))
            }
            Way::Incremental | Way::Full => Ok(end),
        }
    }

    /// Whether the master of the command is a replica of the server that would be sent it.
    fn master_follows_replica(&self) -> bool {
        let (replica, replication) = (self.replica.node, self.master.node.replication.as_ref());
        let is_replica = |role| matches!(role, Some(Role::Slave | Role::MasterAndSlave));
        let followed = replication.filter(|it| is_replica(it.role)).and_then(|it| it.master.as_ref());
        let own = replica.own_address.as_ref().and_then(|own| own.address.as_deref());
        let known = [Some(replica.address.host.as_str()), replica.reached_at.as_deref(), own];
        followed.is_some_and(|named| {
            named.port == Some(i64::from(replica.address.port))
                && named.host.as_deref().is_some_and(|host| known.contains(&Some(host)))
        })
    }

    /// What the replica itself answers, before it talks to anybody.
    fn answered_at_once(&self) -> Result<Option<End>, Missing> {
        const NOT_IN_STATE: &str = "ERR Server is not in correct state for slaveof";
        let version = self.replica.version()?;
        let replication = self.replica.replication()?;
        let by_protobuf = version.is_of(&era::PROTOBUF);

        if by_protobuf && replication.connected_replicas.unwrap_or_default() > 0 {
            let count = replication.connected_replicas.unwrap_or_default();
            let answer = "ERR already master of others, invalid usage";
            let end = End::new(answer, Prospect::Refused, Cause::HasReplicas);
            return Ok(Some(end.with(reasons::replicas_of_its_own(count), "-")));
        }
        if self.is_same_server() {
            return Ok(Some(self.of_itself(version)));
        }
        let mode = self.replica.setting("instance-mode")?;
        if mode == Some("sharding") && by_protobuf {
            return Ok(Some(if version.is_of(&era::SHARDING_REFUSES_SLAVEOF) {
                let answer = "ERR This command is not supported in current configuration";
                End::new(answer, Prospect::Refused, Cause::Sharding)
            } else {
                // 3.2.1 to 3.2.9 turn it into `pkcluster slotsslaveof`, whose answer depends on the slots.
                End::new("", Prospect::Unknown, Cause::Sharding)
            }));
        }
        if let Some(pair) = self.replica.node.double_master.as_ref().filter(|pair| pair.enabled == Some(true))
        {
            let idle = pair.state.as_ref().is_some_and(|state| state.raw.trim() == "0");
            let peer_host = pair.peer_host.as_deref().unwrap_or_default();
            let is_peer = pair.peer_port == Some(i64::from(self.address.port))
                && self.known_names().any(|name| name.eq_ignore_ascii_case(peer_host));
            let peer = reasons::peer(format!("{peer_host}:{}", pair.peer_port.unwrap_or_default()));
            let end = match (idle, is_peer) {
                (false, _) => End::new(NOT_IN_STATE, Prospect::Refused, Cause::PairNotIdle),
                (true, false) => {
                    let answer = "ERR In double master mode, can not set other server as the peer-master";
                    End::new(answer, Prospect::Refused, Cause::NotThePeer)
                }
                // It goes on below, as a forced full copy.
                (true, true) => return Ok(None),
            };
            return Ok(Some(end.with(peer, self.address)));
        }
        if let Some(master) = &replication.master {
            let host = master.host.as_deref().unwrap_or_default();
            let same_port = master.port == Some(i64::from(self.address.port));
            let same_host = host.eq_ignore_ascii_case(&self.address.host) || self.address.host == "127.0.0.1";
            let follows = reasons::follows(format!("{host}:{}", master.port.unwrap_or_default()));
            if version.is_of(&era::SLAVEOF_REFUSED_WHILE_FOLLOWING) {
                let end = End::new(NOT_IN_STATE, Prospect::Refused, Cause::FollowsAlready);
                return Ok(Some(end.with(follows, self.address)));
            }
            if same_port && same_host {
                let end = End::after_ok(Prospect::Nothing, Cause::SameMaster);
                return Ok(Some(end.with(follows, self.address)));
            }
        }
        Ok(None)
    }

    /// What a server makes of an address of its own: it compares texts, and knows 127.0.0.1, from 3.5.3 on localhost, and
    /// the address that it takes for its own.
    fn of_itself(&self, version: Version) -> End {
        let host = self.address.host.as_str();
        let own = self.replica.node.own_address.as_ref().and_then(|own| own.address.as_deref());
        let knows_localhost = version.is_of(&era::SLAVEOF_KNOWS_LOCALHOST);
        let is_known = host == "127.0.0.1"
            || (knows_localhost && host.eq_ignore_ascii_case("localhost"))
            || own.is_some_and(|own| own == host);
        // Where its own address is not known, any address but a name may be that one.
        let may_be_known = own.is_none() && AddressKind::of(host) != AddressKind::Name;
        let shown = own.map_or_else(reasons::host_not_visible, Reason::verbatim);
        if !is_known && !may_be_known {
            return End::after_ok(Prospect::FollowsItself, Cause::SameServer).with(self.address, shown);
        }
        let answer = if version.is_of(&era::SLAVEOF_NAMES_SAME_ADDRESS) {
            "ERR The master ip:port and the slave ip:port are the same"
        } else {
            // The server's own words.
            "ERR you fucked up"
        };
        End::new(answer, Prospect::Refused, Cause::SameServer).with(self.address, shown)
    }

    /// Whether one of the two connects from, or listens on, an address that the other one does not reach.
    fn wrong_card(&self) -> Result<Option<End>, Missing> {
        let version = self.replica.version()?;
        let end = |route: &PeerRoute, cause| {
            let named = |address: Option<&str>, card: Option<&str>| {
                Reason::verbatim(format!("{} ({})", address.unwrap_or("-"), card.unwrap_or("-")))
            };
            let own = route.own.as_ref();
            let own = named(
                own.and_then(|own| own.address.as_deref()),
                own.and_then(|own| own.interface.as_deref()),
            );
            let wanted = named(route.source.as_deref(), route.interface.as_deref());
            End::after_ok(Prospect::Retries, cause).with(own, wanted)
        };
        if let Some(route) = self.replica_route {
            if version.is_of(&era::CONNECTS_FROM_OWN_ADDRESS) && route.is_wrong() {
                return Ok(Some(end(route, Cause::ReplicaCard)));
            }
            if version.is_of(&era::BINLOG_AT_ANNOUNCED_ADDRESS) && route.bound_elsewhere == Some(true) {
                return Ok(Some(end(route, Cause::ReplicaBound)));
            }
        }
        if let Some(route) = self.master_route
            && self.master.version()?.is_of(&era::CONNECTS_FROM_OWN_ADDRESS)
            && route.is_wrong()
        {
            return Ok(Some(end(route, Cause::MasterCard)));
        }
        Ok(None)
    }

    /// What ends the handshake: passwords, databases, ids.
    fn turned_away(&self) -> Result<Option<End>, Missing> {
        let version = self.replica.version()?;
        let auth = auth(&self.master, &self.replica)?;
        if auth.verdict != AuthVerdict::Accepted {
            let prospect = if auth.retries { Prospect::Retries } else { Prospect::Error };
            return Ok(Some(End::after_ok(prospect, Cause::Masterauth)));
        }
        // Without the master's own list it is not known whether it lists the replica.
        self.master.replication()?;
        if self.lists_replica {
            // From 3.3.4 on such a master lets the replica go on asking, until it has forgotten it.
            let asks_on = version.is_of(&era::LISTED_REPLICA_ASKS_ON)
                && self.master.version()?.is_of(&era::LISTED_REPLICA_ASKS_ON);
            let prospect = if asks_on { Prospect::Retries } else { self.refused_for_good()? };
            return Ok(Some(End::after_ok(prospect, Cause::AlreadyListed)));
        }
        if !version.is_of(&era::PROTOBUF) {
            return Ok(None);
        }
        for (name, cause) in [
            ("instance-mode", Cause::InstanceMode),
            ("databases", Cause::Databases),
            ("default-slot-num", Cause::SlotNumber),
        ] {
            // The number of slots counts in sharding mode alone, where the command was refused already.
            if cause == Cause::SlotNumber && self.replica.setting("instance-mode")? != Some("sharding") {
                continue;
            }
            let (own, other) = (self.replica.setting(name)?, self.master.setting(name)?);
            if let (Some(own), Some(other)) = (own, other)
                && own != other
            {
                return Ok(Some(End::after_ok(Prospect::Error, cause).with(own, other)));
            }
        }
        if version.is_of(&era::REPLICATION_ID) {
            let own = self.replica.setting("replication-id")?.unwrap_or_default();
            let other = self.master.setting("replication-id")?.unwrap_or_default();
            // A master without an id makes one when its first replica comes, and it will be another one.
            if !own.is_empty() && own != other {
                let other = if other.is_empty() { reasons::none_yet() } else { Reason::verbatim(other) };
                return Ok(Some(End::after_ok(Prospect::Error, Cause::ReplicationId).with(own, other)));
            }
        }
        Ok(None)
    }

    /// Whether the replica goes on from its position or gets a full copy, or neither.
    fn way(&self) -> Result<(Way, End), Missing> {
        let version = self.replica.version()?;
        let full = |cause| {
            let mut end = End::after_ok(Prospect::FullSync, cause);
            end.replaces_data = true;
            end
        };
        if self.replica.node.double_master.as_ref().is_some_and(|pair| pair.enabled == Some(true)) {
            return Ok((Way::Full, full(Cause::PairRecovery)));
        }
        if self.forced {
            return Ok((Way::Full, full(Cause::Forced)));
        }
        if version.is_of(&era::REPLICATION_ID)
            && self.replica.setting("replication-id")?.unwrap_or_default().is_empty()
        {
            let other = self.master.setting("replication-id")?.unwrap_or_default();
            let other = if other.is_empty() { reasons::none_yet() } else { Reason::verbatim(other) };
            return Ok((Way::Full, full(Cause::NoReplicationId).with("(none)", other)));
        }
        if version.is_of(&era::NEW_RUN_ID_AT_SLAVEOF) {
            return Ok((Way::Full, full(Cause::NewRunId)));
        }
        let mut worst: Option<(Way, End)> = None;
        for own in self.replica.positions()? {
            let Some(other) = self.master.positions()?.iter().find(|other| other.db == own.db) else {
                return Err(Missing(reasons::about(
                    "master.binlog",
                    reasons::shows_no(own.db.as_deref().unwrap_or("position")),
                )));
            };
            let (way, end) = self.of_positions(own, other)?;
            let rank = |way: Way, end: &End| match (end.prospect, way) {
                (Prospect::Error | Prospect::Retries, _) => 0,
                (_, Way::Full) => 1,
                (_, Way::Incremental) => 2,
            };
            if worst.as_ref().is_none_or(|(worst_way, known)| rank(way, &end) < rank(*worst_way, known)) {
                worst = Some((way, end));
            }
        }
        worst.ok_or_else(|| Missing(Reason::verbatim("replica.binlog")))
    }

    fn of_positions(&self, own: &BinlogPosition, other: &BinlogPosition) -> Result<(Way, End), Missing> {
        let show = |position: &BinlogPosition| {
            let db = position.db.as_ref().map(|db| format!("{db} ")).unwrap_or_default();
            format!("{db}{}:{}", position.file, position.offset)
        };
        let values = |end: End| end.with(show(own), show(other));
        let refused = self.refused_for_good()?;
        if (own.file, own.offset) > (other.file, other.offset) {
            return Ok((Way::Incremental, values(End::after_ok(refused, Cause::Ahead))));
        }
        let by_name = self.replica.version()?.is_of(&era::RESP_TRYSYNC);
        if by_name
            && let Some(size) = self.master.number("binlog-file-size")?
            && own.offset > size
        {
            return Ok((Way::Incremental, values(End::after_ok(refused, Cause::BeyondFileSize))));
        }
        // The master keeps expire-logs-nums files, and never less than ten.
        if let Some(kept) = self.master.number("expire-logs-nums")?
            && other.file - own.file > kept.max(10)
        {
            let mut end = values(End::after_ok(Prospect::FullSync, Cause::Purged));
            end.replaces_data = true;
            return Ok((Way::Full, end));
        }
        Ok((Way::Incremental, values(End::after_ok(Prospect::Incremental, Cause::Position))))
    }

    /// What a refusal by the master leads to: an error that lasts, but for two releases that go on trying.
    fn refused_for_good(&self) -> Result<Prospect, Missing> {
        let tries_on = self.replica.version()?.is_of(&era::REFUSALS_RETRIED);
        Ok(if tries_on { Prospect::Retries } else { Prospect::Error })
    }

    /// Up to 3.4 the master must be named by the address that its full copies carry.
    fn wrong_address(&self, way: Way) -> Result<Option<End>, Missing> {
        let version = self.replica.version()?;
        if version.is_of(&era::OWN_RSYNC) {
            return Ok(None);
        }
        let Some(known) = self.known_address else { return Ok(None) };
        let own = self.sent_address;
        let another = match known.kind {
            AddressKind::Name => true,
            // 127.0.0.1 is replaced by the replica's own address, which is right on the same host.
            AddressKind::Loopback => false,
            _ => own.is_some_and(|own| own != known.host),
        };
        if !another {
            return Ok(None);
        }
        let values =
            |end: End| end.with(&known.host, own.map_or_else(reasons::another_address, Reason::verbatim));
        let by_protobuf = version.is_of(&era::RSYNCD_ALWAYS);
        Ok(match way {
            Way::Incremental if version.is_of(&era::BINLOG_SENDER_BY_ADDRESS) => {
                Some(values(End::after_ok(Prospect::Retries, Cause::MasterAddress)))
            }
            Way::Incremental => None,
            Way::Full if by_protobuf => Some(values(End::after_ok(Prospect::Error, Cause::MasterAddress))),
            Way::Full => Some(values(End::after_ok(Prospect::Waits, Cause::MasterAddress))),
        })
    }

    fn of_dialect(&self, outcome: Outcome, way: Way) -> Result<End, Missing> {
        let prospect = match outcome {
            Outcome::Works if way == Way::Full => Prospect::FullSync,
            Outcome::Works => Prospect::Incremental,
            Outcome::Silent => Prospect::Silent,
            Outcome::Stale => Prospect::Stale,
            Outcome::Hollow => Prospect::Hollow,
            Outcome::Refused => Prospect::Error,
            Outcome::Retries => Prospect::Retries,
            Outcome::Waits => Prospect::Waits,
            Outcome::Dies => Prospect::Dies,
        };
        let mut end =
            End::after_ok(prospect, Cause::Dialect).with(self.replica.version()?, self.master.version()?);
        // A silent full copy was measured to leave an empty store behind.
        end.replaces_data = way == Way::Full
            && matches!(outcome, Outcome::Works | Outcome::Silent | Outcome::Stale | Outcome::Hollow);
        Ok(end)
    }

    fn is_same_server(&self) -> bool {
        let (replica, master) = (self.replica.node, self.master.node);
        if replica.reach.peer.is_some() && replica.reach.peer == master.reach.peer {
            return true;
        }
        let pid = |node: &Node| node.process.as_ref().and_then(|process| process.pid);
        // Seen on this very host, a process id is one process.
        let both_here = replica.host_network.is_some() && master.host_network.is_some();
        if both_here && pid(replica).is_some() && pid(replica) == pid(master) {
            return true;
        }
        // To a replica elsewhere the loopback is its own host, whoever answers to it here.
        let is_loopback = |address: &str| AddressKind::of(address) == AddressKind::Loopback;
        let elsewhere = replica.reached_at.as_deref().is_some_and(|reached| !is_loopback(reached));
        let port = replica.process.as_ref().and_then(|process| process.tcp_port);
        let host = self.address.host.as_str();
        let names_itself = is_loopback(host) || host.eq_ignore_ascii_case("localhost");
        elsewhere && names_itself && port == Some(self.address.port)
    }

    /// Every name and address by which the master is known.
    fn known_names(&self) -> impl Iterator<Item = &str> {
        let reached = self.master.node.reached_at.as_deref();
        let own = self.master.node.own_address.as_ref().and_then(|own| own.address.as_deref());
        let resolved = self.known_address.into_iter().flat_map(|known| &known.resolved).map(String::as_str);
        std::iter::once(self.address.host.as_str()).chain(reached).chain(own).chain(resolved)
    }
}
