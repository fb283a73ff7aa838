//! Looks at the servers and links of a scenario with the functions of `check` and `forecast`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::scenario::{Mode, Run, Scenario, ServerPlan};
use crate::collect::link::Live;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::Password;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::link::LinkMode;
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest, ServerTarget};
use crate::pipeline::{LINKS, NODES, collect};

/// What is seen of the servers at `addresses`, by their names in the scenario.
pub async fn look(
    scenario: &Scenario,
    addresses: &BTreeMap<String, SocketAddr>,
    catalogue: &Catalogue,
    canary_wait: Duration,
) -> Result<Facts, PipelineError> {
    let target = |(name, plan): (&String, &ServerPlan)| {
        let address = addresses[name];
        ServerTarget {
            name: name.clone(),
            address: Address { host: address.ip().to_string(), port: address.port() },
            password: plan.password.clone().map(Password::new),
        }
    };
    let targets: Vec<ServerTarget> = scenario.servers.iter().map(target).collect();
    let links: Vec<LinkRequest> = scenario
        .links
        .iter()
        .map(|link| LinkRequest {
            replica: link.replica.clone(),
            master: link.master.clone(),
            mode: if link.mode == Mode::Replica { LinkMode::Replica } else { LinkMode::DoubleMaster },
        })
        .collect();
    // Servers that answer do so within these times also where many of them share a busy processor.
    let deadlines =
        Deadlines::starting_now(Duration::from_secs(60), Duration::from_secs(2), Duration::from_secs(8));
    let live = (scenario.run == Run::Check).then_some(Live { write: true, canary_wait });
    let steps = if links.is_empty() { NODES } else { LINKS };
    let plan = CollectionPlan::of(targets, links, LinkProbeOptions { live, forced: false });
    collect(&plan, steps, &catalogue.knowledge, deadlines).await
}
