//! `pikadoctor explain`

use std::path::PathBuf;

use crate::catalog::parameters::nearest;
use crate::cli::args::options::{Output, look};
use crate::cli::outcome::{Failure, Outcome};
use crate::model::exit;
use crate::model::release::Version;
use crate::pipeline::catalogue::catalogue_with;
use crate::render::catalogue;

/// Explain a check: why it matters, what it can find, and what is known about it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The id of a check, as findings and `list` show it
    id: String,

    /// Show only what concerns this release
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// Further checks
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    #[command(flatten)]
    output: Output,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let catalogue = catalogue_with(&arguments.checks).map_err(Failure::new)?;
    let id = arguments.id.as_str();
    let check = catalogue
        .checks
        .iter()
        .find(|check| check.id == id)
        .ok_or_else(|| Failure(format!("there is no check `{id}`{}", nearest(id, &catalogue.checks))))?;
    let page = catalogue::Page {
        knowledge: &catalogue.knowledge,
        language: arguments.output.language(),
        look: look(),
    };
    Ok(Outcome { document: page.explain(check, arguments.release), exit_code: exit::OK })
}
