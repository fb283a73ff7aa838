//! `pikadoctor list`

use std::path::PathBuf;

use crate::cli::args::output::LanguageArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::model::exit;
use crate::pipeline::catalogue::catalogue_with;
use crate::render::catalogue;

/// List all checks
#[derive(Debug, clap::Args)]
pub struct ListCommand {
    /// Add the checks of this directory
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    output: LanguageArgs,
}

pub fn run(arguments: &ListCommand) -> Result<CommandOutcome, CliError> {
    let catalogue = catalogue_with(&arguments.checks)?;
    let language = arguments.output.language();
    let document =
        if arguments.json { catalogue::list_json(&catalogue) } else { catalogue::list(&catalogue, language) };
    Ok(CommandOutcome { document, exit_code: exit::OK })
}
