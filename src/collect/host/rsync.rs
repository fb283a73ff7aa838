//! The rsync that a Pika finds: it calls `rsync` through `sh -c`, with the PATH that it was started with.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::files::{Roots, below, read};
use super::paths;
use crate::model::facts::{Absence, AbsenceKind};
use crate::model::host::{Account, Rsync};

/// What a shell searches when nobody set PATH.
const WITHOUT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long `rsync --version` may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most of its answer that is read.
const MOST_BYTES: u64 = 4096;

/// The first of the variables of that name in the environment of a process.
fn variable(environment: &[u8], name: &str) -> Option<String> {
    let start = format!("{name}=");
    let entry = environment.split(|byte| *byte == 0).find(|entry| entry.starts_with(start.as_bytes()))?;
    Some(String::from_utf8_lossy(&entry[start.len()..]).into_owned())
}

/// Where the process finds rsync. Without a process: where this tool would.
pub fn find(
    roots: &Roots,
    pid: Option<u32>,
    account: Option<&Account>,
    cwd: &Path,
) -> Result<Rsync, std::io::Error> {
    let path = match pid {
        Some(pid) => variable(&read(&roots.process(pid).join("environ"))?, "PATH"),
        None => std::env::var("PATH").ok(),
    };
    let search = path.unwrap_or_else(|| WITHOUT_PATH.to_owned());
    let root = roots.root_of(pid);
    let directories: Vec<PathBuf> = std::env::split_paths(&search)
        // An empty entry is the directory in which the process runs.
        .map(|directory| below(&root, &super::files::resolve(&root, &cwd.join(directory))))
        .collect();
    let joined: OsString = std::env::join_paths(directories).unwrap_or_default();
    let found = which::which_in("rsync", Some(joined), &root).ok();
    let executable = found.as_ref().and_then(|found| paths::may(found, account, paths::EXECUTE));
    let shown = found.as_ref().map(|found| {
        let inside = found.strip_prefix(&root).unwrap_or(found);
        Path::new("/").join(inside).display().to_string()
    });
    Ok(Rsync { search, of_process: pid.is_some(), path: shown, executable, version: None })
}

/// Asks the rsync at `path` for its version, when nobody but root could have put it there: this tool may be
/// root, and the PATH of another user must not choose what root runs.
pub async fn version(path: &Path) -> Result<String, Absence> {
    let absent = |kind, reason: String| Absence { path: "rsync.version".into(), kind, reason };
    let path = path
        .canonicalize()
        .map_err(|error| absent(AbsenceKind::Failed, format!("{}: {error}", path.display())))?;
    if let Some(loose) = path.ancestors().find(|part| !is_of_root_alone(part)) {
        let reason =
            format!("{} is not run, because others than root can change {}", path.display(), loose.display());
        return Err(absent(AbsenceKind::NoAccess, reason));
    }
    let failed =
        |error: String| absent(AbsenceKind::Failed, format!("{} --version: {error}", path.display()));
    let mut child = tokio::process::Command::new(&path)
        .arg("--version")
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(MOST_BYTES);
        let reading = tokio::time::timeout(PATIENCE, stdout.read_to_end(&mut output)).await;
        reading.map_err(|_| failed("no answer".into()))?.map_err(|error| failed(error.to_string()))?;
    }
    // `rsync  version 3.2.7  protocol version 31`
    let text = String::from_utf8_lossy(&output);
    let words = text.split_whitespace().skip_while(|word| *word != "version");
    let version = words.skip(1).find(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == 'v'));
    version
        .map(|version| version.trim_start_matches('v').chars().take(40).collect())
        .ok_or_else(|| failed("it does not say".into()))
}

fn is_of_root_alone(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_process_is_one_of_its_variables() {
        let environment = b"HOME=/\0XPATH=/x\0PATH=/a:/b\0PATH=/c\0";
        assert_eq!(variable(environment, "PATH").as_deref(), Some("/a:/b"));
        assert_eq!(variable(b"", "PATH"), None);
    }

    #[tokio::test]
    async fn what_others_could_have_put_there_is_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("rsync");
        let mark = directory.path().join("mark");
        std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // The temporary directory of a system is everybody's.
        let absence = version(&program).await.unwrap_err();
        assert_eq!(absence.kind, AbsenceKind::NoAccess);
        assert!(!mark.exists());
    }
}
