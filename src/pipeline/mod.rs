//! The way from what a command asks for to a report: **collect → derive → judge → render**.
//!
//! Everything that can be collected, and everything that follows from it, is a step in [`STEPS`], in the one order in
//! which steps are taken. A command takes some of them: [`CHECK`], [`HOST`], [`LINKS`] and so on say which. What is to
//! be collected is a [`CollectionPlan`]; a step for which it names nothing does nothing.
//! [`collect()`] takes the steps, [`judgement`] makes findings of the facts, and [`crate::render`] a text of these.
//!
//! | To … | see |
//! | --- | --- |
//! | collect something new | a file of `collect`, a step here |
//! | know something that follows from facts | a file of `derive`, called by a step that derives |
//! | ask for part of a plan again | `subset` |
//! | answer another pikadoctor over ssh | [`answer`] |

pub mod answer;
pub mod catalogue;
pub mod error;
pub mod judgement;
pub mod request;
mod run;
mod steps;
mod subset;
pub mod trust;

use futures_util::future::LocalBoxFuture;

use self::error::PipelineError;
use self::request::CollectionPlan;
use self::run::CollectionRun;
use self::steps::{codis, conf, files, hosts, links, nodes, plan, services, targets, verify};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::hide_in;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;

pub use self::steps::hosts::loopback;

/// The name of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepId {
    /// Read a bundle or a report.
    Bundle,
    /// Read the configuration files and logs that were named.
    Files,
    /// Find the Pikas that run on this host.
    Processes,
    /// Ask coordinators, Codis and Sentinels.
    Services,
    /// Add the servers that run here, and those that coordinators and Codis name.
    Targets,
    /// Resolve the names of the targets.
    Names,
    /// Add the servers that Sentinels monitor.
    Monitored,
    /// Ask the servers.
    Nodes,
    /// What follows from the answer of each server, and from the ports of all.
    NodeFacts,
    /// What the Sentinels say beside what the servers say.
    SentinelFacts,
    /// Resolve the address that each replica uses for its master.
    LinkAddresses,
    /// Which replicas follow their masters already.
    LinkRelations,
    /// Dial, read and write on links.
    LinkProbes,
    /// Ask the servers behind a Codis about slots.
    CodisServers,
    /// What follows from the answers of Codis and of coordinators.
    CodisFacts,
    /// Ask the hosts of the servers.
    Hosts,
    /// What follows from the hosts.
    HostFacts,
    /// What follows about each link.
    LinkFacts,
    /// Read the configuration files that servers of this host name.
    ServerFiles,
    /// What configuration files say, alone and beside their servers.
    ConfFacts,
    /// What the logs say.
    LogFacts,
    /// Compare the data of servers.
    Verify,
    /// Read the comparisons that the plan of the cutover names.
    Verified,
    /// What the plan of the cutover expects.
    PlanFacts,
}

