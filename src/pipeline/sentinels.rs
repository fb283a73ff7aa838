//! Asks Sentinels, and looks at the servers that they watch.

use std::collections::HashMap;

use tokio::sync::Semaphore;

use super::servers::{LinkRequest, Scope, Target};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::resolve::{names, resolve_all};
use crate::collect::secret::Password;
use crate::collect::sentinel::Asker;
use crate::derive::sentinel::{followed, is_other};
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::{MAX_PARALLEL_SERVERS, MAX_SENTINEL_SERVERS};
use crate::model::link::LinkMode;
use crate::model::sentinel::Sentinel;

/// Sentinels to ask.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The Sentinels, each with the password of Sentinels.
    pub sentinels: Vec<Target>,
    /// Whether the servers that they watch are looked at, too.
    pub follow: bool,
    /// The password of these servers.
    pub password: Option<Password>,
}

/// Asks the Sentinels, side by side.
pub(crate) async fn ask(watch: &Watch, knowledge: &Knowledge, scope: Scope) -> Vec<Sentinel> {
    let asker = Asker { knowledge, deadlines: scope.deadlines };
    let places = Semaphore::new(MAX_PARALLEL_SERVERS);
    let looks = watch.sentinels.iter().map(|target| async {
        let _place = places.acquire().await.ok();
        asker.ask(&target.address, target.password.as_ref()).await
    });
    futures_util::future::join_all(looks).await
}

/// Adds what the Sentinels watch to the targets, and gives the links between them.
pub(crate) async fn add_followed(
    targets: &mut Vec<Target>,
    sentinels: &[Sentinel],
    password: Option<&Password>,
    deadlines: &Deadlines,
) -> Vec<LinkRequest> {
    let followed = followed(sentinels);
    let mut names: HashMap<String, String> = HashMap::new();
    let known = resolved(targets, deadlines).await;
    for address in followed.servers.into_iter().take(MAX_SENTINEL_SERVERS) {
        let shown = address.to_string();
        let name = known.iter().find(|(known, _)| *known == shown).map_or_else(
            || {
                targets.push(Target { name: shown.clone(), address, password: password.cloned() });
                shown.clone()
            },
            |(_, name)| name.clone(),
        );
        names.insert(shown, name);
    }
    let name = |address: &Address| names.get(&address.to_string()).cloned();
    followed
        .links
        .iter()
        .filter_map(|(replica, master)| {
            Some(LinkRequest { replica: name(replica)?, master: name(master)?, mode: LinkMode::Replica })
        })
        .collect()
}

/// Every address by which one of the targets can be meant, and its name. A server must not be looked at twice: it
/// would be taken for two that get in each other's way.
async fn resolved(targets: &[Target], deadlines: &Deadlines) -> Vec<(String, String)> {
    let mut known: Vec<(String, String)> =
        targets.iter().map(|target| (target.address.to_string(), target.name.clone())).collect();
    let names =
        resolve_all(names(targets.iter().map(|target| target.address.host.as_str())), deadlines).await;
    for target in targets {
        let Some(Ok(addresses)) = names.get(&target.address.host) else { continue };
        let address = |host: &String| Address { host: host.clone(), port: target.address.port }.to_string();
        known.extend(addresses.iter().map(|host| (address(host), target.name.clone())));
    }
    known
}

/// Sentinels watch Redis servers, too. What is said of them is in `watched`; they are no servers of this run, unless
/// somebody named them.
pub(crate) fn leave_out_others(facts: &mut Facts, named: &[Target]) {
    facts.nodes.retain(|node| {
        let other = node.server.as_ref().is_some_and(|server| is_other(server.kind));
        !other || named.iter().any(|target| target.name == node.name)
    });
    let left: Vec<&str> = facts.nodes.iter().map(|node| node.name.as_str()).collect();
    for server in facts.watched.iter_mut().flat_map(|watched| watched.servers.iter_mut().flatten()) {
        if server.node.as_deref().is_some_and(|name| !left.contains(&name)) {
            server.node = None;
        }
    }
}
