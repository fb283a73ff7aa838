//! `pikadoctor list`

use std::path::PathBuf;

use crate::cli::args::options::Output;
use crate::cli::outcome::{Failure, Outcome};
use crate::model::exit;
use crate::pipeline::catalogue::catalogue_with;
use crate::render::catalogue;

/// List all checks
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Further checks
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    output: Output,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let catalogue = catalogue_with(&arguments.checks).map_err(Failure::new)?;
    let language = arguments.output.language();
    let document =
        if arguments.json { catalogue::list_json(&catalogue) } else { catalogue::list(&catalogue, language) };
    Ok(Outcome { document, exit_code: exit::OK })
}
