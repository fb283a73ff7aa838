//! Reads what Sentinels answer: flat lists of names and values, which may lack any of them.

use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::limits::{MAX_SENTINEL_ENTRIES, MAX_SENTINEL_TEXT_CHARACTERS};
use crate::model::reason::Reason;
use crate::model::sentinel::{Instance, WatchedMaster};

/// The names and values of one entry.
pub struct Entry<'r>(Vec<&'r str>);

impl<'r> Entry<'r> {
    /// Of a flat list, or of the map that RESP3 would make of it.
    fn of(reply: &'r Reply) -> Option<Self> {
        let words = reply.texts();
        (!words.is_empty() && words.len().is_multiple_of(2)).then_some(Self(words))
    }

    fn get(&self, name: &str) -> Option<&'r str> {
        self.0.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1])
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(shorten)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }
}

/// A text that is no longer than any that a Sentinel means.
pub fn shorten(text: &str) -> String {
    text.chars().take(MAX_SENTINEL_TEXT_CHARACTERS).collect()
}

/// The entries of an answer, or what is wrong with it.
pub fn entries(reply: &Reply) -> Result<Vec<Entry<'_>>, Reason> {
    match reply {
        Reply::List(items) if items.len() > MAX_SENTINEL_ENTRIES => {
            Err(reasons::entries_above_limit(items.len(), MAX_SENTINEL_ENTRIES))
        }
        Reply::List(items) => {
            items.iter().map(|item| Entry::of(item).ok_or_else(reasons::entry_not_a_map)).collect()
        }
        Reply::Error(error) => Err(reasons::sentinel_answers(shorten(error))),
        _ => Err(reasons::sentinel_answers_other_type()),
    }
}

/// A master name of SENTINEL MASTERS. Without a name and an address there is nothing to look at.
pub fn master(entry: &Entry<'_>) -> Option<WatchedMaster> {
    Some(WatchedMaster {
        name: entry.text("name").filter(|name| !name.is_empty())?,
        instance: instance(entry)?,
        quorum: entry.number("quorum"),
        failover_timeout_ms: entry.number("failover-timeout"),
        parallel_syncs: entry.number("parallel-syncs"),
        other_sentinels_counted: entry.number("num-other-sentinels"),
        replicas_counted: entry.number("num-slaves"),
        config_epoch: entry.number("config-epoch"),
        failover_state: entry.text("failover-state"),
        ..WatchedMaster::default()
    })
}

/// A server of SENTINEL MASTERS, SLAVES or SENTINELS.
pub fn instance(entry: &Entry<'_>) -> Option<Instance> {
    let host = entry.text("ip").filter(|host| !host.is_empty())?;
    let port = u16::try_from(entry.number("port")?).ok()?;
    let flags = entry.get("flags").unwrap_or_default();
    let master_port = entry.number("master-port").and_then(|port| u16::try_from(port).ok());
    // A replica that never answered INFO prints `?` and 0.
    let master_host = entry.text("master-host").filter(|host| !host.is_empty() && host != "?");
    Some(Instance {
        address: joined(&host, port),
        host,
        port,
        run_id: entry.text("runid"),
        flags: flags.split(',').filter(|flag| !flag.is_empty()).take(16).map(shorten).collect(),
        down_after_ms: entry.number("down-after-milliseconds"),
        info_age_ms: entry.number("info-refresh"),
        role_reported: entry.text("role-reported"),
        link_up: entry.get("master-link-status").map(|status| status == "ok"),
        master_address: master_host.zip(master_port).map(|(host, port)| joined(&host, port)),
        priority: entry.number("slave-priority"),
        offset: entry.number("slave-repl-offset"),
    })
}

fn joined(host: &str, port: u16) -> String {
    Address { host: host.to_owned(), port }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Reply {
        Reply::List(words.iter().map(|word| Reply::Text((*word).to_owned())).collect())
    }

    #[test]
    fn what_lacks_a_name_or_an_address_is_nothing() {
        let full = list(&["name", "m", "ip", "::1", "port", "9221", "flags", "master,s_down", "quorum", "2"]);
        let read = master(&Entry::of(&full).unwrap()).unwrap();
        assert_eq!((read.instance.address.as_str(), read.quorum), ("[::1]:9221", Some(2)));
        assert_eq!(read.instance.flags, ["master", "s_down"]);
        assert_eq!(read.parallel_syncs, None);
        for words in [
            &["name", "", "ip", "::1", "port", "9221"][..],
            &["name", "m", "port", "9221"],
            &["name", "m", "ip", "::1", "port", "-1"],
            &["name", "m", "ip", "::1", "port", "70000"],
        ] {
            assert!(master(&Entry::of(&list(words)).unwrap()).is_none(), "{words:?}");
        }
        assert!(Entry::of(&list(&["name"])).is_none());
        assert!(Entry::of(&Reply::Number(1)).is_none());
    }

    #[test]
    fn answers_of_another_shape_are_told_and_not_guessed() {
        assert!(entries(&Reply::Error("ERR no".into())).is_err_and(|why| why.as_str().contains("ERR no")));
        assert!(entries(&Reply::Nothing).is_err());
        assert!(entries(&Reply::List(vec![Reply::Number(1)])).is_err());
        assert!(entries(&Reply::List(vec![list(&["a", "b"]); MAX_SENTINEL_ENTRIES + 1])).is_err());
        assert_eq!(entries(&Reply::List(vec![])).unwrap().len(), 0);
    }

    #[test]
    fn a_replica_that_never_answered_names_no_master() {
        let entry = list(&["ip", "10.0.0.2", "port", "9221", "master-host", "?", "master-port", "0"]);
        assert_eq!(instance(&Entry::of(&entry).unwrap()).unwrap().master_address, None);
    }
}
