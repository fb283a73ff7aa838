//! What is found out about the addresses that a product registers.

use std::collections::BTreeMap;

use tokio::net::lookup_host;
use tokio::time::timeout_at;

use crate::collect::clock::Deadlines;
use crate::model::address::Address;
use crate::model::coordinator::{Product, Registered};

/// The most names that are looked up for one product.
const MOST_NAMES: usize = 64;

/// Lists every address of the product, and looks up those that are names.
pub async fn register_addresses(product: &mut Product, deadlines: &Deadlines) {
    product.addresses = announced(product);
    product.server_addresses = servers(product);
    let all = product.addresses.iter().chain(&product.server_addresses);
    let mut names: Vec<String> = all.filter_map(|address| address.host.clone()).collect();
    names.sort();
    names.dedup();
    names.retain(|host| host.parse::<std::net::IpAddr>().is_err());
    names.truncate(MOST_NAMES);
    let looks = names.iter().map(|name| async move {
        let found = timeout_at(deadlines.of(deadlines.connect), lookup_host((name.as_str(), 0))).await;
        let addresses = match found {
            Ok(Ok(addresses)) => addresses.map(|address| address.ip().to_string()).collect(),
            Ok(Err(_)) => Vec::new(),
            // A resolver that says nothing has not said that there is no such name.
            Err(_) => return (name, None),
        };
        (name, Some(addresses))
    });
    let found: BTreeMap<&String, Option<Vec<String>>> =
        futures_util::future::join_all(looks).await.into_iter().collect();
    for address in product.addresses.iter_mut().chain(&mut product.server_addresses) {
        let resolved = address.host.as_ref().and_then(|host| found.get(host));
        address.resolved = resolved.cloned().flatten();
    }
}

fn announced(product: &Product) -> Vec<Registered> {
    let mut addresses = Vec::new();
    let mut add = |owner: String, what: &str, text: &Option<String>| {
        addresses.extend(text.as_ref().map(|text| registered(owner, what, text)));
    };
    if let Some(dashboard) = &product.dashboard {
        add("dashboard".into(), "admin_addr", &dashboard.admin_addr);
    }
    for proxy in product.proxies.iter().flatten() {
        let owner = proxy.id.map_or_else(|| format!("proxy-{}", proxy.token), |id| format!("proxy {id}"));
        add(owner.clone(), "admin_addr", &proxy.admin_addr);
        add(owner, "proxy_addr", &proxy.proxy_addr);
    }
    for entry in product.jodis.iter().flatten() {
        // What the dashboard has for the same proxy stands in the list already.
        let known = product.proxies.iter().flatten().find(|proxy| proxy.token == entry.token);
        if known.is_none_or(|proxy| proxy.proxy_addr != entry.addr) {
            add(entry.path.clone(), "addr", &entry.addr);
        }
        if known.is_none_or(|proxy| proxy.admin_addr != entry.admin) {
            add(entry.path.clone(), "admin", &entry.admin);
        }
    }
    addresses
}

fn servers(product: &Product) -> Vec<Registered> {
    let groups = product.groups.iter().flatten();
    groups
        .flat_map(|group| {
            group
                .servers
                .iter()
                .map(|server| registered(format!("group {}", group.id), "server", &server.server))
        })
        .collect()
}

fn registered(owner: String, what: &str, text: &str) -> Registered {
    Registered {
        owner,
        what: what.to_owned(),
        text: text.to_owned(),
        host: host_of(text),
        kind: None,
        resolved: None,
        reach_kind: None,
    }
}

/// The host of `HOST:PORT`; `None` when it is no address that could be dialled.
pub fn host_of(text: &str) -> Option<String> {
    address_of(text).map(|address| address.host)
}

/// Reads `HOST:PORT` as Codis writes it; `None` when it is no address that could be dialled.
pub fn address_of(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let bare = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let is_name = |host: &str| {
        host.len() < 254
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
            && !host.is_empty()
    };
    (port > 0 && (bare.parse::<std::net::IpAddr>().is_ok() || is_name(bare)))
        .then(|| Address { host: bare.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        for (text, host) in [
            ("10.0.0.1:19000", Some("10.0.0.1")),
            ("vm:19000", Some("vm")),
            ("[::1]:19000", Some("::1")),
            (":19000", None),
            ("10.0.0.1", None),
            ("10.0.0.1:0", None),
            ("a b:1", None),
            ("", None),
        ] {
            assert_eq!(host_of(text).as_deref(), host, "{text:?}");
        }
    }
}
