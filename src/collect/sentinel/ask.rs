//! Asks one Sentinel, in three round trips: who are you, what do you watch, and who belongs to it.

use super::reply::{Entry, entries, instance, master, shorten};
use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::gate::{Gate, Permit};
use crate::collect::pika::identify;
use crate::collect::pika::node::{note_auth_reply, state_without_answer};
use crate::collect::pika::resp::{Broken, Connection, Reply};
use crate::collect::secret::Password;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_SENTINEL_MASTERS;
use crate::model::reason::Reason;
use crate::model::sentinel::{Instance, Sentinel};
use crate::model::server::ServerKind;
use crate::model::unavailable::Unavailable;
use crate::parse::info::field;

/// What asking needs to know.
pub struct Asker<'a> {
    /// What may be sent.
    pub knowledge: &'a Knowledge,
    /// How long things may take.
    pub deadlines: Deadlines,
}

impl Asker<'_> {
    /// Asks the Sentinel at `address`. Never fails: what could not be had is in `Sentinel::unavailable`.
    pub async fn ask(&self, address: &Address, password: Option<&Password>) -> Sentinel {
        let mut sentinel =
            Sentinel { name: address.to_string(), address: address.clone(), ..Sentinel::default() };
        let (reach, stream) = dial(address, &self.deadlines).await;
        sentinel.reach = reach;
        let Some(stream) = stream else {
            note_unasked(&mut sentinel, &reasons::address_not_reached(address));
            return sentinel;
        };
        let mut connection = Connection::new(stream);
        let mut gate = Gate::new(&self.knowledge.commands);
        if self.introduce(&mut sentinel, &mut connection, &gate, password).await {
            gate.settle_on_sentinel();
            self.question(&mut sentinel, &mut connection, &gate).await;
        }
        sentinel.reach.round_trips = connection.round_trips();
        sentinel
    }

    /// Whether a Sentinel answers, and lets itself be asked.
    async fn introduce(
        &self,
        sentinel: &mut Sentinel,
        connection: &mut Connection,
        gate: &Gate<'_>,
        password: Option<&Password>,
    ) -> bool {
        let auth = password.map(|password| vec!["auth", password.expose()]);
        let words = auth.into_iter().chain([vec!["info", "server"]]).collect::<Vec<_>>();
        let (replies, broken) = self.exchange(sentinel, connection, gate, &words).await;
        if let (Some(_), Some(reply)) = (password, replies.first()) {
            note_auth_reply(&mut sentinel.authentication, reply);
        }
        let Some(reply) = replies.get(words.len() - 1) else {
            let broken = broken.unwrap_or(Broken::Closed);
            let (state, server) = state_without_answer(broken, connection.first_bytes());
            sentinel.reach.state = state;
            let reason = match &server {
                Some(server) => reasons::not_a_sentinel(&server.evidence),
                None => broken.into(),
            };
            if server.is_none() {
                note(sentinel, "server", &reason);
            }
            sentinel.server = server;
            note_unasked(sentinel, &reason);
            return false;
        };
        sentinel.authentication.admitted = Some(matches!(reply, Reply::Text(_)));
        let server = identify::from_info(reply);
        let (kind, evidence) = (server.kind, server.evidence.clone());
        sentinel.server = Some(server);
        if kind != ServerKind::Sentinel {
            note_unasked(sentinel, &reasons::not_asked_as_sentinel(evidence));
        }
        kind == ServerKind::Sentinel
    }

    async fn question(&self, sentinel: &mut Sentinel, connection: &mut Connection, gate: &Gate<'_>) {
        let words = [vec!["info", "sentinel"], vec!["sentinel", "myid"], vec!["sentinel", "masters"]];
        let (replies, broken) = self.exchange(sentinel, connection, gate, &words).await;
        let reason = broken.map_or_else(reasons::no_answer_came, Reason::from);
        match replies.first() {
            Some(Reply::Text(info)) => {
                sentinel.tilt = field(info, "sentinel_tilt").map(|value| value != "0");
                sentinel.masters_counted =
                    field(info, "sentinel_masters").and_then(|value| value.parse().ok());
                for (path, absent) in [
                    ("tilt", sentinel.tilt.is_none()),
                    ("masters_counted", sentinel.masters_counted.is_none()),
                ] {
                    if absent {
                        note(sentinel, path, &reasons::info_sentinel_does_not_show_it());
                    }
                }
            }
            other => {
                for path in ["tilt", "masters_counted"] {
                    note(sentinel, path, &unreadable(other, &reason));
                }
            }
        }
        match replies.get(1) {
            Some(Reply::Text(id)) => sentinel.my_id = Some(shorten(id)),
            Some(Reply::Error(_)) => {
                sentinel.unavailable.push(Unavailable::not_in_release("my_id", reasons::no_sentinel_myid()));
            }
            other => note(sentinel, "my_id", &unreadable(other, &reason)),
        }
        match read(replies.get(2), &reason, master) {
            Ok(masters) => sentinel.masters = Some(masters),
            Err(reason) => {
                note(sentinel, "masters", &reason);
                return;
            }
        }
        if broken.is_none() {
            self.ask_about_masters(sentinel, connection, gate).await;
        } else {
            let count = sentinel.masters.as_ref().map_or(0, Vec::len);
            note_all_of_masters(sentinel, 0..count, &reasons::connection_broke_after("SENTINEL MASTERS"));
        }
    }

    async fn ask_about_masters(&self, sentinel: &mut Sentinel, connection: &mut Connection, gate: &Gate<'_>) {
        let mut masters = sentinel.masters.take().unwrap_or_default();
        let asked = masters.len().min(MAX_SENTINEL_MASTERS);
        let names: Vec<String> = masters[..asked].iter().map(|master| master.name.clone()).collect();
        let words: Vec<Vec<&str>> = names
            .iter()
            .flat_map(|name| ["slaves", "sentinels", "ckquorum"].map(|word| vec!["sentinel", word, name]))
            .collect();
        let (replies, broken) = self.exchange(sentinel, connection, gate, &words).await;
        let reason = broken.map_or_else(reasons::no_answer_came, Reason::from);
        for (index, master) in masters[..asked].iter_mut().enumerate() {
            let reply = |offset: usize| replies.get(3 * index + offset);
            let path = |field: &str| format!("masters.{index}.{field}");
            master.replicas = instances(sentinel, reply(0), &path("replicas"), &reason);
            master.others = instances(sentinel, reply(1), &path("others"), &reason);
            match reply(2) {
                Some(Reply::Text(text) | Reply::Error(text)) => master.quorum_reply = Some(shorten(text)),
                other => note(sentinel, &path("quorum_reply"), &unreadable(other, &reason)),
            }
        }
        note_all_of_masters(
            sentinel,
            asked..masters.len(),
            &reasons::sentinel_names_limit(MAX_SENTINEL_MASTERS),
        );
        sentinel.masters = Some(masters);
    }

    /// Sends what the gate lets through; a refusal ends the batch, for replies must keep their places.
    async fn exchange(
        &self,
        sentinel: &mut Sentinel,
        connection: &mut Connection,
        gate: &Gate<'_>,
        commands: &[Vec<&str>],
    ) -> (Vec<Reply>, Option<Broken>) {
        let mut permits: Vec<Permit> = Vec::new();
        for words in commands {
            match gate.permit(words) {
                Ok(permit) => permits.push(permit),
                Err(refusal) => {
                    sentinel.not_sent.push(refusal.not_sent);
                    break;
                }
            }
        }
        if permits.is_empty() {
            return (Vec::new(), None);
        }
        connection.exchange(&permits, self.deadlines.of(self.deadlines.reply)).await
    }
}

