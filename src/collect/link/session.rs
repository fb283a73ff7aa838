//! A conversation with one server of a link, beyond the examination of a node.

use redis::Value;

use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::pika::gate::{CommandBatch, CommandForm, Gate};
use crate::collect::pika::resp::{Broken, Connection, Reply};
use crate::collect::secret::Password;
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::knowledge::CommandRule;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::release::Version;

/// A server of a link, and how it is let in.
#[derive(Clone, Copy)]
pub struct Party<'a> {
    /// What was seen of it.
    pub node: &'a Node,
    /// Its password, if there is one.
    pub password: Option<&'a Password>,
}

/// Why something was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The gate did not let it out, for this reason.
    NotSent(Reason),
    /// The connection is of no further use.
    Broken(Reason),
}

impl Trouble {
    /// The reason.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::NotSent(reason) | Self::Broken(reason) => reason,
        }
    }
}

impl From<Trouble> for Reason {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotSent(reason) | Trouble::Broken(reason) => reason,
        }
    }
}

/// An open connection to a server whose release is known.
pub struct Session<'a> {
    connection: Connection,
    gate: Gate<'a>,
    deadlines: Deadlines,
}

impl<'a> Session<'a> {
    /// Connects and authenticates. The address is the very one that was examined, not its name.
    pub async fn open(
        party: Party<'_>,
        rules: &'a [CommandRule],
        deadlines: &Deadlines,
        canaries: bool,
    ) -> Result<Self, Trouble> {
        let node = party.node;
        let peer = node.reach.peer.as_deref().and_then(|peer| peer.parse::<std::net::SocketAddr>().ok());
        let address = peer.map_or_else(
            || node.address.clone(),
            |peer| Address { host: peer.ip().to_string(), port: peer.port() },
        );
        let (reach, stream) = dial(&address, deadlines).await;
        let Some(stream) = stream else {
            let detail = reach.detail.unwrap_or_else(reasons::not_reached);
            return Err(Trouble::Broken(reasons::second_connection(&node.name, detail)));
        };
        let mut gate = Gate::new(rules);
        gate.settle(node.version, false);
        if canaries {
            gate.allow_canaries();
        }
        let mut session = Self { connection: Connection::new(stream), gate, deadlines: *deadlines };
        if let Some(password) = party.password {
            // What it answers was judged when the node was examined.
            session.ask(&[&["auth", password.expose()]]).await?;
        }
        Ok(session)
    }

    /// Sends all commands in one write, and returns one reply for each.
    pub async fn ask(&mut self, commands: &[&[&str]]) -> Result<Vec<Reply>, Trouble> {
        let mut permits = Vec::with_capacity(commands.len());
        for words in commands {
            match self.gate.permit(words) {
                Ok(permit) => permits.push(permit),
                Err(refusal) => return Err(Trouble::NotSent(refusal.not_sent.reason)),
            }
        }
        let deadline = self.deadlines.of(self.deadlines.reply);
        let (replies, broken) = self.connection.exchange(&permits, deadline).await;
        match broken {
            Some(broken) if replies.len() < commands.len() => Err(Trouble::Broken(broken.into())),
            _ => Ok(replies),
        }
    }

    /// Sends one command.
    pub async fn ask_one(&mut self, words: &[&str]) -> Result<Reply, Trouble> {
        let replies = self.ask(&[words]).await?;
        replies.into_iter().next().ok_or_else(|| Trouble::Broken(Broken::Closed.into()))
    }

    /// The command of a rule for any arguments, or why it is not sent to this release.
    pub fn form(&self, pattern: &str) -> Result<CommandForm, Trouble> {
        self.gate.permit_form(pattern).map_err(|refusal| Trouble::NotSent(refusal.not_sent.reason))
    }

    /// Sends a batch, and returns one answer for each command, byte by byte.
    pub async fn ask_values(&mut self, batch: &CommandBatch) -> Result<Vec<Value>, Trouble> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = self.deadlines.of(self.deadlines.reply);
        let values = self.connection.exchange_values(batch, deadline).await;
        values.map_err(|broken| Trouble::Broken(broken.into()))
    }

    /// The release that it is asked as.
    pub fn release(&self) -> Option<Version> {
        self.gate.release()
    }

    /// Whether the time of the run is over.
    pub fn is_over(&self) -> bool {
        self.deadlines.is_over()
    }

    /// Whether a command may be sent to this release.
    pub fn may(&self, words: &[&str]) -> bool {
        self.gate.permit(words).is_ok()
    }
}
