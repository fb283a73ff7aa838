//! What is said about two releases and about a `slaveof` that nobody sent: every pair of releases is
//! decided as it was measured, and nothing that could fail is promised to replicate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::LazyLock;

use crate::support::recordings_directory;
use pikadoctor::catalog::built_in;
use pikadoctor::derive::dialect::{dialect, rule};
use pikadoctor::derive::forecast::{Question, forecast};
use pikadoctor::derive::side::Side;
use pikadoctor::model::address::Address;
use pikadoctor::model::knowledge::Knowledge;
use pikadoctor::model::link::{Basis, Cause, Forecast, MasterAddress, Outcome, Prospect};
use pikadoctor::model::network::AddressKind;
use pikadoctor::model::node::Node;
use pikadoctor::model::reason::Reason;
use pikadoctor::model::release::{Releases, Version};
use pikadoctor::model::replication::{Binlog, BinlogPosition, Master, Replication};
use pikadoctor::model::unavailable::Unavailable;
use proptest::prelude::*;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| built_in().knowledge);

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn within(version: Version, releases: &str) -> bool {
    releases.parse::<Releases>().unwrap().contains(version)
}

fn releases() -> Vec<Version> {
    KNOWLEDGE.releases.iter().map(|release| release.version).collect()
}

fn of_release(version: Version) -> Node {
    Node { version: Some(version), ..Node::default() }
}

/// How each master and replica behaved together: `master, replica, mode, outcome, final state`.
fn measured_matrix() -> Vec<(Version, Version, String, Outcome)> {
    let text = std::fs::read_to_string(recordings_directory().join("replication-matrix.tsv")).unwrap();
    let cells = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let outcome =
            serde_json::from_value(fields[3].into()).unwrap_or_else(|error| panic!("{line}: {error}"));
        (version(fields[0]), version(fields[1]), fields[2].to_owned(), outcome)
    });
    cells.collect()
}

#[test]
fn each_measured_pair_is_told_as_it_was_measured() {
    let matrix = measured_matrix();
    assert_eq!(matrix.len(), 288, "twelve masters, twelve replicas, two ways");
    let ran: BTreeSet<Version> = matrix.iter().map(|(master, ..)| *master).collect();
    assert_eq!(ran, KNOWLEDGE.dialects.measured.iter().copied().collect());
    for (master, replica, way, outcome) in matrix {
        let told = dialect(&KNOWLEDGE, &of_release(master), &of_release(replica)).unwrap();
        let of_way = match way.as_str() {
            "incremental" => told.incremental,
            "full" => told.full,
            other => panic!("{other}"),
        };
        assert_eq!(of_way, outcome, "{replica} of {master}, {way}");
        assert_eq!(told.basis, Basis::Measured, "{replica} of {master}");
        assert_eq!((told.measured_master, told.measured_replica), (Some(master), Some(replica)));
    }
}

#[test]
fn every_pair_of_releases_is_decided() {
    let measured = &KNOWLEDGE.dialects.measured;
    for master in releases() {
        for replica in releases() {
            let told = dialect(&KNOWLEDGE, &of_release(master), &of_release(replica))
                .unwrap_or_else(|| panic!("{replica} of {master} is not decided"));
            let both = measured.contains(&master) && measured.contains(&replica);
            assert_eq!(told.basis == Basis::Measured, both, "{replica} of {master}: {:?}", told.basis);
            let by_code = told.basis == Basis::Code;
            for stands_for in [told.measured_master, told.measured_replica] {
                assert_eq!(stands_for.is_none(), by_code, "{replica} of {master}: {told:?}");
                assert!(
                    stands_for.is_none_or(|version| measured.contains(&version)),
                    "{replica} of {master}"
                );
            }
            // What a release speaks as must have been told the same way.
            if let (Some(of_master), Some(of_replica)) = (told.measured_master, told.measured_replica) {
                let same = dialect(&KNOWLEDGE, &of_release(of_master), &of_release(of_replica)).unwrap();
                assert_eq!(
                    (told.incremental, told.full),
                    (same.incremental, same.full),
                    "{replica} of {master} is not as {of_replica} of {of_master}"
                );
            }
            if (told.incremental, told.full) != (Outcome::Works, Outcome::Works) {
                let rule = rule(&KNOWLEDGE, &of_release(master), &of_release(replica)).unwrap();
                assert!(rule.sees.is_some(), "{replica} of {master}: nothing is said of what one sees");
            }
        }
    }
}

