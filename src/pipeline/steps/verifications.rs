//! Comparisons of the data of servers.

use crate::collect::link::Party;
use crate::collect::verify::Verifier;
use crate::model::link::Relation;
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::VerificationRequest;
use crate::pipeline::run::CollectionRun;

/// Makes every comparison that was asked for, one after the other: together they would load the servers that they share.
pub async fn collect(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    for request in &run.plan.verifications {
        let parties = |names: &[String]| -> Vec<Party<'_>> {
            names.iter().filter_map(|name| run.party(name)).collect()
        };
        let (sources, targets) = (parties(&request.sources), parties(&request.targets));
        let verifier =
            Verifier { knowledge: run.knowledge, deadlines: run.deadlines, options: &request.options };
        let linked = is_linked(run, request);
        let mut tell = |progress: &_| (run.progress)(progress);
        let verification = verifier.run(&sources, &targets, linked, &mut tell).await?;
        run.facts.verifications.push(verification);
    }
    Ok(())
}

/// Whether the target takes its data from the source: only then its position says what has arrived.
fn is_linked(run: &CollectionRun<'_>, request: &VerificationRequest) -> bool {
    let ([source], [target]) = (request.sources.as_slice(), request.targets.as_slice()) else { return false };
    run.facts.links.iter().any(|link| {
        &link.master == source && &link.replica == target && link.relation == Some(Relation::Follows)
    })
}
