//! Ports and paths, within a file and between the files of a run.

use super::dialect::ConfSyntax;
use super::keys::number;
use super::text::{ConfEntry, Text};
use super::view::{ConfView, Draft};
use crate::model::conf::ConfMatter;
use crate::model::network::PortRole;
use crate::model::port_use::{PortUse, port_uses};
use crate::model::release::Version;

/// The keys of paths that no two servers may share.
const OWN_PATHS: [&str; 5] = ["db-path", "log-path", "dump-path", "db-sync-path", "pidfile"];

/// The client port that a file names, if it is one.
fn client_port<'t>(text: &'t Text<'_>, version: Version) -> Option<(&'t ConfEntry, u32)> {
    let entry = text.get(ConfSyntax::of(version), "port")?;
    let port = u32::try_from(number(&entry.value)).ok().filter(|port| (1..=65535).contains(port))?;
    Some((entry, port))
}

/// Ports of `version` that do not exist, or that an earlier file claims.
pub fn ports(view: &ConfView<'_>, earlier: &[Text<'_>], version: Version) -> Vec<Draft> {
    let Some((entry, port)) = client_port(view.text, version) else { return Vec::new() };
    let generation = view.knowledge.generations.iter().find(|entry| entry.releases.contains(version));
    // Of a release that is not known the client port alone is.
    let client = || vec![PortUse { offset: 0, role: PortRole::Client, always: true }];
    let uses = generation.filter(|_| !view.unknown).map_or_else(client, port_uses);
    let remark = |what, number: u32, role: &PortUse| {
        let mut draft = view.at_value(what, entry);
        draft.port = Some(number);
        draft.role = Some(role.role);
        draft.grave = role.always;
        draft
    };
    let mut found: Vec<Draft> = uses
        .iter()
        .filter(|role| port + role.offset > 65535)
        .map(|role| remark(ConfMatter::PortTooHigh, port + role.offset, role))
        .collect();
    for other in earlier {
        let Some((other_entry, other_port)) = client_port(other, version) else { continue };
        let collision = |what, number, role: &PortUse, other_role: &PortUse| {
            let mut draft = remark(what, number, role);
            draft.other = Some(other.value_place(other_entry));
            draft.other_role = Some(other_role.role);
            draft.grave = role.always && other_role.always;
            draft
        };
        if port == other_port {
            // All derived ports are the same then, too; saying so once is enough.
            found.push(collision(ConfMatter::SamePort, port, &uses[0], &uses[0]));
            continue;
        }
        for role in &uses {
            let same = |other_role: &&PortUse| other_port + other_role.offset == port + role.offset;
            found.extend(uses.iter().filter(same).map(|other_role| {
                collision(ConfMatter::PortCollision, port + role.offset, role, other_role)
            }));
        }
    }
    found
}

/// Paths that an earlier file names, too.
pub fn shared_paths(view: &ConfView<'_>, earlier: &[Text<'_>], version: Version) -> Vec<Draft> {
    let dialect = ConfSyntax::of(version);
    let mut found = Vec::new();
    for key in OWN_PATHS {
        let Some(entry) = view.set(version, key) else { continue };
        for other in earlier {
            for other_key in OWN_PATHS {
                let Some(other_entry) = other
                    .get(dialect, other_key)
                    .filter(|_| view.unknown || view.keys.read_by(version, other_key).is_some())
                else {
                    continue;
                };
                if other_entry.value.is_empty() || plain(&entry.value) != plain(&other_entry.value) {
                    continue;
                }
                let mut draft = view.at_value(ConfMatter::SharedPath, entry);
                draft.other = Some(other.value_place(other_entry));
                draft.other_key = Some(other_key.to_owned());
                // A relative path begins at the directory in which the server is started.
                draft.grave = entry.value.starts_with('/');
                found.push(draft);
            }
        }
    }
    found
}

/// The same spelling for the same path: `./log/` and `log` are one directory.
fn plain(path: &str) -> String {
    let start = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.trim().split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use crate::parse::conf::together::plain;

    #[test]
    fn spellings_of_one_path_are_the_same() {
        assert_eq!(plain("./log/"), plain("log"));
        assert_eq!(plain("/data//pika/./db/"), "/data/pika/db");
        assert_ne!(plain("/db"), plain("db"));
    }
}
