//! Asks the proxies themselves: their settings, the slots as they have them, and whether a product_auth is theirs.

use futures_util::StreamExt as _;
use serde_json::Value as Json;

use super::survey::{MOST_BYTES, Request};
use super::{read, xauth};
use crate::collect::clock::Deadlines;
use crate::collect::http::{Client, get_json};
use crate::collect::secret::Tokens;
use crate::model::codis::{Codis, Position, Proxy, ProxyAuth, ProxySlots};
use crate::model::http::HttpFailure;

/// The most proxies that are asked.
const MOST_PROXIES: usize = 64;
/// How many are asked side by side.
const PARALLEL: usize = 8;

/// Asks every proxy that the dashboard knows and that was not asked yet.
pub async fn ask_all(
    codis: &mut Codis,
    request: &Request,
    client: &Client,
    tokens: &Tokens,
    deadlines: &Deadlines,
) {
    let Some(proxies) = codis.proxies.take() else { return };
    let known = &*codis;
    let mut asked: Vec<(usize, Proxy)> = futures_util::stream::iter(proxies.into_iter().enumerate())
        .map(|(index, mut proxy)| async move {
            if index < MOST_PROXIES {
                ask(&mut proxy, known, request, client, tokens, deadlines).await;
            } else {
                proxy.unread = Some(format!("no more than {MOST_PROXIES} proxies are asked"));
            }
            (index, proxy)
        })
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    asked.sort_by_key(|(index, _)| *index);
    codis.proxies = Some(asked.into_iter().map(|(_, proxy)| proxy).collect());
}

async fn ask(
    proxy: &mut Proxy,
    codis: &Codis,
    request: &Request,
    client: &Client,
    tokens: &Tokens,
    deadlines: &Deadlines,
) {
    let Some(address) = proxy.admin_address.as_deref().and_then(read::address) else {
        proxy.unread = Some("its admin_addr is not a host and a port".into());
        return;
    };
    if proxy.settings.is_none() {
        let url = format!("http://{address}/proxy");
        match get_json(client, &url, deadlines.of(deadlines.reply), MOST_BYTES).await {
            Ok(answer) if answer.json["model"].is_object() => {
                // The address may have gone to another proxy since the dashboard heard of it.
                if proxy.token.is_some() && read::text(&answer.json["model"], "token") != proxy.token {
                    proxy.unread =
                        Some(format!("another proxy answers at {address}: its token is another one"));
                    return;
                }
                take(proxy, &answer.json, codis, tokens);
            }
            Ok(_) => proxy.unread = Some(format!("what answers at {address} is not a proxy")),
            Err(error) => proxy.unread = Some(format!("{address}: {error}")),
        }
    }
    if proxy.settings.is_none() {
        return;
    }
    let product = proxy.settings.as_ref().and_then(|config| config.product.as_deref());
    let (Some(auth), Some(product), Some(token)) = (&request.product_auth, product, &proxy.token) else {
        return;
    };
    let url = format!("http://{address}/api/proxy/xping/{}", xauth::of_proxy(product, auth, token));
    proxy.auth = Some(match get_json(client, &url, deadlines.of(deadlines.reply), 4096).await {
        Ok(answer) if answer.json == "OK" => ProxyAuth { accepted: Some(true), detail: None },
        Ok(_) => ProxyAuth { accepted: None, detail: Some("an answer of another kind".into()) },
        Err(error) if error.failure == HttpFailure::Cause && error.detail.contains("xauth") => {
            ProxyAuth { accepted: Some(false), detail: Some(error.detail) }
        }
        Err(error) => ProxyAuth { accepted: None, detail: Some(error.detail) },
    });
}

/// Takes over what a proxy says of itself: GET /proxy.
pub fn take(proxy: &mut Proxy, json: &Json, codis: &Codis, tokens: &Tokens) {
    proxy.settings = Some(read::proxy_config(&json["config"], tokens));
    proxy.slots = json["slots"].as_array().map(|slots| compare(slots, codis));
}

/// The slots of a proxy beside those of the dashboard.
fn compare(slots: &[Json], codis: &Codis) -> ProxySlots {
    let (mut differing, mut locked, mut replicas) = (Vec::new(), Vec::new(), Vec::new());
    let mut example = None;
    let masters: Vec<(i64, &str)> = codis
        .servers
        .iter()
        .filter(|server| server.position == Position::Master)
        .map(|server| (server.group, server.name.as_str()))
        .collect();
    for slot in slots {
        let Some(id) = slot["id"].as_u64() else { continue };
        let group = slot["backend_addr_group_id"].as_i64().unwrap_or(0);
        let backend = slot["backend_addr"].as_str().unwrap_or_default();
        if slot["locked"].as_bool() == Some(true) {
            locked.push(id);
        }
        let read_by = slot["replica_groups"].as_array().map_or(0, |levels| {
            levels
                .iter()
                .filter_map(Json::as_array)
                .flatten()
                .filter(|server| server.as_str() != Some(backend))
                .count()
        });
        if read_by > 0 {
            replicas.push(id);
        }
        let master = masters.iter().find(|(number, _)| *number == group).map(|(_, name)| *name);
        // A slot that is being moved is another one from moment to moment; without a dashboard there is nothing to
        // compare with.
        let being_moved = slot.get("migrate_from").is_some();
        if group != 0 && !being_moved && codis.slots.is_some() && master != Some(backend) {
            example.get_or_insert_with(|| {
                format!(
                    "slot {id}: {backend}, group {group} of the dashboard: {}",
                    master.unwrap_or("no server")
                )
            });
            differing.push(id);
        }
    }
    ProxySlots {
        total: slots.len() as u64,
        differing: read::slot_set(differing),
        example,
        locked: read::slot_set(locked),
        read_from_replicas: read::slot_set(replicas),
    }
}
