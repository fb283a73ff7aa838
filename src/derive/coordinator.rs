//! What follows from what coordinators hold: which proxies are listed where, which servers are shared, what
//! addresses come to.

use std::collections::{BTreeMap, BTreeSet};

use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::coordinator::{Coordinator, Product};
use crate::model::codis::proxy::{JodisEntry, Proxy, ProxyPresence};
use crate::model::codis::topology::{Registered, SharedServer};
use crate::model::facts::Facts;
use crate::model::network::AddressKind;
use crate::model::unavailable::Unavailable;

/// Completes what was seen of all coordinators.
pub fn complete(facts: &mut Facts) {
    let all = facts.coordinators.clone();
    let Facts { coordinators, codis, .. } = facts;
    for coordinator in coordinators {
        let local = coordinator.local;
        for product in coordinator.products.iter_mut().flatten() {
            addresses(product, local);
            let announced = announced(product, &coordinator.name, &all);
            product.announced_in = announced.map(|(name, _)| name.clone());
            compare_proxies(product, announced.map(|(_, entries)| entries), codis);
            relate_slots(product);
        }
        let name = coordinator.name.clone();
        let siblings = coordinator.products.clone().unwrap_or_default();
        for product in coordinator.products.iter_mut().flatten() {
            product.same_dashboard = same_dashboard(product, &siblings);
            product.other_dashboards = other_dashboards(product, &name, &all);
            product.other_dashboards.extend(other_urls(product, codis));
            product.unlocked_dashboards = unlocked_urls(product, codis);
            product.shared_servers = shared_servers(product, &name, &all);
        }
    }
}

/// The servers of the groups of products, each once: what a run looks at as Pika servers.
pub fn servers(coordinators: &[Coordinator], product: &str) -> Vec<String> {
    let products = coordinators.iter().flat_map(|coordinator| coordinator.products.iter().flatten());
    let groups = products.filter(|own| own.name == product).flat_map(|own| own.groups.iter().flatten());
    let mut servers: Vec<String> =
        groups.flat_map(|group| group.servers.iter().map(|server| server.server.clone())).collect();
    let mut seen = BTreeSet::new();
    servers.retain(|server| seen.insert(server.clone()));
    servers
}

fn addresses(product: &mut Product, local: bool) {
    let set = |address: &mut Registered| {
        address.kind = address.host.as_deref().map(AddressKind::of);
        let first = address.resolved.as_ref().and_then(|resolved| resolved.first());
        address.reach_kind = first.map(|first| AddressKind::of(first)).or(address.kind);
    };
    product.addresses.iter_mut().chain(&mut product.server_addresses).for_each(set);
    // What has no address says nothing about where it is.
    let kinds =
        product.addresses.iter().chain(&product.server_addresses).filter_map(|address| address.reach_kind);
    let placed = kinds.filter(|kind| !matches!(kind, AddressKind::Name | AddressKind::Unspecified));
    let placed: Vec<AddressKind> = placed.collect();
    product.on_one_host =
        local && !placed.is_empty() && placed.iter().all(|kind| *kind == AddressKind::Loopback);
}

/// Where proxies of a product are announced, and as what: in its own coordinator, or else in another one of the run.
fn announced<'c>(
    product: &Product,
    coordinator: &str,
    all: &'c [Coordinator],
) -> Option<(&'c String, &'c Vec<JodisEntry>)> {
    let entries = |other: &'c Coordinator| {
        let same = other.products.iter().flatten().find(|other| other.name == product.name)?;
        Some((&other.name, same.jodis.as_ref().filter(|entries| !entries.is_empty())?))
    };
    let (own, others): (Vec<_>, Vec<_>) = all.iter().partition(|other| other.name == coordinator);
    own.into_iter().chain(others).find_map(entries)
}

/// Lays the lists of proxies side by side: that of the dashboard's tree, that of the clients, and that of the
/// dashboard itself where it was looked at.
fn compare_proxies(product: &mut Product, announced: Option<&Vec<JodisEntry>>, codis: &[Codis]) {
    let (Some(proxies), Some(jodis)) = (&product.proxies, announced.or(product.jodis.as_ref())) else {
        let missing: Vec<&str> = product.unavailable.iter().map(|absence| absence.path.as_str()).collect();
        let gap =
            product.unavailable.iter().find(|absence| matches!(absence.path.as_str(), "proxies" | "jodis"));
        if !missing.contains(&"comparison")
            && let Some(gap) = gap.cloned()
        {
            product.unavailable.push(Unavailable { path: "comparison".into(), ..gap });
        }
        return;
    };
    let at_work = codis.iter().find(|codis| {
        codis.product.as_ref() == Some(&product.name)
            && codis.dashboards.iter().any(|dashboard| dashboard.online == Some(true))
    });
    let in_memory: Option<Vec<(&String, Option<&String>)>> = at_work.and_then(|codis| {
        let known = codis.proxies.as_ref()?.iter().filter(|proxy| proxy.known);
        Some(known.filter_map(|proxy| Some((proxy.token.as_ref()?, proxy.proxy_addr.as_ref()))).collect())
    });
    let mut tokens: Vec<&String> = proxies
        .iter()
        .filter_map(|proxy| proxy.token.as_ref())
        .chain(jodis.iter().map(|entry| &entry.token))
        .collect();
    tokens.extend(in_memory.iter().flatten().map(|(token, _)| *token));
    let mut seen = BTreeSet::new();
    tokens.retain(|token| seen.insert(*token));
    // Thousands of each can be registered: the first of a token counts.
    let by_token: BTreeMap<&String, &Proxy> =
        proxies.iter().rev().filter_map(|proxy| Some((proxy.token.as_ref()?, proxy))).collect();
    let announced_by: BTreeMap<&String, &JodisEntry> =
        jodis.iter().rev().map(|entry| (&entry.token, entry)).collect();
    let remembered: BTreeMap<&String, Option<&String>> = in_memory.iter().flatten().rev().copied().collect();
    let presence = |token: &String| {
        let proxy = by_token.get(token).copied();
        let entry = announced_by.get(token).copied();
        let registered = proxy.and_then(|proxy| proxy.proxy_addr.as_ref());
        let announced = entry.and_then(|entry| entry.addr.as_ref());
        let known = remembered.get(token).copied();
        ProxyPresence {
            token: token.clone(),
            addr: registered.or(announced).or(known.flatten()).cloned(),
            announces: proxy.is_none_or(|proxy| proxy.jodis_path.is_some()),
            registered: proxy.is_some(),
            in_dashboard: in_memory.as_ref().map(|_| known.is_some()),
            announced: entry.is_some(),
            same_addr: registered.zip(announced).map(|(registered, announced)| registered == announced),
            refuses: proxy.and_then(|proxy| proxy.refuses),
        }
    };
    product.comparison = Some(tokens.into_iter().map(presence).collect());
}

