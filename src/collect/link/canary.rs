//! The only proof that a link works: a key that is written on the master and read on the replica.
//!
//! SET and EXPIRE go out in one write, so that no crash of this tool can leave a key without an end behind.
//! SETEX and SET EX are not used: on 4.0.1 they reach the replica already expired (measured).

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::session::{Session, Trouble};
use crate::collect::pika::gate::CANARY;
use crate::collect::pika::resp::Reply;
use crate::i18n::reasons;
use crate::model::limits::{CANARY_FIRST_INTERVAL, CANARY_MAX_INTERVAL, CANARY_TTL};
use crate::model::link::{Canary, CanaryOutcome};
use crate::model::reason::Reason;

/// A new key and its value.
pub struct Key {
    /// `pikadoctor:canary:` and 32 hexadecimal digits.
    pub name: String,
    /// 32 other hexadecimal digits.
    pub value: String,
}

impl Key {
    /// A key that nobody else has.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn new() -> Self {
        let mut random = [0; 32];
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { name: format!("{CANARY}{}", digits(&random[..16])), value: digits(&random[16..]) }
    }
}

/// One canary.
pub struct Flight {
    /// The database that is selected on both connections, where there are several.
    pub db: Option<u64>,
    /// The key.
    pub key: Key,
    /// How long each wait lasts at most.
    pub wait: Duration,
    /// When the whole run ends.
    pub run_ends: Instant,
}

impl Flight {
    /// Writes the key on the master, waits for it on the replica, deletes it and waits for that, too.
    pub async fn fly(&self, master: &mut Session<'_>, replica: &mut Session<'_>) -> Canary {
        let mut canary = Canary {
            db: self.db.map(|db| format!("db{db}")),
            outcome: CanaryOutcome::Lost,
            key: self.key.name.clone(),
            reply: None,
            arrived_seconds: None,
            deleted_seconds: None,
            waited_seconds: self.wait.as_secs_f64(),
        };
        match self.attempt(master, replica, &mut canary).await {
            Ok(outcome) => canary.outcome = outcome,
            Err(trouble) => {
                canary.outcome = CanaryOutcome::Broken;
                canary.reply = Some(trouble.reason().clone());
            }
        }
        canary
    }

    async fn attempt(
        &self,
        master: &mut Session<'_>,
        replica: &mut Session<'_>,
        canary: &mut Canary,
    ) -> Result<CanaryOutcome, Trouble> {
        let key = &self.key;
        if let Some(db) = self.db {
            let index = db.to_string();
            let selects =
                [master.ask_one(&["select", &index]).await?, replica.ask_one(&["select", &index]).await?];
            for reply in selects {
                if let Reply::Error(text) = reply {
                    canary.reply = Some(Reason::verbatim(text));
                    return Ok(CanaryOutcome::NoDatabase);
                }
            }
        }
        let life = CANARY_TTL.as_secs().to_string();
        let written = master.ask(&[&["set", &key.name, &key.value], &["expire", &key.name, &life]]).await?;
        if let Reply::Error(text) = &written[0] {
            canary.reply = Some(Reason::verbatim(text));
            return Ok(write_refused(text));
        }
        if written[1] != Reply::Number(1) {
            // A key that would stay for ever is taken away at once.
            master.ask_one(&["del", &key.name]).await?;
            canary.reply = Some(reasons::expire_answered_with(shown(&written[1])));
            return Ok(if let Reply::Error(text) = &written[1] {
                write_refused(text)
            } else {
                CanaryOutcome::WriteFailed
            });
        }
        let sent = Instant::now();
        let outcome = loop {
            match replica.ask_one(&["get", &key.name]).await? {
                Reply::Text(value) if value == key.value => {
                    canary.arrived_seconds = Some(sent.elapsed().as_secs_f64());
                    break CanaryOutcome::Arrived;
                }
                Reply::Text(_) => break CanaryOutcome::WrongValue,
                Reply::Error(text) => {
                    let outcome = read_refused(&text);
                    canary.reply = Some(Reason::verbatim(text));
                    break outcome;
                }
                _ => {}
            }
            if !self.pause(sent).await {
                break CanaryOutcome::Lost;
            }
        };
        canary.waited_seconds = sent.elapsed().as_secs_f64();
        // It is deleted whatever came of it.
        if let Reply::Error(text) = master.ask_one(&["del", &key.name]).await? {
            canary.reply = Some(Reason::verbatim(text));
            return Ok(if outcome == CanaryOutcome::Arrived { CanaryOutcome::NotDeleted } else { outcome });
        }
        if outcome != CanaryOutcome::Arrived {
            return Ok(outcome);
        }
        let deleted = Instant::now();
        loop {
            if matches!(replica.ask_one(&["get", &key.name]).await?, Reply::Nothing) {
                canary.deleted_seconds = Some(deleted.elapsed().as_secs_f64());
                return Ok(outcome);
            }
            if !self.pause(deleted).await {
                return Ok(CanaryOutcome::NotDeleted);
            }
        }
    }

    /// Waits before another look. False when there is no time for one.
    async fn pause(&self, since: Instant) -> bool {
        let elapsed = since.elapsed();
        let pause = (elapsed / 4).clamp(CANARY_FIRST_INTERVAL, CANARY_MAX_INTERVAL);
        if elapsed + pause > self.wait || Instant::now() + pause >= self.run_ends {
            return false;
        }
        sleep(pause).await;
        true
    }
}

fn write_refused(text: &str) -> CanaryOutcome {
    let lower = text.to_ascii_lowercase();
    if lower.contains("read-only") || lower.contains("read only") {
        CanaryOutcome::MasterReadOnly
    } else if not_permitted(&lower) {
        CanaryOutcome::WriteNotPermitted
    } else {
        CanaryOutcome::WriteFailed
    }
}

fn read_refused(text: &str) -> CanaryOutcome {
    if not_permitted(&text.to_ascii_lowercase()) {
        CanaryOutcome::ReadNotPermitted
    } else {
        CanaryOutcome::ReadFailed
    }
}

fn not_permitted(lower: &str) -> bool {
    // Up to 3.5.2 a command of userblacklist is answered as if nobody had authenticated.
    lower.contains("noauth") || lower.starts_with("noperm") || lower.contains("no permissions")
}

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Text(text) | Reply::Error(text) => format!("`{text}`"),
        Reply::Number(number) => number.to_string(),
        Reply::Nothing | Reply::List(_) | Reply::Other => "nothing".to_owned(),
    }
}
