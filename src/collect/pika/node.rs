//! Examines one server: connect, AUTH, what is it, and then everything that its release allows, in
//! one batch. Two round trips after the connection was made.

use std::collections::BTreeMap;

use super::gate::{Alone, Gate, Permit};
use super::resp::{Broken, Connection, Reply};
use super::{identify, ports};
use crate::collect::host::network_of_server;
use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::Password;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::info::InfoSection;
use crate::model::knowledge::{Knowledge, ReleaseTag, Setting};
use crate::model::limits::{MAX_INFO_LINES, MAX_LISTED_REPLICAS};
use crate::model::node::Node;
use crate::model::reach::ReachState;
use crate::model::reason::Reason;
use crate::model::release::Version;
use crate::model::replication::Role;
use crate::model::server::{AuthOutcome, Authentication, Server, ServerKind};
use crate::model::unavailable::Unavailable;
use crate::parse::info;
use crate::parse::info::build::{foreign_fact, is_built_from, reporting};
use crate::parse::secret::Tokens;

/// What collecting needs to know.
pub struct Collector<'a> {
    /// What may be sent, and what to ask for.
    pub knowledge: &'a Knowledge,
    /// Turns passwords into tokens.
    pub tokens: &'a Tokens,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// Whether derived ports are looked at, too.
    pub ports: bool,
}

/// A section of INFO and the fact that is absent without it. Where two spellings are listed the gate
/// lets one of them through, by release.
const SECTIONS: [(&[&str], &str); 10] = [
    (&["info", "clients"], "clients"),
    (&["info", "stats"], "tasks"),
    (&["info", "data"], "data"),
    (&["info", "log"], "binlog"),
    (&["info", "doublemaster"], "double_master"),
    (&["info", "command_exec_count"], "commands"),
    (&["info", "keyspace"], "keyspace"),
    (&["info", "keyspace", "0"], "keyspace"),
    (&["acl", "whoami"], "authentication.user"),
    (&["acl", "list"], "authentication.open_users"),
];

