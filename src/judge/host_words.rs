//! What the language of conditions and texts says about a Pika on its host.

use minijinja::{Environment, Error, State, Value};
use serde_json::{Value as Json, json};

use super::language::{fact, list};
use super::log_words::plain;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 2] = ["conf_of", "file_systems"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>) {
    env.add_function("conf_of", |state: &State<'_, '_>, instance: Value| conf_of(state, &instance));
    env.add_function("file_systems", |state: &State<'_, '_>, instance: Value| file_systems(state, &instance));
}

/// The configuration file to name in an advice, which must not fail for want of its path.
fn conf_of(state: &State<'_, '_>, instance: &Value) -> Value {
    let path = fact(state, instance, ".conf.path");
    path.ok().filter(|path| path.as_str().is_some()).unwrap_or_else(|| Value::from("pika.conf"))
}

/// The paths of a Pika by the mount that they lie on, each mount once, with what its paths say of it. A path whose
/// mount is not known stands for itself.
fn file_systems(state: &State<'_, '_>, instance: &Value) -> Result<Value, Error> {
    let paths = plain(&fact(state, instance, ".paths")?)?;
    let mut systems: Vec<Json> = Vec::new();
    for path in paths.as_array().into_iter().flatten() {
        let on_it =
            systems.iter_mut().find(|system| !path["mount"].is_null() && system["mount"] == path["mount"]);
        if let Some(roles) = on_it.and_then(|system| system["paths"].as_array_mut()) {
            roles.push(json!({ "role": path["role"], "path": path["path"] }));
            continue;
        }
        let place = if path["mount"].is_null() { &path["path"] } else { &path["mount"]["point"] };
        systems.push(json!({
            "name": place,
            "mount": path["mount"],
            "free_bytes": path["free_bytes"],
            "total_bytes": path["total_bytes"],
            "free_files": path["free_files"],
            "rotational": path["rotational"],
            "paths": [{ "role": path["role"], "path": path["path"] }],
        }));
    }
    Ok(list(systems))
}