#[test]
fn a_release_follows_itself() {
    for release in releases() {
        let told = dialect(&KNOWLEDGE, &of_release(release), &of_release(release)).unwrap();
        assert_eq!(told.incremental, Outcome::Works, "{release}");
        assert_eq!(told.full, Outcome::Works, "{release}");
    }
}

#[test]
fn an_unknown_release_is_not_decided() {
    let known = of_release(version("2.3.6"));
    assert_eq!(dialect(&KNOWLEDGE, &known, &Node::default()), None);
    assert_eq!(dialect(&KNOWLEDGE, &Node::default(), &known), None);
}

/// Whom the replica follows before the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    Nobody,
    Same,
    Other,
}

/// Where the replica's binlog ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Behind,
    Level,
    Ahead,
    Purged,
}

/// The replication-ids (3.5.1 and later).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Neither,
    Equal,
    Different,
    OnlyMaster,
    OnlyReplica,
}

/// A fact that was not had, of which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    Nothing,
    Config(Of),
    Version(Of),
    Binlog(Of),
    ReplicationOfReplica,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Master,
    Replica,
}

/// Two servers and a command.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is varied by itself")]
struct Situation {
    master: Version,
    replica: Version,
    follows: Follows,
    password_fits: bool,
    place: Place,
    databases_equal: bool,
    ids: Ids,
    forced: bool,
    has_replicas: bool,
    absent: Absent,
}

const FOLLOWS: [Follows; 3] = [Follows::Nobody, Follows::Same, Follows::Other];
const PLACES: [Place; 4] = [Place::Behind, Place::Level, Place::Ahead, Place::Purged];
const IDS: [Ids; 5] = [Ids::Neither, Ids::Equal, Ids::Different, Ids::OnlyMaster, Ids::OnlyReplica];
const ABSENT: [Absent; 7] = [
    Absent::Config(Of::Master),
    Absent::Config(Of::Replica),
    Absent::Version(Of::Master),
    Absent::Version(Of::Replica),
    Absent::Binlog(Of::Master),
    Absent::Binlog(Of::Replica),
    Absent::ReplicationOfReplica,
];

/// MetaSync, and with it databases: from here on.
const BY_PROTOBUF: &str = "3.1.0-3.4.1, 3.5.0-alpha+, 4.0.0+";
/// Replication-ids are compared from here on.
const WITH_ID: &str = "3.5.1+, 4.0.0+";
/// Here no setting is asked for, though there is a requirepass.
const WITHOUT_SETTINGS: &str = "2.0.0-2.0.5";

const MASTER: &str = "10.0.0.1";
const REPLICA: &str = "10.0.0.2";

/// A server as it is examined: what its release does not show is explained.
fn server(version: Version, host: &str, settings: &[(&str, &str)], position: (u64, u64)) -> Node {
    let mut config = BTreeMap::new();
    let mut unavailable = Vec::new();
    for setting in KNOWLEDGE.settings() {
        let name = setting.name;
        let value = settings.iter().find(|(wanted, _)| *wanted == name).map(|(_, value)| *value);
        if !setting.readable.contains(version) {
            let (path, reason) = (format!("config.{name}"), Reason::verbatim("not on this release"));
            unavailable.push(Unavailable::not_in_release(path, reason));
        } else if let Some(value) = value {
            config.insert(name.to_owned(), value.to_owned());
        }
    }
    let db = within(version, BY_PROTOBUF).then(|| "db0".to_owned());
    let (file, offset) = position;
    let address = Address { host: host.to_owned(), port: 9221 };
    let mut node = Node {
        name: address.to_string(),
        reached_at: Some(host.to_owned()),
        replication: Some(Replication {
            role: None,
            role_text: None,
            master: None,
            replicas: Vec::new(),
            connected_replicas: Some(0),
            read_only: None,
            priority: None,
            replication_id: None,
            eligible_for_election: None,
            offset: None,
        }),
        binlog: Some(Binlog { positions: vec![BinlogPosition { db, file, offset, safety_purge: None }] }),
        version: Some(version),
        config: Some(config),
        address,
        unavailable,
        ..Node::default()
    };
    node.reach.peer = Some(node.address.to_string());
    node
}