/// What a step does.
#[derive(Clone, Copy)]
pub enum Work {
    /// It does I/O, through the room `collect` alone, and ends before the deadline of the run.
    Collect(for<'s, 'k> fn(&'s mut CollectionRun<'k>) -> LocalBoxFuture<'s, Result<(), PipelineError>>),
    /// It says what follows from the facts, without I/O.
    Derive(for<'s, 'k> fn(&'s mut CollectionRun<'k>) -> Result<(), PipelineError>),
}

/// A step of the way.
#[derive(Clone, Copy)]
pub struct PipelineStep {
    /// Its name.
    pub id: StepId,
    /// The steps whose results it uses, as far as the command takes them.
    pub needs: &'static [StepId],
    /// What it adds to the facts, or to what later steps are about.
    pub adds: &'static str,
    /// What it does.
    pub work: Work,
}

const fn collects(
    id: StepId,
    needs: &'static [StepId],
    adds: &'static str,
    work: for<'s, 'k> fn(&'s mut CollectionRun<'k>) -> LocalBoxFuture<'s, Result<(), PipelineError>>,
) -> PipelineStep {
    PipelineStep { id, needs, adds, work: Work::Collect(work) }
}

const fn derives(
    id: StepId,
    needs: &'static [StepId],
    adds: &'static str,
    work: for<'s, 'k> fn(&'s mut CollectionRun<'k>) -> Result<(), PipelineError>,
) -> PipelineStep {
    PipelineStep { id, needs, adds, work: Work::Derive(work) }
}

/// Every step, in the order in which a run takes its own.
pub const STEPS: [PipelineStep; 24] = {
    use StepId as S;
    [
        collects(S::Bundle, &[], "all facts of another run", |run| Box::pin(files::bundle(run))),
        collects(S::Files, &[], "texts and logs", |run| Box::pin(files::collect(run))),
        collects(S::Processes, &[], "processes of this host", |run| Box::pin(hosts::processes(run))),
        collects(S::Services, &[], "coordinators, codis, sentinels", |run| Box::pin(services::collect(run))),
        derives(S::Targets, &[S::Processes, S::Services], "targets, links", targets::of_services),
        collects(S::Names, &[S::Targets], "addresses of targets", |run| Box::pin(services::names(run))),
        derives(S::Monitored, &[S::Services, S::Names], "targets, links", targets::of_sentinels),
        collects(S::Nodes, &[S::Targets, S::Monitored], "nodes", |run| Box::pin(nodes::collect(run))),
        derives(S::NodeFacts, &[S::Nodes], "nodes: release, states, ports, peers", nodes::derive),
        derives(S::SentinelFacts, &[S::Services, S::NodeFacts], "watched", targets::derive_sentinels),
        collects(S::LinkAddresses, &[S::NodeFacts], "links: address", |run| Box::pin(links::addresses(run))),
        derives(S::LinkRelations, &[S::LinkAddresses], "links: relation", links::relations),
        collects(S::LinkProbes, &[S::LinkRelations], "links, pairs", |run| Box::pin(links::probes(run))),
        collects(S::CodisServers, &[S::Services, S::NodeFacts], "codis: servers", |run| {
            Box::pin(codis::servers(run))
        }),
        derives(S::CodisFacts, &[S::Services, S::CodisServers], "codis, coordinators", codis::derive),
        collects(S::Hosts, &[S::Processes, S::LinkProbes], "hosts", |run| Box::pin(hosts::collect(run))),
        derives(S::HostFacts, &[S::Hosts], "hosts, nodes: own address", hosts::derive),
        derives(S::LinkFacts, &[S::LinkProbes, S::HostFacts], "links, pairs: the rest", links::derive),
        collects(S::ServerFiles, &[S::Files, S::NodeFacts], "texts", |run| Box::pin(conf::of_this_host(run))),
        derives(
            S::ConfFacts,
            &[S::Files, S::Hosts, S::ServerFiles],
            "conf_files, companion_files, conf_drifts",
            conf::derive,
        ),
        derives(S::LogFacts, &[S::Files, S::LinkFacts], "logs", files::derive_logs),
        collects(S::Verify, &[S::LinkFacts], "verifications", |run| Box::pin(verify::compare(run))),
        collects(S::Verified, &[S::Bundle, S::LinkFacts], "verifications", |run| {
            Box::pin(verify::of_reports(run))
        }),
        derives(S::PlanFacts, &[S::Bundle, S::LinkFacts], "nodes, links: planned", plan::mark),
    ]
};

/// `check` and `capture` on servers.
pub const CHECK: &[StepId] = &[
    StepId::Files,
    StepId::Services,
    StepId::Targets,
    StepId::Names,
    StepId::Monitored,
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::SentinelFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::CodisServers,
    StepId::CodisFacts,
    StepId::Hosts,
    StepId::HostFacts,
    StepId::LinkFacts,
    StepId::ServerFiles,
    StepId::ConfFacts,
    StepId::LogFacts,
    StepId::Verified,
    StepId::PlanFacts,
];

/// `check` and `capture` with `--from`.
pub const FROM_BUNDLE: &[StepId] = &[StepId::Bundle, StepId::Verified, StepId::PlanFacts];

/// `init`: the servers and what manages them, without their hosts and files.
pub const INIT: &[StepId] = &[
    StepId::Services,
    StepId::Targets,
    StepId::Names,
    StepId::Monitored,
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::SentinelFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::CodisServers,
    StepId::CodisFacts,
    StepId::LinkFacts,
];

/// `host`: the Pikas of a host, and the host.
pub const HOST: &[StepId] = &[
    StepId::Processes,
    StepId::Targets,
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::Hosts,
    StepId::HostFacts,
    StepId::LinkFacts,
];

/// The Nagios plugin and the laboratory: servers and the links between them.
pub const LINKS: &[StepId] = &[
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::LinkFacts,
];

/// `forecast`: the same with the hosts of the two servers, which decide from where they connect.
pub const FORECAST: &[StepId] = &[
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::Hosts,
    StepId::HostFacts,
    StepId::LinkFacts,
];

/// `verify`: the data of servers, and what there is between them that tells why it differs.
pub const VERIFY: &[StepId] = &[
    StepId::Nodes,
    StepId::NodeFacts,
    StepId::LinkAddresses,
    StepId::LinkRelations,
    StepId::LinkProbes,
    StepId::LinkFacts,
    StepId::Verify,
    StepId::PlanFacts,
];

/// Servers alone.
pub const NODES: &[StepId] = &[StepId::Nodes, StepId::NodeFacts];

/// `lint`: configuration files alone.
pub const LINT: &[StepId] = &[StepId::Files, StepId::ConfFacts];

/// `logs`: logs alone.
pub const LOGS: &[StepId] = &[StepId::Files, StepId::LogFacts];

/// Takes the given steps, in the order of [`STEPS`].
///
/// # Errors
/// When there can be no facts. What could not be collected is in the facts, with the reason.
pub async fn collect(
    plan: &CollectionPlan,
    steps: &[StepId],
    knowledge: &Knowledge,
    deadlines: Deadlines,
) -> Result<Facts, PipelineError> {
    let mut run = CollectionRun::new(plan, knowledge, deadlines);
    for step in STEPS.iter().filter(|step| steps.contains(&step.id)) {
        match step.work {
            Work::Collect(work) => work(&mut run).await?,
            Work::Derive(work) => work(&mut run)?,
        }
    }
    // The one place that every fact passes on its way to a report, a plan or a bundle.
    hide_in(run.facts).map_err(PipelineError::Hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: StepId) -> usize {
        STEPS.iter().position(|step| step.id == id).unwrap()
    }

    #[test]
    fn every_step_comes_after_those_that_it_needs() {
        for (index, step) in STEPS.iter().enumerate() {
            assert_eq!(place(step.id), index, "{:?} is there twice", step.id);
            for needed in step.needs {
                assert!(place(*needed) < index, "{:?} comes before {needed:?}", step.id);
            }
        }
    }

    #[test]
    fn commands_name_their_steps_in_order_and_every_step_belongs_to_one() {
        let commands = [CHECK, FROM_BUNDLE, INIT, HOST, LINKS, FORECAST, VERIFY, NODES, LINT, LOGS];
        for steps in commands {
            let places: Vec<usize> = steps.iter().map(|id| place(*id)).collect();
            assert!(places.is_sorted(), "{steps:?}");
            // What is collected must not be left underived.
            for (step, derived) in [
                (StepId::Nodes, StepId::NodeFacts),
                (StepId::LinkProbes, StepId::LinkFacts),
                (StepId::Hosts, StepId::HostFacts),
                (StepId::CodisServers, StepId::CodisFacts),
            ] {
                assert_eq!(steps.contains(&step), steps.contains(&derived), "{steps:?}: {step:?}");
            }
        }
        for step in STEPS {
            assert!(commands.iter().any(|steps| steps.contains(&step.id)), "nobody takes {:?}", step.id);
            assert!(!step.adds.is_empty());
        }
    }
}
