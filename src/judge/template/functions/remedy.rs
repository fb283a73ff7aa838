//! What recipes say of servers: where they are, what a person has to put in, whether a full copy runs.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::super::facts::{NOT_STATED, missing_of};
use super::super::filters::printable;
use super::super::value::{fact, is_not_in_release, number, refuse, version_of};
use crate::i18n::texts;
use crate::model::knowledge::Knowledge;
use crate::model::remedy::Placeholder;
use crate::model::text::Language;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 7] =
    ["copying", "host_of", "host_port", "port_of", "secret", "settable", "to_fill"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    let known = knowledge.clone();
    env.add_function("settable", move |state: &State<'_, '_>, node: Value, key: String| {
        settable(state, &known, &node, &key)
    });
    env.add_function("copying", |state: &State<'_, '_>, node: Value| copying(state, &node));
    env.add_function("host_of", |state: &State<'_, '_>, of: Value| host_of(state, &of));
    env.add_function("port_of", |state: &State<'_, '_>, of: Value| port_of(state, &of));
    env.add_function("host_port", |state: &State<'_, '_>, of: Value| host_port(state, &of));
    env.add_function("secret", move |state: &State<'_, '_>, node: Value, setting: String| {
        secret(state, &node, &setting, language)
    });
    env.add_function("to_fill", |name: String, text: Value| {
        Value::from_object(Blank(Placeholder { placeholder: name, of: None, text: printable(&text) }))
    });
}

/// A value that a person has to put in. As a word of its own it stays one in the remedy; in a text it is `<…>`.
#[derive(Debug)]
pub struct Blank(pub Placeholder);

impl Object for Blank {
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result
    where
        Self: Sized + 'static,
    {
        write!(f, "<{}>", self.0.text)
    }
}

/// The host of an address, a server, a host, or the text `HOST:PORT`.
fn host_of(state: &State<'_, '_>, of: &Value) -> Result<Value, Error> {
    let host = match of.kind() {
        ValueKind::String => Value::from(split(of).0),
        ValueKind::Map if has(of, "host")? => fact(state, of, ".host")?,
        ValueKind::Map if has(of, "address")? => return host_of(state, &fact(state, of, ".address")?),
        ValueKind::Map if has(of, "ip")? => fact(state, of, ".ip")?,
        ValueKind::Map => fact(state, of, ".name")?,
        _ => return Err(refuse(format!("`{of}` has no host"))),
    };
    let text = host.as_str().unwrap_or_default();
    // A program would take it for an option, or for several words.
    if text.is_empty()
        || text.starts_with('-')
        || text.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err(refuse(format!("`{}` is not the name of a host", printable(&host))));
    }
    Ok(host)
}

/// The port of an address, a server, or the text `HOST:PORT`.
fn port_of(state: &State<'_, '_>, of: &Value) -> Result<Value, Error> {
    let port = match of.kind() {
        ValueKind::String => Value::from(split(of).1),
        ValueKind::Map if has(of, "host")? || has(of, "ip")? => fact(state, of, ".port")?,
        ValueKind::Map => return port_of(state, &fact(state, of, ".address")?),
        _ => return Err(refuse(format!("`{of}` has no port"))),
    };
    as_port(&port)
}

/// `HOST:PORT`
fn host_port(state: &State<'_, '_>, of: &Value) -> Result<String, Error> {
    let host = host_of(state, of)?.to_string();
    let port = port_of(state, of)?;
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

/// A port, or why it is none.
pub fn as_port(value: &Value) -> Result<Value, Error> {
    let port = number(value)?;
    if !(1.0..=65535.0).contains(&port) || port.fract() != 0.0 {
        return Err(refuse(format!("`{value}` is not a port")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 1 and 65535"
    )]
    Ok(Value::from(port as u16))
}

fn has(map: &Value, key: &str) -> Result<bool, Error> {
    Ok(map.try_iter()?.any(|known| known.as_str() == Some(key)))
}

/// `HOST:PORT` in two, as servers write it: the last colon divides.
fn split(text: &Value) -> (&str, &str) {
    let text = text.as_str().unwrap_or_default();
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    (bare.unwrap_or(host), port)
}

/// A password of a server: nothing where it is known to be empty, else something to put in.
fn secret(state: &State<'_, '_>, node: &Value, setting: &str, language: Language) -> Result<Value, Error> {
    let known = fact(state, node, &format!(".config['{setting}']"));
    if known.is_ok_and(|value| value.as_str() == Some("")) {
        return Ok(Value::from(""));
    }
    let of = host_port(state, node)?;
    let text = texts::secret_of(language, setting, &of);
    Ok(Value::from_object(Blank(Placeholder { placeholder: setting.to_owned(), of: Some(of), text })))
}

/// Whether CONFIG SET takes a key on the release of a server.
fn settable(state: &State<'_, '_>, knowledge: &Knowledge, node: &Value, key: &str) -> Result<bool, Error> {
    let version = version_of(state, node)?;
    let known = knowledge.config_keys.iter().find(|known| known.name == key);
    let known = known.ok_or_else(|| refuse(format!("there is no key `{key}`")))?;
    Ok(known.settable.as_ref().is_some_and(|releases| releases.contains(version)))
}

/// Whether an example says nothing about it.
fn is_not_stated(error: &Error) -> bool {
    missing_of(error).is_some_and(|missing| missing.reason == NOT_STATED)
}

/// Whether a server waits for, or receives, a full copy. Where its release has no word for it, it does not; in an
/// example that says nothing about it, neither.
fn copying(state: &State<'_, '_>, node: &Value) -> Result<bool, Error> {
    let master = match fact(state, node, ".replication.master") {
        Ok(master) if master.is_none() => return Ok(false),
        Ok(master) => master,
        Err(error) if is_not_in_release(&error) || is_not_stated(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let states = match fact(state, &master, ".states") {
        Err(error) if is_not_stated(&error) => return Ok(false),
        states => states?,
    };
    for seen in states.try_iter()? {
        if fact(state, &seen, ".stage")?.as_str() == Some("full-sync") {
            return Ok(true);
        }
    }
    Ok(false)
}