impl Collector<'_> {
    /// Looks at the server at `address`. Never fails: what could not be had is in `Node::unavailable`.
    pub async fn examine(&self, name: &str, address: &Address, password: Option<&Password>) -> Node {
        let mut node = Node { name: name.to_owned(), address: address.clone(), ..Node::default() };
        let (reach, stream) = dial(address, &self.deadlines).await;
        node.reach = reach;
        let Some(stream) = stream else {
            note_unexamined(&mut node, &reasons::address_not_reached(address));
            return node;
        };
        let mut connection = Connection::new(stream);
        let mut gate = Gate::new(&self.knowledge.commands);
        self.converse(&mut node, &mut connection, &mut gate, password).await;
        node.reach.round_trips = connection.round_trips();
        self.look_at_ports(&mut node, &gate).await;
        look_at_host(&mut node, gate.release().or(gate.unknown_release()).is_some());
        node
    }

    async fn converse(
        &self,
        node: &mut Node,
        connection: &mut Connection,
        gate: &mut Gate<'_>,
        password: Option<&Password>,
    ) {
        let mut first = Batch::default();
        if let Some(password) = password {
            first.add(gate, node, &["auth", password.expose()], Want::Auth);
        }
        first.add(gate, node, &["info", "server"], Want::Server);
        first.add(gate, node, &["info", "replication"], Want::Section("replication"));
        let (replies, broken) =
            connection.exchange(&first.permits, self.deadlines.of(self.deadlines.reply)).await;
        let mut server_reply = None;
        for (want, reply) in first.wants.iter().zip(&replies) {
            match want {
                Want::Auth => note_auth_reply(&mut node.authentication, reply),
                Want::Server => server_reply = Some(reply),
                _ => {}
            }
        }
        let Some(server_reply) = server_reply else {
            note_no_answer(node, broken.unwrap_or(Broken::Closed), connection.first_bytes());
            return;
        };
        let server = identify::from_info(server_reply);
        let kind = server.kind;
        node.authentication.admitted = Some(matches!(server_reply, Reply::Text(_)));
        if kind != ServerKind::Pika {
            let reason = reasons::not_examined_as_pika(&server.evidence);
            node.server = Some(server);
            note_unexamined(node, &reason);
            return;
        }
        node.server = Some(server);
        for (want, reply) in first.wants.iter().zip(&replies).skip_while(|(want, _)| **want == Want::Auth) {
            take_reply(node, self, want, reply);
        }
        if broken.is_some() {
            node.unavailable
                .push(Unavailable::failed("replication", reasons::connection_broke_after("INFO server")));
            note_all_unasked(node, &broken.unwrap_or(Broken::Closed).into());
            return;
        }
        read_sections(node);

        let reported = node.info.get("server").and_then(|server| info::section_field(server, "pika_version"));
        let reported: Option<Version> = reported.and_then(|text| text.parse().ok());
        match reported {
            Some(number) if !self.knowledge.is_reported(number) => gate.settle_on_unknown(number),
            _ => gate.settle(reported, waits_for_full_sync(node)),
        }
        let second = self.second_batch(node, gate, reported);
        let (replies, broken) =
            connection.exchange(&second.permits, self.deadlines.of(self.deadlines.reply)).await;
        let pairs = || second.wants.iter().zip(&replies);
        let out_of_step = pairs().find_map(|(want, reply)| out_of_step(want, reply));
        for (want, reply) in pairs() {
            match &out_of_step {
                Some(reason) if !says_what_it_is(want, reply) => {
                    let path = want.path().unwrap_or_default();
                    node.unavailable.push(Unavailable::failed(path, reason.clone()));
                }
                _ => take_reply(node, self, want, reply),
            }
        }
        if let Some(broken) = broken {
            for want in &second.wants[replies.len()..] {
                if let Some(path) = want.path() {
                    node.unavailable.push(Unavailable::failed(path, broken));
                }
            }
        }
        read_sections(node);
        summarise_config_errors(node);
        if out_of_step.is_none() && broken.is_none() {
            self.ask_for_slots(node, connection, gate).await;
        }
        self.compare_passwords(&mut node.authentication, node.config.as_ref(), password);
    }

    /// In sharding mode only, and behind everything else: while slots are added the answer waits for that.
    async fn ask_for_slots(&self, node: &mut Node, connection: &mut Connection, gate: &Gate<'_>) {
        if node
            .config
            .as_ref()
            .and_then(|config| config.get("instance-mode"))
            .is_none_or(|mode| mode != "sharding")
        {
            return;
        }
        let mut batch = Batch::default();
        batch.add(gate, node, &["pkcluster", "info", "slot"], Want::Slots);
        if batch.permits.is_empty() {
            return;
        }
        let (replies, broken) =
            connection.exchange(&batch.permits, self.deadlines.of(self.deadlines.reply)).await;
        match (replies.first(), broken) {
            (Some(reply), _) => take_reply(node, self, &Want::Slots, reply),
            (None, broken) => {
                node.unavailable.push(Unavailable::failed("slots", broken.unwrap_or(Broken::Closed)));
            }
        }
    }

    /// Without a release nothing is known about the ports, and none is touched.
    async fn look_at_ports(&self, node: &mut Node, gate: &Gate<'_>) {
        let Some(release) = gate.release() else {
            if let Some(reported) = gate.unknown_release() {
                let reason = reasons::ports_of_release_unknown(reported);
                node.unavailable.push(Unavailable::failed("ports", reason));
            }
            return;
        };
        if !self.ports {
            node.unavailable.push(Unavailable::no_access("ports", reasons::ports_not_wanted()));
            return;
        }
        let generation = self.knowledge.generations.iter().find(|entry| entry.releases.contains(release));
        let server = node.reach.peer.as_ref().and_then(|peer| peer.parse().ok());
        let (Some(generation), Some(server)) = (generation, server) else {
            node.unavailable.push(Unavailable::failed("ports", reasons::ports_of_release_unknown(release)));
            return;
        };
        let tags: Vec<&ReleaseTag> = reporting(release, self.knowledge).collect();
        let releases: Vec<Version> = tags.iter().map(|tag| tag.version).collect();
        if let Some(fact) = foreign_fact(node, &releases, self.knowledge) {
            node.unavailable.push(Unavailable::failed("ports", reasons::ports_of_other_build(release, fact)));
            return;
        }
        let role = node.replication.as_ref().and_then(|replication| replication.role);
        let pair = node.double_master.as_ref().and_then(|double_master| double_master.enabled);
        let follows_nobody = role == Some(Role::Master) && pair != Some(true);
        let sha = node.info.get("server").and_then(|server| info::section_field(server, "pika_git_sha"));
        let is_proven = sha.is_some_and(|sha| tags.iter().any(|tag| is_built_from(tag, sha)));
        let alone = Alone { follows_nobody, is_proven };
        node.ports = Some(ports::probe_ports(generation, server, gate, alone, &self.deadlines).await);
    }

    fn second_batch(&self, node: &mut Node, gate: &Gate<'_>, release: Option<Version>) -> Batch {
        let mut batch = Batch::default();
        for (words, path) in SECTIONS {
            let want = match words {
                ["acl", "whoami"] => Want::User,
                ["acl", "list"] => Want::OpenUsers,
                _ => Want::Section(path),
            };
            batch.add(gate, node, words, want);
        }
        // A server of a release that is not known is asked for what the newest release that is known answers.
        let newest = self.knowledge.releases.last().map(|tag| tag.version);
        let alike = if gate.unknown_release().is_some() { newest } else { release };
        let known: Vec<Setting<'_>> = self
            .knowledge
            .settings()
            .filter(|setting| alike.is_some_and(|release| setting.readable.contains(release)))
            .collect();
        if known.is_empty() {
            node.unavailable.push(Unavailable::failed("config", reasons::settings_of_release_unknown()));
        }
        for setting in known {
            batch.add(gate, node, &["config", "get", setting.name], Want::Setting(setting.name.to_owned()));
        }
        batch
    }

    /// Says whether the password that was given is one of the server's. On 3.5.5 and 4.0.1 AUTH
    /// answers OK to any password while userpass is empty, so its answer alone proves nothing.
    fn compare_passwords(
        &self,
        authentication: &mut Authentication,
        config: Option<&BTreeMap<String, String>>,
        password: Option<&Password>,
    ) {
        let Some(password) = password else { return };
        let given = self.tokens.token(password.expose());
        let same = |name: &str| config?.get(name).map(|token| *token == given);
        authentication.matches_requirepass = same("requirepass");
        authentication.matches_userpass = same("userpass");
    }
}

