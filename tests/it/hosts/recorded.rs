//! A recorded host, whole and with one thing changed at a time: what is seen, what is found, and what is not told.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use crate::support::chinese::is_all_chinese;
use crate::support::{Run, pikadoctor, recording, recordings_directory, run, serve_at, with_commands};
use pikadoctor::catalog::built_in;
use pikadoctor::collect::files::bundle::pack;
use pikadoctor::collect::host::{Dial, DialAs, InstanceSelector, Request, Roots, collect_host};
use pikadoctor::collect::net::deadlines::Deadlines;
use pikadoctor::model::facts::{self, Facts};
use pikadoctor::model::host::Host;
use pikadoctor::model::network::{Port, PortState};
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::Language;
use serde_json::Value;

/// The process ids of the recording.
const PIKA: &str = "13156";
const RSYNC: &str = "13177";

/// The password in the recorded configuration.
const PASSWORD: &str = "sesame-open";

/// A recorded host: what is a file, and what is a link, by path.
#[derive(Clone)]
struct Tree {
    files: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
}

impl Tree {
    fn recorded() -> Self {
        let text = fs::read_to_string(recordings_directory().join("hosts/3.3.6.txt")).unwrap();
        let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
        for part in text.split("\n== ").skip(1) {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            match head.split_once(" -> ") {
                Some((path, target)) => links.insert(path.to_owned(), target.to_owned()),
                None => files.insert(head.to_owned(), body.replace("\\0", "\0").replace("\\\\", "\\") + "\n"),
            };
        }
        // Programs were not recorded, nor files that a process holds open.
        links.insert(format!("proc/{PIKA}/fd/40"), "/data/pika/db/db0/strings/LOCK".to_owned());
        links.insert(format!("proc/{PIKA}/fd/41"), "/data/pika/log/log_db0/write2file0".to_owned());
        files.insert("root/usr/local/pika/bin/pika".to_owned(), "\x7fELF".to_owned());
        files.insert("root/usr/bin/chmod".to_owned(), "\x7fELF".to_owned());
        Self { files, links }
    }

