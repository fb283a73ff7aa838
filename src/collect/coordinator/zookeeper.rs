//! Reads a tree from ZooKeeper.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::jute::{self, Opened, Request};
use super::tree::{Node, Tree, too_many_nodes};
use super::walk::{ROOTS, asks_for_acl, descend};
use crate::collect::net::connect::ConnectionFailure;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::Password;
use crate::i18n::{io_error, reasons};
use crate::model::limits::{
    MAX_ACL_ENTRIES, MAX_CHILDREN, MAX_NODE_BYTES, MAX_NODES, MAX_ZOOKEEPER_BYTES, MAX_ZOOKEEPER_FRAME_BYTES,
    MAX_ZOOKEEPER_REQUESTS, ZOOKEEPER_SESSION_TIMEOUT,
};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailability;

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nothing came before the deadline.
    Silent,
    /// The other side closed the connection. A member without a majority does so at once.
    Closed,
    /// A member that has no majority serves reading, but gives no session for it.
    NoMajority,
    /// The operating system says no.
    Io(Reason),
    /// It does not speak ZooKeeper's protocol.
    NotZookeeper(Reason),
    /// It refuses the credentials.
    AuthFailed,
    /// It wants credentials of another kind.
    SaslRequired,
    /// More than is ever read.
    TooMuch(usize),
    /// More than is ever read, altogether.
    EnoughRead,
}

impl From<Broken> for Reason {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Silent => reasons::no_answer_in_time_allowed(),
            Broken::Closed => reasons::closes_without_majority(),
            Broken::NoMajority => reasons::not_read_only(),
            Broken::Io(reason) => reason,
            Broken::NotZookeeper(reason) => reasons::not_zookeeper(reason),
            Broken::AuthFailed => reasons::auth_failed(),
            Broken::SaslRequired => reasons::wants_sasl(),
            Broken::TooMuch(bytes) => reasons::answer_above_limit(bytes, MAX_ZOOKEEPER_FRAME_BYTES),
            Broken::EnoughRead => reasons::bytes_read_limit(MAX_ZOOKEEPER_BYTES),
        }
    }
}

/// A session. It ends with the value.
pub struct Session<'d> {
    stream: TcpStream,
    deadlines: &'d Deadlines,
    xid: i32,
    bytes: usize,
    /// Whether the member serves only reading.
    pub read_only: bool,
    credentials: bool,
}

/// One answer.
struct Reply {
    error: i32,
    body: Vec<u8>,
}

impl<'d> Session<'d> {
    /// Opens a session on a connection.
    pub async fn open(
        stream: TcpStream,
        deadlines: &'d Deadlines,
        credentials: Option<&Password>,
    ) -> Result<Self, Broken> {
        let mut session = Self {
            stream,
            deadlines,
            xid: 0,
            bytes: 0,
            read_only: false,
            credentials: credentials.is_some(),
        };
        let until = deadlines.of(deadlines.reply);
        let session_ms = i32::try_from(ZOOKEEPER_SESSION_TIMEOUT.as_millis()).unwrap_or(i32::MAX);
        session.send(&jute::connect(session_ms), until).await?;
        let frame = session.frame(until).await.map_err(|error| match error {
            // Something else has answered, and what it said was taken for a length.
            Broken::TooMuch(_) => Broken::NotZookeeper(reasons::answer_without_length()),
            other => other,
        })?;
        let Opened { accepted, read_only } =
            jute::opened(&frame).map_err(|error| Broken::NotZookeeper(error.0))?;
        if !accepted && read_only {
            return Err(Broken::NoMajority);
        }
        if !accepted {
            return Err(Broken::NotZookeeper(reasons::no_session()));
        }
        session.read_only = read_only;
        if let Some(credentials) = credentials {
            session.send(&jute::authenticate(credentials.expose()), until).await?;
            let reply = session.reply(jute::XID_AUTH, until).await?;
            if reply.error != 0 {
                return Err(Broken::AuthFailed);
            }
        }
        Ok(session)
    }

