//! The files of scenarios, below `src/lab/data/scenarios/`. A file is one scenario, or the same one on several
//! releases: then each release makes a scenario of its own, whose name is that of the file and the release.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::scenario::{LinkPlan, Run, Scenario, ServerPlan};
use crate::model::policy::Parameters;
use crate::model::text::Bilingual;
use crate::parse::document::decode::from_yaml;
use crate::parse::document::error::YamlError;
use crate::parse::nearest::nearest;

/// All files that the program carries: name without `.yaml`, and text, by name.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// Why there is no such scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is no YAML, or has what no scenario has; the error says where.
    #[error("{}", source.in_file(&format!("{file}.yaml")))]
    Malformed {
        /// Its name, without `.yaml`.
        file: String,
        /// What is wrong, and where.
        source: YamlError,
    },
    /// A link between servers of which one is not there.
    #[error("{file}.yaml: a link names the server `{server}`, which is not among the servers")]
    UnknownServer {
        /// The name of the file, without `.yaml`.
        file: String,
        /// What the link names.
        server: String,
    },
    /// A server without a release, in a file without releases.
    #[error("{file}.yaml: the server `{server}` has no release, and the file has no `releases`")]
    NoRelease {
        /// The name of the file, without `.yaml`.
        file: String,
        /// The name of the server.
        server: String,
    },
    /// What differs on a release that is not one of those of the file.
    #[error("{file}.yaml: `by-release` names {release}, which is not among the `releases`")]
    UnknownRelease {
        /// The name of the file, without `.yaml`.
        file: String,
        /// What it names.
        release: String,
    },
    /// A name that no scenario has.
    #[error("there is no scenario `{name}`; did you mean `{nearest}`? `pikadoctor lab list` names them")]
    UnknownName {
        /// The name.
        name: String,
        /// The name of a scenario that resembles it.
        nearest: String,
    },
}

/// What a file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ScenarioFile {
    title: Bilingual,
    /// The releases that it is staged with, oldest first: those of the servers that have none of their own.
    #[serde(default)]
    releases: Vec<String>,
    servers: BTreeMap<String, ServerPlan>,
    #[serde(default)]
    links: Vec<LinkPlan>,
    #[serde(default)]
    run: Run,
    #[serde(default)]
    real: bool,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    expect: Vec<String>,
    /// Which of them is the fault itself, and at most one more.
    #[serde(default)]
    cause: Vec<String>,
    /// Recipes of which a person takes the decisions here: they mend what is around the servers, ports and programs.
    #[serde(default)]
    by_hand: Vec<String>,
    exit: u8,
    /// What is not the same on all releases.
    #[serde(default)]
    by_release: Vec<Difference>,
}

/// What is said for some releases takes the place of what is said for all of them, but for what is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Difference {
    releases: Vec<String>,
    title: Option<Bilingual>,
    servers: Option<BTreeMap<String, ServerPlan>>,
    links: Option<Vec<LinkPlan>>,
    real: Option<bool>,
    exit: Option<u8>,
    cause: Option<Vec<String>>,
    /// What is expected besides.
    #[serde(default)]
    also_expect: Vec<String>,
}

/// Reads a file, `name` without `.yaml`.
pub fn read(name: &str, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let file: ScenarioFile =
        from_yaml(text).map_err(|source| ScenarioError::Malformed { file: name.to_owned(), source })?;
    let named = file.by_release.iter().flat_map(|difference| &difference.releases);
    if let Some(release) = named.into_iter().find(|release| !file.releases.contains(release)) {
        return Err(ScenarioError::UnknownRelease { file: name.to_owned(), release: release.clone() });
    }
    if file.releases.is_empty() {
        return Ok(vec![file.scenario(name, None)?]);
    }
    file.releases.iter().map(|release| file.scenario(name, Some(release))).collect()
}

/// All scenarios that the program carries, by name.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        all.extend(read(name, text)?);
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// One of them by its name.
pub fn named(name: &str) -> Result<Scenario, ScenarioError> {
    // Reading all of them takes ten times as long as reading those that it can be.
    for (file, text) in FILES.iter().filter(|(file, _)| name.starts_with(file)) {
        let mut scenarios = read(file, text)?.into_iter();
        if let Some(found) = scenarios.find(|scenario| scenario.name == name) {
            return Ok(found);
        }
    }
    let all = all()?;
    // Whatever it is: the names are long, and there is no other hint.
    let names = all.iter().map(|known| (&known.name, &known.name));
    let nearest = nearest(name, names, usize::MAX).cloned().unwrap_or_default();
    Err(ScenarioError::UnknownName { name: name.to_owned(), nearest })
}

impl ScenarioFile {
    /// What it says for one of its releases.
    fn scenario(&self, family: &str, release: Option<&String>) -> Result<Scenario, ScenarioError> {
        let mut file = self.clone();
        for difference in
            file.by_release.into_iter().filter(|one| release.is_some_and(|r| one.releases.contains(r)))
        {
            file.title = difference.title.unwrap_or(file.title);
            file.servers = difference.servers.unwrap_or(file.servers);
            file.links = difference.links.unwrap_or(file.links);
            file.real = difference.real.unwrap_or(file.real);
            file.exit = difference.exit.unwrap_or(file.exit);
            file.cause = difference.cause.unwrap_or(file.cause);
            file.expect.extend(difference.also_expect);
        }
        for (name, server) in &mut file.servers {
            if server.release.is_empty() {
                let Some(release) = release else {
                    return Err(ScenarioError::NoRelease { file: family.to_owned(), server: name.clone() });
                };
                server.release = format!("v{release}");
            }
        }
        let ends = file.links.iter().flat_map(|link| [&link.replica, &link.master]);
        if let Some(server) = ends.into_iter().find(|name| !file.servers.contains_key(*name)) {
            return Err(ScenarioError::UnknownServer { file: family.to_owned(), server: server.clone() });
        }
        Ok(Scenario {
            name: release.map_or_else(|| family.to_owned(), |release| format!("{family}-{release}")),
            family: family.to_owned(),
            title: file.title,
            servers: file.servers,
            links: file.links,
            run: file.run,
            real: file.real,
            parameters: file.parameters,
            expect: file.expect,
            cause: file.cause,
            by_hand: file.by_hand,
            exit: file.exit,
        })
    }
}
