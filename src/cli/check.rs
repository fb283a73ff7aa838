//! `pikadoctor check`

use std::path::PathBuf;

use serde_json::Value as Json;

use super::looking::Looking;
use super::options::{Printing, catalogue_with};
use super::{Failure, Outcome};
use crate::judge::evaluate::Parameters;
use crate::model::catalogue::Catalogue;

/// Look at servers, and at replication between them, and say what is wrong
///
/// Only commands that are harmless on the very release of a server are sent. With --master or --peer
/// one key of this tool's own is written, read on the other server and deleted again; --read-only
/// leaves that out.
///
/// The password comes from the environment variable PIKADOCTOR_PASSWORD, from --password-file or from
/// a prompt; never from an argument, where other users could read it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    looking: Looking,

    /// Further checks: a directory of YAML files whose paths are their ids
    #[arg(long, value_name = "DIR")]
    checks: Vec<PathBuf>,

    /// Set a parameter of a check, for example node/slotmigrate.expected=on
    #[arg(long, value_name = "CHECK.NAME=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    printing: Printing,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.printing.validate()?;
    let catalogue = catalogue_with(&arguments.checks)?;
    let parameters = parse_parameters(&arguments.set, &catalogue)?;
    let facts = arguments.looking.look(&catalogue.knowledge)?;
    arguments.printing.outcome(facts, &catalogue, &parameters)
}

/// Reads `--set node/clients.warning_percent=70`. The value has the type of the default.
fn parse_parameters(settings: &[String], catalogue: &Catalogue) -> Result<Parameters, Failure> {
    let mut parameters = Parameters::new();
    for setting in settings {
        let wrong = |why: String| Failure(format!("--set {setting}: {why}"));
        let (path, value) = setting.split_once('=').ok_or_else(|| wrong("write CHECK.NAME=VALUE".into()))?;
        let (id, name) = path.rsplit_once('.').ok_or_else(|| wrong("write CHECK.NAME=VALUE".into()))?;
        let check =
            catalogue.checks.iter().find(|check| check.id == id).ok_or_else(|| {
                wrong(format!("there is no check `{id}`{}", nearest(id, &catalogue.checks)))
            })?;
        let param = check.file.params.get(name).ok_or_else(|| {
            let known: Vec<&str> = check.file.params.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            wrong(format!("`{id}` has no parameter `{name}`; it has {known}"))
        })?;
        let value = match &param.default {
            Json::String(_) => Json::from(value),
            default => {
                let parsed: Json = serde_json::from_str(value).unwrap_or(Json::Null);
                let same_kind = (default.is_number() && parsed.is_number())
                    || (default.is_boolean() && parsed.is_boolean());
                if !same_kind {
                    let kind = if default.is_number() { "a number" } else { "true or false" };
                    return Err(wrong(format!("`{value}` is not {kind}")));
                }
                parsed
            }
        };
        parameters.entry(id.to_owned()).or_default().insert(name.to_owned(), value);
    }
    Ok(parameters)
}

/// `; did you mean …?`, or nothing.
pub fn nearest(id: &str, checks: &[crate::model::check::Check]) -> String {
    let by_distance = checks.iter().map(|check| {
        // People leave out the group; compare with the last part, too.
        let short = check.id.rsplit('/').next().unwrap_or(&check.id);
        (strsim::damerau_levenshtein(&check.id, id).min(strsim::damerau_levenshtein(short, id)), &check.id)
    });
    match by_distance.min() {
        Some((distance, id)) if distance <= 4 => format!("; did you mean `{id}`?"),
        _ => "; `pikadoctor list` names them".to_owned(),
    }
}
