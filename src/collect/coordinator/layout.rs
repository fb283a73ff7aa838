//! Makes facts of what Codis keeps in its coordinator.
//!
//! The names of the nodes and the members of their JSON are those of `models/store.go`, `models/jodis.go` and
//! `models/action.go` of Codis 3.0 to 3.2 and of Pika's fork. Only members that are known are taken over, so
//! nothing that somebody else keeps there (a password, say) reaches the facts.

use serde_json::Value;

use super::proxies::{jodis_entries, jodis_paths, proxies};
use super::tree::{AclEntry, Gap, Tree, below};
use super::walk::{CODIS2, CODIS3, JODIS};
use crate::model::coordinator::{
    Access, Dashboard, Group, GroupServer, Oddity, OddityKind, Product, SlotRange,
};
use crate::parse::secret::Tokens;

/// The longest text that is taken over from a node.
const LONGEST: usize = 300;

/// The names of all products that are registered.
pub fn registered(tree: &Tree) -> Result<Vec<String>, Gap> {
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
    reader.product.slots = reader.known("slots", found);
    let Reader { mut product, mut oddities, .. } = reader;
    let mine = |path: &str| {
        [root.clone(), below(JODIS, name), old.clone()].iter().any(|own| {
            path == own || path.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    oddities.extend(tree.oddities.iter().filter(|oddity| mine(&oddity.path)).cloned());
    product.oddities = oddities;
    product.access = access(tree, tokens, open, mine);
    product
}

/// Reads the nodes of one product.
pub(super) struct Reader<'t> {
    /// What was read.
    pub tree: &'t Tree,
    oddities: Vec<Oddity>,
    product: Product,
}

impl Reader<'_> {
    /// A list, or the reason why it is not known.
    fn known<T>(&mut self, path: &str, found: Result<T, Gap>) -> Option<T> {
        match found {
            Ok(found) => Some(found),
            Err(gap) => {
                self.product.errors.push(gap.absence(path));
                None
            }
        }
    }

    /// Writes down that a node cannot be understood.
    pub fn odd(&mut self, path: &str, what: OddityKind, detail: impl Into<String>) {
        self.oddities.push(Oddity { path: path.to_owned(), what, detail: detail.into() });
    }

    /// The JSON object of a node. `None`: it does not exist, or it holds something else, which is written down.
    pub fn object(&mut self, path: &str) -> Result<Option<Value>, Gap> {
        let Some(data) = self.tree.data(path)? else { return Ok(None) };
        match serde_json::from_slice::<Value>(data) {
            Ok(value) if value.is_object() => Ok(Some(value)),
            Ok(_) => {
                self.odd(path, OddityKind::Malformed, "JSON, and no object");
                Ok(None)
            }
            Err(error) => {
                // What stands there is not repeated: it may be anything.
                let detail = if data.is_empty() {
                    "it is empty".to_owned()
                } else {
                    format!("no JSON: line {} column {}", error.line(), error.column())
                };
                self.odd(path, OddityKind::Malformed, detail);
                Ok(None)
            }
        }
    }

    fn dashboard(&mut self, path: &str) {
        match self.object(path) {
            Err(gap) => self.product.errors.push(gap.absence("dashboard")),
            Ok(None) => {
                // A lock that cannot be understood is a lock.
                if self.tree.nodes.contains_key(path) {
                    self.product.dashboard = Some(Dashboard::default());
                }
            }
            Ok(Some(lock)) => {
                let name = text(&lock, "product_name");
                if name.is_some_and(|name| name != self.product.name) {
                    self.odd(path, OddityKind::Misplaced, "product_name is that of another product");
                }
                self.product.dashboard = Some(Dashboard {
                    token: text(&lock, "token"),
                    admin_addr: text(&lock, "admin_addr"),
                    start_time: text(&lock, "start_time"),
                    pid: lock.get("pid").and_then(Value::as_i64),
                    answer: None,
                    answer_detail: None,
                });
            }
        }
    }

    fn groups(&mut self, directory: &str) -> Result<Vec<Group>, Gap> {
        let mut groups = Vec::new();
        for name in &self.tree.list(directory)? {
            let path = below(directory, name);
            let Some(group) = self.object(&path)? else { continue };
            let Some(id) = group.get("id").and_then(Value::as_i64) else {
                self.odd(&path, OddityKind::Malformed, "there is no `id`");
                continue;
            };
            if name != &format!("group-{id:04}") {
                self.odd(&path, OddityKind::Misplaced, format!("it is group {id}"));
            }
            let empty = Vec::new();
            let servers = group.get("servers").and_then(Value::as_array).unwrap_or(&empty);
            let servers = servers.iter().map(|server| GroupServer {
                server: text(server, "server").unwrap_or_default(),
                action: state_of(server.get("action")),
            });
            groups.push(Group {
                id,
                servers: servers.collect(),
                promoting: state_of(group.get("promoting")),
                out_of_sync: group.get("out_of_sync").and_then(Value::as_bool).unwrap_or(false),
                slots: 0,
            });
        }
        groups.sort_by_key(|group| group.id);
        Ok(groups)
    }

    fn slots(&mut self, directory: &str) -> Result<Vec<SlotRange>, Gap> {
        let mut ranges: Vec<SlotRange> = Vec::new();
        let mut names = self.tree.list(directory)?;
        names.sort();
        for name in names {
            let path = below(directory, &name);
            let Some(slot) = self.object(&path)? else { continue };
            let id = slot.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            let Some(id) = id else {
                self.odd(&path, OddityKind::Malformed, "there is no `id`");
                continue;
            };
            if name != format!("slot-{id:04}") {
                self.odd(&path, OddityKind::Misplaced, format!("it is slot {id}"));
                continue;
            }
            self.product.slot_count += 1;
            let group = slot.get("group_id").and_then(Value::as_i64).unwrap_or(0);
            let action = state_of(slot.get("action"));
            let target = slot.pointer("/action/target_id").and_then(Value::as_i64);
            match ranges.last_mut() {
                Some(last)
                    if last.last + 1 == id
                        && (last.group, &last.action, last.target) == (group, &action, target) =>
                {
                    last.last = id;
                }
                _ => {
                    ranges.push(SlotRange { first: id, last: id, group, action, target, group_exists: None });
                }
            }
        }
        Ok(ranges)
    }
}

/// The text of a member of an object, cut to a length that can be printed.
pub(super) fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    Some(text.chars().take(LONGEST).collect())
}