/// The entries of an answer. One that cannot be read makes all of it unreliable: what is missing in it must not
/// be taken for what is not there.
fn read<T>(
    reply: Option<&Reply>,
    reason: &Reason,
    of: fn(&Entry<'_>) -> Option<T>,
) -> Result<Vec<T>, Reason> {
    let entries = entries(reply.ok_or_else(|| reason.clone())?)?;
    let read: Vec<T> = entries.iter().filter_map(of).collect();
    let lost = entries.len() - read.len();
    if lost > 0 { Err(reasons::entries_without_address(lost)) } else { Ok(read) }
}

fn instances(
    sentinel: &mut Sentinel,
    reply: Option<&Reply>,
    path: &str,
    reason: &Reason,
) -> Option<Vec<Instance>> {
    match read(reply, reason, instance) {
        Ok(instances) => Some(instances),
        Err(reason) => {
            note(sentinel, path, &reason);
            None
        }
    }
}

fn unreadable(reply: Option<&Reply>, reason: &Reason) -> Reason {
    match reply {
        None => reason.clone(),
        Some(Reply::Error(error)) => reasons::sentinel_answers(shorten(error)),
        Some(_) => reasons::sentinel_answers_other_type(),
    }
}

fn note(sentinel: &mut Sentinel, path: &str, reason: &Reason) {
    sentinel.unavailable.push(Unavailable::failed(path, reason.clone()));
}

fn note_unasked(sentinel: &mut Sentinel, reason: &Reason) {
    if sentinel.server.is_none() && !sentinel.unavailable.iter().any(|absence| absence.path == "server") {
        note(sentinel, "server", reason);
    }
    for path in ["my_id", "tilt", "masters_counted", "masters"] {
        note(sentinel, path, reason);
    }
    if sentinel.authentication.admitted.is_none() {
        note(sentinel, "authentication.admitted", reason);
    }
}

fn note_all_of_masters(sentinel: &mut Sentinel, masters: std::ops::Range<usize>, reason: &Reason) {
    for index in masters {
        for field in ["replicas", "others", "quorum_reply"] {
            note(sentinel, &format!("masters.{index}.{field}"), reason);
        }
    }
}