/// Settings that are the same on both, and those that are not.
fn settings<'s>(own: [(&'static str, &'s str); 4]) -> Vec<(&'static str, &'s str)> {
    let same = [
        ("binlog-file-size", "104857600"),
        ("expire-logs-nums", "10"),
        ("instance-mode", "classic"),
        ("default-slot-num", "1024"),
        ("userpass", ""),
        ("write-binlog", "yes"),
        ("identify-binlog-type", "new"),
    ];
    same.into_iter().chain(own).collect()
}

impl Situation {
    /// Nothing is in the way: a server that follows nobody, behind its master.
    fn plain(master: Version, replica: Version) -> Self {
        Self {
            master,
            replica,
            follows: Follows::Nobody,
            password_fits: true,
            place: Place::Behind,
            databases_equal: true,
            ids: Ids::Equal,
            forced: false,
            has_replicas: false,
            absent: Absent::Nothing,
        }
    }

    fn nodes(&self) -> (Node, Node) {
        let (id, other_id) = ("a".repeat(50), "b".repeat(50));
        let (of_master, of_replica) = match self.ids {
            Ids::Neither => ("", ""),
            Ids::Equal => (&*id, &*id),
            Ids::Different => (&*other_id, &*id),
            Ids::OnlyMaster => (&*id, ""),
            Ids::OnlyReplica => ("", &*id),
        };
        // 2.1 has no masterauth and shows its own requirepass. With the same requirepass and masterauth on
        // both, every release is let in.
        let (required, shown) = if self.password_fits { ("secret", "secret") } else { ("secret", "other") };
        let masters = settings([
            ("requirepass", required),
            ("masterauth", required),
            ("databases", "1"),
            ("replication-id", of_master),
        ]);
        let replicas = settings([
            ("requirepass", shown),
            ("masterauth", shown),
            ("databases", if self.databases_equal { "1" } else { "2" }),
            ("replication-id", of_replica),
        ]);
        let place = match self.place {
            Place::Behind => (49, 100),
            Place::Level => (50, 1000),
            Place::Ahead => (50, 1001),
            Place::Purged => (3, 100),
        };
        let master = server(self.master, MASTER, &masters, (50, 1000));
        let mut replica = server(self.replica, REPLICA, &replicas, place);
        let replication = replica.replication.as_mut().unwrap();
        replication.connected_replicas = Some(u64::from(self.has_replicas));
        let followed = match self.follows {
            Follows::Nobody => None,
            Follows::Same => Some(MASTER),
            Follows::Other => Some("10.0.0.7"),
        };
        replication.master = followed.map(|host| Master {
            host: Some(host.to_owned()),
            port: Some(9221),
            link_up: Some(true),
            states: Vec::new(),
        });
        let lose = |node: &mut Node, path: &str| {
            let reason = Reason::verbatim("nobody may ask");
            node.unavailable.push(Unavailable::no_access(path.to_owned(), reason));
        };
        let of = |which: Of| usize::from(which == Of::Replica);
        let mut both = [master, replica];
        match self.absent {
            Absent::Nothing => {}
            Absent::Config(which) => {
                // What the release does not have stays known; the rest is not.
                both[of(which)].config = None;
                lose(&mut both[of(which)], "config");
            }
            Absent::Version(which) => both[of(which)].version = None,
            Absent::Binlog(which) => {
                both[of(which)].binlog = None;
                lose(&mut both[of(which)], "binlog");
            }
            Absent::ReplicationOfReplica => {
                both[1].replication = None;
                lose(&mut both[1], "replication");
            }
        }
        let [master, replica] = both;
        (master, replica)
    }

    fn forecast(&self) -> Forecast {
        let (master, replica) = self.nodes();
        let address = Address { host: MASTER.to_owned(), port: 9221 };
        let known_address = MasterAddress {
            host: MASTER.to_owned(),
            port: 9221,
            kind: AddressKind::Private,
            resolved: vec![MASTER.to_owned()],
        };
        let dialect = dialect(&KNOWLEDGE, &master, &replica);
        forecast(&Question {
            replica: Side::replica(&replica),
            master: Side::master(&master),
            address: &address,
            known_address: Some(&known_address),
            dialect: dialect.as_ref(),
            sent_address: None,
            replica_route: None,
            master_route: None,
            lists_replica: false,
            forced: self.forced,
        })
    }

