//! Reads a tree from the v2 API of etcd. Nothing but GET is sent.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::time::Instant;

use super::tree::{Node, Tree, too_many_nodes};
use super::walk::{CODIS2, ROOTS, descend};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::http::{Client, HttpError, get_json, parse_url};
use crate::collect::secret::Password;
use crate::i18n::reasons;
use crate::model::http::HttpFailure;
use crate::model::limits::{
    MAX_CHILDREN, MAX_ETCD_ANSWER_BYTES, MAX_ETCD_VERSION_BYTES, MAX_NODE_BYTES, MAX_NODES,
};
use crate::model::reach::ReachState;
use crate::model::reason::Reason;

/// `Key not found` in the v2 API.
const KEY_NOT_FOUND: i64 = 100;
/// `The request requires user authentication`.
const NOT_ALLOWED: i64 = 110;

/// A member that is asked.
pub struct Member<'e> {
    client: &'e Client,
    deadlines: &'e Deadlines,
    base: String,
}

/// Why the v2 API gives no tree.
#[derive(Clone, Debug, PartialEq)]
pub enum NoTree {
    /// It is off (3.4, 3.5) or gone (3.6).
    NoV2,
    /// It wants credentials, or refuses those that were given.
    Refused(Reason),
    /// Anything else.
    Broken(HttpError),
}

impl From<NoTree> for Reason {
    fn from(error: NoTree) -> Self {
        match error {
            NoTree::NoV2 => reasons::etcd_v2_off(),
            NoTree::Refused(reason) => reason,
            NoTree::Broken(error) => error.detail,
        }
    }
}

impl<'e> Member<'e> {
    /// The member at `url`, which is asked with `credentials`.
    pub fn new(
        client: &'e Client,
        deadlines: &'e Deadlines,
        url: &str,
        credentials: Option<&Password>,
    ) -> Result<Self, HttpError> {
        let mut url = parse_url(url)?;
        if let Some((user, password)) = credentials.and_then(|given| given.expose().split_once(':')) {
            // Neither can fail on a URL that has a host.
            let _ = url.set_username(user);
            let _ = url.set_password(Some(password));
        }
        Ok(Self { client, deadlines, base: url.as_str().trim_end_matches('/').to_owned() })
    }

    fn until(&self) -> Instant {
        self.deadlines.of(self.deadlines.reply)
    }

    /// The release that the server says it is.
    pub async fn version(&self) -> Result<Option<String>, HttpError> {
        let answer =
            get_json(self.client, &format!("{}/version", self.base), self.until(), MAX_ETCD_VERSION_BYTES)
                .await?;
        let version = answer.json.get("etcdserver").and_then(Value::as_str);
        Ok(version.map(|version| version.chars().take(40).collect()))
    }

    /// Reads everything that Codis keeps.
    pub async fn read_tree(&self, wanted: Option<&str>) -> Result<Tree, NoTree> {
        let mut tree = Tree::default();
        for root in ROOTS {
            // With one product wanted, the names of all are still listed; without, all of them are read at once.
            let recursive = wanted.is_none();
            let Some(node) = self.get(root, recursive).await? else { continue };
            take(&mut tree, root, &node, wanted);
            let Some(wanted) = wanted else { continue };
            let name = if root == CODIS2 { format!("db_{wanted}") } else { wanted.to_owned() };
            let path = format!("{root}/{name}");
            match self.get(&path, true).await? {
                Some(node) => take(&mut tree, &path, &node, Some(wanted)),
                None => tree.forget(&path),
            }
        }
        Ok(tree)
    }

    async fn get(&self, path: &str, recursive: bool) -> Result<Option<Value>, NoTree> {
        let url = format!("{}/v2/keys{path}?recursive={recursive}&sorted=true", self.base);
        let error = match get_json(self.client, &url, self.until(), MAX_ETCD_ANSWER_BYTES).await {
            Ok(answer) => return Ok(answer.json.get("node").cloned()),
            Err(error) => error,
        };
        let code = error.json.as_ref().and_then(|json| json.get("errorCode")).and_then(Value::as_i64);
        match (error.status, code) {
            (_, Some(KEY_NOT_FOUND)) => Ok(None),
            (_, Some(NOT_ALLOWED)) | (Some(401 | 403), _) => Err(NoTree::Refused(error.detail)),
            // Without the v2 API the path itself is unknown, and the answer is no JSON.
            (Some(404), None) => Err(NoTree::NoV2),
            _ => Err(NoTree::Broken(error)),
        }
    }
}

/// How a failure looks as the end of a connection.
pub fn reach_of(error: &HttpError) -> ReachState {
    match error.failure {
        HttpFailure::Unresolved => ReachState::Unresolved,
        HttpFailure::Refused => ReachState::Refused,
        HttpFailure::Filtered => ReachState::Filtered,
        HttpFailure::Unreachable => ReachState::Unreachable,
        HttpFailure::Slow => ReachState::Silent,
        HttpFailure::Closed => ReachState::Closed,
        HttpFailure::BadUrl | HttpFailure::Tls | HttpFailure::Failed => ReachState::Failed,
        _ => ReachState::Answered,
    }
}

/// Takes over the node `json` at `path` and what is below it.
fn take(tree: &mut Tree, path: &str, json: &Value, wanted: Option<&str>) {
    let mut waiting = vec![(path.to_owned(), json)];
    while let Some((path, json)) = waiting.pop() {
        if tree.nodes.len() >= MAX_NODES {
            tree.nodes.insert(path, Node::unknown(too_many_nodes()));
            continue;
        }
        let below = json.get("nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = |node: &Value| Some(node.get("key")?.as_str()?.rsplit_once('/')?.1.to_owned());
        let named: Vec<(String, &Value)> =
            below.iter().filter_map(|node| Some((name(node)?, node))).collect();
        let children: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        // Of a directory that is too large nothing below is looked at, as in ZooKeeper.
        let next = if children.len() > MAX_CHILDREN { Vec::new() } else { descend(&path, &children, wanted) };
        let next: BTreeSet<String> = next.into_iter().collect();
        for (name, node) in named {
            let path = format!("{path}/{name}");
            if next.contains(&path) {
                waiting.push((path, node));
            }
        }
        let children = if children.len() > MAX_CHILDREN {
            Err(tree.too_many(&path, children.len()))
        } else {
            Ok(children)
        };
        let value = json.get("value").and_then(Value::as_str).unwrap_or_default();
        let data = if value.len() > MAX_NODE_BYTES {
            Err(tree.too_large(&path, value.len()))
        } else {
            Ok(value.as_bytes().to_vec())
        };
        let ttl_seconds = json.get("ttl").and_then(Value::as_i64);
        let is_directory = json.get("dir").and_then(Value::as_bool).unwrap_or(false);
        let ephemeral = (!is_directory).then_some(ttl_seconds.is_some());
        tree.nodes.insert(path, Node { children, data, ephemeral, ttl_seconds, acl: None });
    }
}
