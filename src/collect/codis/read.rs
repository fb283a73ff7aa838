//! Reads what dashboards and proxies answer. Pure: JSON in, facts out. Whatever is missing or of another type is null.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::dashboard::{DashboardConfig, Sentinels};
use crate::model::codis::proxy::{Proxy, ProxyConfig};
use crate::model::codis::topology::{
    ActionState, Backend, CodisRelease, ForkState, Group, GroupServer, Method, Migration, Position,
    ServerStats, SlotActions, Slots,
};
use crate::model::limits::{
    MAX_CODIS_MEMBER_SERVERS, MAX_CODIS_MEMBERS, MAX_CODIS_SLOTS, MAX_CODIS_TEXT_CHARACTERS,
};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;
use crate::parse::address::address;
use crate::parse::codis::{Slot, action, count_slots, filled, group, proxy, slot, slot_set, text};
use crate::parse::secret::Tokens;

fn list<'j>(json: &'j Json, pointer: &str) -> &'j [Json] {
    let items = json.pointer(pointer).and_then(Json::as_array).map_or(&[] as &[Json], Vec::as_slice);
    &items[..items.len().min(MAX_CODIS_SLOTS)]
}

/// Completes `codis` with the overview of a dashboard that is at work: GET /topom.
pub fn overview(codis: &mut Codis, json: &Json, tokens: &Tokens) {
    let config = &json["config"];
    let release = release_of(config);
    codis.release = Some(release);
    codis.version = text(json, "version").map(|version| own_version(&version));
    codis.settings = Some(dashboard_config(config, tokens));
    let stats = &json["stats"];
    let models = list(stats, "/group/models");
    let models = &models[..models.len().min(MAX_CODIS_MEMBERS)];
    let mut groups: Vec<Group> = models.iter().map(|model| group(group_id(model), model)).collect();
    let slots: Vec<Slot> = list(stats, "/slots").iter().filter_map(slot).collect();
    count_slots(&mut groups, &slots);
    let slots = spread(&slots, list(stats, "/slots").len(), &groups);
    codis.migration = Some(migration(config, &stats["slot_action"], release, &slots));
    codis.slots = Some(slots);
    let count: usize = groups.iter().map(|group| group.servers.len()).sum();
    if count > MAX_CODIS_MEMBER_SERVERS {
        let reason = reasons::entries_above_limit(count, MAX_CODIS_MEMBER_SERVERS);
        codis.unavailable.extend(["groups", "servers"].map(|path| Unavailable::failed(path, reason.clone())));
    } else {
        codis.servers =
            models.iter().flat_map(|model| servers(model, &groups, &stats["group"]["stats"])).collect();
        codis.groups = Some(groups);
    }
    codis.proxies = Some(
        list(stats, "/proxy/models")
            .iter()
            .take(MAX_CODIS_MEMBERS)
            .map(|model| known_proxy(model, &stats["proxy"]["stats"]))
            .collect(),
    );
    codis.sentinels = stats.get("sentinels").map(|sentinels| Sentinels {
        servers: list(sentinels, "/model/servers")
            .iter()
            .filter_map(|s| s.as_str().map(str::to_owned))
            .collect(),
        out_of_sync: sentinels.pointer("/model/out_of_sync").and_then(Json::as_bool).unwrap_or(false),
    });
}

/// The release, by the settings that each one added.
fn release_of(config: &Json) -> CodisRelease {
    let has = |key: &str| config.get(key).is_some();
    if has("max_slot_num") {
        CodisRelease::PikaFork
    } else if has("migration_method") && has("coordinator_auth") {
        CodisRelease::V3_2_2
    } else if has("migration_method") {
        CodisRelease::V3_2_0
    } else if has("sentinel_quorum") {
        CodisRelease::V3_1
    } else {
        CodisRelease::V3_0
    }
}

/// The last word of `2017-12-28 13:21:33 +0000 @9fde2809… @3.2.2`.
fn own_version(version: &str) -> String {
    version.rsplit('@').next().unwrap_or(version).trim().chars().take(60).collect()
}

/// The token of a secret, which is not cut before.
fn secret(config: &Json, key: &str, tokens: &Tokens) -> Option<String> {
    config[key].as_str().map(|secret| tokens.token(secret))
}