    /// Everything that holds whatever the situation is.
    fn check(&self) -> Result<Forecast, TestCaseError> {
        let told = self.forecast();
        let replica = self.replica;
        let dialect = dialect(&KNOWLEDGE, &of_release(self.master), &of_release(replica)).unwrap();
        let incremental = told.prospect == Prospect::Incremental;
        let full = told.prospect == Prospect::FullSync;
        let says = |what: &str| format!("{what}: {self:?}\n{told:?}");

        prop_assert!(!incremental || dialect.incremental == Outcome::Works, "{}", says("dialect"));
        prop_assert!(!full || dialect.full == Outcome::Works, "{}", says("dialect"));
        if incremental || full {
            prop_assert!(self.password_fits, "{}", says("password"));
            prop_assert!(self.databases_equal || !within(replica, BY_PROTOBUF), "{}", says("databases"));
            let ids_fit = !matches!(self.ids, Ids::Different | Ids::OnlyReplica);
            prop_assert!(ids_fit || !within(replica, WITH_ID), "{}", says("ids"));
            prop_assert!(self.follows != Follows::Same, "{}", says("follows already"));
            prop_assert!(
                self.follows == Follows::Nobody || !within(replica, "2.0.0-2.3.0"),
                "{}",
                says("follows")
            );
            prop_assert!(!self.has_replicas || !within(replica, BY_PROTOBUF), "{}", says("replicas"));
        }
        if incremental {
            prop_assert!(!self.forced, "{}", says("force"));
            prop_assert!(matches!(self.place, Place::Behind | Place::Level), "{}", says("place"));
            prop_assert!(self.ids == Ids::Equal || !within(replica, WITH_ID), "{}", says("ids"));
        }
        match told.prospect {
            Prospect::Refused => {
                let answer = told.answer.as_deref().unwrap_or("OK");
                prop_assert!(answer.starts_with("ERR "), "{}", says("an error"));
            }
            Prospect::Unknown => {
                prop_assert_eq!(told.cause, Cause::MissingFact, "{}", says("unknown"));
                prop_assert!(told.missing.is_some() && told.answer.is_none(), "{}", says("unknown"));
            }
            _ => prop_assert_eq!(told.answer.as_deref(), Some("OK"), "{}", says("OK")),
        }
        prop_assert_eq!(told.missing.is_some(), told.cause == Cause::MissingFact, "{}", says("missing"));
        match told.prospect {
            Prospect::FullSync | Prospect::Stale | Prospect::Hollow => {
                prop_assert!(told.replaces_data, "{}", says("the data is replaced"));
            }
            Prospect::Incremental | Prospect::Nothing | Prospect::Refused | Prospect::Unknown => {
                prop_assert!(!told.replaces_data, "{}", says("the data is kept"));
            }
            _ => {}
        }
        prop_assert_eq!(told.command.ends_with(" force"), self.forced);
        self.check_absence(&told)?;
        Ok(told)
    }

    /// A missing fact decides nothing.
    fn check_absence(&self, told: &Forecast) -> Result<(), TestCaseError> {
        let says = |what: &str| format!("{what}: {self:?}\n{told:?}");
        let promised = matches!(told.prospect, Prospect::Incremental | Prospect::FullSync);
        match self.absent {
            Absent::Nothing => {
                let all_known =
                    [self.master, self.replica].iter().all(|version| !within(*version, WITHOUT_SETTINGS));
                prop_assert!(!all_known || told.cause != Cause::MissingFact, "{}", says("all is known"));
            }
            Absent::Version(Of::Replica) | Absent::ReplicationOfReplica => {
                prop_assert_eq!(told.prospect, Prospect::Unknown, "{}", says("unknown"));
            }
            // What the replica refuses by itself needs nothing of the master.
            Absent::Version(Of::Master) => prop_assert!(
                matches!(told.prospect, Prospect::Unknown | Prospect::Refused | Prospect::Nothing),
                "{}",
                says("unknown")
            ),
            Absent::Config(_) => prop_assert!(!promised, "{}", says("without settings")),
            Absent::Binlog(_) => {
                prop_assert_ne!(told.prospect, Prospect::Incremental, "{}", says("without positions"));
            }
        }
        Ok(())
    }
}

