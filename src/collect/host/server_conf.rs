//! The configuration file of a server that runs on this host.

use std::path::Path;

use super::Roots;
use super::named;
use crate::collect::files::conf_file::conf_text;
use crate::model::host::Instance;
use crate::model::limits::MAX_CONF_BYTES;
use crate::model::node::Node;
use crate::parse::conf_text::ConfText;

/// The file that `node` names, read. None when its host cannot be seen from here, or when it names no file.
pub fn read_named_by(node: &Node) -> Option<ConfText> {
    node.host_network.as_ref()?;
    let process = node.process.as_ref()?;
    let named = process.config_file.as_deref().filter(|name| !name.is_empty())?;
    read_of_process(process.pid?.try_into().ok()?, named)
}

/// The file that the process of `instance` was started with, read. None when it is not known, or not there.
pub fn read_of(instance: &Instance) -> Option<ConfText> {
    let conf = instance.conf.as_ref().filter(|conf| conf.exists != Some(false))?;
    // From a directory that is not known a relative path would lead to another file.
    if instance.unavailable.iter().any(|absence| absence.path == "cwd") {
        return None;
    }
    read_of_process(instance.pid?, &conf.path)
}

/// The name is taken as the process takes it, which may work in another directory and see other files than this program.
fn read_of_process(pid: u32, path: &str) -> Option<ConfText> {
    let read = named::read_named_by(&Roots::default(), pid, Path::new(path))?;
    let at_most = |bytes: Vec<u8>| (bytes.len() as u64 <= MAX_CONF_BYTES).then_some(bytes);
    Some(conf_text(path, read.map(at_most)))
}
