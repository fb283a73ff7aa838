//! Hosts with two cards, and ports that are blocked between two hosts only, in network namespaces that each test makes for
//! itself. Run as root with `PIKADOCTOR_PIKA_HOME=<dir>` where iproute2 is installed, over ssh with
//! `PIKADOCTOR_NEIGHBOURS=1` as well; ignored elsewhere.
//!
//! The inner network is 10.77.1.0/24. One of the two hosts has an outer card, too, 203.0.113.9, over which its default
//! route leads, as on a host that somebody rents.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::hosts::{Judged, Network, Surroundings, Way};
use crate::support::pikadoctor;
use crate::support::real::{Pika, Prepared, versions};

here_and_over_ssh! {
    the_wrong_card_of_a_replica_is_found_before_and_after_slaveof,
    the_wrong_card_of_a_master_is_found_before_slaveof,
    an_outer_address_to_which_the_peer_answers_is_no_fault,
    a_port_that_is_blocked_between_two_hosts_is_dialled_from_the_right_one,
}

const ONE_CARD: &str = "10.77.1.1:9221";
const TWO_CARDS: &str = "10.77.1.2:9221";

/// A host with one card and one with two.
struct Hosts {
    one: Network,
    two: Network,
}

impl Hosts {
    fn new(way: &Way, name: &str) -> Self {
        let (one, two) =
            (Network::new(&way.own(&format!("{name}1"))), Network::new(&way.own(&format!("{name}2"))));
        two.join(&one, "10.77.1.2/24", "10.77.1.1/24");
        one.ip(&["route", "add", "default", "via", "10.77.1.254", "dev", "eth7"]);
        two.card("eth1", "203.0.113.9/24");
        two.ip(&["route", "add", "default", "via", "203.0.113.1", "dev", "eth1"]);
        Self { one, two }
    }
}

/// What a person runs who looks after the host `near` and reaches the other one over ssh, or runs on `near` itself.
fn judge(way: &Way, near: &Network, far: &Network, words: &[&str], ssh: &str) -> Judged {
    let mut command = pikadoctor();
    command.args(words);
    match way {
        Way::Here => Judged::of(&mut Surroundings::default().inside(near).around(&command)),
        Way::Ssh(place) => {
            let there = Surroundings::default().inside(near);
            let _server = place.server_in(&there, &place.there_in(&there), "");
            command.args([ssh, "db1"]).env("PATH", place.search());
            far.within(|| Judged::of(&mut command))
        }
    }
}

/// A server in a network, and what it answers there.
struct Placed<'n> {
    pika: Pika,
    network: &'n Network,
}

impl<'n> Placed<'n> {
    fn start(version: &str, network: &'n Network, extra: &[(&str, &str)]) -> Self {
        let inside = Surroundings::default().inside(network);
        let prepared = Prepared::new(version, &[&[("port", "9221")], extra].concat());
        let command = inside.around(&prepared.command());
        Self { pika: prepared.start(command, |port| inside.listens(port)), network }
    }

    fn ask(&self, words: &[&str]) -> String {
        self.network.within(|| self.pika.ask(words))
    }

    /// Whether its link stands within some seconds.
    fn is_up(&self, seconds: u32) -> bool {
        (0..seconds * 2).any(|_| {
            thread::sleep(Duration::from_millis(500));
            self.ask(&["INFO", "replication"]).contains("master_link_status:up")
        })
    }
}

/// Whether a connection along a route was tried.
fn tried(report: &serde_json::Value) -> bool {
    let hosts = report["facts"]["hosts"].as_array().unwrap();
    let instances = hosts.iter().flat_map(|host| host["instances"].as_array().unwrap());
    let mut routes = instances.filter_map(|instance| instance["routes"].as_array()).flatten();
    routes.any(|route| !route["from_source"].is_null() || !route["from_own"].is_null())
}

/// The releases that connect from the address that they take for their own.
fn binds(version: &str) -> bool {
    version.starts_with("2.") || ["3.0.0", "3.0.1"].contains(&version)
}

