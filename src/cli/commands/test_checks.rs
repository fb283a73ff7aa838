//! `pikadoctor test-checks`

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::catalog;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::judge::examples::shortcomings;
use crate::model::exit;
use crate::pipeline::catalogue::add_directories;

/// Run the examples of check files
///
/// Every expression is compiled, every name compared with the facts, every example evaluated, and
/// every case must have an example that leads to it.
#[derive(Debug, clap::Args)]
pub struct TestChecksCommand {
    /// Directories of check files
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
}

pub fn run(arguments: &TestChecksCommand) -> Result<CommandOutcome, CliError> {
    let mut catalogue = catalog::built_in();
    let ids = add_directories(&mut catalogue, &arguments.directories)?;
    let mut document = String::new();
    let mut failed = 0;
    for id in &ids {
        let found = shortcomings(&catalogue, id);
        let word = if found.is_empty() { "ok" } else { "FAILED" };
        let _ = writeln!(document, "{word:7} {id}");
        for shortcoming in &found {
            let _ = writeln!(document, "        {shortcoming}");
        }
        failed += usize::from(!found.is_empty());
    }
    let _ = writeln!(document, "{} passed, {failed} failed", ids.len() - failed);
    Ok(CommandOutcome { document, exit_code: if failed == 0 { exit::OK } else { exit::CRITICAL } })
}