fn relate_slots(product: &mut Product) {
    let Product { groups, slots, unavailable, .. } = product;
    let Some(slots) = slots else { return };
    let Some(groups) = groups else {
        let gap = unavailable.iter().find(|absence| absence.path == "groups").cloned();
        let reason = gap.map_or_else(reasons::groups_not_read, |gap| gap.reason);
        for index in 0..slots.len() {
            let path = format!("slots.{index}.group_exists");
            unavailable.push(Unavailable::failed(path, reason.clone()));
        }
        return;
    };
    let known: BTreeSet<i64> = groups.iter().map(|group| group.id).collect();
    for range in slots.iter_mut() {
        range.group_exists = Some(known.contains(&range.group));
    }
}

fn same_dashboard(product: &Product, siblings: &[Product]) -> Vec<String> {
    let Some(own) = product.dashboard.as_ref().and_then(|dashboard| dashboard.admin_addr.as_ref()) else {
        return Vec::new();
    };
    let same = |other: &&Product| {
        other.name != product.name
            && other.dashboard.as_ref().and_then(|dashboard| dashboard.admin_addr.as_ref()) == Some(own)
    };
    siblings.iter().filter(same).map(|other| other.name.clone()).collect()
}

/// Other coordinators whose lock on the same product was written by another dashboard.
fn other_dashboards(product: &Product, coordinator: &str, all: &[Coordinator]) -> Vec<String> {
    let Some(own) = &product.dashboard else { return Vec::new() };
    let others = all.iter().filter(|other| other.name != coordinator);
    others
        .filter(|other| {
            let same = other.products.iter().flatten().find(|other| other.name == product.name);
            same.and_then(|other| other.dashboard.as_ref()).is_some_and(|other| other.token != own.token)
        })
        .map(|other| other.name.clone())
        .collect()
}

/// Dashboards of this product that were looked at, are at work, and did not write its lock.
fn other_urls(product: &Product, codis: &[Codis]) -> Vec<String> {
    let Some(own) = product.dashboard.as_ref().and_then(|dashboard| dashboard.token.as_ref()) else {
        return Vec::new();
    };
    let same = codis.iter().filter(|codis| codis.product.as_ref() == Some(&product.name));
    let others = same.flat_map(|codis| &codis.dashboards).filter(|dashboard| {
        dashboard.online == Some(true) && dashboard.token.as_ref().is_some_and(|token| token != own)
    });
    others.filter_map(|dashboard| dashboard.url.clone()).collect()
}

/// Dashboards of this product that were looked at and are at work, where no lock stands.
fn unlocked_urls(product: &Product, codis: &[Codis]) -> Vec<String> {
    if product.dashboard.is_some() {
        return Vec::new();
    }
    let same = codis.iter().filter(|codis| codis.product.as_ref() == Some(&product.name));
    let at_work = same.flat_map(|codis| &codis.dashboards).filter(|own| own.online == Some(true));
    at_work.filter_map(|dashboard| dashboard.url.clone()).collect()
}

/// Servers of this product that stand in a second group. The same product in another coordinator does not count:
/// it may be on its way from one to the other.
fn shared_servers(product: &Product, coordinator: &str, all: &[Coordinator]) -> Vec<SharedServer> {
    let mut places: BTreeMap<&str, BTreeSet<(&str, &str, i64)>> = BTreeMap::new();
    for other in all {
        for own in other.products.iter().flatten() {
            if other.name != coordinator && own.name == product.name {
                continue;
            }
            for group in own.groups.iter().flatten() {
                for server in &group.servers {
                    let place = (other.name.as_str(), own.name.as_str(), group.id);
                    places.entry(&server.server).or_default().insert(place);
                }
            }
        }
    }
    let mut shared = Vec::new();
    for group in product.groups.iter().flatten() {
        for server in &group.servers {
            let here = (coordinator, product.name.as_str(), group.id);
            let others = places.get(server.server.as_str()).into_iter().flatten();
            let elsewhere: Vec<String> = others
                .filter(|place| **place != here)
                .map(|(_, own, id)| {
                    if *own == product.name { format!("group {id}") } else { format!("group {id} of {own}") }
                })
                .collect();
            if !elsewhere.is_empty() {
                let (server, elsewhere) = (server.server.clone(), elsewhere.join(", "));
                shared.push(SharedServer { server, group: group.id, elsewhere });
            }
        }
    }
    shared
}
