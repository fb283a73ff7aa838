//! Compares servers with their configuration files: those that are named, and those of the hosts that are looked at.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::collect::files::conf_file;
use crate::collect::host::server_conf;
use crate::derive::drift::{Passwords, compare};
use crate::model::absence::AbsenceKind;
use crate::model::conf::ConfFile;
use crate::model::facts::Facts;
use crate::model::host::{Host, Instance};
use crate::model::knowledge::Knowledge;
use crate::parse::conf;
use crate::parse::conf_text::ConfError;
use crate::parse::secret::Tokens;

/// Compares servers with their configuration files: those of `named`, by the name of the server, with the file there,
/// and every other one with the file that it names itself, where that can be seen from here.
pub fn compare_conf_files(facts: &mut Facts, named: &[(String, PathBuf)], knowledge: &Knowledge) {
    for node in &facts.nodes {
        let named = named.iter().find(|(name, _)| *name == node.name);
        let text = match named {
            Some((_, path)) => Some(conf_file::read_conf(&path.to_string_lossy())),
            // A file that may not be read says nothing, and nobody asked for it.
            None => server_conf::read_named_by(node).filter(|conf| conf.text.is_ok()),
        };
        let Some(text) = text.filter(|_| node.version.is_some() || named.is_some()) else { continue };
        // A file that another run of this program read, on the server's host, is as good but for its passwords.
        facts.conf_drifts.retain(|drift| drift.name != node.name);
        let read = conf::read(&[text], knowledge, Tokens::of_this_run(), node.version);
        let drifts = read.iter().map(|conf| compare(node, conf, Passwords::ByToken, knowledge));
        facts.conf_drifts.extend(drifts);
    }
}

/// The configuration files of the servers that `host` runs and another run of this program asks about, by the name of
/// the server. One that is not there is left out: `host/configuration` says so.
pub fn of_host(host: &Host, knowledge: &Knowledge) -> BTreeMap<String, ConfFile> {
    let of_server = |instance: &Instance| {
        let (node, version) = (instance.node.clone()?, instance.version?);
        let text = server_conf::read_of(instance)?;
        let is_denied =
            matches!(&text.text, Err(ConfError::Io(error)) if error.kind() == ErrorKind::PermissionDenied);
        let mut conf = conf::read(&[text], knowledge, Tokens::of_this_run(), Some(version)).pop()?;
        if is_denied {
            for error in &mut conf.errors {
                error.kind = AbsenceKind::NoAccess;
            }
        }
        Some((node, conf))
    };
    host.instances.iter().filter_map(of_server).collect()
}

/// Compares servers with their files on the host `name`, as another run of this program read them there.
pub fn compare_there(
    facts: &mut Facts,
    name: &str,
    files: BTreeMap<String, ConfFile>,
    asked: &[String],
    knowledge: &Knowledge,
) {
    for (server, mut conf) in files.into_iter().filter(|(server, _)| asked.contains(server)) {
        let Some(node) = facts.node(&server) else { continue };
        conf.name = format!("{name}:{}", conf.name);
        let drift = compare(node, &conf, Passwords::ByPresence, knowledge);
        facts.conf_drifts.push(drift);
    }
}
