//! The distribution, the kernel's settings, and what it killed for want of memory.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use procfs_core::VmStat;

use super::files::{Roots, absent, below, number, parsed, read, resolve, text};
use crate::i18n::reasons;
use crate::model::host::{Distribution, Kernel, OutOfMemory, Packages};
use crate::model::limits::{MAX_KERNEL_LINES, MAX_KERNEL_RECORDS};
use crate::model::unavailable::Unavailable;

/// /etc/os-release, of a kind that is known by its name or by what it says it is like.
pub fn distribution(roots: &Roots) -> Option<Distribution> {
    let place = |path: &str| below(&roots.root, &resolve(&roots.root, Path::new(path)));
    let read = text(&place("/etc/os-release")).or_else(|_| text(&place("/usr/lib/os-release"))).ok()?;
    let value = |name: &str| {
        let line = read.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        shlex::split(line)?.into_iter().next()
    };
    let id = value("ID")?;
    let like = value("ID_LIKE").unwrap_or_default();
    let major: u32 =
        value("VERSION_ID").and_then(|version| version.split('.').next()?.parse().ok()).unwrap_or(u32::MAX);
    let packages = std::iter::once(id.as_str()).chain(like.split(' ')).find_map(|name| match name {
        "debian" | "ubuntu" => Some(Packages::Apt),
        // Amazon Linux 2 is like Red Hat 7, and its next release is called 2023.
        "rhel" | "centos" if major <= 7 => Some(Packages::Yum),
        "fedora" | "rhel" | "centos" => Some(Packages::Dnf),
        "alpine" => Some(Packages::Apk),
        "suse" | "opensuse" | "sles" => Some(Packages::Zypper),
        _ => None,
    });
    let install_rsync = packages.map(|packages| install(packages, "rsync"));
    Some(Distribution { id, name: value("PRETTY_NAME"), packages, install_rsync })
}

/// The command that installs a package.
fn install(packages: Packages, name: &str) -> String {
    match packages {
        Packages::Apt => format!("apt-get install {name}"),
        Packages::Dnf => format!("dnf install {name}"),
        Packages::Yum => format!("yum install {name}"),
        Packages::Apk => format!("apk add {name}"),
        Packages::Zypper => format!("zypper install {name}"),
    }
}

/// Settings below /proc/sys.
pub fn kernel(roots: &Roots) -> Kernel {
    let sys = |name: &str| roots.proc.join("sys").join(name);
    let range = text(&sys("net/ipv4/ip_local_port_range")).unwrap_or_default();
    let mut range = range.split_whitespace().map(|port| port.parse().ok());
    let shell = resolve(&roots.root, Path::new("/bin/sh"));
    Kernel {
        release: text(&sys("kernel/osrelease")).ok(),
        pid_max: number(&sys("kernel/pid_max")),
        overcommit_memory: number(&sys("vm/overcommit_memory")).and_then(|value| value.try_into().ok()),
        local_ports_from: range.next().flatten(),
        local_ports_to: range.next().flatten(),
        reserved_ports: text(&sys("net/ipv4/ip_local_reserved_ports")).ok(),
        unprivileged_ports_from: number(&sys("net/ipv4/ip_unprivileged_port_start"))
            .and_then(|value| value.try_into().ok()),
        shell: shell.file_name().map(|name| name.to_string_lossy().into_owned()),
    }
}

/// What was killed. The count is for everybody; the log is not.
pub fn out_of_memory(roots: &Roots, errors: &mut Vec<Unavailable>) -> OutOfMemory {
    let counters: Option<VmStat> = parsed(&roots.proc.join("vmstat")).ok();
    let kills = counters.and_then(|counters| counters.0.get("oom_kill").copied());
    let victims = match victims(&below(&roots.root, Path::new("/dev/kmsg"))) {
        Ok(victims) => Some(victims),
        Err(error) => {
            errors.push(absent("out_of_memory.victims", &error, reasons::kernel_log()));
            None
        }
    };
    OutOfMemory { kills: kills.and_then(|kills| kills.try_into().ok()), victims }
}

/// Lines about killed Pikas and rsyncs. Each read gives one record, until there is none left.
fn victims(path: &Path) -> std::io::Result<Vec<String>> {
    let mut log = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let mut victims: Vec<String> = Vec::new();
    let mut record = [0; 8192];
    for _ in 0..MAX_KERNEL_RECORDS {
        let length = match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // The record was overwritten meanwhile; the next one is there.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => continue,
            Err(error) => return Err(error),
        };
        victims.extend(String::from_utf8_lossy(&record[..length]).lines().filter_map(victim));
    }
    Ok(victims.split_off(victims.len().saturating_sub(MAX_KERNEL_LINES)))
}

/// `6,1234,5678,-;Out of memory: Killed process 4242 (pika) total-vm:…`
fn victim(line: &str) -> Option<String> {
    let (_, text) = line.split_once(';')?;
    let (_, killed) = text.split_once("Killed process ")?;
    let (_, name) = killed.split_once(" (")?;
    (name.starts_with("pika") || name.starts_with("rsync")).then(|| text.chars().take(200).collect())
}

/// The name that /etc/passwd has for a user.
pub fn user_name(roots: &Roots, uid: u32) -> Option<String> {
    let passwd = read(&below(&roots.root, Path::new("/etc/passwd"))).ok()?;
    let passwd = String::from_utf8_lossy(&passwd);
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distribution_has_its_command() {
        for (release, command) in [
            ("ID=debian\n", Some("apt-get install rsync")),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Some("apt-get install rsync")),
            ("ID=\"centos\"\nVERSION_ID=\"7\"\nID_LIKE=\"rhel fedora\"\n", Some("yum install rsync")),
            ("ID=\"rocky\"\nVERSION_ID=\"9.3\"\nID_LIKE=\"rhel centos fedora\"\n", Some("dnf install rsync")),
            ("ID=fedora\nVERSION_ID=42\n", Some("dnf install rsync")),
            ("ID=alpine\n", Some("apk add rsync")),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", Some("zypper install rsync")),
            ("ID=nixos\n", None),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let roots = Roots::below(directory.path());
            std::fs::create_dir_all(roots.root.join("etc")).unwrap();
            std::fs::write(roots.root.join("etc/os-release"), release).unwrap();
            let found = distribution(&roots).unwrap();
            assert_eq!(found.install_rsync.as_deref(), command, "{release}");
        }
    }

    #[test]
    fn only_pikas_and_rsyncs_are_victims_that_count() {
        let line = |name: &str| format!("6,1,2,-;Out of memory: Killed process 42 ({name}) total-vm:1kB");
        assert_eq!(
            victim(&line("pika")).as_deref(),
            Some("Out of memory: Killed process 42 (pika) total-vm:1kB")
        );
        assert!(victim(&line("rsync")).is_some());
        assert!(victim(&line("chrome")).is_none());
        assert!(victim("6,1,2,-;nothing to see").is_none());
    }
}
