//! Proxies: as they registered with the dashboard, as they announce themselves to clients, as they describe themselves.

use serde::{Deserialize, Serialize};

use super::topology::SlotSet;
use crate::model::reason::Reason;

/// A proxy: what it registered with the dashboard and shows at /proxy/model, and what came of asking it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The name that findings use: where clients reach it.
    pub name: String,
    /// Its number, which the dashboard gave it.
    pub id: Option<i64>,
    /// A random number of its start.
    pub token: Option<String>,
    /// Where clients reach it, as it registered it.
    pub proxy_addr: Option<String>,
    /// Where the dashboard reaches it, as it registered it.
    pub admin_addr: Option<String>,
    /// The name of its host.
    pub hostname: Option<String>,
    /// The product that it was started for.
    pub product_name: Option<String>,
    /// Where clients find it; null when it registers nowhere (`jodis_name` is empty).
    pub jodis_path: Option<String>,
    /// The directory of that path: what a client library calls zkProxyDir.
    pub jodis_dir: Option<String>,
    /// Whether the dashboard knows it.
    pub known: bool,
    /// Whether it serves clients, as the dashboard heard it. Null, too, where no dashboard was asked.
    pub online: Option<bool>,
    /// Why the dashboard heard nothing.
    pub stats_error: Option<Reason>,
    /// Its own settings; null when `config_error` says why, and where it was not asked for.
    pub settings: Option<ProxyConfig>,
    /// The slots as it has them.
    pub slots: Option<ProxySlots>,
    /// Why it was not asked, or did not answer.
    pub config_error: Option<Reason>,
    /// Whether its host refuses connections to its admin_addr: it does not run. Null where it was not dialled, or
    /// where the answer says neither. Of what a coordinator holds only.
    pub refuses: Option<bool>,
    /// Whether the product_auth that was given is its own; null when none was given, or it was not asked.
    pub auth: Option<ProxyAuth>,
}

/// What a proxy says to a product_auth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyAuth {
    /// Whether it is its own. Null when the answer says neither.
    pub accepted: Option<bool>,
    /// What it answered, where it is not OK.
    pub detail: Option<Reason>,
}

/// Settings of a proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// `product_name`.
    pub product: Option<String>,
    /// `backend_number_databases`; null before 3.2, where every connection is to database 0.
    pub databases: Option<u64>,
    /// `backend_primary_only`.
    pub primary_only: Option<bool>,
    /// `max_slot_num`, of the fork of Pika only.
    pub max_slot_num: Option<u64>,
    /// `jodis_name`.
    pub jodis_name: Option<String>,
    /// `jodis_addr`.
    pub jodis_addr: Option<String>,
    /// `jodis_auth` as a token; `""` means that there is none.
    pub jodis_auth: Option<String>,
    /// `jodis_compatible`.
    pub jodis_compatible: Option<bool>,
}

/// The slots as a proxy has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxySlots {
    /// How many it has.
    pub total: u64,
    /// Slots without an action whose server is not the one that the dashboard means: the master by position of their
    /// group. Empty where no dashboard answered.
    pub differing: SlotSet,
    /// An example: `slot 5: 10.0.0.1:9221, not 10.0.0.2:9221`.
    pub example: Option<Reason>,
    /// Slots whose clients wait.
    pub locked: SlotSet,
    /// Slots that are read from replicas.
    pub read_from_replicas: SlotSet,
}

/// The shape of a path below which proxies announce themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JodisFlavour {
    /// `/jodis/PRODUCT/proxy-TOKEN`: Codis 3.1 and later.
    Jodis,
    /// `/zk/codis/db_PRODUCT/proxy/TOKEN`: `jodis_compatible`, and always Codis 3.0.
    Compatible,
    /// `/zk/codis/db_PRODUCT/proxy/ID`: Codis 2.0.
    Codis2,
}

/// A proxy as it announces itself to clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JodisEntry {
    /// Where it stands.
    pub path: String,
    /// The shape of its path.
    pub flavour: JodisFlavour,
    /// The token of the proxy, or in 2.0 its id.
    pub token: String,
    /// Where clients reach it.
    pub addr: Option<String>,
    /// Where it is administered; 3.1 and later.
    pub admin: Option<String>,
    /// `online`, or in 2.0 `offline` or `mark_offline`. Clients take those that are online.
    pub state: Option<String>,
    /// Whether it goes away with its proxy. Null where the coordinator does not tell.
    pub ephemeral: Option<bool>,
    /// Seconds until it goes away unless it is renewed: etcd.
    pub ttl_seconds: Option<i64>,
}

/// Where one proxy is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProxyPresence {
    /// Its token.
    pub token: String,
    /// Where clients reach it.
    pub addr: Option<String>,
    /// Whether it announces itself at all.
    pub announces: bool,
    /// Whether the dashboard's tree in the coordinator has it.
    pub registered: bool,
    /// Whether the dashboard itself has it, which keeps everything in memory. Null unless a dashboard of this product
    /// was looked at in the same run, and is at work.
    pub in_dashboard: Option<bool>,
    /// Whether it is announced to clients.
    pub announced: bool,
    /// Whether the two name the same address for clients. Null unless both have it.
    pub same_addr: Option<bool>,
    /// Whether nobody listens at its admin_addr. Null where that is not known.
    pub refuses: Option<bool>,
}
