//! Makes facts of what Codis keeps in its coordinator.
//!
//! The names of the nodes are those of `models/store.go` and `models/jodis.go` of Codis 3.0 to 3.2 and of Pika's fork;
//! what stands in them is read by [`crate::parse::codis`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::proxies::{jodis_entries, jodis_paths, proxies};
use super::reader::Reader;
use super::tree::{AclEntry, Node, Tree, below};
use super::walk::{CODIS2, CODIS3, JODIS};
use crate::i18n::reasons;
use crate::model::codis::coordinator::{Access, Oddity, OddityKind, Product};
use crate::model::codis::dashboard::Dashboard;
use crate::model::codis::topology::{Group, SlotRange};
use crate::model::limits::{MAX_ACL_KINDS, MAX_CODIS_MEMBER_SERVERS, MAX_ODDITIES};
use crate::model::unavailable::Unavailability;
use crate::parse;
use crate::parse::codis::{Slot, count_slots};
use crate::parse::secret::Tokens;

/// The names of all products that are registered.
pub fn registered(tree: &Tree) -> Result<Vec<String>, Unavailability> {
    let mut names = tree.list(CODIS3)?;
    names.extend(tree.list(JODIS)?);
    names.extend(tree.list(CODIS2)?.iter().filter_map(|name| name.strip_prefix("db_").map(str::to_owned)));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The product `name`. `open`: whether no credentials were given.
pub fn product(tree: &Tree, name: &str, tokens: &Tokens, open: bool) -> Product {
    let product = Product { name: name.to_owned(), ..Product::default() };
    let mut reader = Reader { tree, oddities: Vec::new(), product };
    let (root, old) = (below(CODIS3, name), below(CODIS2, &format!("db_{name}")));
    reader.product.codis3 = tree.nodes.contains_key(&root);
    reader.product.codis2 = tree.list(&old).is_ok_and(|names| {
        names.iter().any(|name| matches!(name.as_str(), "slots" | "servers" | "dashboard"))
    });
    reader.dashboard(&below(&root, "topom"));
    let found = proxies(&mut reader, &below(&root, "proxy"));
    reader.product.proxies = reader.known("proxies", found);
    let found = jodis_entries(&mut reader, name);
    reader.product.jodis = reader.known("jodis", found);
    reader.product.jodis_paths = jodis_paths(reader.product.jodis.as_deref().unwrap_or_default());
    let found = reader.groups(&below(&root, "group"));
    reader.product.groups = reader.known("groups", found);
    let found = reader.slots(&below(&root, "slots"));
    if let Some(slots) = reader.known("slots", found) {
        count_slots(reader.product.groups.as_deref_mut().unwrap_or_default(), &slots);
        reader.product.slot_count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        reader.product.slots = Some(ranges(&slots));
    }
    let Reader { mut product, mut oddities, .. } = reader;
    let own = [root.clone(), below(JODIS, name), old];
    let mine = |path: &str| {
        own.iter().any(|own| {
            path == own || path.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    oddities.extend(tree.oddities.iter().filter(|oddity| mine(&oddity.path)).cloned());
    let count = oddities.len();
    if count > MAX_ODDITIES {
        oddities.truncate(MAX_ODDITIES);
        let detail = reasons::entries_above_limit(count, MAX_ODDITIES);
        oddities.push(Oddity { path: root.clone(), what: OddityKind::TooMany, detail });
    }
    product.oddities = oddities;
    product.access = access(own.iter().flat_map(|own| tree.from(own)), tokens, open);
    product
}

impl Reader<'_> {
    fn dashboard(&mut self, path: &str) {
        match self.object(path) {
            Err(gap) => self.product.unavailable.push(gap.at("dashboard")),
            Ok(None) => {
                // A lock that cannot be understood is a lock.
                if self.tree.nodes.contains_key(path) {
                    self.product.dashboard = Some(Dashboard::default());
                }
            }
            Ok(Some(lock)) => {
                let dashboard = parse::codis::dashboard(&lock);
                if dashboard.product_name.as_ref().is_some_and(|name| *name != self.product.name) {
                    self.odd(path, OddityKind::Misplaced, reasons::product_name_of_other());
                }
                self.product.dashboard = Some(dashboard);
            }
        }
    }

    fn groups(&mut self, directory: &str) -> Result<Vec<Group>, Unavailability> {
        let mut groups = Vec::new();
        for name in &self.tree.list(directory)? {
            let path = below(directory, name);
            let Some(group) = self.object(&path)? else { continue };
            let Some(id) = group.get("id").and_then(Value::as_i64) else {
                self.odd(&path, OddityKind::Malformed, reasons::key_missing("`id`"));
                continue;
            };
            if name != &format!("group-{id:04}") {
                self.odd(&path, OddityKind::Misplaced, reasons::is_group(id.to_string()));
            }
            groups.push(parse::codis::group(id, &group));
        }
        let count: usize = groups.iter().map(|group| group.servers.len()).sum();
        if count > MAX_CODIS_MEMBER_SERVERS {
            let reason = reasons::entries_above_limit(count, MAX_CODIS_MEMBER_SERVERS);
            return Err(Unavailability::failed(reason));
        }
        groups.sort_by_key(|group| group.id);
        Ok(groups)
    }

    fn slots(&mut self, directory: &str) -> Result<Vec<Slot>, Unavailability> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut names = self.tree.list(directory)?;
        names.sort();
        for name in names {
            let path = below(directory, &name);
            let Some(slot) = self.object(&path)? else { continue };
            let Some(slot) = parse::codis::slot(&slot) else {
                self.odd(&path, OddityKind::Malformed, reasons::key_missing("`id`"));
                continue;
            };
            let id = slot.id;
            if name != format!("slot-{id:04}") {
                self.odd(&path, OddityKind::Misplaced, reasons::is_slot(id));
                continue;
            }
            slots.push(slot);
        }
        Ok(slots)
    }
}

/// Slots as runs of slots that are alike.
fn ranges(slots: &[Slot]) -> Vec<SlotRange> {
    let mut ranges: Vec<SlotRange> = Vec::new();
    for slot in slots {
        match ranges.last_mut() {
            Some(last)
                if last.last.checked_add(1) == Some(slot.id)
                    && (last.group, last.action, last.target) == (slot.group, slot.action, slot.target) =>
            {
                last.last = slot.id;
            }
            _ => ranges.push(SlotRange {
                first: slot.id,
                last: slot.id,
                group: slot.group,
                action: slot.action,
                target: slot.target,
                group_exists: None,
            }),
        }
    }
    ranges
}

/// Access control lists that are alike, once each.
fn access<'t>(
    nodes: impl Iterator<Item = (&'t str, &'t Node)>,
    tokens: &Tokens,
    open: bool,
) -> Option<Vec<Access>> {
    const READ: i32 = 1;
    const CHANGE: i32 = 2 | 4 | 8 | 16;
    let mut kinds: Vec<Access> = Vec::new();
    let mut known: BTreeMap<Vec<(&str, &str)>, usize> = BTreeMap::new();
    for (path, node) in nodes {
        let Some(acl) = &node.acl else { continue };
        // Directories and leaves differ in the right to create and delete, which says nothing about who may.
        let whom = acl.iter().map(|entry| (entry.scheme.as_str(), entry.id.as_str())).collect();
        if let Some(kind) = known.get(&whom) {
            kinds[*kind].nodes += 1;
            continue;
        }
        if kinds.len() == MAX_ACL_KINDS {
            continue;
        }
        known.insert(whom, kinds.len());
        let anyone = |bits: i32| {
            acl.iter().any(|entry| entry.scheme == "world" && entry.id == "anyone" && entry.perms & bits != 0)
        };
        let mut schemes: Vec<String> =
            acl.iter().map(|entry| &entry.scheme).filter(|scheme| *scheme != "world").cloned().collect();
        schemes.sort();
        schemes.dedup();
        let hash = |entry: &AclEntry| {
            let (_, hash) = entry.id.split_once(':')?;
            // Since 3.4.14 and 3.5.5 the hash is replaced by an `x` for those who may only read.
            (entry.scheme == "digest" && hash != "x").then(|| tokens.token_among("acl", &entry.id))
        };
        let digests: Vec<String> = acl.iter().filter_map(hash).collect();
        kinds.push(Access {
            example: path.to_owned(),
            nodes: 1,
            anyone_reads: anyone(READ),
            anyone_writes: anyone(CHANGE),
            schemes,
            digests_open: open && !digests.is_empty(),
            digests,
        });
    }
    if kinds.is_empty() { None } else { Some(kinds) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree_with(contents: &[(&str, &[u8])]) -> Tree {
        let mut tree = Tree::default();
        for (path, data) in contents {
            let node = Node { children: Ok(Vec::new()), data: Ok(data.to_vec()), ..Node::unread() };
            tree.nodes.insert((*path).to_owned(), node);
            let mut path = *path;
            while let Some((parent, name)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
                let above = tree.nodes.entry(parent.to_owned()).or_insert_with(|| Node {
                    children: Ok(Vec::new()),
                    data: Ok(Vec::new()),
                    ..Node::unread()
                });
                if let Ok(children) = &mut above.children
                    && !children.iter().any(|child| child == name)
                {
                    children.push(name.to_owned());
                }
                path = parent;
            }
        }
        tree
    }

    const PLACES: [&str; 5] = [
        "/codis3/p/topom",
        "/codis3/p/group/group-0001",
        "/codis3/p/slots/slot-0001",
        "/codis3/p/proxy/proxy-a",
        "/jodis/p/proxy-a",
    ];

    proptest! {
        /// What is no JSON object is told, whatever it is, and leaves nothing behind.
        #[test]
        fn garbage_is_told_in_every_place(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assume!(serde_json::from_slice::<Value>(&bytes).is_err());
            let tree = tree_with(&PLACES.map(|place| (place, bytes.as_slice())));
            let product = product(&tree, "p", &Tokens::new(), true);
            prop_assert_eq!(product.oddities.len(), PLACES.len());
            prop_assert!(product.groups.is_some_and(|groups| groups.is_empty()));
            prop_assert!(product.dashboard.is_some_and(|dashboard| dashboard.token.is_none()));
        }

        #[test]
        fn no_json_makes_it_panic(
            key in "id|token|servers|action|group_id|addr|promoting",
            value in "null|-1|1e300|99999999999999999999|\\[\\]|\\{\\}|\"x\"|\\[\\[\\]\\]|true",
        ) {
            let text = format!("{{\"{key}\": {value}}}");
            let tree = tree_with(&PLACES.map(|place| (place, text.as_bytes())));
            let product = product(&tree, "p", &Tokens::new(), true);
            prop_assert!(product.unavailable.is_empty());
        }
    }
}
