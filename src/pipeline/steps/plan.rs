//! What the plan of the cutover expects.

use std::path::Path;

use crate::model::facts::Facts;
use crate::pipeline::error::PipelineError;
use crate::pipeline::run::CollectionRun;
use crate::plan::read::Plan;

/// Notes the expectations of the plan at the servers and links that it names.
pub fn mark(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let Some(plan) = &run.plan.cutover else { return Ok(()) };
    if let Some(bundle) = &run.plan.bundle {
        all_there(plan, &run.facts, bundle)?;
    }
    plan.mark(&mut run.facts);
    Ok(())
}

/// A server or a link that the bundle says nothing about must not pass for one that is ok.
fn all_there(plan: &Plan, facts: &Facts, bundle: &Path) -> Result<(), PipelineError> {
    let missing = |what: String| PipelineError::NotInBundle {
        bundle: bundle.to_owned(),
        what,
        plan: plan.origin.clone(),
    };
    for server in &plan.servers {
        let name = server.address.to_string();
        facts.node(&name).ok_or_else(|| missing(format!("`{}` ({name})", server.planned.name)))?;
    }
    for link in &plan.links {
        let (replica, master) = (link.replica.to_string(), link.master.to_string());
        let is_there = facts.links.iter().any(|seen| (&seen.replica, &seen.master) == (&replica, &master));
        if !is_there {
            return Err(missing(format!("the replication of {replica} from {master}")));
        }
    }
    Ok(())
}
