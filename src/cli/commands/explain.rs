//! `pikadoctor explain`

use std::path::PathBuf;

use crate::catalog::parameters::nearest_check;
use crate::cli::args::output::{LanguageArgs, terminal_options};
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::model::exit;
use crate::model::release::Version;
use crate::pipeline::catalogue::catalogue_with;
use crate::render::catalogue;

/// Explain a check: why it matters, what it can find, and what is known about it
#[derive(Debug, clap::Args)]
pub struct ExplainCommand {
    /// The id of a check, as findings and `list` show it
    id: String,

    /// Show only what applies to this release
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// Add the checks of this directory
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    #[command(flatten)]
    output: LanguageArgs,
}

pub fn run(arguments: &ExplainCommand) -> Result<CommandOutcome, CliError> {
    let catalogue = catalogue_with(&arguments.checks)?;
    let id = arguments.id.as_str();
    let check = catalogue.checks.iter().find(|check| check.id == id).ok_or_else(|| {
        CliError::Usage(format!("there is no check `{id}`{}", nearest_check(id, &catalogue.checks)))
    })?;
    let page = catalogue::Page {
        knowledge: &catalogue.knowledge,
        language: arguments.output.language(),
        look: terminal_options(),
    };
    Ok(CommandOutcome { document: page.explain(check, arguments.release), exit_code: exit::OK })
}