    /// Reads everything that Codis keeps below `chroot`. What could not be read is a gap in the tree.
    pub async fn read_tree(&mut self, chroot: &str, wanted: Option<&str>) -> (Tree, Option<Broken>) {
        let mut tree = Tree::default();
        let mut level: Vec<String> = ROOTS.iter().map(|root| (*root).to_owned()).collect();
        while !level.is_empty() {
            let room = MAX_NODES.saturating_sub(tree.nodes.len());
            for path in level.drain(room.min(level.len())..) {
                tree.nodes.insert(path, Node::unknown(too_many_nodes()));
            }
            for path in &level {
                tree.nodes.insert(path.clone(), Node::unread());
            }
            let mut next = Vec::new();
            for paths in level.chunks(MAX_ZOOKEEPER_REQUESTS) {
                let visited = self.visit(&mut tree, chroot, paths).await;
                if let Err(broken) = visited {
                    let gap = Unavailability::failed(broken.clone());
                    for node in tree.nodes.values_mut() {
                        let unread = Node::unread();
                        if node.data == unread.data {
                            node.data = Err(gap.clone());
                        }
                        if node.children == unread.children {
                            node.children = Err(gap.clone());
                        }
                    }
                    return (tree, Some(broken));
                }
            }
            for path in &level {
                if let Some(Node { children: Ok(children), .. }) = tree.nodes.get(path) {
                    next.extend(descend(path, children, wanted));
                }
            }
            level = next;
        }
        (tree, None)
    }

    /// Ends the session, so that the server need not wait for it.
    pub async fn close(mut self) {
        let until = self.deadlines.of(self.deadlines.reply);
        let _ = self.batch(&[Request::Close], until).await;
    }

