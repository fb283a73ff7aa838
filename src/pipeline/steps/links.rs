//! Replication between the servers.

use std::time::Duration;

use crate::collect::link::{Live, Prober};
use crate::derive::link;
use crate::model::link::{Link, LinkMode, Pair};
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::LinkRequest;
use crate::pipeline::run::{CollectionRun, ProbedLink};

/// Finds out which address each replica uses for its master, or would use.
pub async fn addresses(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let prober = prober(run, true);
    let requests = run.plan.links.iter().map(|request| (request, true));
    let requests = requests.chain(run.found_links.iter().map(|request| (request, false)));
    let begun = requests.map(|(request, named)| {
        let (run, prober) = (&*run, &prober);
        async move {
            let (replica, master) = (&request.replica, &request.master);
            let first = begin(run, prober, replica, master, request.mode).await;
            let second = match request.mode {
                LinkMode::Replica => None,
                LinkMode::DoubleMaster => begin(run, prober, master, replica, request.mode).await,
            };
            let links = first.into_iter().chain(second).collect();
            ProbedLink { request: request.clone(), named, links }
        }
    });
    run.probed = futures_util::future::join_all(begun).await;
    Ok(())
}

/// A link with the address of its master. `None`: one of its ends is no target.
async fn begin(
    run: &CollectionRun<'_>,
    prober: &Prober<'_>,
    replica: &str,
    master: &str,
    mode: LinkMode,
) -> Option<Link> {
    let (here, there) = (run.party(replica)?, run.party(master)?);
    let name = link::link_name(replica, master);
    let mut link =
        Link { name, master: master.to_owned(), replica: replica.to_owned(), mode, ..Link::default() };
    prober.find_address(&mut link, there.node, here.node).await;
    Some(link)
}

/// Which of the replicas follow their masters already.
pub fn relations(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let facts = &run.facts;
    for link in run.probed.iter_mut().flat_map(|begun| &mut begun.links) {
        if let (Some(master), Some(replica)) = (facts.node(&link.master), facts.node(&link.replica)) {
            link::relate(link, master, replica);
        }
    }
    Ok(())
}

/// Dials the masters' ports as their replicas do, reads positions, and writes canaries where that is allowed.
pub async fn probes(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let (named, found): (Vec<_>, Vec<_>) =
        std::mem::take(&mut run.probed).into_iter().partition(|begun| begun.named);
    // A link that waits for its canary must not use up the time of the others, so they are probed side by side.
    // What is found is read after the writes on what was named, and nothing is written on it.
    for (begun, named) in [(named, true), (found, false)] {
        let prober = prober(run, named);
        let tries = run.plan.probes.live.is_some();
        let shared = &*run;
        let all = begun.into_iter().map(|begun| probe(shared, &prober, tries, begun));
        let done = futures_util::future::join_all(all).await;
        for (links, pair) in done {
            run.facts.links.extend(links);
            run.facts.pairs.extend(pair);
        }
    }
    Ok(())
}

/// A double master is a link in each direction, one after the other: what is written on one side must not be taken
/// for an echo of the other.
async fn probe(
    run: &CollectionRun<'_>,
    prober: &Prober<'_>,
    tries: bool,
    begun: ProbedLink,
) -> (Vec<Link>, Option<Pair>) {
    let ProbedLink { request, mut links, .. } = begun;
    let mut keys = Vec::new();
    for link in &mut links {
        let (Some(replica), Some(master)) = (run.party(&link.replica), run.party(&link.master)) else {
            continue;
        };
        prober.dial_ports(link, master.node).await;
        if tries {
            keys.extend(prober.try_out(link, master, replica).await);
        } else {
            prober.leave_alone(link);
        }
    }
    if request.mode == LinkMode::Replica {
        return (links, None);
    }
    let LinkRequest { replica: a, master: b, .. } = request;
    let mut pair = Pair { a: a.clone(), b: b.clone(), ..Pair::default() };
    pair.name = link::pair_name(&pair);
    if let (Some(a), Some(b)) = (run.party(&a), run.party(&b)) {
        prober.watch_echo(&mut pair, a, b, &keys).await;
    }
    (links, Some(pair))
}

fn prober<'k>(run: &CollectionRun<'k>, named: bool) -> Prober<'k> {
    let live = run.plan.probes.live.unwrap_or(Live { write: false, canary_wait: Duration::ZERO });
    let live = Live { write: live.write && named, ..live };
    Prober { knowledge: run.knowledge, deadlines: run.deadlines, ports: !run.plan.skip_ports, live }
}

/// What follows about each link once everything is known about its ends. The hosts say which addresses the servers
/// take for their own.
pub fn derive(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    link::complete(&mut run.facts, run.knowledge, run.plan.probes.forced);
    Ok(())
}
