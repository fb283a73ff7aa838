//! Proxies: those that the dashboard knows, and those that are announced to clients.

use futures_util::StreamExt as _;

use super::reader::Reader;
use super::tree::below;
use super::walk::{CODIS2, JODIS};
use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::i18n::reasons;
use crate::model::codis::coordinator::{OddityKind, Product};
use crate::model::codis::proxy::{JodisEntry, JodisFlavour, Proxy};
use crate::model::limits::{MAX_CODIS_PROXIES, MAX_PARALLEL_PROXIES};
use crate::model::reach::ReachState;
use crate::model::unavailable::Unavailability;
use crate::parse;
use crate::parse::address::address;
use crate::parse::codis::text;

/// Finds out whether the proxies of `product` run. A dead one stays announced until its session ends: 25 s and more
/// were measured with ZooKeeper.
pub(super) async fn dial_all(product: &mut Product, deadlines: &Deadlines) {
    let dials = product.proxies.iter().flatten().take(MAX_CODIS_PROXIES).map(async |proxy| {
        let address = address(proxy.admin_addr.as_deref()?).ok()?;
        let (reach, stream) = dial(&address, deadlines).await;
        match (stream.is_some(), reach.state) {
            (true, _) => Some(false),
            (false, ReachState::Refused) => Some(true),
            (false, _) => None,
        }
    });
    let answers: Vec<Option<bool>> =
        futures_util::stream::iter(dials).buffered(MAX_PARALLEL_PROXIES).collect().await;
    for (proxy, refuses) in product.proxies.iter_mut().flatten().zip(answers) {
        proxy.refuses = refuses;
    }
}

/// The proxies in a directory of the dashboard.
pub(super) fn proxies(reader: &mut Reader<'_>, directory: &str) -> Result<Vec<Proxy>, Unavailability> {
    let mut proxies = Vec::new();
    for name in &reader.tree.list(directory)? {
        let path = below(directory, name);
        let Some(model) = reader.object(&path)? else { continue };
        let proxy = parse::codis::proxy(&model);
        let Some(token) = &proxy.token else {
            reader.odd(&path, OddityKind::Malformed, reasons::key_missing("`token`"));
            continue;
        };
        if name != &format!("proxy-{token}") {
            reader.odd(&path, OddityKind::Misplaced, reasons::token_of_other_proxy());
        }
        proxies.push(Proxy { known: true, ..proxy });
    }
    proxies.sort_by_key(|proxy| proxy.id);
    Ok(proxies)
}

/// What proxies of `product` have announced to clients.
pub(super) fn jodis_entries(
    reader: &mut Reader<'_>,
    product: &str,
) -> Result<Vec<JodisEntry>, Unavailability> {
    let new = below(JODIS, product);
    let old = below(&below(CODIS2, &format!("db_{product}")), "proxy");
    let mut entries = Vec::new();
    for (directory, prefix) in [(new, "proxy-"), (old, "")] {
        for name in &reader.tree.list(&directory)? {
            let path = below(&directory, name);
            let Some(entry) = reader.object(&path)? else { continue };
            let token = text(&entry, "token").or_else(|| text(&entry, "id"));
            let Some(token) = token else {
                reader.odd(&path, OddityKind::Malformed, reasons::neither_token_nor_id());
                continue;
            };
            if name != &format!("{prefix}{token}") {
                reader.odd(&path, OddityKind::Misplaced, reasons::announces_other_proxy());
            }
            let flavour = match (prefix.is_empty(), entry.get("last_event_ts").is_some()) {
                (false, _) => JodisFlavour::Jodis,
                (true, true) => JodisFlavour::Codis2,
                (true, false) => JodisFlavour::Compatible,
            };
            let node = reader.tree.nodes.get(&path);
            entries.push(JodisEntry {
                flavour,
                token,
                addr: text(&entry, "addr"),
                admin: text(&entry, "admin"),
                state: text(&entry, "state"),
                ephemeral: node.and_then(|node| node.ephemeral),
                ttl_seconds: node.and_then(|node| node.ttl_seconds),
                path,
            });
        }
    }
    Ok(entries)
}

/// The directories in which there are such entries.
pub(super) fn jodis_paths(entries: &[JodisEntry]) -> Vec<String> {
    let mut paths: Vec<String> =
        entries.iter().filter_map(|entry| Some(entry.path.rsplit_once('/')?.0.to_owned())).collect();
    paths.sort();
    paths.dedup();
    paths
}
