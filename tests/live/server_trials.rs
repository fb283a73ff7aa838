//! What is advised first about one server, a link of a plan and a group of Pika's own Codis is done on real servers, to the
//! letter. Run with `PIKADOCTOR_PIKA_HOME`; with `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::fs;
use std::thread;
use std::time::Duration;

use pikadoctor::model::remedy::Action;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::support::codis::serve_changed;
use crate::support::hosts::{Judged, Way};
use crate::support::pikadoctor;
use crate::support::real::{Pika, Prepared, listens};
use crate::support::real_codis::{present, write_keys};

const LO: (&str, &str) = ("network-interface", "lo");

const KEYS: usize = 200;

fn count(address: &str) -> usize {
    present(address, "key:", KEYS).iter().filter(|there| **there).count()
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_server_in_sharding_mode_is_given_its_slots() {
    let pika = Pika::start("3.3.6", &[LO, ("instance-mode", "sharding"), ("default-slot-num", "16")]);
    assert!(pika.ask(&["SET", "key", "value"]).contains("Partition not found"));
    let look = || Way::Here.check(&pika.address(), None);
    let mut bench =
        Bench::new("node/served-slots", pika.address(), "3.3.6", "sharding mode without slots", &look);
    bench.family = "node/";
    bench.try_it(&mut |_| false);
    write_keys(&pika.address(), "key:", KEYS);
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_link_that_a_plan_counts_on_is_made() {
    for version in ["2.3.0", "2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let (master, replica) = (Pika::start(version, &[LO]), Pika::start(version, &[LO]));
        write_keys(&master.address(), "key:", KEYS);
        let directory = tempfile::tempdir().unwrap();
        let plan = directory.path().join("plan.yaml");
        let text = format!(
            "nodes:\n  old: {{addr: \"{}\", role: master}}\n  new: {{addr: \"{}\", role: replica}}\n\
             links:\n  - {{from: old, to: new}}\n",
            master.address(),
            replica.address()
        );
        fs::write(&plan, text).unwrap();
        let look = || Judged::of(pikadoctor().args(["check", "--no-host", "-f"]).arg(&plan));
        let mut bench = Bench::new("plan/link", String::new(), version, "a planned link is missing", &look);
        bench.family = "plan/link";
        bench.try_it(&mut |_| false);
        replica.wait_for("the data", Duration::from_secs(60), |replica| count(&replica.address()) == KEYS);
        assert_eq!(count(&master.address()), KEYS, "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_copy_that_was_saved_has_everything() {
    for version in ["2.3.6", "3.0.16", "3.3.6", "3.5.5", "4.0.1"] {
        let (master, replica) = (Pika::start(version, &[LO]), Pika::start(version, &[LO]));
        write_keys(&replica.address(), "key:", KEYS);
        // The master must be further, or nothing is to be replaced.
        write_keys(&master.address(), "other:", 4 * KEYS);
        let look = || {
            let words = ["forecast", &replica.address(), &master.address(), "--force"];
            Judged::of(pikadoctor().args(words))
        };
        let report = look();
        let fault = "data of its own would be replaced";
        let mut bench = Bench::new("link/own-data", String::new(), version, fault, &look);
        bench.family = "link/own-data";
        let remedy = bench.remedy(&report);
        assert_eq!(remedy.recipe, "save-copy", "{version}: {remedy:?}");
        let kept = tempfile::tempdir().unwrap();
        let copy = kept.path().join("copy");
        let dumps = replica.directory.path().join("dump");
        let recipe = bench.do_it(&mut |step| {
            let is_move = matches!(step.action, Action::Decide);
            if is_move {
                let dump = fs::read_dir(&dumps).unwrap().next().expect("a dump").unwrap().path();
                fs::rename(dump, &copy).unwrap();
            }
            is_move
        });
        assert_eq!(count(&replica.address()), KEYS, "{version}: it keeps its data");
        // A server that is started on the copy has all of it.
        let place = copy.display().to_string() + "/";
        let restored = Prepared::new(version, &[LO, ("db-path", &place)]);
        let command = restored.command();
        let restored = restored.start(command, listens);
        assert_eq!(count(&restored.address()), KEYS, "{version}: the copy");
        bench.keep(&recipe);
    }
}

/// What INFO says, as a dashboard passes it on.
fn passed_on(server: &Pika) -> Value {
    let info = server.ask(&["INFO", "replication"]);
    let fields = info.lines().filter_map(|line| line.trim().split_once(':'));
    let named = fields.filter(|(key, _)| key.starts_with("role") || key.starts_with("master_"));
    let stats: serde_json::Map<String, Value> =
        named.map(|(key, value)| (key.to_owned(), json!(value))).collect();
    json!({"stats": stats, "unixtime": 1_795_370_666})
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn a_server_that_the_dashboard_of_the_fork_took_out_is_attached_by_hand() {
    for version in ["3.5.5", "4.0.1"] {
        let (master, replica, third) =
            (Pika::start(version, &[LO]), Pika::start(version, &[LO]), Pika::start(version, &[LO]));
        write_keys(&master.address(), "key:", KEYS);
        let look = || {
            let (_place, url) = serve_changed("26-pikafork-4.0.1-recovery", |topom| {
                let overview: Value = serde_json::from_str(&topom).unwrap();
                let host = overview["model"]["admin_addr"].as_str().unwrap().split(':').next().unwrap();
                let mut text = topom.clone();
                for (port, server) in [(23152, &master), (23150, &replica), (23151, &third)] {
                    text = text.replace(&format!("{host}:{port}"), &server.address());
                }
                let mut overview: Value = serde_json::from_str(&text).unwrap();
                for server in [&master, &replica, &third] {
                    overview["stats"]["group"]["stats"][server.address()] = passed_on(server);
                }
                overview.to_string()
            });
            Judged::of(pikadoctor().args(["check", "--codis", &url, "--no-ports", "--no-servers"]))
        };
        let fault = "a server that was taken out";
        let mut bench = Bench::new("codis/roles", String::new(), version, fault, &look);
        bench.family = "codis/roles";
        assert_eq!(bench.remedy(&look()).recipe, "attach-by-hand");
        let recipe = bench.do_it(&mut |_| false);
        replica.wait_for("the data", Duration::from_secs(60), |replica| count(&replica.address()) == KEYS);
        thread::sleep(Duration::from_secs(1));
        bench.is_mended(&recipe);
        assert_eq!(count(&master.address()), KEYS, "{version}");
    }
}