fn dashboard_config(config: &Json, tokens: &Tokens) -> DashboardConfig {
    DashboardConfig {
        coordinator_name: filled(config, "coordinator_name"),
        coordinator_addr: filled(config, "coordinator_addr"),
        coordinator_auth: secret(config, "coordinator_auth", tokens),
        admin_addr: filled(config, "admin_addr"),
        max_slot_num: config["max_slot_num"].as_u64(),
        sentinel_quorum: config["sentinel_quorum"].as_u64(),
        sentinel_down_after: filled(config, "sentinel_down_after"),
    }
}

/// How the slots are spread.
fn spread(slots: &[Slot], total: usize, groups: &[Group]) -> Slots {
    let (mut offline, mut lost) = (Vec::new(), Vec::new());
    let known: BTreeSet<i64> = groups.iter().map(|group| group.id).collect();
    // By the words, so that findings name them in an order that does not depend on that of the slots.
    let mut actions: BTreeMap<(&'static str, i64, i64), (ActionState, Vec<u64>)> = BTreeMap::new();
    for slot in slots {
        if slot.group == 0 {
            offline.push(slot.id);
        } else if !known.contains(&slot.group) {
            lost.push(slot.id);
        }
        if let Some(state) = slot.action {
            let way = (state.word(), slot.group, slot.target.unwrap_or(0));
            actions.entry(way).or_insert_with(|| (state, Vec::new())).1.push(slot.id);
        }
    }
    Slots {
        total: total as u64,
        offline: slot_set(offline),
        lost: slot_set(lost),
        actions: actions
            .into_iter()
            .map(|((_, from, to), (state, ids))| SlotActions { state, from, to, slots: slot_set(ids) })
            .collect(),
    }
}

fn migration(config: &Json, action: &Json, release: CodisRelease, slots: &Slots) -> Migration {
    let setting = text(config, "migration_method");
    // Codis compares without regard to case. Before 3.2 there is one way only.
    let method = match setting.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("sync") => Some(Method::Sync),
        Some("semi-async") => Some(Method::SemiAsync),
        Some(_) => None,
        None => (release < CodisRelease::V3_2_0).then_some(Method::Sync),
    };
    let status = filled(&action["progress"], "status");
    let failed = status.as_deref().and_then(|status| status.strip_prefix("[ERROR]"));
    let (failed_slot, error) = match failed {
        Some(text) => match text.trim().strip_prefix("Slot[").and_then(|rest| rest.split_once(']')) {
            Some((slot, error)) => (slot.parse().ok(), Some(error.trim_start_matches(':').trim().to_owned())),
            None => (None, Some(text.trim().to_owned())),
        },
        None => (None, None),
    };
    Migration {
        method,
        setting,
        expected: !slots.actions.is_empty(),
        running: !slots.actions.is_empty(),
        disabled: action["disabled"].as_bool().unwrap_or(false),
        status,
        failed_slot,
        error,
        failed: action["progress"]["failed"].as_bool(),
        interval_micros: action["interval"].as_u64(),
    }
}

fn group_id(model: &Json) -> i64 {
    model["id"].as_i64().unwrap_or(0)
}

/// The servers of a group, as the dashboard has them.
fn servers(model: &Json, groups: &[Group], stats: &Json) -> Vec<Backend> {
    let id = group_id(model);
    let Some(group) = groups.iter().find(|group| group.id == id) else { return Vec::new() };
    let server = |(index, server): (usize, &Json)| {
        let position = if index == 0 { Position::Master } else { Position::Replica };
        let name = text(server, "server").unwrap_or_default();
        let seen = &stats[name.as_str()];
        let stats = seen.get("stats").filter(|stats| stats.is_object()).map(server_stats);
        Backend {
            action: action(server.get("action")),
            replica_group: server["replica_group"].as_bool().unwrap_or(false),
            fork: server.get("recall_times").map(|recalls| ForkState {
                role: filled(server, "role"),
                state: server["state"].as_i64(),
                recalls: recalls.as_i64(),
                eligible: server["is_eligible_for_master_election"].as_bool(),
            }),
            timed_out: seen["timeout"].as_bool().unwrap_or(false),
            stats_error: stats.is_none().then(|| stats_error(seen)).flatten(),
            version: stats.as_ref().and_then(|stats| stats.pika_version.as_ref()?.parse().ok()),
            stats,
            ..backend(name, group, position)
        }
    };
    list(model, "/servers").iter().take(MAX_CODIS_MEMBERS).enumerate().map(server).collect()
}

