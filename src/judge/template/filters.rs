//! The filters and tests that check expressions have beside those of Jinja, and how a value is printed.

use minijinja::Error;
use minijinja::value::Value;

use super::value::{number, refuse};
use crate::i18n::texts;
use crate::model::knowledge::Knowledge;
use crate::model::release::{Releases, Version};
use crate::model::text::{Language, escape_control};

/// A value in a text. Control characters are escaped: they come from servers, and would otherwise
/// reach the terminal. `none` is a dash.
pub fn printable(value: &Value) -> String {
    if value.is_none() {
        return "-".into();
    }
    // A text of the check file itself, whose values were escaped when it was put together.
    if value.is_safe() {
        return value.to_string();
    }
    escape_control(&value.to_string())
}

/// `version is in_releases('2.3.3-2.3.8, 3.0.0-3.0.5')`
pub fn in_releases(version: Value, releases: String) -> Result<bool, Error> {
    let text = version.as_str().ok_or_else(|| refuse("in_releases looks at a version"))?;
    let version: Version = text.parse().map_err(|error| refuse(format!("{error}")))?;
    let releases: Releases = releases.parse().map_err(|error| refuse(format!("{error}")))?;
    Ok(releases.contains(version))
}

/// `1536|bytes` is `1.5 KiB`.
pub fn bytes(value: Value) -> Result<String, Error> {
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
pub fn duration(value: Value) -> Result<String, Error> {
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

/// A value in a command line: a server's answer must not become a command of its own.
pub fn shell(value: Value) -> Result<String, Error> {
    let text = escape_control(&value.to_string());
    // In a text that mends something every value is quoted already.
    if let Some([word]) = shlex::split(&text).as_deref()
        && shlex::try_quote(word).is_ok_and(|quoted| quoted == text)
    {
        return Ok(text);
    }
    shlex::try_quote(&text).map(std::borrow::Cow::into_owned).map_err(|error| refuse(error.to_string()))
}

/// `position is beyond(other)`: whether the binlog goes on after the other position.
pub fn beyond(position: Value, other: Value) -> Result<bool, Error> {
    let of = |position: &Value| {
        let number = |name: &str| number(&position.get_attr(name)?);
        Ok::<_, Error>((number("file")?, number("offset")?))
    };
    Ok(of(&position)? > of(&other)?)
}

/// `names|listed`: an enumeration in the language of the report.
pub fn listed(items: &Value, language: Language) -> Result<Value, Error> {
    let items: Vec<String> = items.try_iter()?.map(|item| printable(&item)).collect();
    Ok(Value::from_safe_string(items.join(texts::ENUMERATION.get(language))))
}

/// `version is in_era('slots')`
pub fn in_era(knowledge: &Knowledge, version: &Value, name: &str) -> Result<bool, Error> {
    let text = version.as_str().ok_or_else(|| refuse("in_era looks at a version"))?;
    let version: Version = text.parse().map_err(|error| refuse(format!("{error}")))?;
    let era = knowledge.eras.iter().find(|era| era.name == name);
    let era = era.ok_or_else(|| refuse(format!("there is no era `{name}`")))?;
    Ok(era.releases.contains(version))
}