/// What a reply is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Want {
    Auth,
    Server,
    /// The fact that the section is for.
    Section(&'static str),
    User,
    OpenUsers,
    Slots,
    Setting(String),
}

impl Want {
    fn path(&self) -> Option<String> {
        match self {
            Self::Auth => None,
            Self::Server => Some("process".into()),
            Self::Section(path) => Some((*path).into()),
            Self::User => Some("authentication.user".into()),
            Self::OpenUsers => Some("authentication.open_users".into()),
            Self::Slots => Some("slots".into()),
            Self::Setting(name) => Some(format!("config.{name}")),
        }
    }
}

/// Commands that go out together, and what each reply is for.
#[derive(Default)]
struct Batch {
    permits: Vec<Permit>,
    wants: Vec<Want>,
}

impl Batch {
    fn add(&mut self, gate: &Gate<'_>, node: &mut Node, words: &[&str], want: Want) {
        match gate.permit(words) {
            Ok(permit) => {
                self.permits.push(permit);
                self.wants.push(want);
            }
            Err(refusal) => {
                if let Some(path) = want.path().filter(|_| !refusal.not_in_release) {
                    node.unavailable.push(Unavailable::failed(path, refusal.not_sent.reason.clone()));
                }
                node.not_sent.push(refusal.not_sent);
            }
        }
    }
}

fn look_at_host(node: &mut Node, is_pika: bool) {
    let Some(peer) = node.reach.peer.as_ref().and_then(|peer| peer.parse().ok()).filter(|_| is_pika) else {
        return;
    };
    match network_of_server(peer, node.process.as_ref().and_then(|process| process.pid)) {
        Ok(network) => node.host_network = Some(network),
        Err(error) => {
            for path in ["host_network", "own_address"] {
                node.unavailable.push(Unavailable::no_access(path, &error));
            }
        }
    }
}

