//! `pikadoctor completions` and `pikadoctor man`: what packagers install beside the binary.

use std::path::PathBuf;

use clap_complete::Shell;

use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::model::exit;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(&self, mut command: clap::Command) -> CommandOutcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "pikadoctor", &mut script);
        CommandOutcome { document: String::from_utf8_lossy(&script).into_owned(), exit_code: exit::OK }
    }
}

/// Print the manual page, or write one for each command into a directory
#[derive(Debug, clap::Args)]
pub struct Man {
    /// The directory
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub fn run(&self, command: clap::Command) -> Result<CommandOutcome, CliError> {
        let document = if let Some(directory) = &self.output {
            let failed = |source| CliError::Write { path: directory.clone(), source };
            clap_mangen::generate_to(command, directory).map_err(failed)?;
            format!("{}: the manual pages\n", directory.display())
        } else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(CliError::Manual)?;
            String::from_utf8_lossy(&page).into_owned()
        };
        Ok(CommandOutcome { document, exit_code: exit::OK })
    }
}
