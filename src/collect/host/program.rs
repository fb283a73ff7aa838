//! The program of a Pika, and the one that the same command line would start now: a package that was upgraded, or a
//! link that was turned to another release, makes the next restart an upgrade.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::ask::ask;
use super::files::{Roots, below, held, resolve};
use super::rsync::search_path;
use crate::i18n::{io_error, reasons};
use crate::model::host::NextStart;
use crate::model::release::Version;
use crate::model::unavailable::Unavailable;

/// The program that runs, and what the command line `words` leads to now.
pub fn collect_program(
    roots: &Roots,
    pid: u32,
    words: &[String],
    cwd: &Path,
) -> io::Result<(String, NextStart)> {
    let (running, gone) = held(&roots.process(pid).join("exe"))?;
    let root = roots.root_of(Some(pid));
    let file = |path: &Path| identity(&below(&root, &resolve(&root, path)));
    let named = words.first().and_then(|name| named(roots, pid, name, cwd));
    let next = named.into_iter().chain([running.clone()]).find(|path| file(path).is_some());
    let same_file = !gone && next.as_deref().is_some_and(|next| file(next) == file(&running));
    let next = NextStart {
        program: next.map(|path| path.display().to_string()),
        same_file,
        reports: None,
        same_release: None,
    };
    Ok((running.display().to_string(), next))
}

/// Whether a path leads a process and this tool to the same file. With mounts of its own, as under `PrivateTmp=` of
/// systemd, it can; in a container it does not.
pub fn is_here(roots: &Roots, pid: Option<u32>, path: &Path) -> bool {
    let root = roots.root_of(pid);
    let theirs = identity(&below(&root, &resolve(&root, path)));
    theirs.is_some() && theirs == identity(path)
}

/// What no other file has.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    meta.is_file().then(|| (meta.dev(), meta.ino()))
}

/// Where the first word of a command line leads, as a shell finds it.
fn named(roots: &Roots, pid: u32, name: &str, cwd: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(cwd.join(name));
    }
    let root = roots.root_of(Some(pid));
    let search = search_path(roots, Some(pid)).ok()?;
    let directories = std::env::split_paths(&search).map(|directory| cwd.join(directory));
    directories
        .map(|directory| directory.join(name))
        .find(|path| below(&root, &resolve(&root, path)).is_file())
}

/// The number that another program in the place of the running one reports. `-v` prints it and ends, on every release
/// (measured on 2.3.0 to 4.0.1). A script in its place could do anything, and is not run.
pub async fn release(path: &Path) -> Result<Version, Unavailable> {
    const FACT: &str = "next_start.reports";
    let failed = |what: String, reason| Unavailable::failed(FACT, reasons::about(what, reason));
    let shown = || path.display().to_string();
    if !is_binary(path).map_err(|error| failed(shown(), io_error(&error)))? {
        return Err(failed(shown(), reasons::program_is_script()));
    }
    let said = ask(path, "-v", FACT).await?;
    number(&said).ok_or_else(|| failed(format!("{} -v", shown()), reasons::not_said()))
}

fn is_binary(path: &Path) -> io::Result<bool> {
    let mut begin = [0; 4];
    let length = File::open(path)?.read(&mut begin)?;
    Ok(begin[..length] == *b"\x7fELF")
}

/// `-----------Pika server 2.3.6 ----------`, or from 3.1.0 on a line `pika_version: 3.3.6`.
fn number(said: &str) -> Option<Version> {
    let line = |begin: &str| said.lines().find_map(|line| line.trim_start_matches('-').strip_prefix(begin));
    let told = line("pika_version:").or_else(|| line("Pika server "))?;
    told.trim().trim_end_matches('-').trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_tells_its_number() {
        let said = |text: &str| number(text).map(|version| version.to_string());
        assert_eq!(said("-----------Pika server 2.3.0 ----------\n").as_deref(), Some("2.3.0"));
        let later = "-----------Pika server----------\npika_version: 3.3.6\npika_git_sha:9e74\n";
        assert_eq!(said(later).as_deref(), Some("3.3.6"));
        assert_eq!(said("usage: pika [-hv] [-c conf/file]"), None);
    }
}
