//! What answered, and on what terms.

use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// A Pika.
    Pika,
    /// It answers like a Pika but lets nobody in without a password.
    PikaLocked,
    /// It wants a password before it says what it is: a Redis, or a Pika of 3.5.3 and later.
    Locked,
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
    /// Another server that speaks Redis' protocol and names itself (KeyDB, Dragonfly, Kvrocks, …).
    RedisLike,
    /// A sentinel.
    Sentinel,
    /// A Codis proxy.
    CodisProxy,
    /// It speaks Redis' protocol and does not say what it is.
    UnknownRedisProtocol,
    /// An `rsync --daemon`: perhaps a derived port of Pika was named in place of its client port.
    RsyncDaemon,
    /// A web server.
    Http,
    /// A port that expects TLS.
    Tls,
    /// An SSH server.
    Ssh,
    /// Something that sends what is not Redis' protocol.
    Garbage,
}

/// What answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its kind.
    pub kind: ServerKind,
    /// Product and version as it names itself, for example `Redis 7.0.15`.
    pub product: Option<String>,
    /// The line or bytes that gave it away.
    pub evidence: Reason,
}

/// What the password that was given did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AuthOutcome {
    /// No password was given.
    #[default]
    NotGiven,
    /// AUTH answered OK.
    Accepted,
    /// AUTH refused the password.
    Refused,
    /// The server has no password to compare with.
    NoneSet,
    /// AUTH was not answered in one of the known ways.
    Unclear,
}

/// Passwords and rights on this connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// What became of the password.
    pub outcome: AuthOutcome,
    /// The answer to AUTH, as it came.
    pub reply: Option<Reason>,
    /// Whether the server answers INFO on this connection.
    pub admitted: Option<bool>,
    /// The ACL user of this connection (ACL WHOAMI, 3.5.3 and later).
    pub user: Option<String>,
    /// The ACL users that are let in without a password, or with any (ACL LIST, 3.5.3 and later). Their
    /// settings can differ from what CONFIG GET userpass shows: CONFIG SET does not reach them.
    pub open_users: Option<Vec<String>>,
    /// Whether the server's requirepass and the given password are the same. Null when either is
    /// not known.
    pub matches_requirepass: Option<bool>,
    /// Whether the given password and the server's userpass are the same.
    pub matches_userpass: Option<bool>,
}
