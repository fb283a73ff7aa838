//! The other side of a run over ssh: what this host answers to the pikadoctor that asks.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::error::PipelineError;
use super::request::{CollectionPlan, ServerTarget};
use super::steps::hosts::{loopback, request_running};
use super::{NODES, collect};
use crate::collect::host::{self, Request, Roots, Search, server_conf};
use crate::collect::net::deadlines::Deadlines;
use crate::derive;
use crate::i18n::reasons;
use crate::model::conf::ConfFile;
use crate::model::host::{Host, Instance};
use crate::model::knowledge::Knowledge;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::unavailable::{Unavailable, UnavailableKind};
use crate::parse::conf;
use crate::parse::conf_text::ConfError;
use crate::parse::secret::Tokens;

/// Asks this host for another pikadoctor, about the Pikas of `search`, too. They are asked
/// here, on the loopback, which is not to be reached from elsewhere; without a password, since none is sent to
/// another host.
pub async fn answer(
    mut asked: Request,
    search: Option<&Search>,
    knowledge: &Knowledge,
    deadlines: Deadlines,
) -> Result<Host, PipelineError> {
    let roots = Roots::default();
    let Some(search) = search else {
        return Ok(host::collect_host(&asked, &roots, knowledge, &deadlines).await);
    };
    let running = match search.find(&roots) {
        Ok(running) => running,
        Err(error) => {
            let mut host = host::collect_host(&asked, &roots, knowledge, &deadlines).await;
            host.unavailable.push(Unavailable::failed("instances", &error));
            return Ok(host);
        }
    };
    let name = |port: u16| format!("{}:{port}", search.host);
    let targets: Vec<ServerTarget> = running
        .ports()
        .into_iter()
        .map(|port| ServerTarget { name: name(port), address: loopback(port), password: None })
        .collect();
    let plan = CollectionPlan { targets, skip_ports: true, ..CollectionPlan::default() };
    let facts = collect(&plan, NODES, knowledge, deadlines).await?;
    let mut found = request_running(&facts, &running, &roots, name);
    for wanted in &mut found.instances {
        // It is no server of the run that asks.
        let node = wanted.node.take().and_then(|name| facts.node(&name));
        let replicates = node.and_then(|node| derive::host::replicates(node, &facts));
        wanted.replicates = if search.replicates { Some(true) } else { replicates };
        wanted.master.clone_from(&search.master);
        if let Some(node) = node {
            wanted.skip_reason = Some(untold(node, &search.host));
        }
        if wanted.name.is_none() {
            wanted.name = wanted.pid.map(|pid| format!("{} pid {pid}", search.host));
        }
    }
    asked.instances.extend(found.instances);
    asked.peers.extend(found.peers);
    asked.routes.extend(found.routes);
    Ok(host::collect_host(&asked, &roots, knowledge, &deadlines).await)
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
            for error in &mut conf.unavailable {
                error.kind = UnavailableKind::NoAccess;
            }
        }
        Some((node, conf))
    };
    host.instances.iter().filter_map(of_server).collect()
}

/// Why what a Pika of another host says about itself is not known.
fn untold(node: &Node, host: &str) -> Reason {
    let port = node.address.port;
    if node.authentication.admitted == Some(false) {
        let command = format!("pikadoctor check HOST:{port} --ssh {host}");
        return reasons::password_not_sent_to_host(command);
    }
    reasons::no_pika_answered(&node.address, host)
}
