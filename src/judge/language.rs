//! The language of conditions and texts: Jinja, with a few words about Pika.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, context};
use serde_json::{Value as Json, json};

use super::phrases::Phrases;
use super::tree::{example_tree, missing_of, place_of};
use super::{drift_words, host_words, link_words, log_words};
use crate::derive::look_up;
use crate::model::absence::AbsenceKind;
use crate::model::knowledge::{ConfigKey, Knowledge};
use crate::model::release::{Releases, Version};
use crate::model::text::{Bilingual, Language, Source, escape_control};
use crate::parse::conf::{considered, number as number_in};

/// Steps that one expression or text may take. The longest of the built-in ones takes some hundreds.
const FUEL: u64 = 20_000;

/// The functions that are added here.
const OWN_FUNCTIONS: [&str; 7] = [
    "exposed_defects",
    "known_defects",
    "link_states",
    "missing_keys",
    "port_list",
    "setting_faults",
    "value_faults",
];

/// The functions that this language adds, for the checker of names.
pub fn functions() -> impl Iterator<Item = &'static str> {
    OWN_FUNCTIONS
        .into_iter()
        .chain(link_words::FUNCTIONS)
        .chain(log_words::FUNCTIONS)
        .chain(drift_words::FUNCTIONS)
        .chain(host_words::FUNCTIONS)
}

/// An environment for expressions and texts in `language`, which is that of `phrases`.
pub fn environment(
    knowledge: &Arc<Knowledge>,
    phrases: &Arc<Phrases>,
    language: Language,
) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_formatter(|out, _, value| {
        out.write_str(&printable(value))
            .map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
    });
    env.add_test("in_releases", in_releases);
    env.add_filter("bytes", bytes);
    env.add_filter("duration", duration);
    env.add_filter("shell", shell);
    let phrases = phrases.clone();
    // What is no text (a detail that is null, say) stays what it is.
    env.add_filter("localized", move |said: Value| match said.as_str() {
        Some(words) => Value::from(phrases.localized(words).into_owned()),
        None => said,
    });

    link_words::add(&mut env, knowledge, language);
    log_words::add(&mut env, knowledge, language);
    drift_words::add(&mut env, knowledge);
    host_words::add(&mut env);
    let words = Words { knowledge: knowledge.clone(), language };
    let w = words.clone();
    env.add_function("known_defects", move |state: &State<'_, '_>, node: Value| {
        w.known_defects(state, &node)
    });
    let w = words.clone();
    env.add_function("exposed_defects", move |state: &State<'_, '_>, node: Value| {
        w.exposed_defects(state, &node)
    });
    let w = words.clone();
    env.add_function("setting_faults", move |state: &State<'_, '_>, node: Value| {
        w.setting_faults(state, &node)
    });
    let w = words.clone();
    env.add_function("port_list", move |state: &State<'_, '_>, node: Value| w.port_list(state, &node));
    let w = words.clone();
    env.add_function("value_faults", move |state: &State<'_, '_>, conf: Value| w.value_faults(state, &conf));
    let w = words.clone();
    env.add_function("missing_keys", move |state: &State<'_, '_>, conf: Value| w.missing_keys(state, &conf));
    let w = words;
    env.add_function("link_states", move |state: &State<'_, '_>, node: Value| w.link_states(state, &node));
    env
}

/// A value in a text. Control characters are escaped: they come from servers, and would otherwise
/// reach the terminal. `none` is a dash.
fn printable(value: &Value) -> String {
    if value.is_none() {
        return "-".into();
    }
    escape_control(&value.to_string())
}

/// An error of an expression, in a sentence.
pub(super) fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// `version is in_releases('2.3.3-2.3.8, 3.0.0-3.0.5')`
fn in_releases(version: Value, releases: String) -> Result<bool, Error> {
    let text = version.as_str().ok_or_else(|| refuse("in_releases looks at a version"))?;
    let version: Version = text.parse().map_err(|error| refuse(format!("{error}")))?;
    let releases: Releases = releases.parse().map_err(|error| refuse(format!("{error}")))?;
    Ok(releases.contains(version))
}

/// `1536|bytes` is `1.5 KiB`.
fn bytes(value: Value) -> Result<String, Error> {
    let mut number = number(&value)?;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if number.abs() < 1024.0 {
            return Ok(if unit == "B" || number.fract() == 0.0 {
                format!("{number:.0} {unit}")
            } else {
                format!("{number:.1} {unit}")
            });
        }
        number /= 1024.0;
    }
    Ok(format!("{number:.1} TiB"))
}

