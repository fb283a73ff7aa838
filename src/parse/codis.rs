//! Reads the documents that Codis keeps in its coordinator and shows over HTTP, which are the same: `models.Topom`,
//! `models.Proxy`, `models.Group` and `models.SlotMapping` of `pkg/models` in Codis 3.0 to 3.2 and in Pika's fork.
//!
//! Only members that are known are taken over, so nothing that somebody else keeps there (a password, say) reaches the
//! facts. Whatever is missing or of another type is null.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::model::codis::dashboard::Dashboard;
use crate::model::codis::proxy::Proxy;
use crate::model::codis::topology::{ActionState, Group, GroupServer, SlotSet};
use crate::model::limits::{MAX_CODIS_MEMBERS, MAX_CODIS_TEXT_CHARACTERS};

/// The text of a member of an object, cut to a length that can be printed.
pub fn text(object: &Json, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    Some(text.chars().take(MAX_CODIS_TEXT_CHARACTERS).collect())
}

/// A text that is not empty.
pub fn filled(object: &Json, key: &str) -> Option<String> {
    text(object, key).filter(|text| !text.is_empty())
}

/// The state of an action: `{"state": "pending", …}`. None: there is no action.
pub fn action(action: Option<&Json>) -> Option<ActionState> {
    ActionState::of(action?.get("state")?.as_str()?)
}

/// `models.Topom`.
pub fn dashboard(model: &Json) -> Dashboard {
    Dashboard {
        token: text(model, "token"),
        admin_addr: text(model, "admin_addr"),
        start_time: text(model, "start_time"),
        pid: model.get("pid").and_then(Json::as_i64),
        product_name: filled(model, "product_name"),
        ..Dashboard::default()
    }
}

/// `models.Proxy`.
pub fn proxy(model: &Json) -> Proxy {
    let name = ["proxy_addr", "admin_addr"].into_iter().find_map(|key| filled(model, key));
    let jodis_path = filled(model, "jodis_path");
    Proxy {
        name: name.unwrap_or_else(|| "a proxy".into()),
        id: model.get("id").and_then(Json::as_i64),
        token: filled(model, "token"),
        proxy_addr: text(model, "proxy_addr"),
        admin_addr: text(model, "admin_addr"),
        hostname: filled(model, "hostname"),
        product_name: filled(model, "product_name"),
        jodis_dir: jodis_path.as_ref().and_then(|path| Some(path.rsplit_once('/')?.0.to_owned())),
        jodis_path,
        ..Proxy::default()
    }
}

/// `models.Group`, whose number is `id`.
pub fn group(id: i64, model: &Json) -> Group {
    let servers = model.get("servers").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let server = |server: &Json| GroupServer {
        server: text(server, "server").unwrap_or_default(),
        action: action(server.get("action")),
    };
    Group {
        id,
        servers: servers.iter().take(MAX_CODIS_MEMBERS).map(server).collect(),
        promoting: action(model.get("promoting")),
        out_of_sync: model.get("out_of_sync").and_then(Json::as_bool).unwrap_or(false),
        ..Group::default()
    }
}

/// `models.SlotMapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its number.
    pub id: u64,
    /// Its group; 0: none.
    pub group: i64,
    /// What is done with it.
    pub action: Option<ActionState>,
    /// The group that it goes to.
    pub target: Option<i64>,
}

/// `models.SlotMapping`. Null without its number.
pub fn slot(model: &Json) -> Option<Slot> {
    Some(Slot {
        id: model.get("id")?.as_u64()?,
        group: model.get("group_id").and_then(Json::as_i64).unwrap_or(0),
        action: action(model.get("action")),
        target: model.pointer("/action/target_id").and_then(Json::as_i64),
    })
}

/// Counts slots in the groups that they belong to, and that they come from and go to.
pub fn count_slots(groups: &mut [Group], slots: &[Slot]) {
    let mut own: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    let (mut out, mut into): (BTreeMap<i64, u64>, BTreeMap<i64, u64>) = (BTreeMap::new(), BTreeMap::new());
    for slot in slots {
        own.entry(slot.group).or_default().push(slot.id);
        if slot.action.is_some() {
            *out.entry(slot.group).or_default() += 1;
            *into.entry(slot.target.unwrap_or(0)).or_default() += 1;
        }
    }
    for group in groups {
        let set = slot_set(own.get(&group.id).cloned().unwrap_or_default());
        (group.slots, group.slot_ranges) = (set.count, set.ranges);
        group.moving_out = out.get(&group.id).copied().unwrap_or_default();
        group.moving_in = into.get(&group.id).copied().unwrap_or_default();
    }
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
pub fn slot_ranges(text: &str) -> Vec<(u64, u64)> {
    text.split(", ")
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some((first.parse().ok()?, last.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slots_in_few_words() {
        assert_eq!(slot_set(vec![5, 1, 2, 3, 9, 3]).ranges, "1-3, 5, 9");
        assert_eq!(slot_set(vec![5, 1, 2, 3, 9, 3]).count, 5);
        assert_eq!(slot_set(Vec::new()), SlotSet::default());
        assert_eq!(slot_ranges("1-3, 5, 9"), [(1, 3), (5, 5), (9, 9)]);
        assert_eq!(slot_ranges(""), []);
    }

    #[test]
    fn slots_are_counted_where_they_are_and_where_they_go() {
        let slots: Vec<Slot> = [
            json!({"id": 0, "group_id": 1}),
            json!({"id": 1, "group_id": 1, "action": {"state": "migrating", "target_id": 2}}),
            json!({"id": 2, "group_id": 1, "action": {"state": ""}}),
            json!({"id": 7, "group_id": 2, "action": {"state": "some day", "target_id": 1}}),
            json!({"id": 8}),
        ]
        .iter()
        .filter_map(slot)
        .collect();
        let mut groups = [1, 2, 3].map(|id| group(id, &json!({})));
        count_slots(&mut groups, &slots);
        let counts = groups.map(|group| (group.slots, group.slot_ranges, group.moving_out, group.moving_in));
        assert_eq!(counts[0], (3, "0-2".to_owned(), 1, 1));
        assert_eq!(counts[1], (1, "7".to_owned(), 1, 1));
        assert_eq!(counts[2], (0, String::new(), 0, 0));
    }

    #[test]
    fn what_is_of_another_type_is_null() {
        let model =
            json!({"servers": [1, null, {"server": {}}, {"server": "a:1", "action": []}], "promoting": []});
        let group = group(1, &model);
        let servers: Vec<&str> = group.servers.iter().map(|server| server.server.as_str()).collect();
        assert_eq!((servers, group.promoting), (vec!["", "", "", "a:1"], None));
        assert_eq!(proxy(&json!({"token": 1, "proxy_addr": ""})).name, "a proxy");
        assert_eq!(dashboard(&json!([])), Dashboard::default());
        assert_eq!(action(Some(&json!({"state": "eaten"}))), Some(ActionState::Unknown));
    }
}
