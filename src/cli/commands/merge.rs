//! `pikadoctor merge`

use std::path::PathBuf;

use super::verify::outcome;
use crate::cli::args::output::ReportArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::watch::watch;
use crate::collect::files::bundle::read_facts;
use crate::derive::verification::{ReportedPart, join};
use crate::model::facts::Facts;
use crate::model::limits::RUN_TIMEOUT_WITH_LINKS;
use crate::pipeline::catalogue::catalogue_with;

/// Join the reports of all parts of a comparison
///
/// Each is what `pikadoctor verify --shard I/N --format json` wrote. The result is that of one comparison of everything,
/// with the same exit codes. A part that is missing or is there twice, and parts of different servers, releases, levels or
/// options, are refused with exit code 3.
#[derive(Debug, clap::Args)]
pub struct MergeCommand {
    /// The reports, in any order
    #[arg(required = true, value_name = "REPORT.json")]
    reports: Vec<PathBuf>,

    #[command(flatten)]
    report: ReportArgs,
}

pub fn run(arguments: &MergeCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    watch(RUN_TIMEOUT_WITH_LINKS);
    let mut parts = Vec::new();
    let mut whole: Option<Facts> = None;
    for path in &arguments.reports {
        let mut facts = read_facts(path)?;
        let found = std::mem::take(&mut facts.verifications);
        if found.is_empty() {
            return Err(CliError::NotVerified(path.clone()));
        }
        let origin = path.display().to_string();
        parts.extend(
            found.into_iter().map(|verification| ReportedPart { origin: origin.clone(), verification }),
        );
        // The servers and links of the others are the same.
        whole.get_or_insert(facts);
    }
    let facts = Facts { verifications: join(parts)?, ..whole.unwrap_or_default() };
    let catalogue = catalogue_with(&[])?;
    outcome(facts, None, &catalogue, &arguments.report)
}