fn the_wrong_card_of_a_replica_is_found_before_and_after_slaveof(way: &Way) {
    for version in versions() {
        let hosts = Hosts::new(way, "a");
        let _master = Placed::start(&version, &hosts.one, &[]);
        let replica = Placed::start(&version, &hosts.two, &[]);
        let look = |words: &[&str]| judge(way, &hosts.two, &hosts.one, words, "--ssh");
        let forecast = look(&["forecast", TWO_CARDS, ONE_CARD]);
        let state = if binds(&version) { "critical" } else { "ok" };
        forecast.is("host/route-to-peer", TWO_CARDS, state);
        assert_eq!(forecast.says("host/route-to-peer", "network-interface : eth7"), binds(&version));
        assert_eq!(forecast.0["exit_code"] == 2, binds(&version), "{version}: {:#}", forecast.0["findings"]);
        assert_eq!(forecast.says("link/forecast", "203.0.113.9 (eth1)"), binds(&version), "{version}");
        // Who wants no port touched has the kernel asked alone.
        let untried = look(&["forecast", TWO_CARDS, ONE_CARD, "--no-ports"]);
        assert!(tried(&forecast.0), "{version}");
        assert!(!tried(&untried.0), "{version}: {:#}", untried.0["facts"]["hosts"]);
        look(&["check", TWO_CARDS, "--master", ONE_CARD]).is("host/route-to-peer", TWO_CARDS, state);
        let pid = replica.pika.process.id().to_string();
        let host = match way {
            Way::Here => ["host", "--pid", &pid, "--master", ONE_CARD],
            Way::Ssh(_) => ["host", "--pid", &pid, "--peer", "10.77.1.1"],
        };
        let host = look(&host);
        let name = if matches!(way, Way::Here) { "127.0.0.1:9221" } else { "db1:9221" };
        host.is("host/route-to-peer", name, state);
        // That is what the server does.
        assert!(replica.ask(&["SLAVEOF", "10.77.1.1", "9221"]).contains("OK"));
        assert_eq!(replica.is_up(if binds(&version) { 9 } else { 20 }), !binds(&version), "{version}");
        let after = look(&["check", TWO_CARDS, "--master", ONE_CARD]);
        after.is("host/route-to-peer", TWO_CARDS, state);
        if !binds(&version) {
            continue;
        }
        assert!(
            replica.ask(&["INFO", "replication"]).contains("repl_state:1\r\n")
                || version.starts_with('3')
                || replica.ask(&["INFO", "replication"]).contains("repl_state: 1")
        );
        // And this is what mends it.
        drop(replica);
        let replica = Placed::start(&version, &hosts.two, &[("network-interface", "eth7")]);
        let mended = look(&["forecast", TWO_CARDS, ONE_CARD]);
        mended.is("host/route-to-peer", TWO_CARDS, "ok");
        assert!(replica.ask(&["SLAVEOF", "10.77.1.1", "9221"]).contains("OK"));
        assert!(replica.is_up(20), "{version}: {}", replica.ask(&["INFO", "replication"]));
    }
}

fn the_wrong_card_of_a_master_is_found_before_slaveof(way: &Way) {
    for version in versions() {
        let hosts = Hosts::new(way, "b");
        let replica = Placed::start(&version, &hosts.one, &[]);
        let master = Placed::start(&version, &hosts.two, &[]);
        let words = ["forecast", ONE_CARD, TWO_CARDS];
        let forecast = judge(way, &hosts.two, &hosts.one, &words, "--master-ssh");
        let state = if binds(&version) { "critical" } else { "ok" };
        forecast.is("host/route-to-peer", TWO_CARDS, state);
        assert_eq!(forecast.0["exit_code"] == 2, binds(&version), "{version}: {:#}", forecast.0["findings"]);
        assert!(replica.ask(&["SLAVEOF", "10.77.1.2", "9221"]).contains("OK"));
        assert_eq!(replica.is_up(if binds(&version) { 9 } else { 20 }), !binds(&version), "{version}");
        if binds(&version) {
            // The master believes in it all the same.
            assert!(master.ask(&["INFO", "replication"]).contains("state=online"), "{version}");
        }
    }
}

