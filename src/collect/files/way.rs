//! The way to a file: its directories, and its links, each of which is a way of its own.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::model::limits::MAX_SYMLINKS;

/// The place of `path` as a process below `root` finds it, symbolic links included. What does not exist is kept as it is.
/// `passed` gets each directory and each link of the way, and the last part, as the process calls them.
pub fn follow(root: &Path, path: &Path, mut passed: impl FnMut(&Path)) -> PathBuf {
    let mut left: Vec<PathBuf> = parts(path);
    let mut walked = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part.as_os_str() == ".." {
            walked.pop();
            continue;
        }
        let next = walked.join(&part);
        passed(&next);
        match fs::read_link(below(root, &next)) {
            Ok(target) if links < MAX_SYMLINKS => {
                links += 1;
                if target.is_absolute() {
                    walked = PathBuf::from("/");
                }
                left.extend(parts(&target));
            }
            _ => walked = next,
        }
    }
    walked
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let normal = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    let mut parts: Vec<PathBuf> = normal.collect();
    parts.reverse();
    parts
}

/// A path of a process as a path of ours.
pub fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}
