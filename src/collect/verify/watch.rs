//! Watches the servers of one side on connections of their own: how quickly they answer, where their binlogs are, and
//! whether they are still the ones that they were.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::catalog::era;
use crate::collect::link::{Session, Trouble, binlog_positions};
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::limits::VERIFY_PING_INTERVAL;
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::replication::BinlogPosition;
use crate::parse::info::{field, replication, sections};

/// How many measurements wait for being looked at.
const KEPT: usize = 20;

/// The servers of one side.
pub struct Watch<'a> {
    servers: Vec<(Session<'a>, ServerSelf)>,
}

/// What must not change while a server is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerSelf {
    release: String,
    process: String,
    role: String,
}

impl<'a> Watch<'a> {
    /// Begins to watch.
    pub async fn new(sessions: Vec<Session<'a>>) -> Result<Self, Trouble> {
        let mut servers = Vec::with_capacity(sessions.len());
        for mut session in sessions {
            let now = itself(&mut session).await?;
            servers.push((session, now));
        }
        Ok(Self { servers })
    }

    /// Whether the time of the run is over.
    pub fn is_over(&self) -> bool {
        self.servers.first().is_some_and(|(session, _)| session.is_over())
    }

    /// Where the binlogs of the first server are.
    pub async fn positions(&mut self) -> Result<Vec<BinlogPosition>, Reason> {
        let Some((session, _)) = self.servers.first_mut() else { return Ok(Vec::new()) };
        Ok(binlog_positions(session).await?)
    }

    /// Says so where a server is no longer the one that it was: what was compared before and what comes now would not be
    /// of one server.
    pub async fn check(&mut self) -> Result<(), Reason> {
        for (session, before) in &mut self.servers {
            let now = itself(session).await?;
            if now.release != before.release {
                return Err(reasons::verify_release_changed(&before.release, &now.release));
            }
            if now.process != before.process {
                return Err(reasons::verify_process_changed());
            }
            if now.role != before.role {
                return Err(reasons::verify_role_changed(&before.role, &now.role));
            }
        }
        Ok(())
    }
}

/// Asks all servers of a run for a PING again and again, whatever else is going on, as a client would find them.
pub struct Pinger<'a> {
    sessions: Vec<Session<'a>>,
}

/// What the servers took to answer, in microseconds, since somebody last looked.
pub type PingLog = Rc<RefCell<Vec<Vec<u64>>>>;

impl<'a> Pinger<'a> {
    /// On these connections, in the order of the servers.
    pub fn new(sessions: Vec<Session<'a>>) -> Self {
        Self { sessions }
    }

    /// How long each server takes to answer, in microseconds.
    pub async fn ping(&mut self) -> Result<Vec<u64>, Reason> {
        let pings = self.sessions.iter_mut().map(|session| async move {
            let asked = Instant::now();
            session.ask_one(&["ping"]).await?;
            Ok::<u64, Trouble>(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX))
        });
        join_all(pings).await.into_iter().map(|ping| ping.map_err(Reason::from)).collect()
    }

    /// Notes how long they take, until one of them does not answer: that is the reason.
    pub async fn note_into(&mut self, log: &PingLog) -> Reason {
        loop {
            sleep(VERIFY_PING_INTERVAL).await;
            match self.ping().await {
                Ok(times) => {
                    let mut log = log.borrow_mut();
                    // Who looks seldom wants to know how it is now.
                    if log.len() >= KEPT {
                        log.remove(0);
                    }
                    log.push(times);
                }
                Err(reason) => return reason,
            }
        }
    }
}

async fn itself(session: &mut Session<'_>) -> Result<ServerSelf, Trouble> {
    let mut texts = Vec::new();
    for reply in session.ask(&[&["info", "server"], &["info", "replication"]]).await? {
        match reply {
            Reply::Text(text) => texts.push(text),
            Reply::Error(text) => return Err(Trouble::Broken(reasons::info_answered_with(text))),
            _ => return Err(Trouble::Broken(reasons::info_not_a_text())),
        }
    }
    let of_server = |key| texts.first().and_then(|text| field(text, key)).unwrap_or_default().to_owned();
    let section = texts.get(1).and_then(|text| sections(text).remove("replication"));
    let role = section.and_then(|section| replication(&section).role);
    Ok(ServerSelf {
        release: of_server("pika_version"),
        process: format!("{} {}", of_server("process_id"), of_server("run_id")),
        role: format!("{role:?}").trim_start_matches("Some(").trim_end_matches(')').to_lowercase(),
    })
}

/// By how many bytes `target` is behind. `None`: they have no database in common. Files are reckoned with the stock size.
pub fn bytes_behind(source: &[BinlogPosition], target: &[BinlogPosition]) -> Option<u64> {
    const STOCK_FILE: u64 = 100 << 20;
    let pairs = source.iter().filter_map(|of_source| {
        let of_target = target.iter().find(|of_target| of_target.db == of_source.db)?;
        let whole = |position: &BinlogPosition| {
            position.file.saturating_mul(STOCK_FILE).saturating_add(position.offset)
        };
        Some(whole(of_source).saturating_sub(whole(of_target)))
    });
    pairs.fold(None, |sum, behind| Some(sum.unwrap_or(0) + behind))
}

/// Whether `target` has come to where `source` was.
pub fn has_reached(source: &[BinlogPosition], target: &[BinlogPosition]) -> bool {
    source.iter().all(|of_source| {
        let of_target = target.iter().find(|of_target| of_target.db == of_source.db);
        of_target.is_none_or(|of_target| of_target.place() >= of_source.place())
    })
}

/// How many databases a server has. Up to 3.0 there is one, whatever SELECT is answered with.
pub fn databases(node: &Node) -> u64 {
    if !node.version.is_some_and(|version| version.is_of(&era::PROTOBUF)) {
        return 1;
    }
    let count = node.config.as_ref().and_then(|config| config.get("databases")?.trim().parse().ok());
    count.unwrap_or(1)
}
