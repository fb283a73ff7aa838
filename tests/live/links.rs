//! Replication between real Pika servers: what is forecast before `slaveof` is what comes, and what is found
//! on a link is what is the case. Run with `PIKADOCTOR_PIKA_HOME`; ignored elsewhere.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::process::free_client_port;
use crate::support::real::{Pika, versions};
use crate::support::{Run, pikadoctor};
use serde_json::Value;

/// Two servers that know each other by 127.0.0.1.
struct Two {
    master: Pika,
    replica: Pika,
}

impl Two {
    fn start(master: &str, replica: &str) -> Self {
        Self::start_with(master, &[], replica, &[])
    }

    fn start_with(
        master: &str,
        of_master: &[(&str, &str)],
        replica: &str,
        of_replica: &[(&str, &str)],
    ) -> Self {
        let loopback = ("network-interface", "lo");
        let start = |version: &str, extra: &[(&str, &str)]| {
            let extra: Vec<_> = extra.iter().copied().chain([loopback]).collect();
            Pika::start(version, &extra)
        };
        let two = Self { master: start(master, of_master), replica: start(replica, of_replica) };
        let auth: Vec<&str> = of_master
            .iter()
            .find(|(name, _)| *name == "requirepass")
            .map(|(_, pw)| vec!["AUTH", *pw])
            .unwrap_or_default();
        let mut commands: Vec<&[&str]> = Vec::new();
        if !auth.is_empty() {
            commands.push(&auth);
        }
        commands.extend([
            ["SET", "s", "v"].as_slice(),
            &["HSET", "h", "f", "v"],
            &["RPUSH", "l", "a", "b", "c"],
            &["SADD", "t", "a", "b"],
            &["ZADD", "z", "1", "a"],
        ]);
        two.master.converse(&commands);
        two
    }

    /// Sends `slaveof` and gives it time to come to something.
    fn slaveof(&self, force: &[&str]) {
        let port = self.master.port.to_string();
        let words: Vec<&str> =
            ["SLAVEOF", "127.0.0.1", &port].into_iter().chain(force.iter().copied()).collect();
        let reply = self.replica.ask(&words);
        assert!(reply.starts_with("+OK"), "{reply}");
    }

    fn up(&self) -> bool {
        self.replica.ask(&["INFO", "replication"]).contains("master_link_status:up")
    }

    /// The same, and waits for the link to say up.
    fn join(&self, force: &[&str]) {
        self.slaveof(force);
        // One database of 4.0.1 once stood in kWaitReply for a minute after the data had come.
        self.replica.wait_for("the link", Duration::from_secs(150), |_| self.up());
        // The last bytes of the old data are on their way.
        thread::sleep(Duration::from_secs(2));
    }

    fn report(&self, command: &[&str]) -> Report {
        self.report_with(command, &[])
    }

    /// `check REPLICA --master MASTER` or `forecast REPLICA MASTER`, and its JSON.
    fn report_with(&self, command: &[&str], environment: &[(&str, &str)]) -> Report {
        let (replica, master) = (self.replica.address(), self.master.address());
        let mut tool = pikadoctor();
        tool.arg(command[0]).arg(&replica);
        if command[0] == "check" {
            tool.arg("--master");
        }
        tool.arg(&master).args(&command[1..]).args(["--format", "json"]).envs(environment.iter().copied());
        let run = Run::of(&mut tool);
        let json: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
        assert_eq!(json["exit_code"], run.code);
        Report(json)
    }
}

struct Report(Value);

impl Report {
    fn link(&self) -> &Value {
        &self.0["facts"]["links"][0]
    }

    fn prospect(&self) -> (String, String) {
        let word = |key: &str| self.link()["forecast"][key].as_str().unwrap().to_owned();
        (word("prospect"), word("cause"))
    }

