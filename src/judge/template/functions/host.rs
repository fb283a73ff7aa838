//! What the language of conditions and texts says about a Pika on its host.

use minijinja::{Environment, Error, State, Value};
use serde_json::{Value as Json, json};

use super::super::value::{fact, list, plain};

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 2] = ["conf_path", "file_systems"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>) {
    env.add_function("conf_path", |state: &State<'_, '_>, instance: Value| conf_path(state, &instance));
    env.add_function("file_systems", |state: &State<'_, '_>, instance: Value| file_systems(state, &instance));
}

/// The configuration file to name in an advice, which must not fail for want of its path: that of a Pika of a host, or
/// the one that a server names.
fn conf_path(state: &State<'_, '_>, of: &Value) -> Value {
    let paths = [".conf.path", ".process.config_file"].into_iter();
    let known = paths.filter_map(|path| fact(state, of, path).ok());
    let mut named = known.filter(|path| path.as_str().is_some_and(|path| !path.is_empty()));
    named.next().unwrap_or_else(|| Value::from("pika.conf"))
}

/// What the paths on one mount have in common.
const OF_A_MOUNT: [&str; 5] = ["mount", "free_bytes", "total_bytes", "free_files", "rotational"];

/// The mounts that the paths of a Pika lie on, each once, with what its paths say of it: `paths`, and `uses`, each a
/// setting and its path. A path whose mount is not known stands for itself.
fn file_systems(state: &State<'_, '_>, instance: &Value) -> Result<Value, Error> {
    let mut systems: Vec<Json> = Vec::new();
    for path in fact(state, instance, ".paths")?.try_iter()? {
        // One by one: what else is said of a path may be absent.
        let of_path = |name: &str| plain(&fact(state, &path, &format!(".{name}"))?);
        let (mount, named) = (of_path("mount")?, of_path("path")?);
        let known = systems.iter().position(|system| !mount.is_null() && system["mount"] == mount);
        let at = known.unwrap_or(systems.len());
        if known.is_none() {
            let name = if mount.is_null() { named.clone() } else { mount["point"].clone() };
            let mut system = json!({ "name": name, "paths": [], "uses": [] });
            for name in OF_A_MOUNT {
                system[name] = of_path(name)?;
            }
            systems.push(system);
        }
        let words = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let setting = format!("{}-path {}", words(&of_path("role")?), words(&named));
        for (list, entry) in [("paths", named), ("uses", Json::from(setting))] {
            if let Some(list) = systems[at][list].as_array_mut() {
                list.push(entry);
            }
        }
    }
    Ok(list(systems))
}
