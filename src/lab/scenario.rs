//! Scenarios: servers, links and faults, and what must be found. Files below `tests/scenarios/`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::text::Bilingual;

/// All scenarios that the program carries: name and text, by name.
pub const SCENARIOS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub title: Bilingual,
    /// The servers, by name.
    pub servers: BTreeMap<String, ServerPlan>,
    /// The links between them that are looked at.
    #[serde(default)]
    pub links: Vec<LinkPlan>,
    /// What is asked.
    #[serde(default)]
    pub run: Run,
    /// `state check target` of every finding that is not ok, skipped or not applicable.
    #[serde(default)]
    pub expect: Vec<String>,
    /// The exit code.
    pub exit: u8,
}

/// Which command is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// `check`, with a canary on each link.
    #[default]
    Check,
    /// `forecast`: the links are not made.
    Forecast,
}

/// One server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerPlan {
    /// The tag of the release.
    pub release: String,
    /// Its place in the network of the scenario; by default the next one.
    #[serde(default)]
    pub host: Option<u8>,
    /// Its port; 9221 by default.
    #[serde(default)]
    pub port: Option<u16>,
    /// Settings that are not the stock ones and no fault.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// How many keys it has.
    #[serde(default)]
    pub keys: u32,
    /// The password that the tool is given for it.
    #[serde(default)]
    pub password: Option<String>,
    /// What is wrong with it.
    #[serde(default)]
    pub faults: Vec<ServerFault>,
}

/// What can be wrong with a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFault {
    /// Settings that should be others.
    Set(BTreeMap<String, String>),
    /// Another release than it should be.
    Release(String),
    /// Derived ports, by their distance from the client port.
    Ports(BTreeMap<u16, PortFault>),
    /// Lines of INFO that say something else.
    Says(BTreeMap<String, String>),
    /// It does not run.
    Down,
    /// Another program has its port.
    Taken,
    /// It takes connections and says nothing.
    Mute,
}

/// What can be wrong with a derived port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortFault {
    /// Nobody listens.
    Closed,
    /// A packet filter drops everything.
    Filtered,
    /// Another program listens.
    Taken,
}

/// One link.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkPlan {
    /// The replica, or one half.
    pub replica: String,
    /// The master, or the other half.
    pub master: String,
    /// `replica` by default.
    #[serde(default)]
    pub mode: Mode,
    /// Whether `slaveof` was sent; by default it was, but not for a forecast.
    #[serde(default)]
    pub joined: Option<bool>,
    /// Whether it was sent with `force`.
    #[serde(default)]
    pub force: bool,
    /// The host that `slaveof` named, if it was not the master's address.
    #[serde(default)]
    pub named: Option<String>,
    /// What is wrong with it.
    #[serde(default)]
    pub faults: Vec<LinkFault>,
}

/// What a link is meant to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One follows the other.
    #[default]
    Replica,
    /// Each follows the other.
    DoubleMaster,
}

/// What can be wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFault {
    /// Everything is green and nothing arrives.
    Silent,
    /// Everything is green, the old data is there, and nothing new arrives, as after a clash of session ids.
    Stale,
    /// New writes arrive, the old data is not there.
    Hollow,
    /// Records arrive, and the keys are not to be read.
    Lost,
    /// Records arrive so many milliseconds later.
    Late(u64),
    /// Another value arrives.
    WrongValue,
    /// Deletions do not take effect.
    KeepsDeleted,
    /// A list has fewer elements on the replica.
    Shorter,
    /// A full copy is on its way, or hangs: a reading does not tell them apart.
    FullSync,
    /// The replica has so many bytes more than its master.
    Ahead(u64),
    /// The replica is so many bytes behind and stands still.
    Behind(u64),
    /// The master still lists an older connection.
    AlreadyListed,
    /// The half of a double master has given up.
    GivenUp,
    /// The replica's question is never answered.
    Unheard,
    /// A derived port is dropped on its way between the two.
    Blocked(u16),
}

/// Reads a scenario; the error has the place.
pub fn read(file: &str, text: &str) -> Result<Scenario, String> {
    let scenario: Scenario = serde_yaml::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    for link in &scenario.links {
        for name in [&link.replica, &link.master] {
            if !scenario.servers.contains_key(name) {
                return Err(format!(
                    "{file}: a link names the server `{name}`, which is not among the servers"
                ));
            }
        }
    }
    Ok(scenario)
}

/// An embedded scenario by its name.
pub fn named(name: &str) -> Result<Scenario, String> {
    let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
        let nearest = SCENARIOS.iter().min_by_key(|(known, _)| strsim::damerau_levenshtein(known, name));
        let hint = nearest.map(|(known, _)| format!("; did you mean `{known}`?")).unwrap_or_default();
        return Err(format!("there is no scenario `{name}`{hint} `pikadoctor lab list` names them"));
    };
    read(&format!("{name}.yaml"), text)
}

impl ServerPlan {
    /// The release that it has, with its faults.
    pub fn played_release(&self) -> &str {
        let mut releases = self.faults.iter().filter_map(|fault| match fault {
            ServerFault::Release(release) => Some(release),
            _ => None,
        });
        releases.next_back().unwrap_or(&self.release)
    }
}

impl Scenario {
    /// The number of its faults.
    pub fn faults(&self) -> usize {
        let of_servers: usize = self.servers.values().map(|server| server.faults.len()).sum();
        of_servers + self.links.iter().map(|link| link.faults.len()).sum::<usize>()
    }

    /// The same scenario with one of its faults switched off.
    #[must_use]
    pub fn without_fault(&self, which: usize) -> Self {
        let mut less = self.clone();
        let mut index = which;
        for server in less.servers.values_mut() {
            if index < server.faults.len() {
                server.faults.remove(index);
                return less;
            }
            index -= server.faults.len();
        }
        for link in &mut less.links {
            if index < link.faults.len() {
                link.faults.remove(index);
                return less;
            }
            index -= link.faults.len();
        }
        less
    }
}
