//! Reads what dashboards and proxies answer. Pure: JSON in, facts out. Whatever is missing or of another type is null.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::model::address::Address;
use crate::model::codis::{
    Backend, Codis, CodisLine, DashboardConfig, ForkState, Group, Method, Migration, Position, Proxy,
    ProxyConfig, Sentinels, SlotActions, SlotSet, Slots, Told,
};
use crate::parse::secret::Tokens;

/// The most groups, servers of a group and proxies that are read. Codis manages 9999 groups; nobody has so many.
const MOST: usize = 1024;

/// A text below `json`.
pub fn text(json: &Json, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

/// A text that is not empty.
fn filled(json: &Json, key: &str) -> Option<String> {
    text(json, key).filter(|text| !text.is_empty())
}

fn list<'j>(json: &'j Json, pointer: &str) -> &'j [Json] {
    let items = json.pointer(pointer).and_then(Json::as_array).map_or(&[] as &[Json], Vec::as_slice);
    &items[..items.len().min(MOST * 64)]
}

/// `host:port` in parts, when it is nothing but that.
pub fn address(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    (!host.is_empty() && host.chars().all(plain))
        .then(|| Some(Address { host: host.to_owned(), port: port.parse().ok()? }))
        .flatten()
}

/// Slots in few words.
pub fn slot_set(mut ids: Vec<u64>) -> SlotSet {
    ids.sort_unstable();
    ids.dedup();
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for id in &ids {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(*id) => *end = *id,
            _ => ranges.push((*id, *id)),
        }
    }
    let shown: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    SlotSet { count: ids.len() as u64, ranges: shown.join(", ") }
}

/// `0-255, 300` in numbers.
pub fn ranges(text: &str) -> Vec<(u64, u64)> {
    text.split(", ")
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some((first.parse().ok()?, last.parse().ok()?))
        })
        .collect()
}

