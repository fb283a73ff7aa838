//! Asks another host.

use tokio::time::{Instant, timeout_at};

use super::classify::classify;
use super::command::{Destination, start};
use super::decode::{Call, RemoteHost, decode};
use super::output::run_session;
use super::wire::{Question, SCHEMA, TOOL, now};
use crate::collect::host::{Request, Search};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::hide_in;
use crate::model::host::{SshErrorKind, SshFailure};
use crate::model::limits::SSH_RETURN_TIME;
use crate::parse::document::encode::to_json;

/// Asks the host behind `destination`, about the Pikas of `search`, too.
pub async fn collect_remote_host(
    destination: &Destination,
    request: &Request,
    search: Option<&Search>,
    deadlines: &Deadlines,
) -> Result<RemoteHost, SshFailure> {
    let failure = |kind, detail: Option<String>| SshFailure { kind, detail };
    let Ok(ssh) = which::which("ssh") else { return Err(failure(SshErrorKind::NoSsh, None)) };
    let left = deadlines.run.saturating_duration_since(Instant::now()).saturating_sub(SSH_RETURN_TIME);
    let question = Question {
        schema: SCHEMA.to_owned(),
        tool_version: TOOL.to_owned(),
        seconds: left.as_secs_f64(),
        request: request.clone(),
        search: search.cloned(),
    };
    let words = |error: &dyn std::fmt::Display| failure(SshErrorKind::Failed, Some(error.to_string()));
    // It is an argument, which other users can read, and a server may have repeated what it was sent.
    let question = hide_in(question).map_err(|error| words(&error))?;
    let question = to_json(&question).map_err(|error| words(&error))?;
    let own =
        if destination.copies() { Some(own_program().await.map_err(|error| words(&error))?) } else { None };
    let sent = now();
    let began = Instant::now();
    let mut child = start(&ssh, destination, &question, own.as_ref().map(Vec::len), deadlines)
        .map_err(|error| words(&error))?;
    let session = run_session(&mut child, own.as_deref());
    let Ok(output) = timeout_at(deadlines.run, session).await else {
        let _ = child.start_kill();
        return Err(failure(SshErrorKind::TimedOut, None));
    };
    let output = output.map_err(|error| words(&error))?;
    let call = Call { sent, arrived: sent + began.elapsed().as_secs_f64() };
    decode(&output, call).map_err(|error| classify(&output, error))
}

/// This program itself, for a copy of it.
async fn own_program() -> std::io::Result<Vec<u8>> {
    // Through the link of /proc it is there even when its file was replaced meanwhile.
    tokio::task::spawn_blocking(|| std::fs::read("/proc/self/exe")).await?
}