fn must<T: Debug>(result: Result<T, TestCaseError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// One of each kind of release, with those at which something changed.
const KINDS: [&str; 17] = [
    "2.0.5", "2.1.4", "2.2.6", "2.3.0", "2.3.2", "2.3.5", "2.3.8", "3.0.0", "3.0.7", "3.0.16", "3.1.0",
    "3.2.9", "3.4.1", "3.5.0", "3.5.1", "3.5.5", "4.0.1",
];

#[test]
fn nothing_is_promised_that_could_fail() {
    let mut seen: BTreeMap<Prospect, u64> = BTreeMap::new();
    for (index, master) in KINDS.iter().enumerate() {
        for (other, replica) in KINDS.iter().enumerate() {
            let plain = Situation::plain(version(master), version(replica));
            // Between distant releases the handshake decides, and few situations are enough.
            let near = index.abs_diff(other) <= 1;
            for follows in FOLLOWS {
                for place in PLACES {
                    for ids in if near { &IDS[..] } else { &IDS[1..2] } {
                        for bits in 0..16_u8 {
                            let bit = |which: u8| bits & (1 << which) != 0;
                            let situation = Situation {
                                follows,
                                place,
                                ids: *ids,
                                password_fits: bit(0),
                                databases_equal: bit(1),
                                forced: bit(2),
                                has_replicas: bit(3),
                                ..plain
                            };
                            *seen.entry(must(situation.check()).prospect).or_default() += 1;
                        }
                    }
                }
            }
        }
    }
    // Each kind of answer came up, so that the promises above are not empty.
    for prospect in [
        Prospect::Refused,
        Prospect::Nothing,
        Prospect::Silent,
        Prospect::Stale,
        Prospect::Retries,
        Prospect::Error,
        Prospect::Waits,
        Prospect::FullSync,
        Prospect::Incremental,
    ] {
        assert!(seen.contains_key(&prospect), "{prospect:?} never: {seen:?}");
    }
}

#[test]
fn a_missing_fact_promises_nothing() {
    for master in KINDS {
        for replica in KINDS {
            let plain = Situation::plain(version(master), version(replica));
            for absent in ABSENT {
                for follows in FOLLOWS {
                    for forced in [false, true] {
                        must(Situation { follows, forced, absent, ..plain }.check());
                    }
                }
            }
        }
    }
}

#[test]
fn every_pair_of_releases_has_a_forecast() {
    for master in releases() {
        for replica in releases() {
            let plain = Situation::plain(master, replica);
            let told = must(plain.check());
            let told_of_releases = dialect(&KNOWLEDGE, &of_release(master), &of_release(replica)).unwrap();
            let copies_always = within(replica, "3.5.0-alpha-3.5.0");
            let outcome = if copies_always { told_of_releases.full } else { told_of_releases.incremental };
            let works = matches!(told.prospect, Prospect::Incremental | Prospect::FullSync);
            if [master, replica].iter().any(|version| within(*version, WITHOUT_SETTINGS)) {
                assert!(!works, "{replica} of {master}: the password is not known: {told:?}");
                continue;
            }
            assert_eq!(works, outcome == Outcome::Works, "{replica} of {master}: {told:?}");
        }
    }
}

prop_compose! {
    fn any_situation()(
        pair in (proptest::sample::select(releases()), proptest::sample::select(releases()), any::<bool>()),
        follows in proptest::sample::select(&FOLLOWS[..]),
        place in proptest::sample::select(&PLACES[..]),
        ids in proptest::sample::select(&IDS[..]),
        absent in proptest::option::of(proptest::sample::select(&ABSENT[..])),
        bits in any::<[bool; 4]>(),
    ) -> Situation {
        let (master, replica, same) = pair;
        let [password_fits, databases_equal, forced, has_replicas] = bits;
        Situation {
            master: if same { replica } else { master },
            replica,
            follows,
            place,
            ids,
            password_fits,
            databases_equal,
            forced,
            has_replicas,
            absent: absent.unwrap_or(Absent::Nothing),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_situation_is_promised_to_work_that_could_fail(situation in any_situation()) {
        situation.check()?;
    }
}