fn an_outer_address_to_which_the_peer_answers_is_no_fault(way: &Way) {
    for version in versions().iter().filter(|version| binds(version)) {
        let hosts = Hosts::new(way, "c");
        hosts.one.ip(&["route", "add", "203.0.113.0/24", "via", "10.77.1.2"]);
        let _master = Placed::start(version, &hosts.one, &[]);
        let replica = Placed::start(version, &hosts.two, &[]);
        let words = ["forecast", TWO_CARDS, ONE_CARD];
        let forecast = judge(way, &hosts.two, &hosts.one, &words, "--ssh");
        forecast.is("host/route-to-peer", TWO_CARDS, "ok");
        assert!(replica.ask(&["SLAVEOF", "10.77.1.1", "9221"]).contains("OK"));
        assert!(replica.is_up(20), "{version}: {}", replica.ask(&["INFO", "replication"]));
    }
}

fn a_port_that_is_blocked_between_two_hosts_is_dialled_from_the_right_one(way: &Way) {
    // The offset of rsync, whose port the master dials.
    for (version, port) in [("2.3.6", "12221"), ("3.0.16", "12221"), ("3.3.6", "10221")] {
        let hosts = Hosts::new(way, "d");
        let drop_answers = ["to", "10.77.1.2", "ipproto", "tcp", "sport", port, "blackhole"];
        hosts.one.ip(&[&["rule", "add"][..], &drop_answers].concat());
        let _replica = Placed::start(version, &hosts.one, &[]);
        let _master = Placed::start(version, &hosts.two, &[("network-interface", "eth7")]);
        let words = ["forecast", ONE_CARD, TWO_CARDS, "--force"];
        let seen = judge(way, &hosts.two, &hosts.one, &words, "--master-ssh");
        assert!(
            seen.says("host/dialled", &format!("{port} filtered")),
            "{version}: {:#}",
            seen.0["findings"]
        );
        assert_eq!(seen.0["exit_code"], 2, "{version}");
        // From the replica's host alone it is an open question.
        let mut alone = pikadoctor();
        alone.args(words).args(["--format", "json"]);
        let alone = hosts.one.within(|| crate::support::Run::of(&mut alone));
        assert!(alone.stdout.contains("open question"), "{version}: {}", alone.stdout);
        assert!(alone.stdout.contains("pikadoctor host --port 9221 --replica 10.77.1.1:9221"), "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_server_that_follows_itself_is_found_before_and_after_slaveof() {
    for version in versions() {
        let hosts = Hosts::new(&Way::Here, "e");
        let server = Placed::start(&version, &hosts.two, &[]);
        let inside = |words: &[&str]| {
            let mut command = pikadoctor();
            command.args(words);
            Judged::of(&mut Surroundings::default().inside(&hosts.two).around(&command))
        };
        // The address that it takes for its own is refused; another one of its own and a name are not.
        for (host, accepted) in [
            ("203.0.113.9", false),
            ("127.0.0.1", false),
            ("localhost", !version.starts_with("3.5.5") && !version.starts_with('4')),
            ("10.77.1.2", true),
        ] {
            let other = if host == "127.0.0.1" { TWO_CARDS } else { "127.0.0.1:9221" };
            let forecast = inside(&["forecast", other, &format!("{host}:9221")]);
            assert_eq!(forecast.0["exit_code"], 2, "{version} {host}");
            let answer = server.ask(&["SLAVEOF", host, "9221"]);
            assert_eq!(answer.contains("OK"), accepted, "{version} {host}: {answer}");
            let told = &forecast.0["facts"]["links"][0]["forecast"];
            assert_eq!(told["prospect"] == "follows-itself", accepted, "{version} {host}: {told}");
            assert!(answer.contains(told["answer"].as_str().unwrap()), "{version} {host}: {answer} {told}");
            if !accepted {
                continue;
            }
            thread::sleep(Duration::from_secs(3));
            let refused = server.ask(&["SET", "k", "v"]).to_lowercase();
            assert!(
                refused.contains("read-only") || refused.contains("readonly"),
                "{version} {host}: {refused}"
            );
            let after = inside(&["check", TWO_CARDS]);
            after.is("node/follows-itself", TWO_CARDS, "critical");
            assert!(after.says("node/follows-itself", "slaveof no one"));
            let _ = server.network.within(|| {
                Command::new("redis-cli").args(["-p", "9221", "slaveof", "no", "one"]).output().unwrap()
            });
            thread::sleep(Duration::from_secs(2));
            assert!(server.ask(&["SET", "k", "v"]).contains("OK"), "{version} {host}");
            inside(&["check", TWO_CARDS]).is("node/follows-itself", TWO_CARDS, "not-applicable");
        }
    }
}
