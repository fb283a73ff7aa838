//! The memory of a host, and what the cgroups of a process leave it of that.

use std::path::{Path, PathBuf};

use procfs_core::Meminfo;

use super::files::{Roots, number, parsed, text};

/// A limit of cgroups of the first kind that is no limit: the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 62;

/// `MemTotal` of the host, in bytes.
pub fn of_host(roots: &Roots) -> Option<u64> {
    parsed::<Meminfo>(&roots.proc.join("meminfo")).ok().map(|memory| memory.mem_total)
}

/// What the process whose directory below /proc is given can have, in bytes: the least of the host's memory and the limits of
/// its cgroup and of all around it.
pub fn limit(roots: &Roots, process: &Path) -> Option<u64> {
    let groups = text(&process.join("cgroup")).unwrap_or_default();
    let of_groups = groups.lines().flat_map(|line| limits(roots, line)).min();
    of_groups.into_iter().chain(of_host(roots)).min()
}

/// The limits that a line of /proc/PID/cgroup leads to: `0::/pika.slice` or `9:memory:/pika`.
fn limits(roots: &Roots, line: &str) -> Vec<u64> {
    let mut fields = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
        return Vec::new();
    };
    let (top, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let top: PathBuf = roots.root.join(top);
    // A path that leads out of the group that this tool sees as the top one says nothing here.
    let path = path.trim_start_matches('/');
    if path.split('/').any(|part| part == "..") {
        return Vec::new();
    }
    let group = top.join(path);
    let around = group.ancestors().take_while(|place| place.starts_with(&top));
    // "max" is no number.
    around.filter_map(|place| number(&place.join(file))).filter(|limit| *limit < NO_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_a_process_and_of_all_around_it_counts() {
        let directory = tempfile::tempdir().unwrap();
        let roots = Roots::below(directory.path());
        let write = |path: PathBuf, text: &str| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(roots.root.join("sys/fs/cgroup/pika.slice/a/memory.max"), "max\n");
        write(roots.root.join("sys/fs/cgroup/pika.slice/memory.max"), "4294967296\n");
        write(roots.root.join("sys/fs/cgroup/memory/old/memory.limit_in_bytes"), "9223372036854771712\n");
        write(roots.root.join("sys/fs/cgroup/memory/memory.limit_in_bytes"), "1073741824\n");
        for (line, limits_of) in [
            ("0::/pika.slice/a", vec![4 << 30]),
            ("9:memory:/old", vec![1 << 30]),
            ("8:cpu,cpuacct:/old", vec![]),
            ("0::/../outside", vec![]),
            ("garbage", vec![]),
        ] {
            assert_eq!(limits(&roots, line), limits_of, "{line}");
        }
    }
}
