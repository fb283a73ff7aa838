//! Real Pika servers. Run with `PIKADOCTOR_PIKA_HOME=<dir>` where `<dir>/<version>/pika` and
//! `<dir>/<version>/pika.conf` are a build and its stock configuration; ignored elsewhere.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::proxy::relay;
use crate::support::real::{Pika, versions};
use crate::support::{Run, pikadoctor};

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_stock_server_of_every_version_is_recognised_and_silent() {
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        let set: &[&str] = &["SET", "k", "v"];
        pika.converse(&[
            set,
            &["HSET", "h", "f", "v"],
            &["LPUSH", "l", "a"],
            &["SADD", "s", "a"],
            &["ZADD", "z", "1", "a"],
        ]);
        // What this host does to it is another matter.
        let report = pika.report(&["--no-host"]);
        let node = &report["facts"]["nodes"][0];
        assert_eq!(node["version"], version.as_str(), "{version}");
        assert_eq!(node["release"]["settled_by"], "git-sha", "{version}");
        assert_eq!(node["reach"]["round_trips"], 2, "{version}");
        assert_eq!(report["exit_code"], 0, "{version}: {:#}", report["findings"][0]);
        assert_eq!(report["counts"]["unknown"], 0, "{version}: {:#}", report["findings"][0]);
        // What the server has and did not show would be an error in the tool or in its knowledge.
        let missing: Vec<_> = node["unavailable"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|error| error["kind"] == "failed")
            .collect();
        assert!(missing.is_empty(), "{version}: {missing:?}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn nothing_on_the_server_changes_and_its_logs_show_nothing_but_a_client() {
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        pika.ask(&["SET", "k", "v"]);
        let state = |pika: &Pika| {
            let mut state = pika.ask(&["INFO", "replication"]);
            for setting in ["timeout", "slave-read-only", "slotmigrate", "requirepass", "maxclients"] {
                state += &pika.ask(&["CONFIG", "GET", setting]);
            }
            state + &pika.ask(&["INFO", "doublemaster"]) + &pika.ask(&["GET", "k"])
        };
        let (before, complaints) = (state(&pika), pika.complaints());
        let usual = pika.usual_code(&version);
        let relay = relay(&pika.address());
        for _ in 0..5 {
            assert_eq!(
                Run::of(pikadoctor().args(["check", "--no-ports", &relay.address])).code,
                usual,
                "{version}"
            );
        }
        assert_eq!(state(&pika), before, "{version}");
        let new: Vec<String> =
            pika.complaints().into_iter().filter(|line| !complaints.contains(line)).collect();
        // From 3.5 on every accepted connection is a line of INFO level; nothing is a complaint.
        assert!(new.is_empty(), "{version}: {new:#?}");
        assert_eq!(relay.sent().len(), 5, "{version}: one connection a check");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_stopped_server_is_critical_within_the_deadline() {
    for version in ["2.3.6", "3.5.5"] {
        let mut pika = Pika::start(version, &[]);
        pika.signal("-STOP");
        let began = Instant::now();
        let run = pika.check(&["-t", "3s", "--reply-timeout", "1s"]);
        assert!(began.elapsed() < Duration::from_secs(3));
        assert_eq!(run.code, 2, "{version}: {}", run.stdout);
        assert!(
            run.text().contains("takes the connection and then says nothing"),
            "{version}: {}",
            run.stdout
        );
        pika.signal("-CONT");
        assert_eq!(pika.check(&[]).code, 0, "{version}");
        pika.process.kill().unwrap();
        pika.process.wait().unwrap();
        let run = pika.check(&[]);
        assert_eq!(run.code, 2, "{version}: {}", run.stdout);
        assert!(run.text().contains("refuses the connection"), "{version}: {}", run.stdout);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn passwords_of_every_era() {
    for version in versions() {
        let pika = Pika::start(&version, &[("requirepass", "root-secret"), ("userpass", "user-secret")]);
        let usual = pika.usual_code(&version);
        let check = |password: &str| {
            let run =
                Run::of(pikadoctor().args(["check", &pika.address()]).env("PIKADOCTOR_PASSWORD", password));
            assert!(!run.stdout.contains("-secret"), "{version}: a password shows:\n{}", run.stdout);
            run
        };
        let none = check("");
        assert_eq!(none.code, 3, "{version} without a password:\n{}", none.stdout);
        assert!(
            none.text().contains("it wants a password, and none was given"),
            "{version}: {}",
            none.stdout
        );
        let wrong = check("wrong");
        assert_eq!(wrong.code, 2, "{version} with a wrong one:\n{}", wrong.stdout);
        assert!(
            wrong.text().contains("the password that was given is refused"),
            "{version}: {}",
            wrong.stdout
        );
        let right = check("root-secret");
        assert_eq!(right.code, usual, "{version} with requirepass:\n{}", right.stdout);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn requirepass_alone_protects_nothing() {
    for version in versions() {
        let pika = Pika::start(&version, &[("requirepass", "root-secret"), ("userpass", "")]);
        let run =
            Run::of(pikadoctor().args(["check", &pika.address()]).env("PIKADOCTOR_PASSWORD", "root-secret"));
        assert_eq!(run.code, 1, "{version}:\n{}", run.stdout);
        let acl = version.starts_with("3.5") || version.starts_with('4');
        let sentence =
            if acl { "the user limit has no password" } else { "requirepass is set and userpass is empty" };
        assert!(run.text().contains(sentence), "{version}: {}", run.stdout);
        let wrong =
            Run::of(pikadoctor().args(["check", &pika.address()]).env("PIKADOCTOR_PASSWORD", "wrong"));
        assert_eq!(wrong.code, 2, "{version} with a wrong password:\n{}", wrong.stdout);
        if acl {
            // What the finding says of CONFIG SET and of ACL SETUSER is true on this very server.
            let tell = |commands: &[&[&str]]| pika.converse(commands);
            tell(&[&["AUTH", "default", "root-secret"], &["CONFIG", "SET", "userpass", "user-secret"]]);
            let still = Run::of(
                pikadoctor().args(["check", &pika.address()]).env("PIKADOCTOR_PASSWORD", "root-secret"),
            );
            assert_eq!(still.code, 1, "{version}: CONFIG SET userpass does not close it:\n{}", still.stdout);
            tell(&[&["AUTH", "default", "root-secret"], &["ACL", "SETUSER", "limit", "off"]]);
            let closed = Run::of(
                pikadoctor().args(["check", &pika.address()]).env("PIKADOCTOR_PASSWORD", "root-secret"),
            );
            let text = closed.text();
            assert!(
                !text.contains(sentence),
                "{version}: ACL SETUSER limit off closes it:\n{}",
                closed.stdout
            );
            assert!(
                text.contains("drift/passwords"),
                "{version}: its file does not know:\n{}",
                closed.stdout
            );
        }
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn slave_read_only_on_a_master_is_judged_as_the_server_behaves() {
    for version in versions() {
        let pika = Pika::start(&version, &[("slave-read-only", "yes")]);
        let refused = pika.ask(&["SET", "k", "v"]).to_lowercase().contains("read-only");
        let usual = pika.usual_code(&version);
        let run = pika.check(&[]);
        assert_eq!(
            run.code,
            if refused { 2 } else { usual },
            "{version}: SET refused: {refused}\n{}",
            run.stdout
        );
        assert_eq!(run.stdout.contains("node/writable"), refused, "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn slot_bookkeeping_is_seen() {
    for version in versions() {
        let pika = Pika::start(&version, &[("slotmigrate", "yes")]);
        let report = pika.report(&[]);
        let slotmigrate = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "node/slotmigrate")
            .unwrap();
        let has_it = version.starts_with('2') || version.starts_with("3.5") || version.starts_with('4');
        assert_eq!(slotmigrate["state"], if has_it { "ok" } else { "not-applicable" }, "{version}");
        if has_it {
            assert!(
                slotmigrate["note"].as_str().unwrap().contains("slotmigrate is on"),
                "{version}: {slotmigrate}"
            );
        }
    }
}

/// The TCP ports on which a process listens, from /proc.
fn listening(pid: u32) -> Vec<u16> {
    let mut inodes = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
        if let Ok(link) = fs::read_link(entry.path())
            && let Some(inode) = link.to_string_lossy().strip_prefix("socket:[")
        {
            inodes.push(inode.trim_end_matches(']').to_owned());
        }
    }
    let mut ports = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == "0A" && inodes.iter().any(|inode| inode == fields[9]) {
                ports
                    .extend(fields[1].rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok()));
            }
        }
    }
    ports
}

/// The ports of the server, and from 3.1 to 3.4 of its rsync daemon, which is a process of its own.
fn listening_with_rsync(pika: &Pika) -> Vec<u16> {
    let mut ports = listening(pika.process.id());
    let pid_file = pika.directory.path().join("dbsync/rsync/slash_rsync.pid");
    if let Some(pid) = fs::read_to_string(pid_file).ok().and_then(|pid| pid.trim().parse().ok()) {
        ports.extend(listening(pid));
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn derived_ports_are_reported_as_the_kernel_shows_them() {
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        let usual = pika.usual_code(&version);
        thread::sleep(Duration::from_secs(1));
        let report = pika.report(&[]);
        assert_eq!(report["exit_code"], usual, "{version}: {:#}", report["findings"][0]);
        let listening = listening_with_rsync(&pika);
        let ports = report["facts"]["nodes"][0]["ports"].as_array().unwrap();
        for port in ports {
            let number = u16::try_from(port["number"].as_u64().unwrap()).unwrap();
            let state = port["state"].as_str().unwrap();
            let is_there = listening.contains(&number);
            let expected: &[&str] = if is_there { &["proven", "open", "not-probed"] } else { &["closed"] };
            assert!(
                expected.contains(&state),
                "{version}: port {number} is {state}; listening: {listening:?}"
            );
            assert_eq!(port["expected"].as_bool().unwrap(), is_there, "{version}: {number}");
        }
        // The client port and the derived ones are all that the server listens on.
        let told = ports.iter().filter(|port| port["expected"] == true).count();
        assert_eq!(listening.len(), told + 1, "{version}: {listening:?}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn looking_at_the_ports_changes_nothing() {
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        let usual = pika.usual_code(&version);
        thread::sleep(Duration::from_secs(1));
        let state = |pika: &Pika| pika.ask(&["INFO", "replication"]) + &pika.ask(&["INFO", "doublemaster"]);
        let (before, complaints) = (state(&pika), pika.complaints());
        for _ in 0..10 {
            assert_eq!(pika.check(&[]).code, usual, "{version}");
        }
        assert_eq!(state(&pika), before, "{version}");
        // Each connection that the server turns away is a line of its log, and nothing else is.
        let known = [
            "AccessHandle failed",
            "deny connection",
            "larger than mine",
            "connection accepted",
            "connection closed",
            "Close Slave Conn",
        ];
        let new: Vec<String> = pika
            .complaints()
            .into_iter()
            .filter(|line| !complaints.contains(line) && !known.iter().any(|words| line.contains(words)))
            .collect();
        assert!(new.is_empty(), "{version}: {new:#?}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn the_own_address_is_the_one_that_the_server_logs() {
    for version in versions() {
        let pika = Pika::start(&version, &[]);
        let report = pika.report(&[]);
        let own = report["facts"]["nodes"][0]["own_address"]["address"]
            .as_str()
            .unwrap_or_else(|| panic!("{version}"))
            .to_owned();
        let logged = fs::read_dir(pika.directory.path().join("log"))
            .unwrap()
            .flatten()
            .filter_map(|entry| fs::read(entry.path()).ok())
            .find_map(|text| {
                let text = String::from_utf8_lossy(&text).into_owned();
                let host = text.split("] host: ").nth(1)?.split_whitespace().next()?.to_owned();
                Some(host)
            })
            .unwrap_or_else(|| panic!("{version}: no host in the log"));
        assert_eq!(own, logged, "{version}");
    }
}
