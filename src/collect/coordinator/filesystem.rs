//! Reads a tree from the directory of the file-system coordinator.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::tree::{Node, Tree, too_many_nodes};
use super::walk::{ROOTS, descend};
use crate::collect::files::open::open_regular;
use crate::i18n::{io_error, reasons};
use crate::model::limits::{MAX_CHILDREN, MAX_NODE_BYTES, MAX_NODES};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailability;

/// Where the tree begins, below the directory that `coordinator_addr` names.
const DATA: &str = "data";

/// Why there is no tree.
#[derive(Debug)]
pub enum DirectoryError {
    /// The operating system says no.
    Io(io::Error),
    /// Something else than a directory.
    NoDirectory,
}

impl From<&DirectoryError> for Reason {
    fn from(error: &DirectoryError) -> Self {
        match error {
            DirectoryError::Io(error) => reasons::directory_unreadable(format!("{DATA}/"), io_error(error)),
            DirectoryError::NoDirectory => reasons::not_a_directory(DATA),
        }
    }
}

/// Reads everything that Codis keeps below `directory`. Symbolic links are not followed: Codis makes none.
pub fn read_tree(directory: &Path, wanted: Option<&str>) -> Result<Tree, DirectoryError> {
    let data = directory.join(DATA);
    if !fs::metadata(&data).map_err(DirectoryError::Io)?.is_dir() {
        return Err(DirectoryError::NoDirectory);
    }
    let mut tree = Tree::default();
    let mut waiting: Vec<String> = ROOTS.iter().rev().map(|root| (*root).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        let file = data.join(path.trim_start_matches('/'));
        let node = if tree.nodes.len() >= MAX_NODES {
            Node::unknown(too_many_nodes())
        } else {
            match read_node(&mut tree, &path, &file) {
                Ok(node) => node,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    tree.forget(&path);
                    continue;
                }
                Err(error) => Node::unknown(gap(&error)),
            }
        };
        if let Ok(children) = &node.children {
            waiting.extend(descend(&path, children, wanted));
        }
        tree.nodes.insert(path, node);
    }
    Ok(tree)
}

fn gap(error: &io::Error) -> Unavailability {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Unavailability::no_access(io_error(error)),
        _ => Unavailability::failed(io_error(error)),
    }
}

fn read_node(tree: &mut Tree, path: &str, file: &Path) -> io::Result<Node> {
    let kind = fs::symlink_metadata(file)?.file_type();
    if kind.is_dir() {
        let mut names = Vec::new();
        let mut count = 0;
        for entry in fs::read_dir(file)? {
            count += 1;
            if count <= MAX_CHILDREN {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        let children = if count > MAX_CHILDREN { Err(tree.too_many(path, count)) } else { Ok(names) };
        return Ok(Node { children, data: Ok(Vec::new()), ..Node::unread() });
    }
    if !kind.is_file() {
        // A pipe would not end, and a link would lead out of the tree.
        let gap = Unavailability::failed(reasons::neither_file_nor_directory());
        return Ok(Node { children: Ok(Vec::new()), data: Err(gap), ..Node::unread() });
    }
    let mut data = Vec::new();
    open_regular(file)?.take(MAX_NODE_BYTES as u64 + 1).read_to_end(&mut data)?;
    let data = if data.len() > MAX_NODE_BYTES { Err(tree.too_large(path, data.len())) } else { Ok(data) };
    Ok(Node { children: Ok(Vec::new()), data, ..Node::unread() })
}
