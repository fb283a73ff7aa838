//! The rsync that a Pika finds: it calls `rsync` through `sh -c`, with the PATH that it was started with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::access;
use super::ask::ask;
use super::files::{Roots, below, read};
use crate::i18n::reasons;
use crate::model::host::{Account, Rsync};
use crate::model::unavailable::Unavailable;

/// What a shell searches when nobody set PATH.
const WITHOUT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The first of the variables of that name in the environment of a process.
fn variable(environment: &[u8], name: &str) -> Option<String> {
    let start = format!("{name}=");
    let entry = environment.split(|byte| *byte == 0).find(|entry| entry.starts_with(start.as_bytes()))?;
    Some(String::from_utf8_lossy(&entry[start.len()..]).into_owned())
}

/// The PATH of a process. Without a process: that of this tool.
pub fn search_path(roots: &Roots, pid: Option<u32>) -> Result<String, std::io::Error> {
    let path = match pid {
        Some(pid) => variable(&read(&roots.process(pid).join("environ"))?, "PATH"),
        None => std::env::var("PATH").ok(),
    };
    Ok(path.unwrap_or_else(|| WITHOUT_PATH.to_owned()))
}

/// Where the process finds rsync. Without a process: where this tool would.
pub fn find(
    roots: &Roots,
    pid: Option<u32>,
    account: Option<&Account>,
    cwd: &Path,
) -> Result<Rsync, std::io::Error> {
    let search = search_path(roots, pid)?;
    let root = roots.root_of(pid);
    let directories: Vec<PathBuf> = std::env::split_paths(&search)
        // An empty entry is the directory in which the process runs.
        .map(|directory| below(&root, &super::files::resolve(&root, &cwd.join(directory))))
        .collect();
    let joined: OsString = std::env::join_paths(directories).unwrap_or_default();
    let found = which::which_in("rsync", Some(joined.clone()), &root).ok();
    let executable = found.as_ref().and_then(|found| access::may(found, account, access::EXECUTE));
    let shown = |found: &PathBuf| {
        let inside = found.strip_prefix(&root).unwrap_or(found);
        Path::new("/").join(inside).display().to_string()
    };
    let path = found.as_ref().map(shown);
    let chmod = Some(which::which_in("chmod", Some(joined), &root).is_ok());
    Ok(Rsync { search, of_process: pid.is_some(), path, executable, version: None, chmod })
}

/// Asks the rsync at `path` for its version.
pub async fn version(path: &Path) -> Result<String, Unavailable> {
    const FACT: &str = "rsync.version";
    let said = ask(path, "--version", FACT).await?;
    // `rsync  version 3.2.7  protocol version 31`
    let words = said.split_whitespace().skip_while(|word| *word != "version");
    let version = words.skip(1).find(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == 'v'));
    version.map(|version| version.trim_start_matches('v').chars().take(40).collect()).ok_or_else(|| {
        let command = format!("{} --version", path.display());
        Unavailable::failed(FACT, reasons::about(command, reasons::not_said()))
    })
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
}