/// What an answer to AUTH says.
pub fn note_auth_reply(authentication: &mut Authentication, reply: &Reply) {
    let (outcome, text) = match reply {
        Reply::Text(text) if text == "OK" => (AuthOutcome::Accepted, Reason::verbatim(text)),
        Reply::Error(text) => {
            let lower = text.to_ascii_lowercase();
            let outcome = if lower.contains("no password is set")
                || lower.contains("without any password configured")
            {
                AuthOutcome::NoneSet
            } else if lower.contains("invalid password") || lower.starts_with("wrongpass") {
                AuthOutcome::Refused
            } else {
                AuthOutcome::Unclear
            };
            (outcome, Reason::verbatim(text))
        }
        Reply::Text(text) => (AuthOutcome::Unclear, Reason::verbatim(text)),
        Reply::Number(_) | Reply::List(_) | Reply::Nothing | Reply::Other => {
            (AuthOutcome::Unclear, reasons::not_a_text())
        }
    };
    authentication.outcome = outcome;
    authentication.reply = Some(text);
}

/// A connection without a single usable reply.
fn note_no_answer(node: &mut Node, broken: Broken, first_bytes: &[u8]) {
    let (state, server) = state_without_answer(broken, first_bytes);
    node.reach.state = state;
    node.server = server.or(node.server.take());
    let reason = match &node.server {
        Some(server) => reasons::not_examined_as_pika(&server.evidence),
        None => broken.into(),
    };
    note_unexamined(node, &reason);
}

/// How a connection without a usable reply ended, and what gave itself away by its first bytes.
pub fn state_without_answer(broken: Broken, first_bytes: &[u8]) -> (ReachState, Option<Server>) {
    match broken {
        Broken::NotResp => (ReachState::Answered, Some(identify::from_bytes(first_bytes))),
        Broken::TooMuch => {
            let evidence = reasons::info_server_answered_by(Reason::from(Broken::TooMuch));
            let server = Server { kind: ServerKind::Garbage, product: None, evidence };
            (ReachState::Answered, Some(server))
        }
        Broken::TimedOut if first_bytes.is_empty() => (ReachState::Silent, None),
        Broken::TimedOut => (ReachState::Stalled, None),
        Broken::Closed => (ReachState::Closed, None),
    }
}

/// Facts that only a Pika that answers can give.
const OF_A_PIKA: [&str; 18] = [
    "version",
    "release",
    "process",
    "clients",
    "tasks",
    "data",
    "replication",
    "binlog",
    "double_master",
    "keyspace",
    "commands",
    "slots",
    "config",
    "ports",
    "host_network",
    "own_address",
    "collisions",
    "peers",
];

fn note_unexamined(node: &mut Node, reason: &Reason) {
    let of_whatever_answers = node.server.is_none().then_some(["server", "authentication.admitted"]);
    for path in of_whatever_answers.iter().flatten().chain(&OF_A_PIKA) {
        node.unavailable.push(Unavailable::failed(*path, reason.clone()));
    }
}

fn note_all_unasked(node: &mut Node, reason: &Reason) {
    for path in SECTIONS.iter().map(|(_, path)| *path).chain(["config"]) {
        node.unavailable.push(Unavailable::failed(path, reason.clone()));
    }
}

/// Why the answers of a batch cannot be told by their places: one is about a setting that was not asked for. A
/// server that gives an answer too many would otherwise have its password taken for a port.
fn out_of_step(want: &Want, reply: &Reply) -> Option<Reason> {
    let Want::Setting(name) = want else { return None };
    match *reply.texts() {
        [about, _] if !about.eq_ignore_ascii_case(name) => {
            Some(reasons::answers_out_of_step(format!("config get {name}"), about))
        }
        _ => None,
    }
}

/// Whether an answer itself tells what it answers: INFO by its headers, a setting by its name.
fn says_what_it_is(want: &Want, reply: &Reply) -> bool {
    match want {
        Want::Setting(name) => matches!(*reply.texts(), [about, _] if about.eq_ignore_ascii_case(name)),
        Want::User | Want::OpenUsers | Want::Slots => false,
        Want::Auth | Want::Server | Want::Section(_) => true,
    }
}

