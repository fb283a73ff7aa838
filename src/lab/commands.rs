//! What a simulated server answers to each command.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::channels::Subscriptions;
use super::info::info;
use super::world::World;
use crate::catalog::era;
use crate::lab::state::{Change, Stage, State};
use crate::model::knowledge::Knowledge;
use crate::model::release::Era;

/// One connection.
pub struct Client {
    /// The world that the server is in.
    pub world: Arc<World>,
    /// The server among those of the world.
    pub server: usize,
    /// What is known of releases.
    pub knowledge: Arc<Knowledge>,
    /// The database that was selected.
    pub db: u64,
    /// Whether it has given a password that was taken.
    pub authenticated: bool,
    /// The channels that it listens to.
    pub subscriptions: Subscriptions,
}

impl Client {
    /// A connection that was just made.
    pub fn new(world: &Arc<World>, server: usize, knowledge: &Arc<Knowledge>) -> Self {
        let (world, knowledge) = (world.clone(), knowledge.clone());
        let subscriptions = Subscriptions::default();
        Self { world, server, knowledge, db: 0, authenticated: false, subscriptions }
    }

    /// The reply to a command.
    pub fn reply(&mut self, words: &[String]) -> String {
        let Some(name) = words.first().map(|word| word.to_ascii_lowercase()) else {
            return "-ERR Protocol error\r\n".to_owned();
        };
        let name = name.as_str();
        if name == "auth" {
            return self.auth(&words[1..]);
        }
        if self.wants_password() && !self.authenticated {
            return "-ERR NOAUTH Authentication required.\r\n".to_owned();
        }
        let first = words.get(1).map_or("", String::as_str);
        match (name, &words[1..]) {
            ("info", arguments) => {
                let mut world = self.world.lock();
                world.servers[self.server].is_looked_at = true;
                info(&world, self.server, arguments)
            }
            ("config", [verb, name]) if verb.eq_ignore_ascii_case("get") => self.config_get(name),
            ("config", [verb, name, value]) if verb.eq_ignore_ascii_case("set") => {
                self.config_set(name, value)
            }
            ("slaveof", arguments) => self.slaveof(arguments),
            // What a Sentinel says to the servers that it watches, beside INFO and SLAVEOF.
            ("ping", []) => "+PONG\r\n".to_owned(),
            ("publish", [channel, text]) => {
                let readers = self.world.channels.publish(self.server, channel, text);
                number(i64::try_from(readers).unwrap_or(i64::MAX))
            }
            ("subscribe", [_, ..]) => self.subscriptions.add(&words[1..], false),
            ("psubscribe", [_, ..]) => self.subscriptions.add(&words[1..], true),
            ("unsubscribe", [_, ..]) => self.subscriptions.remove(&words[1..], false),
            ("punsubscribe", [_, ..]) => self.subscriptions.remove(&words[1..], true),
            ("clearreplicationid", []) => self.clear_replication_id(),
            ("select", [db]) => match db.parse() {
                Ok(db) if db < self.world.lock().servers[self.server].databases() => {
                    self.db = db;
                    "+OK\r\n".to_owned()
                }
                _ => "-ERR invalid DB index\r\n".to_owned(),
            },
            ("set" | "del" | "expire", _) if self.is_read_only() => self.refuse_write(),
            ("set", [_, value, ..]) => {
                self.world.write(self.server, self.db, first, &Change::Set(value.clone()));
                "+OK\r\n".to_owned()
            }
            ("expire", [_, seconds]) => {
                let life = Duration::from_secs(seconds.parse().unwrap_or(0));
                number(self.world.write(self.server, self.db, first, &Change::Expire(life)).into())
            }
            ("del", [_]) => number(self.world.write(self.server, self.db, first, &Change::Delete).into()),
            ("pkscanrange", [kind, start, end, options @ ..]) => self.scan_range(kind, start, end, options),
            ("scan", [cursor, options @ ..]) => self.scan(cursor, options),
            ("getrange" | "lrange" | "zrange", [_, start, stop, ..]) => self.piece(name, first, start, stop),
            ("pkhscanrange", [_, start, ..]) => self.fields(first, start),
            ("hscan" | "sscan" | "zscan", [_, ..]) => self.elements(name, first),
            ("zscore", [_, _]) => "$1\r\n1\r\n".to_owned(),
            (
                "get" | "exists" | "ttl" | "type" | "strlen" | "hlen" | "llen" | "scard" | "zcard" | "xlen",
                [_],
            ) => self.read(name, first),
            ("acl", _) => self.acl(words),
            _ => {
                let state = self.world.lock();
                let persona = &state.servers[self.server].persona;
                if persona.has_recorded(&words.join(" ")) {
                    persona.reply(words)
                } else {
                    persona.unknown_command(name)
                }
            }
        }
    }

