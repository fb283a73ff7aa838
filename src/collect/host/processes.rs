//! Which processes are Pikas.

use procfs_core::process::Status;

use super::files::{ProcError, Roots, parsed, read, text};
use super::{kernel, sockets};
use crate::model::host::Account;

/// Every process that looks like a Pika: its name, and a configuration on its command line.
pub fn running_pikas(roots: &Roots) -> Vec<u32> {
    sockets::processes(roots).into_iter().filter(|pid| is_pika(roots, *pid)).collect()
}

/// Whether a process is a Pika, by its name and its command line.
pub fn is_pika(roots: &Roots, pid: u32) -> bool {
    let process = roots.process(pid);
    let name = text(&process.join("comm")).unwrap_or_default();
    // This very program, and others of the family, begin with the same letters.
    let family = ["pikadoctor", "pika_exporter", "pika-hub", "pika-port"];
    name.starts_with("pika")
        && !family.iter().any(|other| name.starts_with(other))
        && conf_argument(&words(roots, pid)).is_some()
}

/// Who a process runs as.
pub fn account(roots: &Roots, pid: u32) -> Result<Account, ProcError> {
    let status: Status = parsed(&roots.process(pid).join("status"))?;
    let name = kernel::user_name(roots, status.euid);
    Ok(Account { uid: status.euid, gid: status.egid, groups: status.groups, name })
}

/// The command line of a process.
pub fn words(roots: &Roots, pid: u32) -> Vec<String> {
    let command = read(&roots.process(pid).join("cmdline")).unwrap_or_default();
    command.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The configuration that a Pika is started with: `pika -c FILE`.
pub fn conf_argument(words: &[String]) -> Option<&str> {
    let at = words.iter().position(|word| word == "-c")?;
    words.get(at + 1).map(String::as_str).filter(|path| !path.is_empty())
}