fn take_reply(node: &mut Node, collector: &Collector<'_>, want: &Want, reply: &Reply) {
    match (want, reply) {
        (Want::Auth, _) => {}
        (Want::User, Reply::Text(user)) => node.authentication.user = Some(user.clone()),
        (Want::OpenUsers, Reply::List(_)) => {
            let users = reply.texts().into_iter().filter_map(open_user).collect();
            node.authentication.open_users = Some(users);
        }
        (Want::Slots, Reply::Text(text)) => node.slots = Some(info::served_slots(text)),
        (Want::Server | Want::Section(_), Reply::Text(text)) => {
            let lines = text.lines().count();
            if lines > MAX_INFO_LINES {
                let reason = reasons::entries_above_limit(lines, MAX_INFO_LINES);
                node.unavailable.push(Unavailable::failed(want.path().unwrap_or_default(), reason));
                return;
            }
            let mut sections = info::sections(text);
            // Whoever is not among those that are read must not look like one that is not there.
            let replicas = sections.get("replication").map_or(0, info::count_replicas);
            if replicas > MAX_LISTED_REPLICAS {
                let reason = reasons::entries_above_limit(replicas, MAX_LISTED_REPLICAS);
                node.unavailable.push(Unavailable::failed("replication", reason));
                sections.remove("replication");
                node.info.extend(sections);
                return;
            }
            if sections.is_empty() {
                let path = want.path().unwrap_or_default();
                node.unavailable.push(Unavailable::failed(path, reasons::server_answers_nothing()));
            }
            node.info.extend(sections);
        }
        (Want::Setting(name), Reply::List(_)) => {
            // An unknown name is answered by an empty array; `derive` says what its absence means.
            if let [_, value] = *reply.texts() {
                let secret =
                    collector.knowledge.settings().any(|setting| setting.name == *name && setting.key.secret);
                let value = if secret { collector.tokens.token(value) } else { value.to_owned() };
                node.config.get_or_insert_default().insert(name.clone(), value);
            }
        }
        (want, reply) => {
            if let Some(path) = want.path() {
                let reason = match reply {
                    Reply::Error(text) => reasons::server_answers(text),
                    _ => reasons::server_answers_other_type(),
                };
                node.unavailable.push(Unavailable::failed(path, reason));
            }
        }
    }
}

/// The name in `user limit on nopass ~* &* +@all`, if that user is let in without a password.
fn open_user(line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let name = words.by_ref().nth(1).filter(|_| line.starts_with("user "))?;
    let flags: Vec<&str> = words.collect();
    (flags.contains(&"on") && flags.contains(&"nopass")).then(|| name.to_owned())
}

/// Fills the typed facts from the sections that were read so far.
fn read_sections(node: &mut Node) {
    let section = |name: &str| node.info.get(name);
    let places: Vec<&InfoSection> = ["log", "replication"].iter().filter_map(|name| section(name)).collect();
    node.binlog = info::binlog(&places);
    node.process = section("server").map(info::process);
    node.replication = section("replication").map(info::replication);
    node.clients = section("clients").map(info::clients);
    node.tasks = section("stats").map(info::tasks);
    node.data = section("data").map(|data| info::data(data, section("log")));
    node.double_master = section("doublemaster").map(info::double_master);
    node.commands = section("command_exec_count").map(info::commands);
    node.keyspace = section("keyspace").map(info::keyspace);
}

/// Whether the server says, in the vocabulary of 2.x and 3.0, that it waits for a full sync.
fn waits_for_full_sync(node: &Node) -> bool {
    let master = node.replication.as_ref().and_then(|replication| replication.master.as_ref());
    master.is_some_and(|master| {
        master.states.iter().any(|state| state.raw == "4" || state.raw.eq_ignore_ascii_case("wait dbsync"))
    })
}

/// A blacklisted CONFIG fails alike for every setting; one entry says it better than fifty.
fn summarise_config_errors(node: &mut Node) {
    if node.config.is_some() {
        return;
    }
    let mut reasons = node.unavailable.iter().filter(|absence| absence.path.starts_with("config."));
    let Some(first) = reasons.next().map(|absence| absence.reason.clone()) else { return };
    node.unavailable.retain(|absence| !absence.path.starts_with("config."));
    node.unavailable.push(Unavailable::failed("config", first));
}
