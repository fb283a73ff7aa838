//! The addresses that the members of a Codis registered, and where the names among them lead. The same whether a
//! dashboard told them or its coordinator.

use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::resolve::{ResolveError, names, resolve_all};
use crate::model::codis::dashboard::Dashboard;
use crate::model::codis::proxy::{JodisEntry, Proxy};
use crate::model::codis::topology::{Registered, RegisteredFor, RegisteredIn};
use crate::model::limits::MAX_NAMES_RESOLVED;
use crate::model::reason::Reason;
use crate::parse::address::address;

/// That of a dashboard.
pub fn of_dashboard(dashboard: &Dashboard) -> Option<Registered> {
    let address = dashboard.admin_addr.as_ref()?;
    Some(registered(RegisteredFor::Dashboard, "dashboard".into(), RegisteredIn::AdminAddr, address))
}

/// Those of a proxy.
pub fn of_proxy(proxy: &Proxy) -> impl Iterator<Item = Registered> {
    let owner = match (proxy.id, &proxy.token) {
        (Some(id), _) => format!("proxy {id}"),
        (None, Some(token)) => format!("proxy-{token}"),
        (None, None) => proxy.name.clone(),
    };
    let admin = proxy.admin_addr.as_ref().map(|address| {
        registered(RegisteredFor::ProxyAdmin, owner.clone(), RegisteredIn::AdminAddr, address)
    });
    let own = proxy
        .proxy_addr
        .as_ref()
        .map(|address| registered(RegisteredFor::Proxy, owner, RegisteredIn::ProxyAddr, address));
    admin.into_iter().chain(own)
}

/// Those that a proxy announces to clients, where they are others than those in `proxies`.
pub fn of_announced(entry: &JodisEntry, proxies: &[Proxy]) -> impl Iterator<Item = Registered> {
    let known = proxies.iter().find(|proxy| proxy.token.as_ref() == Some(&entry.token));
    let other = |address: &Option<String>, own: fn(&Proxy) -> &Option<String>| {
        address.clone().filter(|_| known.is_none_or(|proxy| own(proxy) != address))
    };
    let addr = other(&entry.addr, |proxy| &proxy.proxy_addr)
        .map(|address| registered(RegisteredFor::Proxy, entry.path.clone(), RegisteredIn::Addr, &address));
    let admin = other(&entry.admin, |proxy| &proxy.admin_addr).map(|address| {
        registered(RegisteredFor::ProxyAdmin, entry.path.clone(), RegisteredIn::Admin, &address)
    });
    addr.into_iter().chain(admin)
}

/// That of a server in a group.
pub fn of_server(group: i64, server: &str) -> Registered {
    registered(RegisteredFor::Server, format!("group {group}"), RegisteredIn::Server, server)
}

fn registered(role: RegisteredFor, owner: String, what: RegisteredIn, text: &str) -> Registered {
    Registered {
        role,
        owner,
        what,
        address: text.to_owned(),
        host: address(text).ok().map(|address| address.host),
        kind: None,
        resolved: None,
        resolve_error: None,
        reach_kind: None,
        elsewhere: false,
    }
}

/// Looks up the names among them.
pub async fn look_up<'r>(entries: impl Iterator<Item = &'r mut Registered>, deadlines: &Deadlines) {
    let entries: Vec<&mut Registered> = entries.collect();
    let names = names(entries.iter().filter_map(|entry| entry.host.as_deref()));
    let names = resolve_all(names.into_iter().take(MAX_NAMES_RESOLVED), deadlines).await;
    for entry in entries {
        let Some(found) = entry.host.as_ref().and_then(|host| names.get(host)) else { continue };
        entry.resolve_error = found.as_ref().err().cloned().map(Reason::from);
        entry.resolved = match found {
            Ok(addresses) => Some(addresses.clone()),
            // A resolver that says nothing has not said that there is no such name.
            Err(ResolveError::TimedOut) => None,
            Err(ResolveError::NotFound(_) | ResolveError::NoAddress) => Some(Vec::new()),
        };
    }
}