fn state_of(action: Option<&Value>) -> String {
    action.and_then(|action| text(action, "state")).unwrap_or_default()
}

/// Access control lists that are alike, once each.
fn access(tree: &Tree, tokens: &Tokens, open: bool, mine: impl Fn(&str) -> bool) -> Option<Vec<Access>> {
    const READ: i32 = 1;
    const CHANGE: i32 = 2 | 4 | 8 | 16;
    let mut kinds: Vec<(&Vec<AclEntry>, Access)> = Vec::new();
    for (path, node) in tree.nodes.iter().filter(|(path, _)| mine(path)) {
        let Some(acl) = &node.acl else { continue };
        // Directories and leaves differ in the right to create and delete, which says nothing about who may.
        let alike = |known: &Vec<AclEntry>| {
            known.len() == acl.len()
                && known.iter().zip(acl).all(|(a, b)| (&a.scheme, &a.id) == (&b.scheme, &b.id))
        };
        if let Some((_, access)) = kinds.iter_mut().find(|(known, _)| alike(known)) {
            access.nodes += 1;
            continue;
        }
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
            (entry.scheme == "digest" && hash != "x").then(|| tokens.token(&entry.id))
        };
        let digests: Vec<String> = acl.iter().filter_map(hash).collect();
        kinds.push((
            acl,
            Access {
                example: path.clone(),
                nodes: 1,
                anyone_reads: anyone(READ),
                anyone_writes: anyone(CHANGE),
                schemes,
                digests_open: open && !digests.is_empty(),
                digests,
            },
        ));
    }
    let kinds: Vec<Access> = kinds.into_iter().map(|(_, access)| access).collect();
    if kinds.is_empty() { None } else { Some(kinds) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collect::coordinator::tree::Node;

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
            prop_assert!(product.errors.is_empty());
        }
    }
}
