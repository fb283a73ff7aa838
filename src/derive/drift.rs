//! Compares a configuration file with the values that its server runs with.

use crate::i18n::reasons;
use crate::model::conf::{ConfFile, ConfSetting, Place};
use crate::model::drift::{ConfDrift, DriftItem, DriftMatter};
use crate::model::era;
use crate::model::knowledge::{ConfigKey, KeyKind, Knowledge};
use crate::model::node::Node;
use crate::model::release::Version;
use crate::model::replication::Role;
use crate::model::unavailable::Unavailable;
use crate::parse::conf::number;

/// How the passwords of a server and of its file are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passwords {
    /// Those of the file became tokens in the same run as those of the server.
    ByToken,
    /// The file was read by another run of this program, on the server's host, and its tokens are others: all that is
    /// known is whether there is a password.
    ByPresence,
}

/// What differs between the server and the file, which was read by the rules of the server's release.
pub fn compare(node: &Node, conf: &ConfFile, passwords: Passwords, knowledge: &Knowledge) -> ConfDrift {
    let is_elsewhere = passwords == Passwords::ByPresence;
    let mut drift = ConfDrift {
        name: node.name.clone(),
        file: Some(conf.name.clone()),
        version: node.version,
        passwords_unseen: is_elsewhere,
        ..ConfDrift::default()
    };
    let Some(version) = node.version else {
        drift.unavailable.push(Unavailable::failed("items", reasons::release_of_server_not_known()));
        return drift;
    };
    let (Some(content), Some(config)) = (&conf.content, &node.config) else {
        drift.unavailable.push(match conf.unavailable.first() {
            Some(error) => {
                let reason = reasons::about(&conf.name, &error.reason);
                Unavailable { path: "items".into(), kind: error.kind, reason }
            }
            None => Unavailable::failed("items", reasons::settings_of_server_not_read()),
        });
        return drift;
    };
    let in_file = |key: &str| content.settings.iter().find(|setting| setting.key == key);
    let mut items = Vec::new();
    let mut compared = 0;
    for (name, running) in config {
        let Some(key) = knowledge.config_keys.iter().find(|key| key.name == *name) else { continue };
        let read = key.parsed.as_ref().is_some_and(|releases| releases.contains(version));
        if !read || name == "slaveof" {
            continue;
        }
        let setting = in_file(name);
        let stated = setting.and_then(|setting| setting.value.as_deref());
        // What a release does without a line is not compared, but for passwords: without one there is none.
        if stated.is_none() && !key.secret {
            continue;
        }
        compared += 1;
        let stated = stated.unwrap_or_default();
        let is_same = match passwords {
            Passwords::ByPresence if key.secret => stated.is_empty() == running.is_empty(),
            _ => same(key, stated, running, version),
        };
        if is_same || follows_make_read_only(node, name, running, version) {
            continue;
        }
        let what = if key.secret { DriftMatter::Password } else { DriftMatter::Differs };
        items.push(item(what, name, (stated, running), setting, key, version));
    }
    compared += 1;
    items.extend(slaveof(node, in_file("slaveof")));
    if is_elsewhere {
        // Nobody here can open that file.
        for item in &mut items {
            item.place = None;
        }
    }
    drift.compared = Some(compared);
    drift.items = Some(items);
    drift
}

fn item(
    what: DriftMatter,
    key: &str,
    (stated, running): (&str, &str),
    setting: Option<&ConfSetting>,
    rules: &ConfigKey,
    version: Version,
) -> DriftItem {
    let shown = |value: &str| (!rules.secret && !value.is_empty()).then(|| value.to_owned());
    DriftItem {
        what,
        key: key.to_owned(),
        file_value: shown(stated),
        running: shown(running),
        in_file: !stated.is_empty(),
        in_server: !running.is_empty(),
        place: setting.map(|setting| setting.place.clone()),
        settable: rules.settable.as_ref().is_some_and(|releases| releases.contains(version)),
    }
}