/// A server of `group` of which nothing else is known.
fn backend(name: String, group: &Group, position: Position) -> Backend {
    let of_master = |count: u64| if position == Position::Master { count } else { 0 };
    Backend {
        address: address(&name).ok(),
        name,
        group: group.id,
        position,
        master: group.master().unwrap_or_default().to_owned(),
        node: None,
        stats: None,
        stats_error: None,
        timed_out: false,
        follows: None,
        action: None,
        replica_group: false,
        fork: None,
        version: None,
        slots: of_master(group.slots),
        moving_out: of_master(group.moving_out),
        moving_in: of_master(group.moving_in),
        source: false,
        index: None,
        unserved: None,
        estimate: None,
        unavailable: Vec::new(),
    }
}

/// Why the dashboard heard nothing of a server or a proxy, if it has asked at all.
fn stats_error(seen: &Json) -> Option<Reason> {
    let cause = seen.get("error").and_then(|error| error.get("Cause").unwrap_or(error).as_str());
    match cause {
        Some(cause) => {
            Some(Reason::verbatim(cause.chars().take(MAX_CODIS_TEXT_CHARACTERS).collect::<String>()))
        }
        None => (seen["timeout"].as_bool() == Some(true)).then(reasons::no_answer_within_a_second),
    }
}

fn server_stats(stats: &Json) -> ServerStats {
    let master = filled(stats, "master_addr")
        .or_else(|| Some(format!("{}:{}", filled(stats, "master_host")?, filled(stats, "master_port")?)));
    ServerStats {
        pika_version: filled(stats, "pika_version"),
        redis_version: filled(stats, "redis_version"),
        role: filled(stats, "role").map(|role| role.split("&&").next().unwrap_or_default().trim().to_owned()),
        master,
        link: filled(stats, "master_link_status"),
        run_id: filled(stats, "run_id").is_some() || filled(stats, "run-id").is_some(),
    }
}

fn known_proxy(model: &Json, stats: &Json) -> Proxy {
    let mut proxy = proxy(model);
    let seen = &stats[proxy.token.as_deref().unwrap_or_default()];
    proxy.known = true;
    proxy.online = seen["stats"]["online"]
        .as_bool()
        .map(|online| online && !seen["stats"]["closed"].as_bool().unwrap_or(false));
    proxy.stats_error = proxy.online.is_none().then(|| stats_error(seen)).flatten();
    proxy
}

/// A proxy's own settings.
pub fn proxy_config(config: &Json, tokens: &Tokens) -> ProxyConfig {
    ProxyConfig {
        product: filled(config, "product_name"),
        databases: config["backend_number_databases"].as_u64(),
        primary_only: config["backend_primary_only"].as_bool(),
        max_slot_num: config["max_slot_num"].as_u64(),
        jodis_name: filled(config, "jodis_name"),
        jodis_addr: filled(config, "jodis_addr"),
        jodis_auth: secret(config, "jodis_auth", tokens),
        jodis_compatible: config["jodis_compatible"].as_bool(),
    }
}

/// The groups of a dashboard of 2.0: GET /api/server_groups. Its slots are in the coordinator only.
pub fn groups_of_2(codis: &mut Codis, json: &Json) {
    codis.release = Some(CodisRelease::V2_0);
    let no_groups = Vec::new();
    let models = json.as_array().unwrap_or(&no_groups);
    for model in models.iter().take(MAX_CODIS_MEMBERS) {
        let mut members: Vec<(bool, String)> = list(model, "/servers")
            .iter()
            .take(MAX_CODIS_MEMBERS)
            .filter_map(|server| {
                Some((text(server, "type").as_deref() == Some("master"), filled(server, "addr")?))
            })
            .collect();
        // Here the type says who the master is, not the order.
        members.sort_by_key(|(is_master, _)| !is_master);
        let master = members.first().filter(|(is_master, _)| *is_master).map(|(_, name)| name.clone());
        let server = |(_, name): &(bool, String)| GroupServer { server: name.clone(), action: None };
        let group =
            Group { id: group_id(model), servers: members.iter().map(server).collect(), ..Group::default() };
        codis.servers.extend(members.into_iter().map(|(is_master, name)| Backend {
            master: master.clone().unwrap_or_default(),
            stats_error: Some(reasons::codis2_passes_nothing()),
            ..backend(name, &group, if is_master { Position::Master } else { Position::Replica })
        }));
        codis.groups.get_or_insert_default().push(group);
    }
}