/// Completes `codis` with the overview of a dashboard that is at work: GET /topom.
pub fn overview(codis: &mut Codis, json: &Json, tokens: &Tokens) {
    let config = &json["config"];
    let line = if config.get("max_slot_num").is_some() {
        CodisLine::Pika
    } else if config.get("migration_method").is_some() {
        CodisLine::V3_2
    } else if config.get("sentinel_quorum").is_some() {
        CodisLine::V3_1
    } else {
        CodisLine::V3_0
    };
    codis.line = Some(line);
    codis.release = text(json, "version").map(|version| release(&version));
    codis.settings = Some(dashboard_config(config, tokens));
    let stats = &json["stats"];
    let mut groups: Vec<Group> = list(stats, "/group/models").iter().take(MOST).map(group).collect();
    let slots = slots(list(stats, "/slots"), &mut groups);
    codis.migration = Some(migration(config, &stats["slot_action"], line, &slots));
    codis.servers = list(stats, "/group/models")
        .iter()
        .take(MOST)
        .flat_map(|model| servers(model, &groups, &stats["group"]["stats"]))
        .collect();
    codis.slots = Some(slots);
    codis.groups = Some(groups);
    codis.proxies = Some(
        list(stats, "/proxy/models")
            .iter()
            .take(MOST)
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

/// The last word of `2017-12-28 13:21:33 +0000 @9fde2809… @3.2.2`.
fn release(version: &str) -> String {
    version.rsplit('@').next().unwrap_or(version).trim().chars().take(60).collect()
}

fn dashboard_config(config: &Json, tokens: &Tokens) -> DashboardConfig {
    DashboardConfig {
        coordinator_name: filled(config, "coordinator_name"),
        coordinator_addr: filled(config, "coordinator_addr"),
        coordinator_auth: text(config, "coordinator_auth").map(|secret| tokens.token(&secret)),
        admin_addr: filled(config, "admin_addr"),
        max_slot_num: config["max_slot_num"].as_u64(),
        sentinel_quorum: config["sentinel_quorum"].as_u64(),
        sentinel_down_after: filled(config, "sentinel_down_after"),
    }
}

fn group(model: &Json) -> Group {
    let servers = list(model, "/servers");
    Group {
        id: model["id"].as_i64().unwrap_or(0),
        servers: servers.len() as u64,
        master: servers.first().and_then(|server| text(server, "server")),
        slots: 0,
        slot_ranges: String::new(),
        moving_out: 0,
        moving_in: 0,
        promoting: filled(&model["promoting"], "state"),
        out_of_sync: model["out_of_sync"].as_bool().unwrap_or(false),
    }
}

/// How the slots are spread; counts them in the groups, too.
fn slots(models: &[Json], groups: &mut [Group]) -> Slots {
    let (mut offline, mut lost) = (Vec::new(), Vec::new());
    let mut actions: BTreeMap<(String, i64, i64), Vec<u64>> = BTreeMap::new();
    let mut owned: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for model in models {
        let (Some(id), from) = (model["id"].as_u64(), model["group_id"].as_i64().unwrap_or(0)) else {
            continue;
        };
        match groups.iter_mut().find(|group| group.id == from) {
            _ if from == 0 => offline.push(id),
            None => lost.push(id),
            Some(_) => owned.entry(from).or_default().push(id),
        }
        if let Some(state) = filled(&model["action"], "state") {
            let to = model["action"]["target_id"].as_i64().unwrap_or(0);
            for group in groups.iter_mut() {
                group.moving_out += u64::from(group.id == from);
                group.moving_in += u64::from(group.id == to);
            }
            actions.entry((state, from, to)).or_default().push(id);
        }
    }
    for group in groups.iter_mut() {
        let set = slot_set(owned.remove(&group.id).unwrap_or_default());
        (group.slots, group.slot_ranges) = (set.count, set.ranges);
    }
    let action = |((state, from, to), ids): ((String, i64, i64), Vec<u64>)| SlotActions {
        state,
        from,
        to,
        slots: slot_set(ids),
    };
    Slots {
        total: models.len() as u64,
        offline: slot_set(offline),
        lost: slot_set(lost),
        actions: actions.into_iter().map(action).collect(),
    }
}

fn migration(config: &Json, action: &Json, line: CodisLine, slots: &Slots) -> Migration {
    let setting = text(config, "migration_method");
    // Codis compares without regard to case. Before 3.2 there is one way only.
    let method = match setting.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("sync") => Some(Method::Sync),
        Some("semi-async") => Some(Method::SemiAsync),
        Some(_) => None,
        None => matches!(line, CodisLine::V2 | CodisLine::V3_0 | CodisLine::V3_1).then_some(Method::Sync),
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

/// The servers of a group, as the dashboard has them.
fn servers(model: &Json, groups: &[Group], stats: &Json) -> Vec<Backend> {
    let id = model["id"].as_i64().unwrap_or(0);
    let group = groups.iter().find(|group| group.id == id);
    let master = group.and_then(|group| group.master.clone()).unwrap_or_default();
    let counts = group.map_or((0, 0, 0), |group| (group.slots, group.moving_out, group.moving_in));
    let server = |(index, server): (usize, &Json)| {
        let name = text(server, "server").unwrap_or_default();
        let position = if index == 0 { Position::Master } else { Position::Replica };
        let (slots, moving_out, moving_in) = if position == Position::Master { counts } else { (0, 0, 0) };
        let seen = &stats[name.as_str()];
        let told = seen.get("stats").filter(|stats| stats.is_object()).map(told);
        let timed_out = seen["timeout"].as_bool().unwrap_or(false);
        let untold = told.is_none().then(|| untold(seen)).flatten();
        let version = told.as_ref().and_then(|told| told.pika_version.as_ref()?.parse().ok());
        Backend {
            address: address(&name),
            group: id,
            position,
            master: master.clone(),
            node: None,
            told,
            untold,
            timed_out,
            follows: None,
            action: filled(&server["action"], "state"),
            replica_group: server["replica_group"].as_bool().unwrap_or(false),
            fork: server.get("recall_times").map(|recalls| ForkState {
                role: filled(server, "role"),
                state: server["state"].as_i64(),
                recalls: recalls.as_i64(),
                eligible: server["is_eligible_for_master_election"].as_bool(),
            }),
            version,
            slots,
            moving_out,
            moving_in,
            source: false,
            index: None,
            estimate: None,
            errors: Vec::new(),
            name,
        }
    };
    list(model, "/servers").iter().take(MOST).enumerate().map(server).collect()
}

/// Why the dashboard heard nothing of a server or a proxy, if it has asked at all.
fn untold(seen: &Json) -> Option<String> {
    let cause = seen.get("error").and_then(|error| error.get("Cause").unwrap_or(error).as_str());
    match cause {
        Some(cause) => Some(cause.chars().take(300).collect()),
        None => (seen["timeout"].as_bool() == Some(true)).then(|| "no answer within a second".to_owned()),
    }
}

fn told(stats: &Json) -> Told {
    let master = filled(stats, "master_addr")
        .or_else(|| Some(format!("{}:{}", filled(stats, "master_host")?, filled(stats, "master_port")?)));
    Told {
        pika_version: filled(stats, "pika_version"),
        redis_version: filled(stats, "redis_version"),
        role: filled(stats, "role").map(|role| role.split("&&").next().unwrap_or_default().trim().to_owned()),
        master,
        link: filled(stats, "master_link_status"),
        run_id: filled(stats, "run_id").is_some() || filled(stats, "run-id").is_some(),
    }
}

/// A proxy as it describes itself to the dashboard.
pub fn proxy_model(model: &Json) -> Proxy {
    let proxy_address = filled(model, "proxy_addr");
    let admin_address = filled(model, "admin_addr");
    let jodis_path = filled(model, "jodis_path");
    Proxy {
        name: proxy_address.clone().or_else(|| admin_address.clone()).unwrap_or_else(|| "a proxy".into()),
        token: filled(model, "token"),
        proxy_address,
        admin_address,
        hostname: filled(model, "hostname"),
        jodis_dir: jodis_path.as_ref().and_then(|path| Some(path.rsplit_once('/')?.0.to_owned())),
        jodis_path,
        ..Proxy::default()
    }
}

fn known_proxy(model: &Json, stats: &Json) -> Proxy {
    let mut proxy = proxy_model(model);
    let seen = &stats[proxy.token.as_deref().unwrap_or_default()];
    proxy.known = true;
    proxy.online = seen["stats"]["online"]
        .as_bool()
        .map(|online| online && !seen["stats"]["closed"].as_bool().unwrap_or(false));
    proxy.untold = proxy.online.is_none().then(|| untold(seen)).flatten();
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
        jodis_auth: text(config, "jodis_auth").map(|secret| tokens.token(&secret)),
        jodis_compatible: config["jodis_compatible"].as_bool(),
    }
}

/// The groups of a dashboard of 2.0: GET /api/server_groups. Its slots are in the coordinator only.
pub fn groups_of_2(codis: &mut Codis, json: &Json) {
    codis.line = Some(CodisLine::V2);
    let no_groups = Vec::new();
    let models = json.as_array().unwrap_or(&no_groups);
    for model in models.iter().take(MOST) {
        let id = model["id"].as_i64().unwrap_or(0);
        let mut members: Vec<(bool, String)> = list(model, "/servers")
            .iter()
            .take(MOST)
            .filter_map(|server| {
                Some((text(server, "type").as_deref() == Some("master"), filled(server, "addr")?))
            })
            .collect();
        // Here the type says who the master is, not the order.
        members.sort_by_key(|(is_master, _)| !is_master);
        let master = members.first().filter(|(is_master, _)| *is_master).map(|(_, name)| name.clone());
        codis.groups.get_or_insert_default().push(Group {
            id,
            servers: members.len() as u64,
            master: master.clone(),
            slots: 0,
            slot_ranges: String::new(),
            moving_out: 0,
            moving_in: 0,
            promoting: None,
            out_of_sync: false,
        });
        codis.servers.extend(members.into_iter().map(|(is_master, name)| Backend {
            address: address(&name),
            group: id,
            position: if is_master { Position::Master } else { Position::Replica },
            master: master.clone().unwrap_or_default(),
            node: None,
            told: None,
            untold: Some("a dashboard of 2.0 does not pass on what servers say".into()),
            timed_out: false,
            follows: None,
            action: None,
            replica_group: false,
            fork: None,
            version: None,
            slots: 0,
            moving_out: 0,
            moving_in: 0,
            source: false,
            index: None,
            estimate: None,
            errors: Vec::new(),
            name,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_in_few_words() {
        assert_eq!(slot_set(vec![5, 1, 2, 3, 9, 3]).ranges, "1-3, 5, 9");
        assert_eq!(slot_set(vec![5, 1, 2, 3, 9, 3]).count, 5);
        assert_eq!(slot_set(Vec::new()), SlotSet::default());
        assert_eq!(ranges("1-3, 5, 9"), [(1, 3), (5, 5), (9, 9)]);
        assert_eq!(ranges(""), []);
    }

    #[test]
    fn an_address_is_nothing_but_a_host_and_a_port() {
        assert_eq!(address("10.0.0.1:9221").unwrap().port, 9221);
        assert_eq!(address("[fd00::1]:9221").unwrap().host, "fd00::1");
        assert_eq!(address("pika-1:9221").unwrap().host, "pika-1");
        for wrong in ["", ":1", "10.0.0.1", "a:b", "a/b:1", "a@b:1", "a\n:1", "a b:1", "h:70000"] {
            assert_eq!(address(wrong), None, "{wrong:?}");
        }
    }
}
