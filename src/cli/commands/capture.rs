//! `pikadoctor capture`

use std::path::PathBuf;

use crate::catalog::built_in;
use crate::cli::args::targets::TargetArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::collect::files::bundle::pack;
use crate::collect::files::write::{expect_output, write_output};
use crate::model::exit;

/// Collect facts from servers into a bundle, to be judged elsewhere or later
///
/// The bundle is one compressed file. `check --from` judges it as it would the servers. There is no password in it,
/// and none can be guessed from it; host names, addresses, paths and some names of keys are in it.
#[derive(Debug, clap::Args)]
pub struct CaptureCommand {
    #[command(flatten)]
    targets: TargetArgs,

    /// Write the bundle to this file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub fn run(arguments: &CaptureCommand) -> Result<CommandOutcome, CliError> {
    let path = &arguments.output;
    let failed = |source| CliError::Write { path: path.clone(), source };
    expect_output(path).map_err(failed)?;
    let catalogue = built_in();
    let plan = arguments.targets.plan(&catalogue)?;
    let facts = arguments.targets.collect(plan.as_ref(), &catalogue.knowledge)?;
    pack(&facts).and_then(|packed| write_output(path, &packed)).map_err(failed)?;
    let answered = facts.nodes.iter().filter(|node| node.version.is_some()).count();
    let counted = [
        ("links", facts.links.len()),
        ("hosts", facts.hosts.len()),
        ("Codis", facts.codis.len()),
        ("coordinators", facts.coordinators.len()),
        ("Sentinels", facts.sentinels.len()),
    ];
    let more: String = counted
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!(", {what}: {count}"))
        .collect();
    let path = path.display();
    let document = format!(
        "{path}: {answered} of {} servers{more}\njudge it with:  pikadoctor check --from {path}\n",
        facts.nodes.len(),
    );
    // What was seen may be bad; that it was kept is what this command is for.
    Ok(CommandOutcome { document, exit_code: exit::OK })
}
