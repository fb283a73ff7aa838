//! Dashboards, and a whole Codis as they and its proxies show it over HTTP.
//!
//! In the lists of this tree a part that could not be had is null, and a text beside it says why: a whole list must
//! not become unknown because one proxy did not answer.

use serde::{Deserialize, Serialize};

use super::super::address::Address;
use super::super::http::HttpFailure;
use super::proxy::Proxy;
use super::topology::{Backend, CodisRelease, Group, Migration, Password, Registered, Slots};
use crate::model::reason::Reason;
use crate::model::release::Version;
use crate::model::unavailable::Unavailable;

/// One Codis: everything of one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Codis {
    /// The name that findings use: the product, or the URL where no product is known.
    pub name: String,
    /// The product's name, as the dashboard or a proxy says it.
    pub product: Option<String>,
    /// Which release it is, by the settings that it has.
    pub release: Option<CodisRelease>,
    /// The release as it calls itself. Pika's own builds call themselves 3.2.2, too.
    pub version: Option<String>,
    /// The URLs that were asked, without passwords.
    pub sources: Vec<Source>,
    /// The dashboards that answered.
    pub dashboards: Vec<Dashboard>,
    /// The dashboard's settings.
    pub settings: Option<DashboardConfig>,
    /// How the slots are spread.
    pub slots: Option<Slots>,
    /// Moving slots: how it is done, and whether it is.
    pub migration: Option<Migration>,
    /// The groups.
    pub groups: Option<Vec<Group>>,
    /// The servers of all groups, group by group; in each the master by position first.
    pub servers: Vec<Backend>,
    /// Pikas of the run that are in no group.
    pub candidates: Vec<Candidate>,
    /// The proxies that the dashboard knows, and those that were named.
    pub proxies: Option<Vec<Proxy>>,
    /// Sentinels that the dashboard has; the fork of Pika has none.
    pub sentinels: Option<Sentinels>,
    /// Names that the dashboard or a proxy was registered under, and where clients and others look for them.
    pub registered: Vec<Registered>,
    /// Whether somebody said that slots will be moved.
    pub before_migration: bool,
    /// Whether a product_auth was given for this run, and is not empty. Null when none was given.
    pub product_auth: Option<bool>,
    /// The most databases that a proxy connects to on each server. Null when no proxy told.
    pub databases: Option<u64>,
    /// The requirepass of the servers that were looked at: which servers have the same one.
    pub passwords: Vec<Password>,
    /// Facts that could not be had.
    #[serde(alias = "errors")]
    pub unavailable: Vec<Unavailable>,
}

/// A Pika of the run that is in no group of the product, and that may be meant to join one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The node.
    pub name: String,
    /// Its address.
    pub address: Address,
    /// Its release.
    pub version: Version,
    /// `instance-mode`, of the releases that have it.
    pub mode: Option<String>,
    /// Whether it has a requirepass. Null where that is not known.
    pub password: Option<bool>,
}

/// What kind of program answered at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A dashboard.
    Dashboard,
    /// A dashboard of Codis 2.0.
    Dashboard2,
    /// The admin port of a proxy.
    Proxy,
    /// codis-fe, which passes requests on to dashboards.
    Fe,
}

/// A URL that was asked, and how that went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The URL, without user and password.
    pub url: String,
    /// Host and port of the URL.
    pub address: Option<Address>,
    /// What answered; null when nothing did, or nothing of Codis.
    pub kind: Option<SourceKind>,
    /// The product that it answered for.
    pub product: Option<String>,
    /// Why there is no answer that could be used.
    pub failure: Option<HttpFailure>,
    /// The same in a sentence; it may repeat what the server sent.
    pub detail: Option<Reason>,
    /// The status, where one came that is not 200.
    pub status: Option<u16>,
    /// Seconds until the answer was complete.
    pub seconds: Option<f64>,
}

/// A dashboard: what it registered as the lock on its product (`/codis3/PRODUCT/topom`) and shows at /topom/model, and
/// what came of asking it.
///
/// The lock is persistent, so it outlives a dashboard that was killed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// A random number of its start: two of them are two dashboards.
    pub token: Option<String>,
    /// Where it can be reached, as it registered itself.
    pub admin_addr: Option<String>,
    /// When it was started, as it says.
    pub start_time: Option<String>,
    /// Its process id.
    pub pid: Option<i64>,
    /// The product that it serves.
    pub product_name: Option<String>,
    /// The URL that it was asked at. Null: only its lock was read.
    pub url: Option<String>,
    /// Whether it is at work. A dashboard that waits for the lock of another is not. Null: only its lock was read.
    pub online: Option<bool>,
    /// Why it is not at work, as it says.
    pub cause: Option<Reason>,
    /// Who answers at the `admin_addr` of a lock. Null: nobody was asked.
    pub answer: Option<DashboardAnswer>,
    /// What was said there instead.
    pub answer_detail: Option<Reason>,
}

/// Settings of a dashboard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DashboardConfig {
    /// `zookeeper`, `etcd` or `filesystem`.
    pub coordinator_name: Option<String>,
    /// Where it is.
    pub coordinator_addr: Option<String>,
    /// Its credential as a token; `""` means that there is none. Null before 3.2.
    pub coordinator_auth: Option<String>,
    /// `admin_addr` as it is written in dashboard.toml.
    pub admin_addr: Option<String>,
    /// `max_slot_num`, of the fork of Pika only.
    pub max_slot_num: Option<u64>,
    /// `sentinel_quorum`.
    pub sentinel_quorum: Option<u64>,
    /// `sentinel_down_after`, as it is written.
    pub sentinel_down_after: Option<String>,
}

/// The sentinels that a dashboard has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sentinels {
    /// Their addresses.
    pub servers: Vec<String>,
    /// Whether the dashboard has yet to tell them about its groups.
    pub out_of_sync: bool,
}

/// Who answers at the address in a dashboard's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DashboardAnswer {
    /// The dashboard that wrote the lock.
    Owner,
    /// A dashboard, and another one than wrote the lock.
    Another,
    /// Something that is no dashboard.
    NoDashboard,
    /// The host is there, and nobody listens.
    Refused,
    /// The name has no address here.
    Unresolved,
    /// It cannot be reached from here; it may be reached from elsewhere.
    Unreached,
}
