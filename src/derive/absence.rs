//! Says why a fact that is missing is missing, so that no check takes "not printed" for "no".

use serde_json::Value;

use crate::model::absence::{Absence, AbsenceKind};
use crate::model::knowledge::Knowledge;
use crate::model::node::Node;

/// Adds to `node.errors` every fact that this release does not have, and every one that it has and
/// did not show.
pub fn explain(node: &mut Node, knowledge: &Knowledge) {
    let Some(version) = node.version else { return };
    let Ok(tree) = serde_json::to_value(&*node) else { return };
    let mut found = Vec::new();
    for rule in &knowledge.info_fields {
        let absence = |kind, reason| Absence { path: rule.fact.clone(), kind, reason };
        if !rule.releases.contains(version) {
            if !rule.nothing_elsewhere {
                found.push(absence(
                    AbsenceKind::NotInRelease,
                    format!("{} show it, {version} does not", rule.releases),
                ));
            }
        } else if !rule.sometimes
            && is_null_below_something(&tree, &rule.fact)
            && !explained(node, &rule.fact)
        {
            found.push(absence(
                AbsenceKind::Failed,
                "INFO should show it on this release, and does not".into(),
            ));
        }
    }
    for setting in &knowledge.settings {
        let path = format!("config.{}", setting.name);
        if node.config.as_ref().is_some_and(|config| config.contains_key(&setting.name)) {
            continue;
        }
        if !setting.readable.contains(version) {
            let reason = format!("CONFIG GET answers it on {}, not on {version}", setting.readable);
            found.push(Absence { path, kind: AbsenceKind::NotInRelease, reason });
        } else if setting.sometimes {
            let reason = "CONFIG GET answers it in another instance-mode only".into();
            found.push(Absence { path, kind: AbsenceKind::NotInRelease, reason });
        } else if !explained(node, &path) {
            let reason = "CONFIG GET should answer it on this release, and does not".into();
            found.push(Absence { path, kind: AbsenceKind::Failed, reason });
        }
    }
    // `log` exists on old releases only; the positions are printed elsewhere later.
    if node.binlog.is_none() && !explained(node, "binlog") {
        let reason = "INFO shows no position of the binlog".into();
        found.push(Absence { path: "binlog".into(), kind: AbsenceKind::Failed, reason });
    }
    node.errors.extend(found);
}

/// Whether an entry of `errors` says why `path` is absent.
pub fn explained(node: &Node, path: &str) -> bool {
    node.errors.iter().any(|absence| covers(&absence.path, path))
}

/// Whether an absence at `above` says something about `path`.
pub fn covers(above: &str, path: &str) -> bool {
    above.is_empty() || path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// A null whose parent is there. Below a null there is nothing to miss.
fn is_null_below_something(tree: &Value, path: &str) -> bool {
    let mut value = tree;
    for key in path.split('.') {
        if value.is_null() {
            return false;
        }
        value = &value[key];
    }
    value.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_covers_what_is_below_it() {
        assert!(covers("", "data.fatal"));
        assert!(covers("data", "data.fatal"));
        assert!(covers("data.fatal", "data.fatal"));
        assert!(!covers("data.fat", "data.fatal"));
        assert!(!covers("data.fatal", "data"));
    }

    #[test]
    fn nothing_is_missing_below_a_null() {
        let tree = serde_json::json!({"replication": {"master": null, "role": null}});
        assert!(is_null_below_something(&tree, "replication.role"));
        assert!(!is_null_below_something(&tree, "replication.master.link_up"));
        assert!(!is_null_below_something(&tree, "data.fatal"), "`data` itself is missing");
    }
}
