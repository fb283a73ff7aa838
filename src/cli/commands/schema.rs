//! `pikadoctor schema`

use crate::cli::outcome::{Failure, Outcome};
use crate::difference::Difference;
use crate::model::bundle::Bundle;
use crate::model::check::CheckFile;
use crate::model::exit;
use crate::model::facts::Facts;
use crate::model::finding::Report;
use crate::plan::file::PlanFile;

/// Print the JSON Schema of a document
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which document
    #[arg(value_enum)]
    document: Document,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Document {
    /// What was seen: the tree that conditions look at
    Facts,
    /// What `check --format json` prints
    Report,
    /// A check file
    Check,
    /// What `capture` writes, when it is unpacked
    Bundle,
    /// What `diff --json` prints
    Difference,
    /// The plan that `check -f` reads
    Plan,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let schema = match arguments.document {
        Document::Facts => schemars::schema_for!(Facts),
        Document::Report => schemars::schema_for!(Report),
        Document::Check => schemars::schema_for!(CheckFile),
        Document::Bundle => schemars::schema_for!(Bundle),
        Document::Difference => schemars::schema_for!(Difference),
        Document::Plan => schemars::schema_for!(PlanFile),
    };
    let document = serde_json::to_string_pretty(&schema).map_err(Failure::new)? + "\n";
    Ok(Outcome { document, exit_code: exit::OK })
}
