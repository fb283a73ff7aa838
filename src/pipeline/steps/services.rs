//! What manages the servers or spreads keys over them: coordinators, Codis and Sentinels.

use tokio::sync::Semaphore;

use crate::collect::codis::survey::survey;
use crate::collect::coordinator::collect::collect_coordinators;
use crate::collect::net::resolve::{self, Resolved};
use crate::collect::sentinel::Asker;
use crate::model::address::Address;
use crate::model::limits::MAX_PARALLEL_SERVERS;
use crate::parse::secret::Tokens;
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::ServerTarget;
use crate::pipeline::run::CollectionRun;

/// Asks the coordinators, the Codis and the Sentinels, side by side.
pub async fn collect(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let (plan, deadlines) = (run.plan, run.deadlines);
    let asker = Asker { knowledge: run.knowledge, deadlines };
    let permits = Semaphore::new(MAX_PARALLEL_SERVERS);
    let (coordinators, codis, sentinels) = tokio::join!(
        async {
            match &plan.coordinators {
                Some((request, _)) => collect_coordinators(request, &deadlines).await,
                None => Vec::new(),
            }
        },
        async {
            match &plan.codis {
                Some(codis) => survey(&codis.survey, Tokens::of_this_run(), &deadlines).await,
                None => Vec::new(),
            }
        },
        futures_util::future::join_all(plan.sentinels.sentinels.iter().map(|target| async {
            let _permit = permits.acquire().await.ok();
            asker.ask(&target.address, target.password.as_ref()).await
        })),
    );
    run.facts.coordinators = coordinators;
    run.facts.codis = codis;
    run.facts.sentinels = sentinels;
    Ok(())
}

/// Resolves the names of the targets, to know a server again that a Sentinel names by its address. A server must not
/// be asked twice: it would be taken for two that get in each other's way.
pub async fn names(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    if !run.plan.sentinels.follow {
        return Ok(());
    }
    let hosts = resolve::names(run.targets.iter().map(|target| target.address.host.as_str()));
    let found = resolve::resolve_all(hosts, &run.deadlines).await;
    run.resolved = addresses_of(&run.targets, &found);
    Ok(())
}

/// Every address that may stand for one of the targets, and the target's name.
fn addresses_of(targets: &[ServerTarget], found: &Resolved) -> Vec<(String, String)> {
    let mut known = Vec::new();
    for target in targets {
        known.push((target.address.to_string(), target.name.clone()));
        let addresses = found.get(&target.address.host).and_then(|found| found.as_ref().ok());
        known.extend(addresses.into_iter().flatten().map(|host| {
            let address = Address { host: host.clone(), port: target.address.port };
            (address.to_string(), target.name.clone())
        }));
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::net::resolve::ResolveError;

    #[test]
    fn a_server_is_known_by_its_name_and_by_each_of_its_addresses() {
        let target = |host: &str| {
            let address = Address { host: host.to_owned(), port: 9221 };
            ServerTarget { name: address.to_string(), address, password: None }
        };
        let found = Resolved::from([
            ("a.example".to_owned(), Ok(vec!["10.0.0.1".to_owned(), "fd00::1".to_owned()])),
            ("b.example".to_owned(), Err(ResolveError::TimedOut)),
        ]);
        let known = addresses_of(&["a.example", "b.example", "10.0.0.3"].map(target), &found);
        let shown: Vec<String> = known.iter().map(|(address, name)| format!("{address} {name}")).collect();
        assert_eq!(
            shown,
            [
                "a.example:9221 a.example:9221",
                "10.0.0.1:9221 a.example:9221",
                "[fd00::1]:9221 a.example:9221",
                "b.example:9221 b.example:9221",
                "10.0.0.3:9221 10.0.0.3:9221",
            ]
        );
    }
}
