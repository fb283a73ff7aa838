//! `pikadoctor diff`

use std::path::PathBuf;

use crate::catalog::built_in;
use crate::cli::args::output::LanguageArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::watch::watch;
use crate::collect::files::bundle::read_facts;
use crate::difference::difference;
use crate::model::exit;
use crate::model::limits::RUN_TIMEOUT_WITH_LINKS;
use crate::model::policy::Parameters;
use crate::parse::document::encode::to_pretty_json;
use crate::pipeline::judgement::judge;
use crate::render;
use crate::render::armour::armoured_json;

/// Show what changed between two bundles or reports
///
/// Both are judged with the checks of this program, so that only the servers can have changed. The exit code is 0
/// when nothing changed and 1 when something did.
#[derive(Debug, clap::Args)]
pub struct DiffCommand {
    /// The earlier one: what `capture` wrote, or a report of --format json
    before: PathBuf,

    /// The later one
    after: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    output: LanguageArgs,
}

pub fn run(arguments: &DiffCommand) -> Result<CommandOutcome, CliError> {
    watch(RUN_TIMEOUT_WITH_LINKS);
    let catalogue = built_in();
    let language = arguments.output.language();
    let report = |path: &PathBuf| {
        let facts = read_facts(path)?;
        Ok::<_, CliError>(judge(facts, &catalogue, &Parameters::new(), language))
    };
    let difference = difference(&report(&arguments.before)?, &report(&arguments.after)?);
    let nothing = difference.findings.is_empty() && difference.facts.is_empty();
    let document = if arguments.json {
        armoured_json(&to_pretty_json(&difference)?) + "\n"
    } else {
        render::difference::render(&difference, language)
    };
    Ok(CommandOutcome { document, exit_code: if nothing { exit::OK } else { exit::WARNING } })
}
