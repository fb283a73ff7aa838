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

/// Explain a check or a topic: why it matters, what it can find, and what is known about it
#[derive(Debug, clap::Args)]
pub struct ExplainCommand {
    /// The id of a check or the word of a topic, as findings and `list` show them
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
    let page = catalogue::Page {
        knowledge: &catalogue.knowledge,
        language: arguments.output.language(),
        look: terminal_options(),
    };
    let document = if let Some(check) = catalogue.checks.iter().find(|check| check.id == id) {
        page.explain(check, arguments.release)
    } else if let Some(topic) = catalogue.knowledge.topics.iter().find(|topic| topic.is_called(id)) {
        page.topic(topic, arguments.release)
    } else {
        let nearest = nearest_check(id, &catalogue.checks);
        return Err(CliError::Usage(format!("there is no check or topic `{id}`{nearest}")));
    };
    Ok(CommandOutcome { document, exit_code: exit::OK })
}
