//! Which release the fields of INFO are those of, whatever number the server reports.

use serde_json::Value;

use crate::model::knowledge::{FieldRule, Knowledge, ReleaseTag};
use crate::model::node::Node;
use crate::model::release::Version;

/// Shorter prefixes of a commit prove nothing.
const SHORTEST_SHA: usize = 7;

/// Whether a binary that names the commit `sha` was built from the tag.
pub fn is_built_from(tag: &ReleaseTag, sha: &str) -> bool {
    sha.len() >= SHORTEST_SHA && tag.commit.as_ref().is_some_and(|commit| commit.starts_with(sha))
}

/// The tags whose binaries report a number, which can be too low: 4.0.1 reports 4.0.0.
pub fn reporting(number: Version, knowledge: &Knowledge) -> impl Iterator<Item = &ReleaseTag> {
    knowledge.releases.iter().filter(move |tag| tag.reports.unwrap_or(tag.version) == number)
}

/// The first fact that INFO shows although none of `releases`, which it can be by its number, has any of the kind: the
/// binary is another one than it says.
pub fn foreign_fact(node: &Node, releases: &[Version], knowledge: &Knowledge) -> Option<String> {
    let tree = serde_json::to_value(node).ok().filter(|_| !releases.is_empty())?;
    let has = |rule: &FieldRule| releases.iter().any(|version| rule.releases.contains(*version));
    let others = knowledge.info_fields.iter().filter(|rule| !has(rule));
    others.map(|rule| &rule.fact).find(|fact| shows(&tree, fact) == Some(true)).cloned()
}

/// Whether the fact at `path`, with dots, is there. None where what it would be a part of is not: below a null there is
/// nothing to miss.
pub fn shows(tree: &Value, path: &str) -> Option<bool> {
    let mut value = tree;
    for key in path.split('.') {
        if value.is_null() {
            return None;
        }
        value = &value[key];
    }
    Some(!value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_missing_below_a_null() {
        let tree = serde_json::json!({"replication": {"master": null, "role": null, "lag": 0}});
        assert_eq!(shows(&tree, "replication.role"), Some(false));
        assert_eq!(shows(&tree, "replication.lag"), Some(true));
        assert_eq!(shows(&tree, "replication.master.link_up"), None);
        assert_eq!(shows(&tree, "data.fatal"), None, "`data` itself is missing");
    }
}
