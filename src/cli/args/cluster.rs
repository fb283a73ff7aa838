//! Options about what stands around the servers: what watches them, and what spreads keys over them.

use std::path::Path;

use super::codis::{CodisArgs, password_of_servers};
use super::connection::ConnectionArgs;
use super::coordinators::CoordinatorArgs;
use super::sentinel::SentinelArgs;
use crate::cli::error::CliError;
use crate::collect::coordinator::collect::Place;
use crate::pipeline::request::CollectionPlan;
use crate::plan::read::Plan;
use crate::plan::write::Named;

/// A Codis, its coordinators, and Sentinels.
#[derive(Debug, clap::Args)]
pub struct ClusterArgs {
    #[command(flatten)]
    codis: CodisArgs,

    #[command(flatten)]
    coordinators: CoordinatorArgs,

    #[command(flatten)]
    sentinels: SentinelArgs,
}

impl ClusterArgs {
    /// The same with what a plan names.
    pub fn with(&self, plan: &Plan) -> Result<Self, CliError> {
        Ok(Self {
            codis: self.codis.with(plan)?,
            coordinators: self.coordinators.with(plan)?,
            sentinels: self.sentinels.with(plan)?,
        })
    }

    /// Adds it to what is asked of whom.
    pub fn add(
        &self,
        mut plan: CollectionPlan,
        connecting: &ConnectionArgs,
    ) -> Result<CollectionPlan, CliError> {
        if let Some(request) = self.coordinators.request(&self.codis)? {
            let password = match request.product {
                Some(_) => password_of_servers(connecting, &plan.targets)?,
                None => None,
            };
            plan.coordinators = Some((request, password));
        }
        plan.password_to = connecting.password_to();
        plan.codis = self.codis.request(connecting, &plan.targets)?;
        plan.sentinels = self.sentinels.request(connecting, &plan.targets)?;
        Ok(plan)
    }

    /// It as a plan names it.
    pub fn named(&self) -> Named {
        let texts = |places: &[Place]| places.iter().map(Place::text).collect();
        let directories = &self.coordinators.coordinator_dir;
        Named {
            codis: self.codis.codis.clone(),
            product: self.codis.product.clone(),
            zookeeper: texts(&self.coordinators.zookeeper),
            etcd: texts(&self.coordinators.etcd),
            coordinator_dirs: directories.iter().map(|path| absolute(path)).collect(),
            sentinels: self.sentinels.sentinel.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A plan may be kept in another directory.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