    fn setting(&self, name: &str) -> String {
        self.world.lock().servers[self.server].setting(name)
    }

    fn is_of(&self, era: &Era) -> bool {
        self.world.lock().servers[self.server].persona.is_of(era)
    }

    /// Up to 3.5.2 whoever says nothing is the user of userpass, which is let in where it is empty.
    fn wants_password(&self) -> bool {
        let by_user = self.is_of(&era::ACL);
        !self.setting("requirepass").is_empty() && (by_user || !self.setting("userpass").is_empty())
    }

    fn auth(&mut self, words: &[String]) -> String {
        let by_user = self.is_of(&era::ACL);
        let password = match words {
            [password] => password,
            [_, password] if by_user => password,
            _ => return "-ERR wrong number of arguments for 'auth' command\r\n".to_owned(),
        };
        let (root, user) = (self.setting("requirepass"), self.setting("userpass"));
        if root.is_empty() && user.is_empty() {
            return "-ERR Client sent AUTH, but no password is set\r\n".to_owned();
        }
        // From 3.5.3 on an empty userpass lets any password in (measured on 3.5.5).
        if *password == root || (*password == user && !user.is_empty()) || (by_user && user.is_empty()) {
            self.authenticated = true;
            return "+OK\r\n".to_owned();
        }
        if by_user {
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n".to_owned()
        } else {
            "-ERR invalid password\r\n".to_owned()
        }
    }

