//! The servers behind a Codis, and what follows from Codis and its coordinators.

use futures_util::StreamExt as _;

use crate::collect::codis::backend;
use crate::collect::link::Party;
use crate::derive;
use crate::i18n::reasons;
use crate::model::codis::Codis;
use crate::model::codis::topology::Backend;
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
    let servers = std::mem::take(&mut codis.servers);
    let mut looked: Vec<(usize, Backend)> = futures_util::stream::iter(servers.into_iter().enumerate())
        .map(|(number, mut server)| {
            let moving = &moving;
            async move {
                let node = run.facts.nodes.iter().find(|node| Some(&node.address) == server.address.as_ref());
                server.node = node.map(|node| node.name.clone());
                let usable = node.filter(|node| node.version.is_some());
                let result = match usable {
                    Some(node) => {
                        let target = run.targets.iter().find(|target| target.name == node.name);
                        let password = target.and_then(|target| target.password.as_ref());
                        let party = Party { node, password };
                        let leaves = |slot: u64| {
                            moving.iter().any(|(from, ranges)| {
                                *from == server.group && ranges.iter().any(|(a, b)| (*a..=*b).contains(&slot))
                            })
                        };
                        let answer = backend::collect_slot_index(
                            party,
                            &run.knowledge.commands,
                            &run.deadlines,
                            leaves,
                        )
                        .await;
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
