//! The servers themselves.

use tokio::sync::Semaphore;

use crate::collect::pika::node::Collector;
use crate::derive;
use crate::model::limits::MAX_PARALLEL_SERVERS;
use crate::parse::secret::Tokens;
use crate::pipeline::error::PipelineError;
use crate::pipeline::run::CollectionRun;

/// Asks every target.
pub async fn collect(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let collector = Collector {
        knowledge: run.knowledge,
        tokens: Tokens::of_this_run(),
        deadlines: run.deadlines,
        ports: !run.plan.skip_ports,
    };
    let permits = Semaphore::new(MAX_PARALLEL_SERVERS);
    let nodes = run.targets.iter().map(|target| async {
        // The semaphore is never closed; without a permit the work would only be less bounded.
        let _permit = permits.acquire().await.ok();
        collector.examine(&target.name, &target.address, target.password.as_ref()).await
    });
    run.facts.nodes = futures_util::future::join_all(nodes).await;
    Ok(())
}

/// What follows from the answers of each server, and from the ports of all.
pub fn derive(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    derive::derive(&mut run.facts, run.knowledge);
    Ok(())
}