    fn state(&self, check: &str) -> &str {
        let finding = self.0["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check);
        finding.unwrap_or_else(|| panic!("no finding {check}"))["state"].as_str().unwrap()
    }

    /// Findings about links that are worse than ok.
    fn bad(&self) -> Vec<String> {
        let about_links = |finding: &&Value| {
            let check = finding["check"].as_str().unwrap();
            let state = finding["state"].as_str().unwrap();
            (check.starts_with("link/") || check.starts_with("double-master/"))
                && ["critical", "warning", "unknown"].contains(&state)
        };
        let findings = self.0["findings"].as_array().unwrap().iter().filter(about_links);
        findings.map(|f| format!("{} {} {}", f["check"], f["state"], f["problems"])).collect()
    }

    fn canaries(&self) -> Vec<&str> {
        let canaries = self.link()["canary"].as_array().map(Vec::as_slice).unwrap_or_default();
        canaries.iter().map(|canary| canary["outcome"].as_str().unwrap()).collect()
    }
}

/// Neither server holds a key of this tool's.
fn assert_nothing_left(two: &Two, what: &str) {
    for pika in [&two.master, &two.replica] {
        assert_eq!(pika.ask(&["KEYS", "pikadoctor*"]), "*0\r\n", "{what}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn pairs_of_one_release_are_forecast_joined_and_found_well() {
    for version in versions() {
        let two = Two::start(&version, &version);
        let by_id = version.starts_with("3.5") || version.starts_with('4');
        let before = two.report(&["forecast"]);
        let expected = if by_id { ("full-sync", "no-replication-id") } else { ("incremental", "position") };
        assert_eq!(before.prospect(), (expected.0.into(), expected.1.into()), "{version}");
        assert_eq!(before.bad(), Vec::<String>::new(), "{version}");
        two.join(&[]);

        let settings = |pika: &Pika| {
            ["slave-read-only", "masterauth", "requirepass", "slotmigrate", "maxclients", "timeout"]
                .map(|name| pika.ask(&["CONFIG", "GET", name]))
        };
        let configuration = [settings(&two.master), settings(&two.replica)];
        let listed = two.master.ask(&["INFO", "replication"]).contains("connected_slaves:1");
        let report = two.report(&["check"]);
        assert_eq!(report.bad(), Vec::<String>::new(), "{version}");
        assert_eq!(report.canaries(), ["arrived"], "{version}");
        assert_eq!(report.link()["relation"], "follows", "{version}");
        assert_eq!(report.link()["sample"]["compared"], 5, "{version}: {}", report.link()["sample"]);
        assert_eq!(report.link()["flow"][0]["step"], "level", "{version}");
        let again = two.report(&["check", "--read-only"]);
        assert_eq!(again.state("link/canary"), "skipped", "{version}");
        assert_eq!(again.bad(), Vec::<String>::new(), "{version}");
        assert_eq!([settings(&two.master), settings(&two.replica)], configuration, "{version}");
        assert_eq!(
            two.master.ask(&["INFO", "replication"]).contains("connected_slaves:1"),
            listed,
            "{version}"
        );
        assert_nothing_left(&two, &version);

        // Asked again, the same command would do nothing.
        assert_eq!(
            two.report(&["forecast"]).prospect().0,
            if version == "2.3.0" { "refused" } else { "nothing" },
            "{version}"
        );
        let reply = two.replica.ask(&["SLAVEOF", "127.0.0.1", &two.master.port.to_string()]);
        assert_eq!(reply.starts_with('-'), version == "2.3.0", "{version}: {reply}");
    }
}

/// What came of `slaveof`, in the words of the forecast.
fn what_came(two: &mut Two) -> &'static str {
    let began = Instant::now();
    let mut up = 0;
    while began.elapsed() < Duration::from_secs(25) {
        if two.replica.process.try_wait().unwrap().is_some() {
            return "dies";
        }
        up = if two.up() { up + 1 } else { 0 };
        if up > 10 {
            break;
        }
        thread::sleep(Duration::from_millis(500));
    }
    two.master.ask(&["SET", "later", "v"]);
    thread::sleep(Duration::from_secs(6));
    if two.replica.process.try_wait().unwrap().is_some() {
        return "dies";
    }
    let old = two.replica.ask(&["GET", "s"]) == "$1\r\nv\r\n";
    let later = two.replica.ask(&["GET", "later"]) == "$1\r\nv\r\n";
    match (two.up(), old, later) {
        (true, true, true) => "works",
        (true, true, false) => "stale",
        (true, false, true) => "hollow",
        (true, false, false) => "silent",
        (false, ..) => "down",
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn what_is_forecast_between_releases_is_what_comes() {
    let there = versions();
    let pairs: [(&str, &str, &[&str]); 11] = [
        ("2.3.0", "2.3.6", &[]),
        ("2.3.6", "2.3.0", &[]),
        ("2.3.0", "2.3.6", &["force"]),
        ("2.3.6", "3.0.16", &[]),
        ("3.0.16", "2.3.6", &[]),
        ("3.0.16", "2.3.0", &[]),
        ("3.3.6", "3.5.5", &[]),
        ("3.5.5", "3.3.6", &[]),
        ("3.5.5", "3.3.6", &["force"]),
        ("3.5.5", "4.0.1", &[]),
        ("4.0.1", "3.5.5", &[]),
    ];
    for (master, replica, force) in pairs {
        if ![master, replica].iter().all(|version| there.iter().any(|known| known == version)) {
            continue;
        }
        let what = format!("{master} -> {replica} {force:?}");
        let mut two = Two::start(master, replica);
        let flags: Vec<&str> =
            ["forecast"].into_iter().chain((!force.is_empty()).then_some("--force")).collect();
        let forecast = two.report(&flags);
        let (prospect, _) = forecast.prospect();
        two.slaveof(force);
        let came = what_came(&mut two);
        let expected = match prospect.as_str() {
            "incremental" | "full-sync" => "works",
            "error" | "retries" | "waits" => "down",
            word => word,
        };
        assert_eq!(came, expected, "{what}: forecast {prospect}");
        let good = came == "works";
        assert_eq!(
            forecast.0["exit_code"],
            if good { forecast.0["exit_code"].clone() } else { 2.into() },
            "{what}"
        );
        if came == "dies" {
            continue;
        }
        let report = two.report(&["check", "--canary-timeout", "2s"]);
        let writes_harm = master.starts_with("3.0") && replica.starts_with('2');
        if good {
            assert_eq!(report.canaries(), ["arrived"], "{what}");
            assert_eq!(report.state("link/canary"), "ok", "{what}");
        } else if !writes_harm {
            assert_eq!(report.canaries(), ["lost"], "{what}");
            assert_eq!(report.state("link/canary"), "critical", "{what}");
            assert_eq!(report.0["exit_code"], 2, "{what}");
        }
        // A full copy was forced where only that fails: the link itself is good.
        let expected = match (good, forecast.link()["dialect"]["incremental"].as_str()) {
            (_, Some("works")) => "warning",
            _ => "critical",
        };
        let of_dialect = report.state("link/dialect");
        assert!(of_dialect == expected || (good && of_dialect == "ok"), "{what}: {of_dialect}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_wrong_or_missing_masterauth_is_found_before_and_after() {
    for version in versions() {
        for (masterauth, names) in [("other", "wrong"), ("", "missing")] {
            let mut settings = vec![("requirepass", "root-secret"), ("userpass", "user-secret")];
            let of_master = settings.clone();
            settings.push(("masterauth", masterauth));
            // Up to 2.3.2 the replica falls back to its own requirepass; give it another one.
            settings[0].1 = "own-secret";
            let two = Two::start_with(&version, &of_master, &version, &settings);
            let environment =
                [("PIKADOCTOR_PASSWORD", "own-secret"), ("PIKADOCTOR_PASSWORD_MASTER", "root-secret")];
            let before = two.report_with(&["forecast"], &environment);
            let what = format!("{version} {names}");
            assert_eq!(before.prospect().1, "masterauth", "{what}");
            assert_eq!(before.state("link/masterauth"), "critical", "{what}");
            let port = two.master.port.to_string();
            two.replica.converse(&[&["AUTH", "own-secret"], &["SLAVEOF", "127.0.0.1", &port]]);
            thread::sleep(Duration::from_secs(8));
            let after = two.report_with(&["check", "--canary-timeout", "1s"], &environment);
            assert_eq!(after.state("link/masterauth"), "critical", "{what}");
            assert_eq!(after.state("link/state"), "critical", "{what}");
            assert_eq!(after.0["exit_code"], 2, "{what}");
            let text = after.0.to_string();
            for password in ["own-secret", "root-secret", "user-secret"] {
                assert!(!text.contains(password), "{what}: a password shows");
            }
        }
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn databases_that_differ_are_found_before_and_after() {
    for version in
        versions().iter().filter(|version| !version.starts_with('2') && !version.starts_with("3.0"))
    {
        let two = Two::start_with(version, &[("databases", "1")], version, &[("databases", "2")]);
        let before = two.report(&["forecast"]);
        assert_eq!(before.prospect(), ("error".into(), "databases".into()), "{version}");
        two.slaveof(&[]);
        thread::sleep(Duration::from_secs(5));
        assert!(!two.up(), "{version}");
        let after = two.report(&["check", "--canary-timeout", "1s"]);
        assert_eq!(after.state("link/databases"), "critical", "{version}");
        assert_eq!(after.0["exit_code"], 2, "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn every_database_has_a_canary_of_its_own() {
    for version in
        versions().iter().filter(|version| !version.starts_with('2') && !version.starts_with("3.0"))
    {
        let databases = [("databases", "3")];
        let two = Two::start_with(version, &databases, version, &databases);
        two.join(&[]);
        let report = two.report(&["check"]);
        assert_eq!(report.canaries(), ["arrived"; 3], "{version}");
        assert_eq!(report.link()["canary"][2]["db"], "db2", "{version}");
        assert_eq!(report.bad(), Vec::<String>::new(), "{version}");
        assert_nothing_left(&two, version);
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_replica_that_is_ahead_is_found_before_and_after() {
    for version in versions() {
        let two = Two::start(&version, &version);
        two.join(&[]);
        two.replica.ask(&["SLAVEOF", "NO", "ONE"]);
        thread::sleep(Duration::from_secs(4));
        for number in 0..50 {
            two.replica.ask(&["SET", &format!("own{number}"), "v"]);
        }
        let before = two.report(&["forecast"]);
        assert_eq!(before.prospect(), ("error".into(), "ahead".into()), "{version}");
        assert_eq!(before.state("link/ahead"), "critical", "{version}");
        // The master may still list the replica; from then on the error is that of the position.
        two.master.wait_for("the master forgets", Duration::from_secs(60), |master| {
            !master.ask(&["INFO", "replication"]).contains("slave0:")
        });
        two.slaveof(&[]);
        thread::sleep(Duration::from_secs(8));
        let after = two.report(&["check", "--canary-timeout", "1s"]);
        assert_eq!(after.state("link/positions"), "critical", "{version}");
        assert_eq!(after.canaries(), ["lost"], "{version}");
        assert_eq!(after.link()["flow"][0]["step"], "ahead", "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn servers_of_two_groups_are_found_by_their_replication_ids() {
    for version in versions().iter().filter(|version| version.starts_with("3.5") || version.starts_with('4'))
    {
        let (first, second) = (Two::start(version, version), Two::start(version, version));
        first.join(&[]);
        second.join(&[]);
        // The former replica of the second group is to follow the master of the first.
        second.replica.ask(&["SLAVEOF", "NO", "ONE"]);
        let mixed = Two { master: first.master, replica: second.replica };
        let before = mixed.report(&["forecast"]);
        assert_eq!(before.prospect(), ("error".into(), "replication-id".into()), "{version}");
        mixed.slaveof(&[]);
        thread::sleep(Duration::from_secs(5));
        assert!(!mixed.up(), "{version}");
        let after = mixed.report(&["check", "--canary-timeout", "1s"]);
        assert_eq!(after.state("link/replication-id"), "critical", "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_purged_binlog_is_forecast_as_a_full_copy_and_becomes_one() {
    for version in ["2.3.6", "3.3.6"] {
        let small = [("binlog-file-size", "1048576"), ("expire-logs-nums", "10")];
        let two = Two::start_with(version, &small, version, &small);
        let value = "x".repeat(100_000);
        for number in 0..180 {
            two.master.ask(&["SET", &format!("big{}", number % 5), &value]);
        }
        let before = two.report(&["forecast"]);
        assert_eq!(before.prospect(), ("full-sync".into(), "purged".into()), "{version}");
        // The server looks for files to purge about once a minute.
        two.master.wait_for("the purge", Duration::from_secs(120), |master| {
            let directory = master.directory.path().join("log");
            let logs = [directory.join("write2file0"), directory.join("log_db0/write2file0")];
            !logs.iter().any(|log| log.exists())
        });
        two.join(&[]);
        let report = two.report(&["check"]);
        assert_eq!(report.canaries(), ["arrived"], "{version}");
        assert_eq!(report.state("link/sample"), "ok", "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_tool_that_is_killed_leaves_a_key_that_expires() {
    // The pair is silent, so that the tool waits for its canary when it is killed.
    let two = Two::start("2.3.0", "2.3.6");
    two.join(&[]);
    let mut tool = pikadoctor()
        .args(["check", &two.replica.address(), "--master", &two.master.address(), "--canary-timeout", "20s"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    two.master.wait_for("the canary", Duration::from_secs(10), |master| {
        master.ask(&["KEYS", "pikadoctor:canary:*"]).starts_with("*1")
    });
    tool.kill().unwrap();
    tool.wait().unwrap();
    let reply = two.master.ask(&["KEYS", "pikadoctor:canary:*"]);
    let key = reply.lines().nth(2).unwrap();
    let life: i64 = two.master.ask(&["TTL", key]).trim_start_matches(':').trim().parse().unwrap();
    assert!((1..=300).contains(&life), "{life}");
}

/// Two servers that are each other's double master. `ids` are (server-id, double-master-server-id) of each.
fn double_master(version: &str, ids: [(&str, &str); 2], extra: &[(&str, &str)]) -> (Pika, Pika) {
    // Each must know the other's port before it starts.
    let (a_port, b_port) = (free_client_port().to_string(), free_client_port().to_string());
    let start = |port: &str, peer: &str, (own, of_peer): (&str, &str)| {
        let mut settings = vec![
            ("port", port),
            ("network-interface", "lo"),
            ("server-id", own),
            ("double-master-ip", "127.0.0.1"),
            ("double-master-port", peer),
        ];
        if !of_peer.is_empty() {
            settings.push(("double-master-server-id", of_peer));
        }
        settings.extend(extra);
        Pika::start(version, &settings)
    };
    let pair = (start(&a_port, &b_port, ids[0]), start(&b_port, &a_port, ids[1]));
    thread::sleep(Duration::from_secs(12));
    pair
}

fn report_on_pair(a: &Pika, b: &Pika) -> Report {
    let run = Run::of(pikadoctor().args([
        "check",
        &a.address(),
        "--peer",
        &b.address(),
        "--canary-timeout",
        "3s",
        "--format",
        "json",
    ]));
    Report(serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr)))
}

fn of_double_masters() -> Vec<String> {
    versions()
        .into_iter()
        .filter(|version| version.starts_with("2.3") || version.starts_with("3.0"))
        .collect()
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_healthy_double_master_is_found_well() {
    for version in of_double_masters() {
        let (a, b) = double_master(&version, [("101", "102"), ("102", "101")], &[]);
        let report = report_on_pair(&a, &b);
        assert_eq!(report.bad(), Vec::<String>::new(), "{version}");
        for link in report.0["facts"]["links"].as_array().unwrap() {
            assert_eq!(link["canary"][0]["outcome"], "arrived", "{version}: {}", link["name"]);
        }
        assert_eq!(report.0["facts"]["pairs"][0]["echo"]["reappeared"], false, "{version}");
        for pika in [&a, &b] {
            assert_eq!(pika.ask(&["KEYS", "pikadoctor*"]), "*0\r\n", "{version}");
        }
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn wrong_ids_of_a_double_master_are_found() {
    for version in of_double_masters() {
        for (ids, check) in [
            ([("1", "1"), ("1", "1")], "double-master/ids"),
            ([("1", ""), ("1", "")], "double-master/ids"),
            ([("101", "201"), ("102", "202")], "double-master/ids"),
        ] {
            let (a, b) = double_master(&version, ids, &[]);
            let report = report_on_pair(&a, &b);
            assert_eq!(report.state(check), "critical", "{version} {ids:?}: {:?}", report.bad());
            assert_eq!(report.0["exit_code"], 2, "{version} {ids:?}");
        }
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_read_only_and_a_one_sided_double_master_are_found() {
    for version in of_double_masters() {
        let (a, b) = double_master(&version, [("101", "102"), ("102", "101")], &[("slave-read-only", "yes")]);
        let report = report_on_pair(&a, &b);
        let harmless = version == "3.0.16";
        assert_eq!(
            report.state("double-master/read-only"),
            if harmless { "ok" } else { "critical" },
            "{version}"
        );
        drop((a, b));

        let settings = [
            ("network-interface", "lo"),
            ("server-id", "101"),
            ("double-master-ip", "127.0.0.1"),
            ("double-master-server-id", "102"),
        ];
        let b = Pika::start(&version, &[("network-interface", "lo"), ("server-id", "102")]);
        let port = b.port.to_string();
        let settings: Vec<_> = settings.into_iter().chain([("double-master-port", port.as_str())]).collect();
        let a = Pika::start(&version, &settings);
        thread::sleep(Duration::from_secs(8));
        let report = report_on_pair(&a, &b);
        assert_eq!(report.state("double-master/halves"), "critical", "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn releases_without_the_double_master_say_so() {
    for version in
        versions().iter().filter(|version| !version.starts_with("2.3") && !version.starts_with("3.0"))
    {
        let loopback = [("network-interface", "lo")];
        let (a, b) = (Pika::start(version, &loopback), Pika::start(version, &loopback));
        let report = report_on_pair(&a, &b);
        assert_eq!(report.state("double-master/available"), "critical", "{version}");
    }
}