/// `93784|duration` is `1d 2h`: seconds, in the two largest units.
fn duration(value: Value) -> Result<String, Error> {
    let seconds = number(&value)?;
    if seconds < 10.0 && seconds.fract() != 0.0 {
        return Ok(format!("{seconds:.1}s"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration of more than 2^63 seconds is a wrong number anyway"
    )]
    let mut left = seconds.round() as i64;
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= length || (unit == "s" && parts.is_empty()) {
            parts.push(format!("{}{unit}", left / length));
            left %= length;
        }
        if parts.len() == 2 {
            break;
        }
    }
    Ok(parts.join(" "))
}

fn number(value: &Value) -> Result<f64, Error> {
    let parsed = match value.kind() {
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        _ => f64::try_from(value.clone()).ok(),
    };
    parsed
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| refuse(format!("`{value}` is not a number")))
}

/// A value in a command line: a server's answer must not become a command of its own.
fn shell(value: Value) -> Result<String, Error> {
    let text = escape_control(&value.to_string());
    shlex::try_quote(&text).map(std::borrow::Cow::into_owned).map_err(|error| refuse(error.to_string()))
}

/// What is known about Pika, for the functions.
#[derive(Clone)]
struct Words {
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl Words {
    fn say(&self, text: &Bilingual) -> Json {
        Json::from(text.get(self.language))
    }

    /// Every defect of the release of `node`.
    fn known_defects(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let defects = self.knowledge.defects.iter().filter(|defect| defect.releases.contains(version));
        Ok(list(defects.map(|defect| json!({"id": defect.id, "title": self.say(&defect.title)})).collect()))
    }

    /// The defects of the release of `node` whose condition holds on it.
    fn exposed_defects(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let mut exposed = Vec::new();
        for defect in self.knowledge.defects.iter().filter(|defect| defect.releases.contains(version)) {
            let Some(condition) = &defect.when else { continue };
            if Self::holds(state, condition, context! { node })? {
                let fixed_in: Vec<String> = defect.fixed_in.iter().map(ToString::to_string).collect();
                exposed.push(json!({
                    "id": defect.id,
                    "state": defect.state,
                    "title": self.say(&defect.title),
                    "effect": self.say(&defect.effect),
                    "matters": self.say(&defect.matters),
                    "workaround": defect.workaround.as_ref().map(|text| self.say(text)),
                    "fixed_in": fixed_in.join(", "),
                }));
            }
        }
        Ok(list(exposed))
    }

    /// The settings of `node` that do not do what they say.
    fn setting_faults(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let mut faults = Vec::new();
        for setting in &self.knowledge.settings {
            for fault in setting.faults.iter().filter(|fault| fault.releases.contains(version)) {
                let value = match fact(state, node, &format!(".config['{}']", setting.name)) {
                    Ok(value) => value,
                    Err(error) if is_not_in_release(&error) => continue,
                    Err(error) => return Err(error),
                };
                let ctx = context! { node, value => value.clone() };
                if Self::holds(state, &fault.condition, ctx.clone())? {
                    // A token in a sentence tells a person nothing.
                    let shown = if setting.secret { "(hidden)".to_owned() } else { value.to_string() };
                    let render =
                        |text: &Bilingual| state.env().render_str(text.get(self.language), ctx.clone());
                    faults.push(json!({
                        "name": setting.name,
                        "value": shown,
                        "kind": fault.kind,
                        "state": fault.state,
                        "found": render(&fault.found)?,
                        "needed": render(&fault.needed)?,
                        "fix": render(&fault.fix)?,
                    }));
                }
            }
        }
        Ok(list(faults))
    }

    /// The releases that a configuration file was looked at for.
    fn releases_of(&self, state: &State<'_, '_>, conf: &Value) -> Result<Vec<Version>, Error> {
        let version = fact(state, conf, ".version")?;
        let version = match version.as_str() {
            Some(text) => Some(text.parse().map_err(|error| refuse(format!("{error}")))?),
            None => None,
        };
        Ok(considered(&self.knowledge, version))
    }

    /// The values in a configuration file that do not do what they say.
    fn value_faults(&self, state: &State<'_, '_>, conf: &Value) -> Result<Value, Error> {
        let settings = fact(state, conf, ".content.settings")?;
        let known = self.releases_of(state, conf)?;
        let keys: HashMap<&str, &ConfigKey> =
            self.knowledge.config_keys.iter().map(|key| (key.name.as_str(), key)).collect();
        let mut faults = Vec::new();
        for setting in settings.try_iter()? {
            let name = setting.get_attr("key")?;
            let Some(key) = name.as_str().and_then(|name| keys.get(name)) else { continue };
            let value = setting.get_attr("value")?;
            let value = value.as_str().unwrap_or_default();
            let releases = releases_in(&setting.get_attr("releases")?)?;
            // A token in a sentence tells a person nothing.
            let shown = if key.secret { "(hidden)" } else { value };
            let number = number_in(value);
            for rule in &key.rules {
                let concerned =
                    |version: &&Version| rule.releases.contains(**version) && releases.contains(**version);
                let concerned: Vec<Version> = known.iter().filter(concerned).copied().collect();
                let Some(concerned) = Releases::of(&concerned, &known) else { continue };
                if !Self::holds(state, &rule.condition, context! { value, number })? {
                    continue;
                }
                let ctx = context! { value => shown, number };
                let render = |text: &Bilingual| state.env().render_str(text.get(self.language), ctx.clone());
                faults.push(json!({
                    "key": key.name,
                    "value": shown,
                    "place": place_of(&setting),
                    "releases": concerned,
                    "kind": rule.kind,
                    "state": rule.state,
                    "found": render(&rule.found)?,
                    "needed": render(&rule.needed)?,
                    "fix": render(&rule.fix)?,
                }));
            }
        }
        Ok(list(faults))
    }

    /// The keys whose absence from a configuration file matters. Where nobody said which release it is for,
    /// only those releases count that know the most of the keys that are there: every release lacks
    /// something that another one wants.
    fn missing_keys(&self, state: &State<'_, '_>, conf: &Value) -> Result<Value, Error> {
        let settings = fact(state, conf, ".content.settings")?;
        let likely = releases_in(&fact(state, conf, ".content.likely")?)?;
        let known = self.releases_of(state, conf)?;
        let mut present: HashMap<String, Vec<Releases>> = HashMap::new();
        for setting in settings.try_iter()? {
            let name = setting.get_attr("key")?.as_str().unwrap_or_default().to_owned();
            present.entry(name).or_default().push(releases_in(&setting.get_attr("releases")?)?);
        }
        let mut faults = Vec::new();
        for key in &self.knowledge.config_keys {
            let is_there = |version: Version| {
                present.get(&key.name).is_some_and(|sets| sets.iter().any(|set| set.contains(version)))
            };
            for rule in &key.missing {
                let concerned = |version: &&Version| {
                    rule.releases.contains(**version) && likely.contains(**version) && !is_there(**version)
                };
                let concerned: Vec<Version> = known.iter().filter(concerned).copied().collect();
                let Some(concerned) = Releases::of(&concerned, &known) else { continue };
                faults.push(json!({
                    "key": key.name,
                    "releases": concerned,
                    "kind": rule.kind,
                    "state": rule.state,
                    "found": self.say(&rule.found),
                    "needed": self.say(&rule.needed),
                    "fix": self.say(&rule.fix),
                }));
            }
        }
        Ok(list(faults))
    }

    /// The states of the link to the master of `node`, in words.
    fn link_states(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let states = fact(state, node, ".replication.master.states")?;
        let (mut words, mut seen) = (Vec::new(), Vec::new());
        for link in states.try_iter()? {
            let text = |key: &str| link.get_attr(key).map(|value| value.as_str().map(str::to_owned));
            let raw = text("raw")?.unwrap_or_default();
            let word = look_up(&self.knowledge, &text("field")?.unwrap_or_default(), &raw, version);
            // 3.5.5 and 4.0 say it twice, in two vocabularies.
            let said = (text("db")?, word.map(|word| word.stage));
            if said.1.is_some() && seen.contains(&said) {
                continue;
            }
            seen.push(said);
            let fix = match word.and_then(|word| word.fix.as_ref()) {
                Some(fix) => Json::from(state.env().render_str(fix.get(self.language), context! { node })?),
                None => Json::Null,
            };
            words.push(json!({
                "db": text("db")?,
                "raw": raw,
                "stage": word.map(|word| word.stage),
                "meaning": word.map(|word| self.say(&word.meaning)),
                "fix": fix,
            }));
        }
        Ok(list(words))
    }

    /// The derived ports of `node`, with what they are for and who must reach them.
    fn port_list(&self, state: &State<'_, '_>, node: &Value) -> Result<Value, Error> {
        let version = version_of(state, node)?;
        let ports = fact(state, node, ".ports")?;
        let mut list_items = Vec::new();
        for port in ports.try_iter()? {
            let offset = port.get_attr("offset")?;
            let rule = self
                .knowledge
                .generations
                .iter()
                .filter(|entry| entry.releases.contains(version))
                .flat_map(|entry| &entry.ports)
                .find(|rule| Value::from(rule.offset) == offset);
            let text = |key: &str| port.get_attr(key).map(|value| value.as_str().map(str::to_owned));
            list_items.push(json!({
                "number": i64::try_from(port.get_attr("number")?).ok(),
                "offset": i64::try_from(offset.clone()).ok(),
                "state": text("state")?,
                "detail": text("detail")?,
                "expected": port.get_attr("expected")?.is_true(),
                "purpose": rule.map(|rule| self.say(&rule.purpose)),
                "dialled_by": rule.map(|rule| self.say(&rule.dialled_by)),
            }));
        }
        Ok(list(list_items))
    }

    /// Whether a condition of the knowledge holds. One that needs a fact which this release does not
    /// have cannot be seen to hold.
    fn holds(state: &State<'_, '_>, condition: &Source, ctx: Value) -> Result<bool, Error> {
        match state.env().compile_expression(&condition.text)?.eval(ctx) {
            Ok(value) => Ok(value.is_true()),
            Err(error) if is_not_in_release(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Reads a fact as an expression would: when it is absent, the reason is raised.
pub(super) fn fact(state: &State<'_, '_>, node: &Value, path: &str) -> Result<Value, Error> {
    state.env().compile_expression(&format!("node{path}"))?.eval(context! { node })
}

/// The release of a server. When it is not known, the reason is raised.
pub(super) fn version_of(state: &State<'_, '_>, node: &Value) -> Result<Version, Error> {
    let version = fact(state, node, ".version")?;
    let text = version.as_str().ok_or_else(|| refuse("the release is not known"))?;
    text.parse().map_err(|error| refuse(format!("{error}")))
}

/// Whether an evaluation ended at a fact that this release does not have.
pub(super) fn is_not_in_release(error: &Error) -> bool {
    missing_of(error).is_some_and(|missing| missing.kind == AbsenceKind::NotInRelease)
}

/// The set of releases that a fact holds.
fn releases_in(value: &Value) -> Result<Releases, Error> {
    let text = value.as_str().ok_or_else(|| refuse("a set of releases is a text"))?;
    text.parse().map_err(|error| refuse(format!("{error}")))
}

/// A list for `for_each`. A name that its items do not have is a mistake and must not read as nothing.
pub(super) fn list(items: Vec<Json>) -> Value {
    example_tree("item", &Json::Array(items), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(expression: &str) -> Result<String, Error> {
        let knowledge = Arc::new(crate::catalog::built_in().knowledge);
        let phrases = Arc::new(Phrases::new(&knowledge.phrases, Language::En));
        let env = environment(&knowledge, &phrases, Language::En);
        env.render_str(
            &format!("{{{{ {expression} }}}}"),
            context! { evil => "a\u{1b}[31mb\nc\u{202e}", none => () },
        )
    }

    #[test]
    fn sizes_and_durations_read_well() {
        for (expression, expected) in [
            ("0|bytes", "0 B"),
            ("1536|bytes", "1.5 KiB"),
            ("104857600|bytes", "100 MiB"),
            ("'1048576'|bytes", "1 MiB"),
            ("0.25|duration", "0.2s"),
            ("59|duration", "59s"),
            ("93784|duration", "1d 2h"),
            ("3600|duration", "1h"),
        ] {
            assert_eq!(eval(expression).unwrap(), expected, "{expression}");
        }
        assert!(eval("'x'|bytes").is_err());
    }

    #[test]
    fn releases_are_compared_by_line() {
        let contains =
            |releases| eval(&format!("1 if '3.0.16' is in_releases('{releases}') else 0")).unwrap();
        assert_eq!(contains("3.1.0-3.4.1"), "0");
        assert_eq!(contains("2.3.3-2.3.8, 3.0.0-3.0.16"), "1");
        assert!(eval("'3.0.16' is in_releases('2.3.3-3.0.5')").is_err(), "a range stays in one line");
    }

    #[test]
    fn what_a_server_says_reaches_neither_terminal_nor_shell() {
        assert_eq!(eval("evil").unwrap(), r"a\u{1b}[31mb\nc\u{202e}");
        assert_eq!(eval("'10.0.0.1; reboot'|shell").unwrap(), "'10.0.0.1; reboot'");
        assert_eq!(eval("'10.0.0.1'|shell").unwrap(), "10.0.0.1");
        assert_eq!(eval("none").unwrap(), "-");
    }

    #[test]
    fn an_endless_expression_ends() {
        assert!(eval("range(100000)|map('abs')|list|length").is_err());
    }
}
