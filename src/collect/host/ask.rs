//! Asks a program of the host for its version.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt;

use crate::i18n::{io_error, reasons};
use crate::model::limits::{MAX_PROGRAM_OUTPUT_BYTES, PROGRAM_TIMEOUT};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

/// What the program at `path` writes when it is called with `option` alone; `fact` is what a refusal is about. It is run
/// only when nobody but root could have put it there: this tool may be root, and no other user must choose what root runs.
pub async fn ask(path: &Path, option: &str, fact: &str) -> Result<String, Unavailable> {
    let path = path
        .canonicalize()
        .map_err(|error| Unavailable::failed(fact, reasons::about(path.display(), io_error(&error))))?;
    if let Some(loose) = path.ancestors().find(|part| !is_of_root_alone(part)) {
        let reason = reasons::not_run_because_writable(path.display(), loose.display());
        return Err(Unavailable::no_access(fact, reason));
    }
    let command = format!("{} {option}", path.display());
    let failed = |reason: Reason| Unavailable::failed(fact, reasons::about(&command, reason));
    let mut child = tokio::process::Command::new(&path)
        .arg(option)
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(io_error(&error)))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(MAX_PROGRAM_OUTPUT_BYTES);
        let reading = tokio::time::timeout(PROGRAM_TIMEOUT, stdout.read_to_end(&mut output)).await;
        reading.map_err(|_| failed(reasons::no_answer()))?.map_err(|error| failed(io_error(&error)))?;
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn is_of_root_alone(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_others_could_have_put_there_is_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("rsync");
        let mark = directory.path().join("mark");
        std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // The temporary directory of a system is everybody's.
        let absence = ask(&program, "--version", "rsync.version").await.unwrap_err();
        assert_eq!(absence.kind, crate::model::unavailable::UnavailableKind::NoAccess);
        assert!(!mark.exists());
    }
}
