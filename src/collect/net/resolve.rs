//! Looks up host names: every look-up of the program goes through here and has a deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tokio::net::lookup_host;
use tokio::time::timeout_at;

use super::deadlines::Deadlines;
use crate::i18n::{io_error, reasons};
use crate::model::reason::Reason;
use crate::parse::address::ip;

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The resolver of the system says so, in its words.
    NotFound(Reason),
    /// It answered with nothing.
    NoAddress,
    /// It said nothing in the time for a connection, or in that of the run. Nothing is known of the name.
    TimedOut,
}

impl From<ResolveError> for Reason {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NotFound(reason) => reason,
            ResolveError::NoAddress => reasons::name_without_address(),
            ResolveError::TimedOut => reasons::resolver_not_in_time(),
        }
    }
}

/// The addresses of each host, without ports.
pub type Resolved = BTreeMap<String, Result<Vec<String>, ResolveError>>;

/// All addresses of a host, each once, in the resolver's order.
pub async fn resolve(host: &str, port: u16, deadlines: &Deadlines) -> Result<Vec<SocketAddr>, ResolveError> {
    // A look-up that nobody may wait for would go on behind the back of the run.
    if deadlines.is_over() && ip(host).is_none() {
        return Err(ResolveError::TimedOut);
    }
    let found = match timeout_at(deadlines.of(deadlines.connect), lookup_host((host, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(ResolveError::NotFound(io_error(&error))),
        Err(_) => return Err(ResolveError::TimedOut),
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(ResolveError::NoAddress) } else { Ok(addresses) }
}

/// The addresses of a host, without ports, each once, in the resolver's order.
pub async fn resolve_host(host: &str, deadlines: &Deadlines) -> Result<Vec<String>, ResolveError> {
    let mut addresses: Vec<String> =
        resolve(host, 0, deadlines).await?.iter().map(|address| address.ip().to_string()).collect();
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(address.clone()));
    Ok(addresses)
}

/// Those of `hosts` that are names, each once.
pub fn names<'h>(hosts: impl IntoIterator<Item = &'h str>) -> BTreeSet<&'h str> {
    hosts.into_iter().filter(|host| ip(host).is_none()).collect()
}

/// Looks up all of `names` at the same time: a resolver that hangs costs the time of one look-up and not that of all.
pub async fn resolve_all<'n>(names: impl IntoIterator<Item = &'n str>, deadlines: &Deadlines) -> Resolved {
    let lookups = names.into_iter().map(async |name| (name.to_owned(), resolve_host(name, deadlines).await));
    futures_util::future::join_all(lookups).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn deadlines(run: Duration, connect: Duration) -> Deadlines {
        Deadlines::starting_now(run, connect, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn addresses_need_no_resolver_and_names_are_looked_up_once() {
        let minute = Duration::from_secs(60);
        let deadlines = deadlines(minute, minute);
        assert_eq!(resolve_host("127.0.0.1", &deadlines).await, Ok(vec!["127.0.0.1".to_owned()]));
        assert_eq!(resolve_host("::1", &deadlines).await, Ok(vec!["::1".to_owned()]));
        let hosts = ["10.0.0.1", "localhost", "fe80::1%lo", "localhost", "nowhere.invalid"];
        let resolved = resolve_all(names(hosts), &deadlines).await;
        assert_eq!(resolved.keys().collect::<Vec<_>>(), ["localhost", "nowhere.invalid"]);
        assert!(resolved["localhost"].as_ref().unwrap().iter().any(|address| address == "127.0.0.1"));
        assert!(matches!(resolved["nowhere.invalid"], Err(ResolveError::NotFound(_))), "{resolved:?}");
    }

    #[tokio::test]
    async fn when_the_time_of_the_run_is_over_nothing_is_known_of_a_name() {
        let deadlines = deadlines(Duration::ZERO, Duration::from_secs(60));
        let resolved = resolve_all(["nowhere.invalid", "elsewhere.invalid"], &deadlines).await;
        assert!(resolved.values().all(|found| *found == Err(ResolveError::TimedOut)), "{resolved:?}");
    }
}