    fn acl(&self, words: &[String]) -> String {
        let state = self.world.lock();
        let server = &state.servers[self.server];
        let list = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("list"));
        if !server.persona.is_of(&era::ACL) {
            return server.persona.unknown_command("acl");
        }
        if !list {
            return server.persona.reply(words);
        }
        let user = |name: &str, password: &str| {
            let secret = if server.setting(password).is_empty() { "nopass" } else { "#0" };
            format!("user {name} on {secret} ~* &* +@all")
        };
        array(&[user("default", "requirepass"), user("limit", "userpass")])
    }

    fn config_get(&self, name: &str) -> String {
        let state = self.world.lock();
        let server = &state.servers[self.server];
        let id = match name {
            "replication-id" => Some(&server.replication_id),
            "run-id" => Some(&server.run_id),
            _ => None,
        };
        match id.or_else(|| server.settings.get(name)) {
            // A setting that the release does not show stays hidden.
            Some(value) if server.persona.setting(name).is_some() => array(&[name.to_owned(), value.clone()]),
            _ => server.persona.reply(&["config".into(), "get".into(), name.into()]),
        }
    }

    /// (A real server refuses many; which ones is not simulated, but for those that it does not show, and
    /// slave-read-only, which is shown from 3.5.0 on and not to be changed.)
    fn config_set(&self, name: &str, value: &str) -> String {
        let mut state = self.world.lock();
        let server = &mut state.servers[self.server];
        let fixed = name == "slave-read-only" && !server.persona.is_of(&era::NUMBERED_LINK_STATES);
        if fixed || server.persona.setting(name).is_none() {
            return format!("-ERR Unsupported CONFIG parameter: {name}\r\n");
        }
        server.settings.insert(name.to_owned(), value.to_owned());
        state.retry();
        "+OK\r\n".to_owned()
    }

    /// From 3.5.1 on a server can forget the id of its group, but not while it replicates.
    fn clear_replication_id(&self) -> String {
        let mut state = self.world.lock();
        if !state.servers[self.server].persona.has_replication_id() {
            return state.servers[self.server].persona.unknown_command("clearreplicationid");
        }
        state.servers[self.server].replication_id.clear();
        "+OK\r\n".to_owned()
    }

    fn slaveof(&self, words: &[String]) -> String {
        const NOT_IN_STATE: &str = "-ERR Server is not in correct state for slaveof\r\n";
        let mut state = self.world.lock();
        let me = &state.servers[self.server];
        let persona = &me.persona;
        if let Some(join) = state.joins.iter().find(|join| join.double && join.replica == self.server) {
            let (given_up, peer) = (join.fate.stage == Stage::GivenUp, join.master);
            let named = [join.named.0.clone(), join.named.1.to_string()];
            if given_up && words.starts_with(&named) {
                state.overwrite_half(self.server, peer);
                return "+OK\r\n".to_owned();
            }
            return NOT_IN_STATE.to_owned();
        }
        let (host, port) = match words {
            [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => {
                state.leave(self.server);
                let me = &mut state.servers[self.server];
                if me.switches_itself() {
                    me.settings.insert("slave-read-only".to_owned(), "no".to_owned());
                }
                return "+OK\r\n".to_owned();
            }
            [host, port, ..] => (host.clone(), port),
            _ => return "-ERR wrong number of arguments for 'slaveof' command\r\n".to_owned(),
        };
        let Ok(port) = port.parse::<u16>() else {
            return "-ERR value is not an integer or out of range\r\n".to_owned();
        };
        if persona.speaks_protobuf() && state.joins.iter().any(|join| join.master == self.server) {
            return "-ERR already master of others, invalid usage\r\n".to_owned();
        }
        let named =
            |address: std::net::SocketAddr| address.ip().to_string() == host && address.port() == port;
        if named(me.address) {
            return persona.refuses_itself().to_owned();
        }
        if let Some(join) = state.joins.iter().find(|join| join.replica == self.server) {
            if persona.is_of(&era::SLAVEOF_REFUSED_WHILE_FOLLOWING) {
                return NOT_IN_STATE.to_owned();
            }
            if join.named == (host.clone(), port) {
                return "+OK\r\n".to_owned();
            }
        }
        // A master outside of the scenario is never reached.
        let Some(master) = state.at(&host, port) else {
            return "+OK\r\n".to_owned();
        };
        let full = words.get(2).is_some_and(|word| word.eq_ignore_ascii_case("force"));
        state.follow(self.server, master, (host, port), full, &self.knowledge);
        "+OK\r\n".to_owned()
    }

    fn is_read_only(&self) -> bool {
        self.world.lock().is_read_only(self.server)
    }

    fn refuse_write(&self) -> String {
        if self.is_of(&era::OWN_RSYNC) {
            "-ERR READONLY You can't write against a read only replica.\r\n".to_owned()
        } else {
            "-ERR Server in read-only\r\n".to_owned()
        }
    }

    /// The keys of the database that have not ended: type and name, type by type as 2.x has them in its stores.
    fn names(&self) -> Vec<(&'static str, String)> {
        const STORES: [&str; 5] = ["string", "hash", "list", "zset", "set"];
        let state = self.world.lock();
        let now = Instant::now();
        let keys = state.servers[self.server].keys.iter();
        let mut names: Vec<(&'static str, String)> = keys
            .filter(|((db, _), key)| *db == self.db && key.ends.is_none_or(|ends| ends > now))
            .map(|((_, name), key)| (key.kind, name.clone()))
            .collect();
        names
            .sort_by_cached_key(|(kind, name)| (STORES.iter().position(|store| store == kind), name.clone()));
        names
    }

    /// From `start` to `end`, both with it, and the first that is not told any more.
    fn scan_range(&self, kind: &str, start: &str, end: &str, options: &[String]) -> String {
        if self.is_of(&era::SCAN_BY_CURSOR) {
            return self.world.lock().servers[self.server].persona.unknown_command("pkscanrange");
        }
        let within = |name: &str| name >= start && (end.is_empty() || name <= end);
        let of_kind = self.names().into_iter().filter(|(of, name)| *of == kind && within(name));
        let mut names: Vec<String> = of_kind.map(|(_, name)| name).collect();
        let limit = option(options, "limit").unwrap_or(10);
        let next = names.get(limit).cloned().unwrap_or_default();
        names.truncate(limit);
        format!("*2\r\n${}\r\n{next}\r\n{}", next.len(), array(&names))
    }

    fn scan(&self, cursor: &str, options: &[String]) -> String {
        let (from, count) = (cursor.parse().unwrap_or(0), option(options, "count").unwrap_or(10));
        let names: Vec<String> = self.names().into_iter().map(|(_, name)| name).collect();
        let next = if from + count >= names.len() { 0 } else { from + count };
        let listed: Vec<String> = names.into_iter().skip(from).take(count).collect();
        format!("*2\r\n${}\r\n{next}\r\n{}", next.to_string().len(), array(&listed))
    }

    /// The contents of a key that are told of: the text of a string, and names of elements where there are only so many.
    fn contents(&self, name: &str) -> Vec<String> {
        let state = self.world.lock();
        let key = state.servers[self.server].keys.get(&(self.db, name.to_owned()));
        key.map_or_else(Vec::new, |key| {
            (0..key.length).map(|number| format!("element:{number:08}")).collect()
        })
    }

    fn piece(&self, command: &str, name: &str, start: &str, stop: &str) -> String {
        let (start, stop): (usize, usize) = (start.parse().unwrap_or(0), stop.parse().unwrap_or(0));
        if command == "getrange" {
            let state = self.world.lock();
            let key = state.servers[self.server].keys.get(&(self.db, name.to_owned()));
            let text: String =
                key.map_or("", |key| key.value.as_str()).chars().skip(start).take(stop + 1 - start).collect();
            return format!("${}\r\n{text}\r\n", text.len());
        }
        let elements = self.contents(name).into_iter().skip(start).take((stop + 1).saturating_sub(start));
        array(&elements.collect::<Vec<_>>())
    }

    /// All fields of a hash from `start` on, each with a value.
    fn fields(&self, name: &str, start: &str) -> String {
        let fields = self.contents(name).into_iter().filter(|field| field.as_str() >= start);
        let pairs: Vec<String> = fields.flat_map(|field| [field, "value".to_owned()]).collect();
        format!("*2\r\n$0\r\n\r\n{}", array(&pairs))
    }

    /// All elements of a collection, with what belongs to them.
    fn elements(&self, command: &str, name: &str) -> String {
        let with = |element: String| match command {
            "sscan" => vec![element],
            "zscan" => vec![element, "1".to_owned()],
            _ => vec![element, "value".to_owned()],
        };
        let elements: Vec<String> = self.contents(name).into_iter().flat_map(with).collect();
        format!("*2\r\n$1\r\n0\r\n{}", array(&elements))
    }

    fn read(&self, command: &str, name: &str) -> String {
        let mut state: std::sync::MutexGuard<'_, State> = self.world.lock();
        let keys = &mut state.servers[self.server].keys;
        let place = (self.db, name.to_owned());
        if keys.get(&place).is_some_and(|key| key.ends.is_some_and(|ends| ends <= Instant::now())) {
            keys.remove(&place);
        }
        let key = keys.get(&place);
        match (command, key) {
            ("get", Some(key)) => format!("${}\r\n{}\r\n", key.value.len(), key.value),
            ("get", None) => "$-1\r\n".to_owned(),
            ("type", key) => format!("+{}\r\n", key.map_or("none", |key| key.kind)),
            ("ttl", None) => number(-2),
            ("ttl", Some(key)) => number(key.ends.map_or(-1, |ends| {
                i64::try_from(ends.saturating_duration_since(Instant::now()).as_secs()).unwrap_or(i64::MAX)
            })),
            ("exists", key) => number(key.is_some().into()),
            (_, key) => number(key.map_or(0, |key| i64::try_from(key.length).unwrap_or(i64::MAX))),
        }
    }
}

/// The number behind a word of a command.
fn option(options: &[String], name: &str) -> Option<usize> {
    let place = options.iter().position(|option| option.eq_ignore_ascii_case(name))?;
    options.get(place + 1)?.parse().ok()
}

fn number(value: i64) -> String {
    format!(":{value}\r\n")
}

fn array(texts: &[String]) -> String {
    let texts_of: String = texts.iter().map(|text| format!("${}\r\n{text}\r\n", text.len())).collect();
    format!("*{}\r\n{texts_of}", texts.len())
}
