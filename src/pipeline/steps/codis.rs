//! The servers behind a Codis, and what follows from Codis and its coordinators.

use futures_util::StreamExt as _;

use crate::collect::codis::backend::{self, Assigned};
use crate::collect::link::Party;
use crate::derive;
use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::topology::{Backend, Position};
use crate::model::limits::MAX_PARALLEL_BACKENDS;
use crate::model::unavailable::{Unavailable, UnavailableKind};
use crate::parse::codis::slot_ranges;
use crate::pipeline::error::PipelineError;
use crate::pipeline::run::CollectionRun;

/// Joins the servers behind each Codis with the nodes that they are, and asks them about slots.
pub async fn servers(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let mut clusters = std::mem::take(&mut run.facts.codis);
    for cluster in &mut clusters {
        join_servers(run, cluster).await;
    }
    run.facts.codis = clusters;
    Ok(())
}

/// What follows from the answers of Codis and of its coordinators.
pub fn derive(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    derive::codis::complete(&mut run.facts);
    derive::coordinator::complete(&mut run.facts);
    Ok(())
}

/// Joins the servers with the nodes that they are, and asks them about slots.
async fn join_servers(run: &CollectionRun<'_>, codis: &mut Codis) {
    let moving: Vec<(i64, Vec<(u64, u64)>)> = codis
        .slots
        .iter()
        .flat_map(|slots| &slots.actions)
        .map(|action| (action.from, slot_ranges(&action.slots.ranges)))
        .collect();
    let on_their_way: Vec<(u64, u64)> = moving.iter().flat_map(|(_, ranges)| ranges.clone()).collect();
    let owned: Vec<(i64, Vec<(u64, u64)>)> = match &codis.slots {
        Some(_) => {
            codis.groups.iter().flatten().map(|group| (group.id, slot_ranges(&group.slot_ranges))).collect()
        }
        None => Vec::new(),
    };
    let planned = codis.before_migration;
    let servers = std::mem::take(&mut codis.servers);
    let mut looked: Vec<(usize, Backend)> = futures_util::stream::iter(servers.into_iter().enumerate())
        .map(|(number, mut server)| {
            let (moving, on_their_way, owned) = (&moving, &on_their_way, &owned);
            async move {
                let node = run.facts.nodes.iter().find(|node| Some(&node.address) == server.address.as_ref());
                server.node = node.map(|node| node.name.clone());
                let usable = node.filter(|node| node.version.is_some());
                let result = match usable {
                    Some(node) => {
                        let target = run.targets.iter().find(|target| target.name == node.name);
                        let password = target.and_then(|target| target.password.as_ref());
                        let party = Party { node, password };
                        let own = owned.iter().find(|(group, _)| *group == server.group);
                        let own = own.filter(|_| server.position == Position::Master);
                        let leaving = moving.iter().filter(|(from, _)| *from == server.group);
                        let leaving: Vec<(u64, u64)> = leaving.flat_map(|(_, slots)| slots.clone()).collect();
                        let assigned = Assigned {
                            leaving: &leaving,
                            moving: on_their_way,
                            own: own.map(|(_, slots)| slots.as_slice()),
                            source: server.position == Position::Master && (planned || !leaving.is_empty()),
                        };
                        let rules = &run.knowledge.commands;
                        let answer =
                            backend::collect_slot_index(party, rules, &run.deadlines, &assigned).await;
                        answer.map_err(|trouble| (UnavailableKind::Failed, trouble.reason().clone()))
                    }
                    None if node.is_some() => {
                        Err((UnavailableKind::Failed, reasons::server_told_no_release()))
                    }
                    None => Err((UnavailableKind::NoAccess, reasons::server_not_examined())),
                };
                match result {
                    Ok(index) => server.index = Some(index),
                    Err((kind, reason)) => {
                        server.unavailable.push(Unavailable { path: "index".into(), kind, reason });
                    }
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
