//! Says why a fact that is missing is missing, so that no check takes "not printed" for "no".

use serde_json::Value;

use crate::i18n::reasons;
use crate::model::knowledge::Knowledge;
use crate::model::node::Node;
use crate::model::unavailable::Unavailable;
use crate::parse::info::build::shows;

/// Adds to `node.unavailable` every fact that this release does not have, and every one that it has and
/// did not show.
pub fn explain(node: &mut Node, knowledge: &Knowledge) {
    let Ok(tree) = serde_json::to_value(&*node) else { return };
    let Some(version) = node.version else {
        explain_without_release(node, &tree, knowledge);
        return;
    };
    let mut found = Vec::new();
    for rule in &knowledge.info_fields {
        if !rule.releases.contains(version) {
            if !rule.nothing_elsewhere {
                let reason = reasons::releases_show_it(&rule.releases, version);
                found.push(Unavailable::not_in_release(&rule.fact, reason));
            }
        } else if !rule.sometimes && shows(&tree, &rule.fact) == Some(false) && !explained(node, &rule.fact) {
            found.push(Unavailable::failed(&rule.fact, reasons::info_should_show_it()));
        }
    }
    for setting in knowledge.settings() {
        let path = format!("config.{}", setting.name);
        if node.config.as_ref().is_some_and(|config| config.contains_key(setting.name)) {
            continue;
        }
        if !setting.readable.contains(version) {
            let reason = reasons::config_get_answers_on(setting.readable, version);
            found.push(Unavailable::not_in_release(path, reason));
        } else if setting.key.sometimes {
            found.push(Unavailable::not_in_release(path, reasons::config_get_in_other_instance_mode()));
        } else if !explained(node, &path) {
            found.push(Unavailable::failed(path, reasons::config_get_should_answer()));
        }
    }
    // `log` exists on old releases only; the positions are printed elsewhere later.
    if node.binlog.is_none() && !explained(node, "binlog") {
        found.push(Unavailable::failed("binlog", reasons::info_shows_no_binlog_position()));
    }
    node.unavailable.extend(found);
}

/// Where the release is not known, a fact that is missing may be there under another name: nothing follows from it.
fn explain_without_release(node: &mut Node, tree: &Value, knowledge: &Knowledge) {
    let Some(reported) = node.release.as_ref().map(|release| release.reported.clone()) else { return };
    let fields = knowledge.info_fields.iter().map(|rule| rule.fact.clone());
    let fields = fields.filter(|fact| shows(tree, fact) == Some(false));
    let config = node.config.as_ref();
    let settings = knowledge
        .settings()
        .filter(|setting| config.is_none_or(|config| !config.contains_key(setting.name)))
        .map(|setting| format!("config.{}", setting.name));
    let sections = ["binlog", "data", "double_master", "commands", "keyspace"];
    let sections = sections.into_iter().filter(|path| shows(tree, path) == Some(false)).map(str::to_owned);
    let missing: Vec<String> =
        fields.chain(settings).chain(sections).filter(|path| !explained(node, path)).collect();
    let reason = || reasons::release_unknown_to_tool(&reported);
    node.unavailable.extend(missing.into_iter().map(|path| Unavailable::failed(path, reason())));
}

/// Whether an entry of `unavailable` says why `path` is absent.
pub fn explained(node: &Node, path: &str) -> bool {
    node.unavailable.iter().any(|absence| absence.covers(path))
}
