//! Scenarios: servers, links and faults, and what must be found.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::fault::{LinkFault, ServerFault};
use crate::model::check::{Check, Target};
use crate::model::policy::Parameters;
use crate::model::text::Bilingual;

/// One scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, which ends with the release where its family has several.
    pub name: String,
    /// The name that it shares with the same scenario on other releases.
    pub family: String,
    /// What it shows.
    pub title: Bilingual,
    /// The servers, by name.
    pub servers: BTreeMap<String, ServerPlan>,
    /// The links between them that are looked at.
    pub links: Vec<LinkPlan>,
    /// What is asked.
    pub run: Run,
    /// Whether it is staged on real servers, too, where there are any.
    pub real: bool,
    /// Parameters of checks, by check, as a plan would set them.
    pub parameters: Parameters,
    /// `state check target` of every finding that is not ok, skipped or not applicable. `unknown node/*
    /// NAME` stands for all checks of that server that are not named otherwise: nothing is known of it.
    pub expect: Vec<String>,
    /// Those of them that are the fault itself, `state check target`: what a report names first, and at most one
    /// more. The others follow from them. Empty where nothing is wrong.
    pub cause: Vec<String>,
    /// Recipes of which a person takes the decisions here: they mend what is around the servers.
    pub by_hand: Vec<String>,
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
    #[serde(default)]
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
    /// What must be found, and nothing else, where `checks` are all that are run.
    pub fn expected(&self, checks: &[Check]) -> BTreeSet<String> {
        const REST: &str = "unknown node/* ";
        let (rest, named): (Vec<_>, Vec<_>) = self.expect.iter().partition(|line| line.starts_with(REST));
        let mut all: BTreeSet<String> = named.iter().map(|line| (*line).clone()).collect();
        for server in rest.iter().map(|line| &line[REST.len()..]) {
            let of_servers = checks.iter().filter(|check| check.target == Target::Node);
            // That it was reached is known.
            for id in of_servers.map(|check| &check.id).filter(|id| *id != "node/reachable") {
                if !named.iter().any(|line| line.ends_with(&format!(" {id} {server}"))) {
                    all.insert(format!("unknown {id} {server}"));
                }
            }
        }
        all
    }

    /// The ids of the checks that name the fault itself.
    pub fn causes(&self) -> Vec<String> {
        self.cause.iter().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect()
    }

    /// The number of its faults.
    pub fn faults(&self) -> usize {
        let of_servers: usize = self.servers.values().map(|server| server.faults.len()).sum();
        of_servers + self.links.iter().map(|link| link.faults.len()).sum::<usize>()
    }

    /// Whether something in it changes by itself while one looks.
    pub fn changes_by_itself(&self) -> bool {
        let ends = |fault: &LinkFault| matches!(fault, LinkFault::FullSyncFor(_));
        self.links.iter().flat_map(|link| &link.faults).any(ends)
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
