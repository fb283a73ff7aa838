//! `pikadoctor capture`

use std::path::PathBuf;

use super::looking::Looking;
use super::options::write_at_once;
use super::{Failure, Outcome};
use crate::collect::bundle::pack;
use crate::judge::catalogue::built_in;
use crate::model::exit;

/// Look at servers and keep what was seen, to be judged elsewhere or later
///
/// The bundle is one compressed file. `check --from` judges it as it would the servers. There is no password in it,
/// and none can be guessed from it; host names, addresses, paths and some names of keys are in it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    looking: Looking,

    /// The file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let facts = arguments.looking.look(&built_in().knowledge)?;
    let path = &arguments.output;
    let packed = pack(&facts).and_then(|packed| write_at_once(path, &packed));
    packed.map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    let answered = facts.nodes.iter().filter(|node| node.version.is_some()).count();
    let sentinels = match facts.sentinels.len() {
        0 => String::new(),
        count => format!(", {count} Sentinels"),
    };
    let document = format!(
        "{}: {answered} of {} servers and {} links{sentinels}\njudge it with:  pikadoctor check --from {}\n",
        path.display(),
        facts.nodes.len(),
        facts.links.len(),
        path.display()
    );
    // What was seen may be bad; that it was kept is what this command is for.
    Ok(Outcome { document, exit_code: exit::OK })
}
