//! Collects the addresses that others find members by, and looks up the names among them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use tokio::net::lookup_host;
use tokio::time::timeout_at;

use super::read;
use crate::collect::clock::Deadlines;
use crate::model::codis::{Codis, Registered, RegisteredFor};
use crate::model::network::AddressKind;

/// The most names that are looked up.
const MOST_NAMES: usize = 64;

/// Lists what was registered.
pub async fn look_up(codis: &mut Codis, deadlines: &Deadlines) {
    let mut registered = Vec::new();
    let mut add = |role, address: Option<&str>| {
        if let Some((address, parts)) = address.and_then(|text| Some((text, read::address(text)?))) {
            registered.push(Registered {
                role,
                address: address.to_owned(),
                // What kind of address it is follows from it; `derive` says so.
                kind: AddressKind::Name,
                host: parts.host,
                resolved: None,
                unresolved: None,
                elsewhere: false,
            });
        }
    };
    for dashboard in &codis.dashboards {
        add(RegisteredFor::Dashboard, dashboard.admin_address.as_deref());
    }
    for proxy in codis.proxies.iter().flatten() {
        add(RegisteredFor::ProxyAdmin, proxy.admin_address.as_deref());
        add(RegisteredFor::Proxy, proxy.proxy_address.as_deref());
    }
    for server in &codis.servers {
        add(RegisteredFor::Server, Some(&server.name));
    }
    let names: BTreeSet<String> = registered
        .iter()
        .filter(|entry| entry.host.parse::<IpAddr>().is_err())
        .map(|entry| entry.host.clone())
        .take(MOST_NAMES)
        .collect();
    // Beside each other: a resolver that hangs must not use up the time of the run name by name.
    let looks = names.iter().map(|host| async { (host.clone(), resolve(host, deadlines).await) });
    let names: BTreeMap<String, Result<Vec<String>, String>> =
        futures_util::future::join_all(looks).await.into_iter().collect();
    for entry in &mut registered {
        match names.get(&entry.host) {
            Some(Ok(addresses)) => entry.resolved = Some(addresses.clone()),
            Some(Err(reason)) => entry.unresolved = Some(reason.clone()),
            None => {}
        }
    }
    codis.registered = registered;
}

async fn resolve(host: &str, deadlines: &Deadlines) -> Result<Vec<String>, String> {
    match timeout_at(deadlines.of(deadlines.connect), lookup_host((host, 0))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<String> = found.map(|address| address.ip().to_string()).collect();
            addresses.sort();
            addresses.dedup();
            if addresses.is_empty() { Err("the name has no address".into()) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the resolver did not answer in time".into()),
    }
}