/// Whether the release makes the same of both texts.
fn same(key: &ConfigKey, stated: &str, running: &str, version: Version) -> bool {
    if key.secret {
        return stated == running;
    }
    match key.kind {
        KeyKind::Integer => number(stated) == number(running),
        KeyKind::Size => size(stated, version) == size(running, version),
        KeyKind::Boolean => match (truth(stated), truth(running)) {
            (Some(a), Some(b)) => a == b,
            // Another word leaves the default, which is a matter of the file alone.
            _ => true,
        },
        KeyKind::Path => stated.trim_end_matches('/') == running.trim_end_matches('/'),
        KeyKind::List => {
            let parts = |text: &str| -> Vec<String> {
                let mut parts: Vec<String> = text
                    .split(',')
                    .map(|part| part.trim().to_lowercase())
                    .filter(|part| !part.is_empty())
                    .collect();
                parts.sort();
                parts
            };
            parts(stated) == parts(running)
        }
        KeyKind::Word | KeyKind::Text | KeyKind::Address => {
            stated.trim().eq_ignore_ascii_case(running.trim())
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// Bytes. From 3.5.0 on the last character may be a unit.
fn size(text: &str, version: Version) -> i64 {
    let text = text.trim();
    let factor = match text.chars().last().map(|last| last.to_ascii_uppercase()) {
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    let units = version.is_of(&era::CONF_UNITS);
    number(text).saturating_mul(if units { factor } else { 1 })
}

/// Up to 3.0.4 `slaveof` switches slave-read-only on and `slaveof no one` off, whatever the file says (`SetMaster` and
/// `RemoveMaster` of src/pika_server.cc). To set it back would open a replica to writes.
fn follows_make_read_only(node: &Node, name: &str, running: &str, version: Version) -> bool {
    let follows = matches!(
        node.replication.as_ref().and_then(|replication| replication.role),
        Some(Role::Slave | Role::MasterAndSlave)
    );
    name == "slave-read-only"
        && follows
        && truth(running) == Some(true)
        && version.is_of(&era::SLAVEOF_MAKES_READ_ONLY)
}

/// Whom the server would follow after a restart, and whom it follows.
fn slaveof(node: &Node, setting: Option<&ConfSetting>) -> Option<DriftItem> {
    let replication = node.replication.as_ref()?;
    // A double master follows its peer, and no line of slaveof says so.
    if node.double_master.as_ref().is_some_and(|pair| pair.enabled == Some(true)) {
        return None;
    }
    let stated = setting.and_then(|setting| setting.value.clone()).filter(|value| !value.is_empty());
    let running = replication
        .master
        .as_ref()
        .and_then(|master| Some((master.host.clone()?, master.port?)).filter(|(_, port)| *port > 0));
    let what = match (&stated, &running) {
        (None, None) => return None,
        (Some(_), None) => DriftMatter::SlaveofReturns,
        (None, Some(_)) => DriftMatter::SlaveofLost,
        (Some(stated), Some((host, port))) => {
            let (named, named_port) = stated.rsplit_once(':').unwrap_or((stated, ""));
            // The server puts its own address in the place of 127.0.0.1.
            let same_host = named == host || matches!(named, "127.0.0.1" | "localhost");
            if same_host && number(named_port) == *port {
                return None;
            }
            DriftMatter::SlaveofOther
        }
    };
    Some(DriftItem {
        what,
        key: "slaveof".into(),
        in_file: stated.is_some(),
        in_server: running.is_some(),
        file_value: stated,
        running: running.map(|(host, port)| format!("{host}:{port}")),
        place: setting.map(|setting: &ConfSetting| -> Place { setting.place.clone() }),
        settable: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::replication::Replication;

    #[test]
    fn a_replica_is_read_only_because_it_follows() {
        let of = |role: Role, running: &str, version: &str| {
            let replication = Replication {
                role: Some(role),
                role_text: None,
                master: None,
                replicas: Vec::new(),
                connected_replicas: None,
                read_only: None,
                priority: None,
                replication_id: None,
                eligible_for_election: None,
                offset: None,
            };
            let node = Node { replication: Some(replication), ..Node::default() };
            follows_make_read_only(&node, "slave-read-only", running, version.parse().unwrap())
        };
        assert!(of(Role::Slave, "yes", "2.3.6") && of(Role::MasterAndSlave, "1", "3.0.4"));
        assert!(!of(Role::Master, "yes", "2.3.6"), "a master that refuses writes is another matter");
        assert!(!of(Role::Slave, "no", "2.3.6"), "a replica that takes writes is not as it should be");
        assert!(!of(Role::Slave, "yes", "3.0.5"), "from here on slaveof leaves the setting alone");
    }
}
