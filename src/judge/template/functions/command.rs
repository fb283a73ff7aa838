//! Commands, addresses and positions: what the texts of many checks write.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};

use super::super::filters::{printable, shell};
use super::super::value::{fact, refuse};

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 6] = ["address", "position", "redis_cli", "slaveof", "slaveof_to", "steps"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>) {
    env.add_function("address", |state: &State<'_, '_>, of: Value| address(state, &of));
    env.add_function("position", |state: &State<'_, '_>, node: Value, db: Value| position(state, &node, &db));
    env.add_function("redis_cli", |state: &State<'_, '_>, of: Value| redis_cli(state, &of));
    env.add_function("slaveof", |state: &State<'_, '_>, link: Value, master: Value, replica: Value| {
        slaveof(state, &link, &master, &replica)
    });
    env.add_function("slaveof_to", |state: &State<'_, '_>, node: Value, host: Value, port: Value| {
        slaveof_to(state, &node, &host, &port)
    });
    env.add_function("steps", |steps: Value| numbered(&steps));
}

/// Host and port of something that has an address, or that is one.
fn host_and_port(state: &State<'_, '_>, of: &Value) -> Result<(Value, Value), Error> {
    if of.kind() != ValueKind::Map {
        return Err(refuse(format!("`{of}` has no address")));
    }
    let is_address = of.try_iter()?.any(|key| key.as_str() == Some("host"));
    let path = if is_address { "" } else { ".address" };
    Ok((fact(state, of, &format!("{path}.host"))?, fact(state, of, &format!("{path}.port"))?))
}

/// `HOST:PORT` of a server, or of an address.
fn address(state: &State<'_, '_>, of: &Value) -> Result<String, Error> {
    let (host, port) = host_and_port(state, of)?;
    Ok(format!("{}:{}", printable(&host), printable(&port)))
}

/// `redis-cli -h HOST -p PORT`, ready for a shell.
fn redis_cli(state: &State<'_, '_>, of: &Value) -> Result<String, Error> {
    let (host, port) = host_and_port(state, of)?;
    Ok(format!("redis-cli -h {} -p {}", shell(host)?, shell(port)?))
}

/// The command that makes `node` a replica of the server at an address.
fn slaveof_to(state: &State<'_, '_>, node: &Value, host: &Value, port: &Value) -> Result<String, Error> {
    let (host, port) = (shell(host.clone())?, shell(port.clone())?);
    Ok(format!("{} slaveof {host} {port}", redis_cli(state, node)?))
}

/// The command that makes the replica of a link follow its master, at the address that it uses already if it does.
fn slaveof(state: &State<'_, '_>, link: &Value, master: &Value, replica: &Value) -> Result<String, Error> {
    let follows = fact(state, link, ".relation")?.as_str() == Some("follows");
    let (host, port) = host_and_port(state, &fact(state, if follows { link } else { master }, ".address")?)?;
    slaveof_to(state, replica, &host, &port)
}

/// Where the binlog of a database of `node` ends; none when it has no such database.
fn position(state: &State<'_, '_>, node: &Value, db: &Value) -> Result<Value, Error> {
    for position in fact(state, node, ".binlog.positions")?.try_iter()? {
        if fact(state, &position, ".db")? == *db {
            return Ok(position);
        }
    }
    Ok(Value::from(()))
}

/// Texts as numbered lines. Those that are none or empty are left out.
fn numbered(steps: &Value) -> Result<Value, Error> {
    let mut lines = Vec::new();
    for step in steps.try_iter()? {
        if step.is_true() {
            lines.push(format!("{}. {}", lines.len() + 1, printable(&step)));
        }
    }
    Ok(Value::from_safe_string(lines.join("\n")))
}
