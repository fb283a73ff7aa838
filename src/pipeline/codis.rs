//! Looks at the servers behind a Codis.

use futures_util::StreamExt as _;

use super::servers::{LinkRequest, Scope, Target};
use crate::collect::codis::backend;
use crate::collect::codis::request::Request;
use crate::collect::link::Party;
use crate::collect::secret::Password;
use crate::model::absence::{Absence, AbsenceKind};
use crate::model::codis::Codis;
use crate::model::codis::topology::{Backend, Position};
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::{MAX_CODIS_SERVERS, MAX_PARALLEL_BACKENDS};
use crate::model::link::LinkMode;
use crate::parse::codis::slot_ranges;

/// What is looked at of a Codis.
#[derive(Clone, Debug, Default)]
pub struct CodisTrial {
    /// The Codis itself.
    pub request: Request,
    /// The password of the servers behind it.
    pub password: Option<Password>,
    /// Whether the servers behind it are looked at.
    pub servers: bool,
}

/// The servers that a Codis names, but for those that were named already, and their replication.
pub(crate) fn named_by(
    found: &[Codis],
    targets: &[Target],
    codis: &CodisTrial,
) -> (Vec<Target>, Vec<LinkRequest>) {
    let mut more: Vec<Target> = Vec::new();
    let mut requests: Vec<LinkRequest> = Vec::new();
    let servers: Vec<&Backend> = found.iter().flat_map(|codis| &codis.servers).collect();
    for server in &servers {
        let Some(address) = &server.address else { continue };
        let known = targets.iter().chain(&more).any(|target| target.address == *address);
        if !known && more.len() < MAX_CODIS_SERVERS {
            let password = codis.password.clone();
            more.push(Target { name: address.to_string(), address: address.clone(), password });
        }
    }
    let name_of = |text: &str| {
        let server = servers.iter().find(|server| server.name == text)?;
        targets.iter().chain(&more).find(|target| Some(&target.address) == server.address.as_ref())
    };
    for server in servers.iter().filter(|server| server.position == Position::Replica) {
        if let (Some(replica), Some(master)) = (name_of(&server.name), name_of(&server.master)) {
            let (replica, master) = (replica.name.clone(), master.name.clone());
            let known = requests.iter().any(|request| request.replica == replica && request.master == master);
            if replica != master && !known {
                requests.push(LinkRequest { replica, master, mode: LinkMode::Replica });
            }
        }
    }
    (more, requests)
}

/// Joins the servers with the nodes that they are, and asks them about slots.
pub(crate) async fn look_at_servers(
    codis: &mut Codis,
    facts: &Facts,
    targets: &[Target],
    knowledge: &Knowledge,
    scope: Scope,
) {
    let moving: Vec<(i64, Vec<(u64, u64)>)> = codis
        .slots
        .iter()
        .flat_map(|slots| &slots.actions)
        .map(|action| (action.from, slot_ranges(&action.slots.ranges)))
        .collect();
    let servers = std::mem::take(&mut codis.servers);
    let mut looked: Vec<(usize, Backend)> = futures_util::stream::iter(servers.into_iter().enumerate())
        .map(|(number, mut server)| {
            let moving = &moving;
            async move {
                let node = facts.nodes.iter().find(|node| Some(&node.address) == server.address.as_ref());
                server.node = node.map(|node| node.name.clone());
                let usable = node.filter(|node| node.version.is_some());
                let result = match usable {
                    Some(node) => {
                        let password = targets.iter().find(|target| target.name == node.name);
                        let party =
                            Party { node, password: password.and_then(|target| target.password.as_ref()) };
                        let leaves = |slot: u64| {
                            moving.iter().any(|(from, ranges)| {
                                *from == server.group && ranges.iter().any(|(a, b)| (*a..=*b).contains(&slot))
                            })
                        };
                        let answer =
                            backend::collect_slot_index(party, &knowledge.commands, &scope.deadlines, leaves)
                                .await;
                        answer.map_err(|trouble| (AbsenceKind::Failed, trouble.reason().to_owned()))
                    }
                    None if node.is_some() => {
                        Err((AbsenceKind::Failed, "the server told no release".to_owned()))
                    }
                    None => Err((AbsenceKind::NoAccess, "the server itself was not looked at".to_owned())),
                };
                match result {
                    Ok(index) => server.index = Some(index),
                    Err((kind, reason)) => server.errors.push(Absence { path: "index".into(), kind, reason }),
                }
                (number, server)
            }
        })
        .buffer_unordered(MAX_PARALLEL_BACKENDS)
        .collect()
        .await;
    looked.sort_by_key(|(number, _)| *number);
    codis.servers = looked.into_iter().map(|(_, server)| server).collect();
}