    async fn visit(&mut self, tree: &mut Tree, chroot: &str, paths: &[String]) -> Result<(), Broken> {
        let until = self.deadlines.of(self.deadlines.reply);
        let full: Vec<String> = paths.iter().map(|path| format!("{chroot}{path}")).collect();
        let mut requests: Vec<Request<'_>> = full.iter().map(|path| Request::Data(path)).collect();
        let asked: Vec<usize> = (0..paths.len()).filter(|index| asks_for_acl(&paths[*index])).collect();
        requests.extend(asked.iter().map(|index| Request::Acl(&full[*index])));
        let mut replies = self.batch(&requests, until).await?.into_iter();
        let wrong = |error: jute::Malformed| Broken::NotZookeeper(error.0);
        let mut parents = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            let Some(reply) = replies.next() else { break };
            if reply.error == jute::ERR_NO_NODE {
                tree.forget(path);
                continue;
            }
            if let Some(gap) = self.gap(&reply) {
                if let Some(node) = tree.nodes.get_mut(path) {
                    (node.data, node.children) = (Err(gap.clone()), Err(gap));
                }
                continue;
            }
            let content = jute::content(&reply.body).map_err(wrong)?;
            let data = if content.data.len() > MAX_NODE_BYTES {
                Err(tree.too_large(path, content.data.len()))
            } else {
                Ok(content.data)
            };
            let children = match content.children {
                0 => Ok(Vec::new()),
                count if count > MAX_CHILDREN => Err(tree.too_many(path, count)),
                _ => {
                    parents.push(index);
                    Node::unread().children
                }
            };
            let Some(node) = tree.nodes.get_mut(path) else { continue };
            (node.data, node.children, node.ephemeral) = (data, children, Some(content.ephemeral));
        }
        for (index, reply) in asked.iter().zip(replies) {
            // Without the right to see the list there is nothing to say about it.
            if reply.error == 0
                && let Some(node) = tree.nodes.get_mut(&paths[*index])
            {
                node.acl = Some(jute::acl(&reply.body, MAX_ACL_ENTRIES).map_err(wrong)?);
            }
        }
        let requests: Vec<Request<'_>> =
            parents.iter().map(|index| Request::Children(&full[*index])).collect();
        let replies = self.batch(&requests, until).await?;
        for (index, reply) in parents.iter().zip(replies) {
            let path = &paths[*index];
            if reply.error == jute::ERR_NO_NODE {
                tree.forget(path);
                continue;
            }
            let children = match self.gap(&reply) {
                Some(gap) => Err(gap),
                // It may have grown since its state was read.
                None => Ok(jute::children(&reply.body, 2 * MAX_CHILDREN).map_err(wrong)?),
            };
            if let Some(node) = tree.nodes.get_mut(path) {
                node.children = children;
            }
        }
        Ok(())
    }

    fn gap(&self, reply: &Reply) -> Option<Unavailability> {
        match reply.error {
            0 => None,
            jute::ERR_NO_AUTH if self.credentials => {
                Some(Unavailability::failed(reasons::no_auth_with_credentials()))
            }
            jute::ERR_NO_AUTH => Some(Unavailability::no_access(reasons::no_auth_without_credentials(
                "PIKADOCTOR_ZOOKEEPER_AUTH",
            ))),
            error => Some(Unavailability::failed(reasons::zookeeper_error(error.to_string()))),
        }
    }

    /// Sends `requests` together and reads their answers, which come in the same order.
    async fn batch(&mut self, requests: &[Request<'_>], until: Instant) -> Result<Vec<Reply>, Broken> {
        let first = self.xid + 1;
        let mut bytes = Vec::new();
        for request in requests {
            self.xid += 1;
            bytes.extend(request.encode(self.xid));
        }
        self.send(&bytes, until).await?;
        let mut replies = Vec::with_capacity(requests.len());
        for xid in first..=self.xid {
            replies.push(self.reply(xid, until).await?);
        }
        Ok(replies)
    }

    async fn reply(&mut self, xid: i32, until: Instant) -> Result<Reply, Broken> {
        loop {
            let frame = self.frame(until).await?;
            let (header, body) = jute::header(&frame).map_err(|error| Broken::NotZookeeper(error.0))?;
            match header.error {
                jute::ERR_AUTH_FAILED => return Err(Broken::AuthFailed),
                jute::ERR_SASL_REQUIRED => return Err(Broken::SaslRequired),
                _ => {}
            }
            if header.xid == xid {
                return Ok(Reply { error: header.error, body: body.to_vec() });
            }
            if !matches!(header.xid, jute::XID_EVENT | jute::XID_PING) {
                let other = reasons::answer_to_other_request(header.xid.to_string(), xid.to_string());
                return Err(Broken::NotZookeeper(other));
            }
        }
    }

    async fn send(&mut self, bytes: &[u8], until: Instant) -> Result<(), Broken> {
        match timeout_at(until, self.stream.write_all(bytes)).await {
            Ok(result) => result.map_err(|error| broken(&error)),
            Err(_) => Err(Broken::Silent),
        }
    }

    /// One answer. Memory grows with what has come, not with what was announced.
    async fn frame(&mut self, until: Instant) -> Result<Vec<u8>, Broken> {
        let mut length = [0; 4];
        let read = timeout_at(until, self.stream.read_exact(&mut length)).await;
        read.map_err(|_| Broken::Silent)?.map_err(|error| broken(&error))?;
        let length = usize::try_from(i32::from_be_bytes(length))
            .map_err(|_| Broken::NotZookeeper(reasons::length_negative()))?;
        if length > MAX_ZOOKEEPER_FRAME_BYTES {
            return Err(Broken::TooMuch(length));
        }
        self.bytes += length;
        if self.bytes > MAX_ZOOKEEPER_BYTES {
            return Err(Broken::EnoughRead);
        }
        let mut frame = Vec::new();
        let mut rest = (&mut self.stream).take(length as u64);
        let read = timeout_at(until, rest.read_to_end(&mut frame)).await;
        read.map_err(|_| Broken::Silent)?.map_err(|error| broken(&error))?;
        if frame.len() < length { Err(Broken::Closed) } else { Ok(frame) }
    }
}

fn broken(error: &std::io::Error) -> Broken {
    match ConnectionFailure::from(error) {
        ConnectionFailure::Closed => Broken::Closed,
        _ => Broken::Io(io_error(error)),
    }
}
