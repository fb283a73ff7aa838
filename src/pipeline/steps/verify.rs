//! Comparisons of the data of servers: made now, or read from the reports that a plan names.

use std::io;

use crate::collect::clock;
use crate::collect::files::bundle::read_facts;
use crate::collect::link::Party;
use crate::collect::verify::Verifier;
use crate::derive::verification::is_same_server;
use crate::i18n::reasons;
use crate::model::link::Relation;
use crate::model::verification::{ComparedServer, Verification};
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::VerificationRequest;
use crate::pipeline::run::CollectionRun;

/// Compares, one after the other: two comparisons at once would press on servers twice as hard.
pub async fn compare(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let plan = run.plan;
    let mut compared = Vec::with_capacity(plan.verifications.len());
    for sides in &plan.verifications {
        let parties = |names: &[String]| -> Vec<Party<'_>> {
            names.iter().filter_map(|name| run.party(name)).collect()
        };
        let (sources, targets) = (parties(&sides.sources), parties(&sides.targets));
        let twice = sources.iter().find_map(|source| {
            targets
                .iter()
                .find(|target| is_same_server(source.node, target.node))
                .map(|target| (source, target))
        });
        if let Some((source, target)) = twice {
            compared.push(Verification {
                level: sides.options.level,
                shard: sides.options.shard,
                started_at: clock::now(),
                ended_at: clock::now(),
                stopped: Some(reasons::verify_same_server(&source.node.name, &target.node.name)),
                ..named(sides)
            });
            continue;
        }
        let verifier =
            Verifier { knowledge: run.knowledge, deadlines: run.deadlines, options: &sides.options };
        let name = named(sides).name;
        let mut tell = |progress: &_| {
            if let Some(listener) = &plan.on_progress {
                (listener.0)(&name, progress);
            }
        };
        compared.push(verifier.run(&sources, &targets, is_linked(run, sides), &mut tell).await?);
    }
    run.facts.verifications = compared;
    Ok(())
}

/// Whether every target takes its data from a source by replication.
fn is_linked(run: &CollectionRun<'_>, sides: &VerificationRequest) -> bool {
    let follows = |target: &String| {
        run.facts.links.iter().any(|link| {
            link.replica == *target
                && sides.sources.contains(&link.master)
                && link.relation == Some(Relation::Follows)
        })
    };
    !sides.targets.is_empty() && sides.targets.iter().all(follows)
}

/// A comparison of which nothing but its name is known.
fn named(sides: &VerificationRequest) -> Verification {
    let servers = |names: &[String]| -> Vec<ComparedServer> {
        names.iter().map(|name| ComparedServer { name: name.clone(), ..ComparedServer::default() }).collect()
    };
    Verification {
        name: format!("{} <- {}", sides.targets.join(","), sides.sources.join(",")),
        sources: servers(&sides.sources),
        targets: servers(&sides.targets),
        ..Verification::default()
    }
}

/// Reads the comparisons that the plan wants to see. What they are worth is judged with the plan.
pub async fn of_reports(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let reports = run.plan.cutover.as_ref().and_then(|plan| plan.verified.as_ref());
    for path in reports.into_iter().flat_map(|verified| verified.reports.clone()) {
        let name = path.clone();
        let reading = tokio::task::spawn_blocking(move || read_facts(&path));
        let facts = match reading.await {
            Ok(facts) => facts?,
            Err(error) => return Err(PipelineError::Reading { path: name, source: io::Error::other(error) }),
        };
        for verification in facts.verifications {
            // A later report is about the state of now.
            let known = run.facts.verifications.iter_mut().find(|known| known.name == verification.name);
            match known {
                Some(known) if known.ended_at > verification.ended_at => {}
                Some(known) => *known = verification,
                None => run.facts.verifications.push(verification),
            }
        }
    }
    Ok(())
}
