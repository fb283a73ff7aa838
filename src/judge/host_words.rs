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

/// What the paths on one mount have in common.
const OF_A_MOUNT: [&str; 5] = ["mount", "free_bytes", "total_bytes", "free_files", "rotational"];

/// The paths of a Pika by the mount that they lie on, each mount once, with what its paths say of it. A path whose
/// mount is not known stands for itself.
fn file_systems(state: &State<'_, '_>, instance: &Value) -> Result<Value, Error> {
    let mut systems: Vec<Json> = Vec::new();
    for path in fact(state, instance, ".paths")?.try_iter()? {
        // One by one: what else is said of a path may be absent.
        let of_path = |name: &str| plain(&fact(state, &path, &format!(".{name}"))?);
        let role = json!({ "role": of_path("role")?, "path": of_path("path")? });
        let mount = of_path("mount")?;
        let on_it = systems.iter_mut().find(|system| !mount.is_null() && system["mount"] == mount);
        if let Some(roles) = on_it.and_then(|system| system["paths"].as_array_mut()) {
            roles.push(role);
            continue;
        }
        let place = if mount.is_null() { &role["path"] } else { &mount["point"] };
        let mut system = json!({ "name": place, "paths": [role] });
        for name in OF_A_MOUNT {
            system[name] = of_path(name)?;
        }
        systems.push(system);
    }
    Ok(list(systems))
}
