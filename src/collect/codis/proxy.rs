//! Asks the proxies themselves: their settings, the slots as they have them, and whether a product_auth is theirs.

use futures_util::StreamExt as _;
use serde_json::Value as Json;

use super::request::Request;
use super::{read, xauth};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::http::{Client, get_json};
use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::proxy::{Proxy, ProxyAuth, ProxySlots};
use crate::model::codis::topology::Group;
use crate::model::http::HttpFailure;
use crate::model::limits::{
    MAX_CODIS_ANSWER_BYTES, MAX_CODIS_PROXIES, MAX_PARALLEL_PROXIES, MAX_XPING_BYTES,
};
use crate::model::reason::Reason;
use crate::parse::address::address;
use crate::parse::codis::{slot_ranges, slot_set, text};
use crate::parse::secret::Tokens;

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
            if index < MAX_CODIS_PROXIES {
                ask(&mut proxy, known, request, client, tokens, deadlines).await;
            } else {
                proxy.config_error = Some(reasons::proxies_above_limit(MAX_CODIS_PROXIES));
            }
            (index, proxy)
        })
        .buffer_unordered(MAX_PARALLEL_PROXIES)
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
    let Some(address) = proxy.admin_addr.as_deref().and_then(|text| address(text).ok()) else {
        proxy.config_error = Some(reasons::admin_addr_invalid());
        return;
    };
    // What was read of a proxy that was named itself was not yet compared with a dashboard.
    if proxy.settings.is_none() || codis.slots.is_some() {
        proxy.slots = None;
        let url = format!("http://{address}/proxy");
        match get_json(client, &url, deadlines.of(deadlines.reply), MAX_CODIS_ANSWER_BYTES).await {
            Ok(answer) if answer.json["model"].is_object() => {
                // The address may have gone to another proxy since the dashboard heard of it.
                if proxy.token.is_some() && text(&answer.json["model"], "token") != proxy.token {
                    proxy.config_error = Some(reasons::another_proxy_answers(&address));
                    return;
                }
                take(proxy, &answer.json, codis, tokens);
            }
            Ok(_) => proxy.config_error = Some(reasons::not_a_proxy(&address)),
            Err(error) => proxy.config_error = Some(reasons::about(&address, error.detail)),
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
    proxy.auth = Some(match get_json(client, &url, deadlines.of(deadlines.reply), MAX_XPING_BYTES).await {
        Ok(answer) if answer.json == "OK" => ProxyAuth { accepted: Some(true), detail: None },
        Ok(_) => ProxyAuth { accepted: None, detail: Some(reasons::answer_of_other_kind()) },
        Err(error) if error.failure == HttpFailure::Cause && error.detail.as_str().contains("xauth") => {
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
    let expected = Expected::of(codis);
    for slot in slots {
        let Some(id) = slot["id"].as_u64() else { continue };
        let backend = slot["backend_addr"].as_str().unwrap_or_default();
        if slot["locked"].as_bool() == Some(true) {
            locked.push(id);
        }
        if reads_elsewhere(slot, backend) {
            replicas.push(id);
        }
        if let Some(master) = expected.as_ref().and_then(|expected| expected.of_slot(id))
            && master != backend
        {
            let name =
                |name: &str| if name.is_empty() { reasons::no_server() } else { Reason::verbatim(name) };
            example.get_or_insert_with(|| reasons::slot_elsewhere(id, name(backend), name(master)));
            differing.push(id);
        }
    }
    ProxySlots {
        total: slots.len() as u64,
        differing: slot_set(differing),
        example,
        locked: slot_set(locked),
        read_from_replicas: slot_set(replicas),
    }
}

/// Whether a slot is read from another server than its master.
fn reads_elsewhere(slot: &Json, backend: &str) -> bool {
    let levels = slot["replica_groups"].as_array().map_or(&[] as &[Json], Vec::as_slice);
    levels.iter().filter_map(Json::as_array).flatten().any(|server| server.as_str() != Some(backend))
}

/// A range of slots, first and last.
type Range = (u64, u64);

/// Where a dashboard has each slot.
struct Expected {
    /// The masters by position, with the slots of their groups.
    masters: Vec<(String, Vec<Range>)>,
    /// Slots that are to be moved: where they are changes from moment to moment.
    moving: Vec<Range>,
}

impl Expected {
    /// Nothing is expected where no dashboard told anything.
    fn of(codis: &Codis) -> Option<Self> {
        let (slots, groups) = (codis.slots.as_ref()?, codis.groups.as_ref()?);
        let master =
            |group: &Group| (group.master().unwrap_or_default().to_owned(), slot_ranges(&group.slot_ranges));
        let moving = slots.actions.iter().flat_map(|action| slot_ranges(&action.slots.ranges)).collect();
        Some(Self { masters: groups.iter().map(master).collect(), moving })
    }

    /// The server of a slot; empty where it has none. Null where nothing can be said.
    fn of_slot(&self, id: u64) -> Option<&str> {
        let within = |ranges: &[Range]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&id));
        if within(&self.moving) {
            return None;
        }
        Some(self.masters.iter().find(|(_, ranges)| within(ranges)).map_or("", |(master, _)| master.as_str()))
    }
}
