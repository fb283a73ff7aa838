//! `pikadoctor check`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use super::connection::{Connecting, Side};
use super::options::{Printing, catalogue_with, parse_address, parse_duration};
use super::{Failure, Outcome};
use crate::collect::link::Live;
use crate::judge::evaluate::Parameters;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Address;
use crate::model::link::LinkMode;
use crate::{LinkRequest, Trial, examine, examine_links};

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
    /// Servers: HOST[:PORT], [IPV6]:PORT; the port is 9221 when none is named
    #[arg(required = true, value_name = "HOST:PORT", value_parser = parse_address)]
    targets: Vec<Address>,

    /// Look at the replication of each server from this master, too, whether it follows it already or not
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address)]
    master: Option<Address>,

    /// Look at the double master that the server makes with this one (2.3.0 to 3.0.16)
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_address, conflicts_with = "master")]
    peer: Option<Address>,

    /// Write nothing, not even a key that expires by itself
    #[arg(long)]
    read_only: bool,

    /// Time for a write to arrive on the replica, for each database
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    canary_timeout: Duration,

    #[command(flatten)]
    connecting: Connecting,

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
    let (other, mode) = match (&arguments.master, &arguments.peer) {
        (Some(master), _) => (Some((Side::Master, master)), LinkMode::Replica),
        (None, Some(peer)) => (Some((Side::Peer, peer)), LinkMode::DoubleMaster),
        (None, None) => (None, LinkMode::Replica),
    };
    if mode == LinkMode::DoubleMaster && arguments.targets.len() > 1 {
        return Err(Failure("--peer makes a pair with one server; several are named".into()));
    }
    let named: Vec<(Side, &Address)> =
        arguments.targets.iter().map(|address| (Side::Server, address)).chain(other).collect();
    let targets = arguments.connecting.targets(&named)?;
    let requests: Vec<LinkRequest> = other
        .iter()
        .flat_map(|(_, address)| {
            arguments.targets.iter().map(|target| LinkRequest {
                replica: target.to_string(),
                master: address.to_string(),
                mode,
            })
        })
        .collect();
    let live = Live { write: !arguments.read_only, canary_wait: arguments.canary_timeout };
    let trial = Trial { live: Some(live), forced: false };
    let facts = arguments.connecting.run(other.is_some(), async |scope| {
        if requests.is_empty() {
            examine(&targets, &catalogue.knowledge, scope).await
        } else {
            examine_links(&targets, &requests, &catalogue.knowledge, scope, trial).await
        }
    })?;
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
