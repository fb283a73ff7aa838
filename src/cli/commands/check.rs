//! `pikadoctor check`

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::catalog::parameters::set_text;
use crate::cli::args::output::ReportArgs;
use crate::cli::args::targets::TargetArgs;
use crate::cli::args::wait::{WaitArgs, WaitLoop, gate};
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::said::say;
use crate::collect::files::bundle::read_report;
use crate::judge::baseline::Baseline;
use crate::judge::policy::Policy;
use crate::model::catalogue::Catalogue;
use crate::model::finding::{Ended, Report};
use crate::model::policy::Parameters;
use crate::pipeline::catalogue::catalogue_with;
use crate::plan::read::Plan;

/// Check servers, and the replication between them
///
/// Only commands that are harmless on the very release of a server are sent. With --master or --peer
/// one key of this tool's own is written, read on the other server and deleted again; --read-only
/// leaves that out.
///
/// The password comes from the environment variable PIKADOCTOR_PASSWORD, from --password-file or from
/// a prompt; never from an argument, where other users could read it.
#[derive(Debug, clap::Args)]
pub struct CheckCommand {
    #[command(flatten)]
    targets: TargetArgs,

    /// Add the checks of this directory: YAML files whose paths are their ids
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    /// Set a parameter of a check, for example node/slotmigrate.expected=on
    #[arg(long, value_name = "CHECK.NAME=VALUE")]
    set: Vec<String>,

    /// Fail only on findings that are not in this earlier report of --format json
    #[arg(long, value_name = "REPORT.json")]
    baseline: Option<PathBuf>,

    #[command(flatten)]
    wait: WaitArgs,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &CheckCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    let catalogue = catalogue_with(&arguments.checks)?;
    let targets = &arguments.targets;
    let plan = targets.plan(&catalogue)?;
    let policy = policy(arguments, plan.as_ref(), &catalogue)?;
    let began = Instant::now();
    let mut report = if let Some(time) = arguments.wait.time() {
        let wait_loop = WaitLoop {
            plan: &targets.collection_plan(plan.as_ref())?,
            catalogue: &catalogue,
            policy: &policy,
            report: &arguments.report,
            connecting: targets.connecting(),
        };
        wait_loop.wait(&arguments.wait, time)?
    } else {
        let facts = targets.collect(plan.as_ref(), &catalogue.knowledge)?;
        let report = arguments.report.judge(facts, &catalogue, &policy);
        // A bundle says nothing about now; its report has to be the same at any time.
        let asks = plan.is_some() && targets.is_live();
        let gate = asks.then(|| gate(&report, 1, began, Ended::Done));
        Report { gate, ..report }
    };
    report.remarks.splice(0..0, plan.into_iter().flat_map(|plan| plan.remarks));
    for remark in &report.remarks {
        // Remarks fail nothing; they must not get lost in a report that nobody reads because it is ok, either.
        say(remark);
    }
    arguments.report.print(&report, None)
}

/// What counts: the plan, and what the command line adds to it.
fn policy(arguments: &CheckCommand, plan: Option<&Plan>, catalogue: &Catalogue) -> Result<Policy, CliError> {
    let mut policy = Policy { today: Timestamp::now().to_zoned(TimeZone::UTC).date(), ..Policy::default() };
    if let Some(plan) = plan {
        policy.parameters.clone_from(&plan.parameters);
        policy.waivers.clone_from(&plan.waivers);
        policy.require.clone_from(&plan.require);
        policy.verified_seconds =
            plan.verified.as_ref().map_or(policy.verified_seconds, |it| it.max_age.as_secs());
    }
    set_parameters(&arguments.set, &mut policy.parameters, catalogue)?;
    if let Some(path) = &arguments.baseline {
        let report = read_report(path)?;
        policy.baseline = Some(Baseline::of(&report, &path.display().to_string()));
    }
    Ok(policy)
}

/// Reads `--set node/clients.warning_percent=70`.
fn set_parameters(
    settings: &[String],
    parameters: &mut Parameters,
    catalogue: &Catalogue,
) -> Result<(), CliError> {
    for setting in settings {
        let wrong = |why: &dyn Display| CliError::Usage(format!("--set {setting}: {why}"));
        let (path, value) = setting.split_once('=').ok_or_else(|| wrong(&"write CHECK.NAME=VALUE"))?;
        let (id, name) = path.rsplit_once('.').ok_or_else(|| wrong(&"write CHECK.NAME=VALUE"))?;
        set_text(parameters, catalogue, id, name, value).map_err(|error| wrong(&error))?;
    }
    Ok(())
}
