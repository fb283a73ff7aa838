//! `pikadoctor lint`

use crate::cli::args::output::ReportArgs;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::runtime;
use crate::cli::watch::watch_for_signals;
use crate::collect::net::deadlines::Deadlines;
use crate::model::companion::CompanionKind;
use crate::model::policy::Parameters;
use crate::model::release::Version;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::request::{CollectionPlan, ConfFilesRequest};
use crate::pipeline::{self, LINT};

/// Check configuration files of Pika, Codis and Sentinel
///
/// No server is asked. Each release is taken at its own rules: which keys it reads, what it takes for a
/// comment, which values it changes. Several files are taken for servers of one host, whose ports and paths
/// must not collide. dashboard.toml and proxy.toml of Codis and sentinel.conf are told by what is in them, and are
/// compared with each other and with the pika.conf files beside them.
#[derive(Debug, clap::Args)]
pub struct LintCommand {
    /// Configuration files; - reads the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// The release that the files are for; without it, findings name the releases on which they hold
    #[arg(long, value_name = "VERSION")]
    pika_version: Option<Version>,

    /// The kind of the files, if their content does not show it
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,

    #[command(flatten)]
    report: ReportArgs,
}

/// What a configuration file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// pika.conf.
    Pika,
    /// dashboard.toml of Codis.
    Dashboard,
    /// proxy.toml of Codis.
    Proxy,
    /// sentinel.conf of Redis.
    Sentinel,
}

impl Kind {
    fn companion(self) -> Option<CompanionKind> {
        match self {
            Self::Pika => None,
            Self::Dashboard => Some(CompanionKind::Dashboard),
            Self::Proxy => Some(CompanionKind::Proxy),
            Self::Sentinel => Some(CompanionKind::Sentinel),
        }
    }
}

pub fn run(arguments: &LintCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    for (index, file) in arguments.files.iter().enumerate() {
        if arguments.files[..index].contains(file) {
            return Err(CliError::Usage(format!("{file} is named twice")));
        }
    }
    let catalogue = catalogue_with(&[])?;
    let conf_files = ConfFilesRequest {
        names: arguments.files.clone(),
        version: arguments.pika_version,
        kind: arguments.kind.map(Kind::companion),
    };
    let plan = CollectionPlan { conf_files, ..CollectionPlan::default() };
    watch_for_signals();
    let facts = runtime::run(pipeline::collect(&plan, LINT, &catalogue.knowledge, Deadlines::far()))??;
    arguments.report.outcome(facts, &catalogue, &Parameters::new())
}
