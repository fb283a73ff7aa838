//! The configuration file that a running server names, when the server runs on this host.

use std::path::{Path, PathBuf};

use super::conf_file::{ConfText, read_conf};
use crate::model::facts::Node;
use crate::model::host::Instance;

/// The file of `node`, read. None when its host cannot be seen from here, or when it names no file.
///
/// The name is the one of its command line, so it is taken from the directory that the process works in; and the
/// process may see another file system than this program does.
pub fn read_named_by(node: &Node) -> Option<ConfText> {
    node.host_network.as_ref()?;
    let process = node.process.as_ref()?;
    let named = process.config_file.as_deref().filter(|name| !name.is_empty())?;
    let seen = path_of(process.pid?, Path::new(named));
    let text = read_conf(&seen.to_string_lossy()).text;
    Some(ConfText { name: named.to_owned(), text })
}

/// The file of a process of this host, named by its whole path. None when it is not known, or not there.
///
/// # Errors
/// Its text says why this tool's user may not read it.
pub fn read_of(instance: &Instance) -> Option<ConfText> {
    let conf = instance.conf.as_ref()?;
    // From a directory that is not known a relative path would lead to another file.
    if conf.exists == Some(false) || instance.errors.iter().any(|absence| absence.path == "cwd") {
        return None;
    }
    let seen = path_of(i64::from(instance.pid?), Path::new(&conf.path));
    Some(ConfText { name: conf.path.clone(), text: read_conf(&seen.to_string_lossy()).text })
}

fn path_of(pid: i64, named: &Path) -> PathBuf {
    let process = PathBuf::from(format!("/proc/{pid}"));
    if named.is_absolute() {
        let root = process.join("root");
        // `join` with an absolute path would leave the root of the process.
        let inside = named.strip_prefix("/").map_or_else(|_| root.clone(), |below| root.join(below));
        if inside.exists() { inside } else { named.to_owned() }
    } else {
        process.join("cwd").join(named)
    }
}
