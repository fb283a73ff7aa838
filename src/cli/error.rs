//! Why a command ends without its document, and with which exit code.

use std::io;
use std::path::PathBuf;

use crate::collect::files::bundle::BundleError;
use crate::collect::files::text_file::TextFileError;
use crate::collect::secret::SecretError;
use crate::collect::ssh::InvalidDestination;
use crate::derive::verification::JoinError;
use crate::lab::error::LabError;
use crate::lab::scenarios::ScenarioError;
use crate::model::exit;
use crate::model::reason::Reason;
use crate::pipeline::catalogue::AddedChecksError;
use crate::pipeline::error::PipelineError;
use crate::plan::read::PlanError;

/// Why a command ends without its document.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Arguments that make no sense together, or a value that does not.
    #[error("{0}")]
    Usage(String),
    /// A secret that was named cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret that a plan names is not there.
    #[error("{place}: the environment variable {} is not set", name_of_variable(variable))]
    SecretOfPlan {
        /// The place in the plan.
        place: String,
        /// The environment variable.
        variable: String,
    },
    /// The name of a host that `ssh` would not take for one.
    #[error(transparent)]
    Destination(#[from] InvalidDestination),
    /// The same in a plan.
    #[error("{place}: {source}")]
    DestinationOfPlan {
        /// The place in the plan.
        place: String,
        /// What is wrong.
        source: InvalidDestination,
    },
    /// The plan cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A text file cannot be read.
    #[error(transparent)]
    TextFile(#[from] TextFileError),
    /// A bundle or report cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The checks of a directory cannot be used.
    #[error(transparent)]
    AddedChecks(#[from] AddedChecksError),
    /// There are no facts.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is a file already.
    #[error("{} is there already; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// There is nothing that a plan could be made of.
    #[error("no Pika answered at {0}; `pikadoctor check` says why")]
    NoAnswer(String),
    /// There is too much to make one plan of it.
    #[error("more than {0} servers name each other; write a plan for a part of them")]
    TooManyServers(usize),
    /// The time was over before all servers were followed.
    #[error("the time for the run was over after {0} servers; --timeout gives it more")]
    TimeOver(usize),
    /// The one Pika that was asked for is not on the host.
    #[error("{host}: {reason}")]
    NotOnHost {
        /// The host.
        host: String,
        /// Why not.
        reason: Reason,
    },
    /// The other pikadoctor asks what this one does not understand.
    #[error("the question: {0}")]
    Question(crate::parse::document::json::JsonError),
    /// The parts of a comparison do not make a whole.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A report in which no data was compared.
    #[error("{}: no data was compared in it; `pikadoctor verify --format json` writes such a report", .0.display())]
    NotVerified(PathBuf),
    /// A document cannot be made. No document of this program is like that.
    #[error(transparent)]
    Document(#[from] serde_json::Error),
    /// The manual page cannot be made.
    #[error(transparent)]
    Manual(io::Error),
    /// There is no such scenario, or it makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The laboratory cannot stage a scenario.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Tokio cannot be started.
    #[error("the operating system gives nothing to wait for sockets with: {0}")]
    Runtime(io::Error),
    /// Signals cannot be waited for.
    #[error(transparent)]
    Signals(io::Error),
}

impl CliError {
    /// The exit code that says any of them. Nothing is known about any server, so it is UNKNOWN in every case; a monitoring
    /// system must not take it for a state of the server.
    pub const EXIT_CODE: u8 = exit::UNKNOWN;

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }
}

/// The name of a variable as people write them. Anything else may be the password itself.
fn name_of_variable(text: &str) -> &str {
    let is_name = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if is_name { text } else { "that is named here" }
}
