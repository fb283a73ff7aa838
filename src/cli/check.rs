//! `pikadoctor check`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use super::options::{Printing, catalogue_with, parse_address, parse_duration};
use super::{Failure, Outcome};
use crate::collect::clock::Deadlines;
use crate::collect::secret::{PASSWORD_VARIABLE, Password, ask_password, read_password_file};
use crate::judge::evaluate::Parameters;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Address;
use crate::{Scope, Target, examine};

/// Look at servers and say what is wrong with them
///
/// Nothing is changed on a server: only commands that are harmless on its very release are sent.
/// The password comes from the environment variable PIKADOCTOR_PASSWORD, from --password-file or from
/// a prompt; never from an argument, where other users could read it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Servers: HOST[:PORT], [IPV6]:PORT; the port is 9221 when none is named
    #[arg(required = true, value_name = "HOST:PORT", value_parser = parse_address)]
    targets: Vec<Address>,

    /// Time for the whole run
    #[arg(short, long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    timeout: Duration,

    /// Time for a connection to one address
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = parse_duration)]
    connect_timeout: Duration,

    /// Time for the answer to one batch of commands
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    reply_timeout: Duration,

    /// File whose only line is the password
    #[arg(long, value_name = "FILE", conflicts_with = "ask_password")]
    password_file: Option<PathBuf>,

    /// Ask for the password on the terminal
    #[arg(long)]
    ask_password: bool,

    /// Do not touch the ports that are counted from the client port
    #[arg(long)]
    no_ports: bool,

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
    let catalogue = catalogue_with(&arguments.checks)?;
    let parameters = parse_parameters(&arguments.set, &catalogue)?;
    let password = password(arguments)?;
    let mut targets: Vec<Target> = Vec::new();
    for address in &arguments.targets {
        let name = address.to_string();
        if targets.iter().any(|target| target.name == name) {
            return Err(Failure(format!("{name} is named twice")));
        }
        targets.push(Target { name, address: address.clone(), password: password.clone() });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let facts = runtime.block_on(async {
        let deadlines =
            Deadlines::starting_now(arguments.timeout, arguments.connect_timeout, arguments.reply_timeout);
        let scope = Scope { deadlines, ports: !arguments.no_ports };
        examine(&targets, &catalogue.knowledge, scope).await
    });
    // A resolver that hangs must not hold up the end: its thread is left to itself.
    runtime.shutdown_background();
    Ok(arguments.printing.outcome(facts, &catalogue, &parameters))
}

fn password(arguments: &Arguments) -> Result<Option<Password>, Failure> {
    if let Some(path) = &arguments.password_file {
        return read_password_file(path).map(Some).map_err(Failure::new);
    }
    if arguments.ask_password {
        let names: Vec<String> = arguments.targets.iter().map(ToString::to_string).collect();
        return ask_password(&names.join(", ")).map(Some).map_err(Failure::new);
    }
    match std::env::var(PASSWORD_VARIABLE) {
        Ok(text) if !text.is_empty() => Ok(Some(Password::new(text))),
        Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure(format!("{PASSWORD_VARIABLE} is not valid UTF-8")))
        }
    }
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