    fn linked(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.to_owned(), target.to_owned());
        self
    }

    fn with(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    fn without(mut self, prefix: &str) -> Self {
        self.files.retain(|path, _| !path.starts_with(prefix));
        self.links.retain(|path, _| !path.starts_with(prefix));
        self
    }

    fn replaced(mut self, path: &str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(path).unwrap_or_else(|| panic!("no {path}"));
        assert!(text.contains(from), "{path} has no {from:?}");
        *text = text.replace(from, to);
        self
    }

    fn write(&self, directory: &Path) {
        let place = |path: &str| {
            let place = directory.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            place
        };
        for (path, target) in &self.links {
            symlink(target, place(path)).unwrap();
        }
        for (path, text) in &self.files {
            let place = place(path);
            fs::write(&place, text).unwrap();
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // Others may look at all of it, as they may in the places that are recorded.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn collect_host(&self, request: &Request) -> Host {
        let directory = tempfile::tempdir().unwrap();
        self.write(directory.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let second = Duration::from_secs(5);
        runtime.block_on(async {
            let deadlines = Deadlines::starting_now(second, second, second);
            collect_host(request, &Roots::below(directory.path()), &built_in().knowledge, &deadlines).await
        })
    }

    /// What is found on the host, for the running Pika.
    fn judged(&self, version: &str) -> Judged {
        let wanted = InstanceSelector {
            name: Some("pika".into()),
            pid: PIKA.parse().ok(),
            version: version.parse().ok(),
            ..InstanceSelector::default()
        };
        self.judged_as(&Request { instances: vec![wanted], all: true, whole: true, ..Request::default() })
    }

    fn judged_as(&self, request: &Request) -> Judged {
        let mut facts = Facts {
            schema: facts::SCHEMA.to_owned(),
            collected_at: "2026-01-01T00:00:00Z".into(),
            hosts: vec![self.collect_host(request)],
            ..Facts::default()
        };
        pikadoctor::derive::host::complete(&mut facts, &built_in().knowledge);
        is_all_chinese(&facts);
        let directory = tempfile::tempdir().unwrap();
        let bundle = directory.path().join("host.bundle");
        fs::write(&bundle, pack(&facts).unwrap()).unwrap();
        let run = Run::of(pikadoctor().args(["check", "--format", "json", "--from"]).arg(&bundle));
        assert!(!run.stdout.contains(PASSWORD), "a password got out");
        let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        Judged { host: facts.hosts.remove(0), report }
    }
}

struct Judged {
    host: Host,
    report: Value,
}

impl Judged {
    fn finding(&self, check: &str) -> &Value {
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check}"))
    }

    fn state(&self, check: &str) -> &str {
        self.finding(check)["state"].as_str().unwrap()
    }

    /// Asserts that a check finds this, in these words, about one of its targets.
    fn is(&self, check: &str, state: &str, words: &str) {
        let findings = self.report["findings"].as_array().unwrap().iter();
        let of_check: Vec<&Value> = findings.filter(|finding| finding["check"] == check).collect();
        let found = of_check
            .iter()
            .any(|finding| finding["state"] == state && with_commands(finding).contains(words));
        assert!(found, "{check} is not {state} with {words:?}: {of_check:#?}");
    }
}

#[test]
fn a_path_without_chmod_is_found_where_the_release_calls_it() {
    let tree = Tree::recorded().without("root/usr/bin/chmod");
    tree.judged("3.3.6").is("host/rsync", "critical", "no chmod in its PATH");
    assert_eq!(tree.judged("2.3.6").state("host/rsync"), "ok");
}

#[test]
fn a_recorded_host_is_seen_as_it_was() {
    let judged = Tree::recorded().judged("3.3.6");
    let host = &judged.host;
    assert_eq!(host.name, "db1");
    assert_eq!(host.kernel.as_ref().unwrap().shell.as_deref(), Some("dash"));
    let [instance] = &host.instances[..] else { panic!("{:?}", host.instances) };
    assert_eq!(instance.program.as_deref(), Some("/usr/local/pika/bin/pika"));
    assert_eq!(instance.port, Some(9221));
    assert_eq!(instance.conf.as_ref().unwrap().path, "/data/pika/pika.conf");
    assert_eq!(instance.rsync.as_ref().unwrap().path.as_deref(), Some("/usr/bin/rsync"));
    assert_eq!(instance.rsync.as_ref().unwrap().search, "/usr/local/bin:/usr/bin:/bin");
    let paths = instance.paths.as_ref().unwrap();
    assert!(paths.iter().all(|path| path.mount.as_ref().unwrap().point == "/data"), "{paths:?}");
    assert!(paths.iter().all(|path| path.rotational == Some(true)));
    let daemons = host.rsync_daemons.as_ref().unwrap();
    assert_eq!(daemons.len(), 1, "{daemons:?}");
    assert_eq!(daemons[0].pika, instance.pid);
    assert_eq!(daemons[0].port, Some(10221));
    assert!(daemons[0].age_seconds.is_some_and(|age| age < 60), "{daemons:?}");
    judged.is("host/port-owners", "ok", "9221 itself, 10221 its rsync, 11221 itself");
    for check in [
        "rsync",
        "program",
        "database",
        "configuration",
        "same-file-system",
        "directories",
        "open-files",
        "stopping",
        "leftover-rsync",
        "overcommit",
    ] {
        assert_eq!(
            judged.state(&format!("host/{check}")),
            "ok",
            "{check}: {:#}",
            judged.finding(&format!("host/{check}"))
        );
    }
    // A record has no cards, and that is no "no".
    assert_eq!(judged.state("host/network-card"), "skipped");
}

#[test]
fn what_is_wrong_with_a_host_is_found() {
    let tree = Tree::recorded;
    let pika = |file: &str| format!("proc/{PIKA}/{file}");

    let narrow = tree().replaced(&pika("environ"), "PATH=/usr/local/bin:/usr/bin:/bin", "PATH=/srv/pika");
    narrow.judged("3.3.6").is("host/rsync", "critical", "apt-get install rsync");
    let alpine = narrow.with("root/etc/os-release", "ID=alpine\n");
    alpine.judged("3.3.6").is("host/rsync", "critical", "apk add rsync");
    alpine.judged("2.3.6").is("host/rsync", "warning", "/srv/pika");
    assert_eq!(alpine.judged("3.5.5").state("host/rsync"), "not-applicable");

    let apart = tree().replaced(
        &pika("mountinfo"),
        "127 95",
        "140 127 254:17 / /data/pika/dbsync rw,relatime - ext4 /dev/vdc rw\n127 95",
    );
    apart.judged("3.3.6").is("host/same-file-system", "warning", "/data/pika/dbsync is on ext4");
    let unnamed =
        apart.clone().replaced("root/data/pika/pika.conf", "db-sync-path : /data/pika/dbsync/\n", "");
    unnamed.judged("3.3.6").is("host/same-file-system", "warning", "/data/pika/dbsync is on ext4");
    let bound = tree().with("root/data/pika/dump/x", "").replaced(
        &pika("mountinfo"),
        "127 95",
        "140 127 254:16 /dumps /data/pika/dump rw,relatime - xfs /dev/vdb rw\n127 95",
    );
    bound.judged("3.5.5").is("host/same-file-system", "warning", "not made of hard links");
    let whole_disk = tree().replaced(&pika("mountinfo"), "/data rw", "/data/pika/db rw");
    whole_disk.judged("3.0.16").is("host/same-file-system", "warning", "is a mount point itself");

    let few = tree().replaced("root/data/pika/pika.conf", "maxclients : 1000", "maxclients : 20000");
    few.judged("3.3.6").is("host/open-files", "critical", "LimitNOFILE=25000");
    few.judged("2.3.0").is("host/open-files", "warning", "25000");

    let many = tree().replaced("proc/sys/kernel/pid_max", "32768", "4194304");
    many.judged("3.3.6").is("host/stopping", "warning", "[s]lash_rsync.conf");
    let gone = tree().without(&format!("proc/{RSYNC}/"));
    let judged = gone.judged("3.3.6");
    judged.is("host/stale-pid-file", "critical", "is not started again");
    // It has ended, and nobody asks how: in a container whose first process is the Pika.
    let ended = tree().with(&format!("proc/{RSYNC}/stat"), &format!("{RSYNC} (rsync) Z 1 1 1 0 -1 0 0 0\n"));
    ended.judged("3.3.6").is("host/stale-pid-file", "critical", "is not started again");
    let other = gone.with(&format!("proc/{RSYNC}/comm"), "mysqld\n");
    other.judged("2.3.6").is(
        "host/stale-pid-file",
        "critical",
        "which is mysqld: the next slaveof can kill it",
    );
    let wide = tree().replaced("proc/sys/net/ipv4/ip_local_port_range", "32768", "10000");
    wide.judged("3.3.6").is("host/port-owners", "warning", "ip_local_reserved_ports=10221");
    let reserved = wide.with("proc/sys/net/ipv4/ip_local_reserved_ports", "10000-12000\n");
    assert_eq!(reserved.judged("3.3.6").state("host/port-owners"), "ok");

    let program = "/usr/local/pika/bin/pika";
    let gone = tree().without(&format!("root{program}"));
    gone.judged("3.3.6").is("host/program", "warning", "not there any more");
    let upgraded = tree().linked(&pika("exe"), &format!("{program} (deleted)"));
    upgraded.judged("3.3.6").is("host/program", "warning", "nothing is run on a recorded host");
    let moved = tree()
        .linked(&pika("exe"), "/usr/local/pika/bin/pika.old")
        .with("root/usr/local/pika/bin/pika.old", "");
    moved.judged("3.3.6").is("host/program", "warning", &format!("{program} is another file"));
    let by_name = tree().replaced(&pika("cmdline"), program, "pika");
    assert_eq!(
        by_name.judged("3.3.6").state("host/program"),
        "ok",
        "what PATH does not lead to is taken for itself"
    );
    let in_path = by_name.with("root/usr/local/bin/pika", "");
    in_path.judged("3.3.6").is("host/program", "warning", "/usr/local/bin/pika is another file");

    let unconfigured = tree().without("root/data/pika/pika.conf");
    let judged = unconfigured.judged("3.3.6");
    judged.is(
        "host/configuration",
        "warning",
        "/data/pika/pika.conf, which its command line names, is not there",
    );
    let removed = unconfigured.linked(&pika("cwd"), "/data/pika (deleted)");
    let relative = removed.replaced(&pika("cmdline"), "/data/pika/pika.conf", "pika.conf");
    relative.judged("3.3.6").is("host/configuration", "warning", "/data/pika/pika.conf, which");

    let lock = "/data/pika/db/db0/strings/LOCK";
    let moved = tree().linked(&pika("fd/40"), "/data/old/db0/strings/LOCK");
    moved.judged("3.3.6").is("host/database", "critical", "its database is at /data/old/db0/strings/LOCK");
    let deleted = tree().linked(&pika("fd/40"), &format!("{lock} (deleted)"));
    deleted.judged("3.3.6").is("host/database", "critical", "its database below /data/pika/db was deleted");
    let elsewhere =
        tree().linked("root/data/pika/db", "/mnt/db").linked(&pika("fd/40"), "/mnt/db/db0/strings/LOCK");
    assert_eq!(
        elsewhere.without("root/data/pika/db/").judged("3.3.6").state("host/database"),
        "ok",
        "a link is followed"
    );
    let binlog = tree().linked(&pika("fd/41"), "/data/pika/log/log_db0/write2file0 (deleted)");
    binlog.judged("3.3.6").is("host/database", "warning", "its binlog is");

    let killed = "6,2,9,-;Out of memory: Killed process 77 (pika) total-vm:1kB\n";
    tree().with("root/dev/kmsg", killed).judged("3.3.6").is(
        "host/out-of-memory",
        "warning",
        "process 77 (pika)",
    );
    tree().with("proc/sys/vm/overcommit_memory", "2\n").judged("3.3.6").is(
        "host/overcommit",
        "warning",
        "is 2",
    );
}

#[test]
fn a_user_without_rights_is_found() {
    let status = format!("proc/{PIKA}/status");
    let of_pika = Tree::recorded()
        .replaced(&status, "Uid:\t0\t0\t0\t0", "Uid:\t990\t990\t990\t990")
        .replaced(&status, "Gid:\t0\t0\t0\t0", "Gid:\t990\t990\t990\t990");
    let judged = of_pika.judged("3.5.5");
    judged.is("host/directories", "critical", "pika may not write");
    assert_eq!(judged.host.instances[0].conf.as_ref().unwrap().writable, Some(false));
}

/// A manifest of RocksDB that names the data file 000007.sst.
const MANIFEST: &str = "\0\0\0\0\x0f\0\x01\x67\0\x07\x09\x01a\x01z\x01\x02\x05\x02\x07\x07\x01";

#[test]
fn a_file_that_the_database_names_and_that_is_gone_is_found() {
    let store = |name: &str| format!("root/data/pika/db/db0/strings/{name}");
    let whole = Tree::recorded()
        .with(&store("CURRENT"), "MANIFEST-000005\n")
        .with(&store("MANIFEST-000005"), MANIFEST)
        .with(&store("000007.sst"), "data");
    whole.judged("3.3.6").is("host/data-files", "ok", "");
    for (gone, words) in [
        ("CURRENT", "a dump is complete"),
        ("MANIFEST-000005", "every dump fails"),
        ("000007.sst", "/data/pika/db/db0/strings/000007.sst"),
    ] {
        whole.clone().without(&store(gone)).judged("3.3.6").is("host/data-files", "critical", words);
    }
    let strange = whole.with(&store("MANIFEST-000005"), "no manifest at all");
    strange.judged("3.3.6").is("host/data-files", "unknown", "cannot be read");
}

#[test]
fn a_configuration_that_is_gone_leaves_the_ports_that_it_listens_on() {
    let judged = Tree::recorded().without("root/data/pika/pika.conf").judged("3.3.6");
    assert_eq!(judged.host.instances[0].port, Some(9221), "by its sockets");
    judged.is("host/configuration", "warning", "which");
}

#[test]
fn a_configuration_is_replaced_where_its_link_lies() {
    // As in a Kubernetes ConfigMap: the file that the link leads to lies in another directory.
    let linked = Tree::recorded().without("root/data/pika/pika.conf");
    let text = Tree::recorded().files["root/data/pika/pika.conf"].clone();
    let linked = linked
        .with("root/etc/shipped/pika.conf", &text)
        .linked("root/data/pika/pika.conf", "/etc/shipped/pika.conf");
    let conf = linked.judged("3.3.6").host.instances[0].conf.clone().unwrap();
    assert_eq!((conf.exists, conf.writable), (Some(true), Some(true)));
}

#[test]
fn a_second_pika_in_the_way_is_found() {
    // 1000 above the first one: its client port is the first one's rsync port.
    let mut tree = Tree::recorded();
    for (path, text) in tree.files.clone() {
        if let Some(file) = path.strip_prefix(&format!("proc/{PIKA}/")) {
            tree = tree
                .with(&format!("proc/14000/{file}"), &text.replace("/data/pika/pika.conf", "/data/b.conf"));
        }
    }
    tree.links.insert("proc/14000/root".into(), "../../root".into());
    tree.links.insert("proc/14000/cwd".into(), "/data".into());
    let conf =
        tree.files["root/data/pika/pika.conf"].replace("9221", "10221").replace("/data/pika/", "/data/b/");
    let tree = tree.with("root/data/b.conf", &conf);
    let wanted = |pid: &str, port| InstanceSelector {
        name: Some(format!("pika {port}")),
        pid: pid.parse().ok(),
        version: "3.3.6".parse().ok(),
        ..InstanceSelector::default()
    };
    let wanted = vec![wanted(PIKA, 9221), wanted("14000", 10221)];
    let request = Request { instances: wanted, ..Request::default() };
    let judged = tree.judged_as(&request);
    judged.is("host/port-owners", "critical", "is needed by pika 10221");
    // In a network of its own it is in nobody's way.
    let mut tree = tree;
    tree.links.insert("proc/self/ns/net".into(), "net:[1]".into());
    tree.links.insert(format!("proc/{PIKA}/ns/net"), "net:[1]".into());
    tree.links.insert("proc/14000/ns/net".into(), "net:[2]".into());
    assert!(!tree.judged_as(&request).report.to_string().contains("is needed by"));
    // Its namespace is for root alone, and its addresses are for everybody.
    tree.links.remove("proc/14000/ns/net");
    let tree = tree.with("proc/self/net/fib_trie", "/32 host LOCAL 10.0.0.1");
    let same = tree.clone().with("proc/14000/net/fib_trie", "/32 host LOCAL 10.0.0.1");
    same.judged_as(&request).is("host/port-owners", "critical", "is needed by pika 10221");
    let other = tree.with("proc/14000/net/fib_trie", "/32 host LOCAL 172.17.0.2");
    assert!(!other.judged_as(&request).report.to_string().contains("is needed by"));
}

#[test]
fn a_daemon_without_its_pika_is_found_where_the_host_is_asked_about() {
    let tree = Tree::recorded().without(&format!("proc/{PIKA}/"));
    let judged = tree.judged_as(&Request { whole: true, ..Request::default() });
    judged.is("host/leftover-rsync", "warning", &format!("kill {RSYNC}"));
    let judged = tree.judged_as(&Request::default());
    assert_eq!(judged.state("host/leftover-rsync"), "not-applicable");
}

#[test]
fn a_server_that_is_not_a_process_of_the_host_is_not_made_up() {
    let wanted = InstanceSelector { pid: Some(4711), port: Some(9300), ..InstanceSelector::default() };
    let judged = Tree::recorded().judged_as(&Request { instances: vec![wanted], ..Request::default() });
    assert!(judged.host.instances.is_empty());
    judged.is("host/processes", "warning", "no Pika with port 9300 and process id 4711");
    // A container gives its processes other ids; the port and the inner id tell.
    let wanted = InstanceSelector { pid: Some(1), port: Some(9221), ..InstanceSelector::default() };
    let request = Request { instances: vec![wanted], ..Request::default() };
    let judged = Tree::recorded().judged_as(&request);
    assert!(judged.host.instances.is_empty());
    judged.is("host/processes", "warning", "no Pika with port 9221 and process id 1");
    let status = format!("proc/{PIKA}/status");
    let contained =
        Tree::recorded().replaced(&status, &format!("NSpid:\t{PIKA}"), &format!("NSpid:\t{PIKA}\t1"));
    assert_eq!(contained.judged_as(&request).host.instances[0].pid, PIKA.parse().ok());
}

#[test]
fn an_empty_or_strange_host_is_no_reason_to_fall() {
    let tree = Tree::recorded();
    let catalogue = built_in();
    for path in tree.files.keys().filter(|path| path.starts_with("proc/")) {
        for text in ["", "\0\u{1b}[31m: -1 99999999999999999999\n"] {
            let wanted = InstanceSelector { pid: PIKA.parse().ok(), ..InstanceSelector::default() };
            let request = Request { instances: vec![wanted], all: true, whole: true, ..Request::default() };
            let mut facts = Facts {
                hosts: vec![tree.clone().with(path, text).collect_host(&request)],
                ..Facts::default()
            };
            pikadoctor::derive::host::complete(&mut facts, &catalogue.knowledge);
            let report =
                pikadoctor::pipeline::judgement::judge(facts, &catalogue, &Parameters::new(), Language::En);
            for finding in report.findings {
                assert!(!finding.note.contains("the check itself failed"), "{path}: {}", finding.note);
            }
        }
    }
}

#[test]
fn the_facts_of_a_host_fit_their_schema() {
    let judged = Tree::recorded().judged("3.3.6");
    let schema: Value = serde_json::from_str(&run(&["schema", "facts"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let facts = &judged.report["facts"];
    assert!(
        validator.is_valid(facts),
        "{:?}",
        validator.iter_errors(facts).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(facts["hosts"][0]["instances"][0]["settings"]["port"], "9221");
    assert!(!facts.to_string().contains("requirepass"));
}

#[test]
fn a_host_dials_what_it_must_reach_and_nothing_else() {
    // An address of its own: the ports above that of the server would be anybody's elsewhere.
    let server = serve_at(recording("v3.3.6/standalone/standalone"), "127.77.3.1:9221");
    let address: SocketAddr = server.address.parse().unwrap();
    let dialled = |release: &str, r#as| {
        let dial = Dial { to: "db2".into(), address, release: release.parse().unwrap(), r#as };
        Tree::recorded().judged_as(&Request { dials: vec![dial], ..Request::default() })
    };
    let ports = |judged: &Judged| -> Vec<(u32, PortState)> {
        let port = |port: &Port| (port.number - u32::from(address.port()), port.state);
        judged.host.dialled[0].ports.iter().map(port).collect()
    };
    // Only the client port is there, and a replica needs more; the heartbeat of old releases is left alone.
    let judged = dialled("3.3.6", DialAs::Replica);
    assert_eq!(ports(&judged), [(0, PortState::Open), (2000, PortState::Closed)]);
    judged.is("host/dialled", "critical", "nc -vz -w 3 127.77.3.1");
    let judged = dialled("3.5.5", DialAs::Replica);
    assert_eq!(ports(&judged), [(0, PortState::Open), (2000, PortState::Closed), (10001, PortState::Closed)]);
    let judged = dialled("2.3.6", DialAs::Replica);
    assert_eq!(ports(&judged), [(0, PortState::Open)]);
    judged.is("host/dialled", "ok", "open");
    // A master dials the rsync of its replica: up to 3.0.16 during a full copy only, and never the binlog port.
    let judged = dialled("2.3.6", DialAs::Master);
    assert_eq!(ports(&judged), [(3000, PortState::Closed)]);
    judged.is("host/dialled", "ok", "closed");
    let judged = dialled("3.3.6", DialAs::Master);
    assert_eq!(ports(&judged), [(1000, PortState::Closed)]);
    judged.is("host/dialled", "critical", "closed");
    let judged = dialled("3.5.5", DialAs::Master);
    assert_eq!(ports(&judged), []);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named_once_and_nothing_is_made_up() {
    let conf = Some("/nowhere/pika.conf".into());
    let wanted = InstanceSelector {
        name: Some("planned".into()),
        conf,
        version: "3.3.6".parse().ok(),
        ..InstanceSelector::default()
    };
    let judged =
        Tree::recorded().judged_as(&Request { instances: vec![wanted], whole: true, ..Request::default() });
    let findings = judged.report["findings"].as_array().unwrap().iter();
    for finding in findings.filter(|finding| finding["target"] == "planned") {
        let note = finding["note"].as_str().unwrap();
        assert!(
            finding["state"] == "not-applicable" || note.contains("/nowhere/pika.conf: No such file"),
            "{finding:#}"
        );
    }
}

#[test]
fn a_container_that_may_not_be_seen_is_not_judged_by_the_files_of_its_host() {
    let mut tree = Tree::recorded();
    tree.links.remove(&format!("proc/{PIKA}/root"));
    let judged = tree.judged("3.3.6");
    for check in ["rsync", "same-file-system", "directories", "free-space", "open-files"] {
        assert_eq!(judged.state(&format!("host/{check}")), "skipped", "{check}");
    }
}
