//! What was read of a coordinator, before it is understood.

use std::collections::BTreeMap;

use crate::i18n::reasons;
use crate::model::codis::coordinator::{Oddity, OddityKind};
use crate::model::limits::{MAX_CHILDREN, MAX_NODE_BYTES, MAX_NODES};
use crate::model::unavailable::Unavailability;

/// Why a node beyond the limit is not read.
pub fn too_many_nodes() -> Unavailability {
    Unavailability::failed(reasons::nodes_above_limit(MAX_NODES))
}

/// An entry of an access control list of ZooKeeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclEntry {
    /// Bits: 1 read, 2 write, 4 create, 8 delete, 16 administer.
    pub perms: i32,
    /// `world`, `digest`, `ip`, `sasl`, `auth`, `x509`.
    pub scheme: String,
    /// Whom it is for; for `digest` a name and a hash of name and password.
    pub id: String,
}

/// A node: content and children.
#[derive(Clone, Debug)]
pub struct Node {
    /// The names of its children.
    pub children: Result<Vec<String>, Unavailability>,
    /// Its content. A directory has an empty one.
    pub data: Result<Vec<u8>, Unavailability>,
    /// Whether it goes away with whoever made it. Null where the coordinator does not tell.
    pub ephemeral: Option<bool>,
    /// Seconds until it goes away unless it is renewed.
    pub ttl_seconds: Option<i64>,
    /// Who may do what. Null where the coordinator does not tell.
    pub acl: Option<Vec<AclEntry>>,
}

impl Node {
    /// A node of which nothing is known yet.
    pub fn unread() -> Self {
        Self::unknown(Unavailability::failed(reasons::not_read()))
    }

    /// A node of which nothing is known.
    pub fn unknown(gap: Unavailability) -> Self {
        Self { children: Err(gap.clone()), data: Err(gap), ephemeral: None, ttl_seconds: None, acl: None }
    }
}

/// A part of a coordinator's tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Nodes by path.
    pub nodes: BTreeMap<String, Node>,
    /// What was too large to be read.
    pub oddities: Vec<Oddity>,
}

impl Tree {
    /// The children of `path`. A directory that does not exist has none; one of which that is not known is a gap.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Unavailability> {
        match self.nodes.get(path) {
            Some(node) => node.children.clone(),
            None => self.absent(path).map(|()| Vec::new()),
        }
    }

    /// `path` and all nodes below it, in their order.
    pub fn from<'t>(&'t self, path: &'t str) -> impl Iterator<Item = (&'t str, &'t Node)> {
        let below = format!("{path}/");
        let all = self.nodes.range(below.clone()..);
        let own = self.nodes.get_key_value(path);
        own.into_iter()
            .chain(all.take_while(move |(path, _)| path.starts_with(&below)))
            .map(|(path, node)| (path.as_str(), node))
    }

    /// The content of `path`; `None` when there is no such node.
    pub fn data(&self, path: &str) -> Result<Option<&[u8]>, Unavailability> {
        match self.nodes.get(path) {
            Some(node) => node.data.as_deref().map(Some).map_err(Clone::clone),
            None => self.absent(path).map(|()| None),
        }
    }

    /// Whether it is known that there is no node `path`: the nearest node above it has been listed without it.
    fn absent(&self, path: &str) -> Result<(), Unavailability> {
        let mut below = path;
        while let Some((parent, name)) = below.rsplit_once('/') {
            let parent = if parent.is_empty() { "/" } else { parent };
            if let Some(node) = self.nodes.get(parent) {
                return match &node.children {
                    Ok(children) if children.iter().any(|child| child == name) => {
                        Err(Unavailability::failed(reasons::not_read()))
                    }
                    Ok(_) => Ok(()),
                    Err(gap) => Err(gap.clone()),
                };
            }
            if parent == "/" {
                break;
            }
            below = parent;
        }
        // Nothing above was asked for because nothing of it exists.
        Ok(())
    }

    /// Takes a node out that went away while it was looked at.
    pub fn forget(&mut self, path: &str) {
        self.nodes.remove(path);
        let Some((parent, name)) = path.rsplit_once('/') else { return };
        let parent = if parent.is_empty() { "/" } else { parent };
        if let Some(Node { children: Ok(children), .. }) = self.nodes.get_mut(parent) {
            children.retain(|child| child != name);
        }
    }

    /// Writes down that a node is too large, and gives the gap that it leaves.
    pub fn too_large(&mut self, path: &str, bytes: usize) -> Unavailability {
        let detail = reasons::bytes_above_limit(bytes, MAX_NODE_BYTES);
        self.oddities.push(Oddity {
            path: path.to_owned(),
            what: OddityKind::TooLarge,
            detail: detail.clone(),
        });
        Unavailability::failed(detail)
    }

    /// Writes down that a directory has too many children, and gives the gap that it leaves.
    pub fn too_many(&mut self, path: &str, count: usize) -> Unavailability {
        let detail = reasons::children_above_limit(count, MAX_CHILDREN);
        self.oddities.push(Oddity {
            path: path.to_owned(),
            what: OddityKind::TooMany,
            detail: detail.clone(),
        });
        Unavailability::failed(detail)
    }
}

/// The path of a child.
pub fn below(parent: &str, name: &str) -> String {
    if parent == "/" { format!("/{name}") } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reason::Reason;

    fn refused(said: &str) -> Unavailability {
        Unavailability::failed(Reason::verbatim(said))
    }

    fn node(children: Result<&[&str], &str>) -> Node {
        let children = children.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Node { children: children.map_err(refused), data: Ok(Vec::new()), ..Node::unread() }
    }

    #[test]
    fn what_does_not_exist_is_not_what_could_not_be_read() {
        let mut tree = Tree::default();
        assert_eq!(tree.list("/codis3/p/proxy"), Ok(Vec::new()), "not asked for: there is nothing");
        tree.nodes.insert("/codis3".into(), node(Ok(&["p", "q"])));
        tree.nodes.insert("/codis3/p".into(), node(Ok(&["proxy"])));
        tree.nodes.insert("/codis3/q".into(), node(Err("NoAuth")));
        assert_eq!(tree.list("/codis3/p/group"), Ok(Vec::new()));
        assert_eq!(tree.data("/codis3/p/topom"), Ok(None));
        assert_eq!(tree.list("/codis3/p/proxy"), Err(Unavailability::failed(reasons::not_read())));
        assert_eq!(tree.list("/codis3/q/group"), Err(refused("NoAuth")));
        assert_eq!(tree.data("/codis3/q/topom"), Err(refused("NoAuth")));
        tree.forget("/codis3/p");
        assert_eq!(tree.list("/codis3"), Ok(vec!["q".to_owned()]));
    }
}
