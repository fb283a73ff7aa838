//! Asks a program of the host for its version.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fs, io};

use tokio::io::AsyncReadExt;

use super::files::follow;
use crate::i18n::{io_error, reasons};
use crate::model::limits::{MAX_PROGRAM_OUTPUT_BYTES, PROGRAM_TIMEOUT};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;

/// What the program at `path` writes when it is called with `option` alone; `fact` is what a refusal is about. It is run
/// only when nobody but root could have led there: this tool may be root, and no other user must choose what root runs,
/// be it by a link to another program of root's.
pub async fn ask(path: &Path, option: &str, fact: &str) -> Result<String, Unavailable> {
    if let Some(loose) = loose_part(path)
        .map_err(|error| Unavailable::failed(fact, reasons::about(path.display(), io_error(&error))))?
    {
        let reason = reasons::not_run_because_writable(path.display(), loose.display());
        return Err(Unavailable::no_access(fact, reason));
    }
    let command = format!("{} {option}", path.display());
    let failed = |reason: Reason| Unavailable::failed(fact, reasons::about(&command, reason));
    let mut child = tokio::process::Command::new(path)
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

/// The first part of the way to a program that others than root could have put there: a directory, a link, or the program.
fn loose_part(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut way = Vec::new();
    follow(Path::new("/"), path, |part| way.push(part.to_owned()));
    for part in way {
        let meta = fs::symlink_metadata(&part)?;
        // The mode of a link says nothing; who may change it is told by its directory.
        if meta.uid() != 0 || (!meta.is_symlink() && meta.mode() & 0o022 != 0) {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why `path` is not run. The mark is left by the script when it is run in spite of that.
    async fn refused(path: &Path, mark: &Path) -> String {
        let absence = ask(path, "--version", "rsync.version").await.unwrap_err();
        assert_eq!(absence.kind, crate::model::unavailable::UnavailableKind::NoAccess);
        assert!(!mark.exists());
        absence.reason.to_string()
    }

    #[tokio::test]
    async fn what_others_could_have_put_there_is_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("rsync");
        let mark = directory.path().join("mark");
        fs::write(&program, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // The temporary directory of a system is everybody's.
        let place = std::env::temp_dir();
        assert!(refused(&program, &mark).await.contains(place.to_str().unwrap()));

        // A link there leads to a program of root's, which would do what the owner of the link wants.
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/bin/true", &link).unwrap();
        assert!(refused(&link, &mark).await.contains(place.to_str().unwrap()));
        assert!(ask(Path::new("/bin/true"), "--version", "rsync.version").await.is_ok());
    }
}
