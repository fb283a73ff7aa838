//! Real Pika servers behind a recorded Codis: what is said of a migration is what the servers then do. Run with
//! `PIKADOCTOR_PIKA_HOME`; ignored elsewhere.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::codis::serve_changed;
use crate::support::real::Pika;
use crate::support::run;
use serde_json::{Value, json};

/// What `--before-migration` says of `source` and `destination` as the two groups of a Codis.
fn before_migration(source: &Pika, destination: &Pika) -> Value {
    let (_place, url) = serve_changed("04-fs-migrated", |topom| {
        let mut overview: Value = serde_json::from_str(&topom).unwrap();
        overview["config"]["migration_method"] = "sync".into();
        let group = &mut overview["stats"]["group"];
        for (index, server) in [source, destination].into_iter().enumerate() {
            group["models"][index]["servers"][0]["server"] = server.address().into();
            group["stats"][server.address()] = json!({"stats": {"role": "master"}});
        }
        overview.to_string()
    });
    let run = run(&["check", "--codis", &url, "--before-migration", "--no-ports", "--format", "json"]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// State and texts of a check of one server.
fn of(report: &Value, check: &str, server: &Pika) -> (String, String) {
    let about = |finding: &&Value| {
        finding["check"] == check && finding["target"].as_str().unwrap().starts_with(&server.address())
    };
    let finding = report["findings"].as_array().unwrap().iter().find(about).unwrap();
    (finding["state"].as_str().unwrap().to_owned(), finding.to_string())
}

fn slot_of(pika: &Pika, key: &str) -> String {
    let reply = pika.ask(&["SLOTSHASHKEY", key]);
    reply.lines().nth(1).unwrap().trim_start_matches(':').to_owned()
}

/// Does with a slot what the dashboard does with `sync`, until nothing is left.
fn migrate(source: &Pika, destination: &Pika, slot: &str) {
    let port = destination.port.to_string();
    for _ in 0..200 {
        let reply = source.ask(&["SLOTSMGRTTAGSLOT", "127.0.0.1", &port, "3000", slot]);
        let numbers: Vec<&str> = reply.lines().filter_map(|line| line.strip_prefix(':')).collect();
        assert_eq!(numbers.len(), 2, "{reply}");
        if numbers[1] == "0" {
            return;
        }
    }
    panic!("slot {slot} does not come to an end");
}

/// Has all keys counted, and waits for it.
fn count_keys(pika: &Pika) {
    pika.ask(&["INFO", "keyspace", "1"]);
    thread::sleep(Duration::from_secs(1));
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn keys_that_were_written_too_early_are_counted_and_do_stay_behind() {
    for version in ["2.3.6", "3.5.5"] {
        let (source, destination) =
            (Pika::start(version, &[("slotmigrate", "no")]), Pika::start(version, &[]));
        let report = before_migration(&source, &destination);
        assert_eq!(of(&report, "codis/slot-lists", &source).0, "critical", "{version}: it is off");
        let keys: Vec<String> = (0..294).map(|number| format!("early:{number}")).collect();
        let writes: Vec<[&str; 3]> = keys.iter().map(|key| ["SET", key.as_str(), "v"]).collect();
        source.converse(&writes.iter().map(<[&str; 3]>::as_slice).collect::<Vec<_>>());
        source.ask(&["CONFIG", "SET", "slotmigrate", "yes"]);
        let report = before_migration(&source, &destination);
        let (state, text) = of(&report, "codis/slot-lists", &source);
        assert_eq!(state, "unknown", "{version}: nobody counted the keys: {text}");
        count_keys(&source);
        let (state, text) = of(&before_migration(&source, &destination), "codis/slot-lists", &source);
        assert_eq!(state, "critical", "{version}: {text}");
        assert!(text.contains("at least 294"), "{version}: {text}");

        // As was said: the slot ends as moved, and the key is where nobody looks for it.
        migrate(&source, &destination, &slot_of(&source, "early:1"));
        assert!(source.ask(&["GET", "early:1"]).contains('v'), "{version}");
        assert!(destination.ask(&["GET", "early:1"]).starts_with("$-1"), "{version}");

        // The advice helps.
        source.ask(&["SLOTSRELOAD"]);
        let began = Instant::now();
        while source.ask(&["INFO", "stats"]).contains("is_slots_reloading:Yes") {
            assert!(began.elapsed() < Duration::from_secs(30), "{version} reloads for ever");
            thread::sleep(Duration::from_millis(200));
        }
        count_keys(&source);
        let (state, text) = of(&before_migration(&source, &destination), "codis/slot-lists", &source);
        assert_eq!(state, "ok", "{version}: {text}");
        migrate(&source, &destination, &slot_of(&source, "early:1"));
        assert!(destination.ask(&["GET", "early:1"]).contains('v'), "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn tagged_keys_stay_behind_where_it_is_said_and_move_elsewhere() {
    for (version, said, moves) in [("2.3.6", "critical", false), ("3.5.5", "ok", true)] {
        let settings = [("slotmigrate", "yes")];
        let (source, destination) = (Pika::start(version, &settings), Pika::start(version, &settings));
        source.ask(&["SET", "{user1}:a", "v"]);
        let report = before_migration(&source, &destination);
        assert_eq!(of(&report, "codis/hash-tags", &source).0, said, "{version}");
        // The slot that Codis means.
        migrate(&source, &destination, "341");
        assert_eq!(destination.ask(&["GET", "{user1}:a"]).contains('v'), moves, "{version}");
        assert_eq!(source.ask(&["GET", "{user1}:a"]).contains('v'), !moves, "{version}");
    }
}

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn streams_are_named_and_do_stay_behind() {
    let settings = [("slotmigrate", "yes")];
    let (source, destination) = (Pika::start("3.5.5", &settings), Pika::start("3.5.5", &settings));
    assert_eq!(of(&before_migration(&source, &destination), "codis/streams", &source).0, "ok");
    source.ask(&["XADD", "stream", "*", "field", "value"]);
    assert_eq!(of(&before_migration(&source, &destination), "codis/streams", &source).0, "critical");
    migrate(&source, &destination, &slot_of(&source, "stream"));
    assert!(source.ask(&["XLEN", "stream"]).starts_with(":1"));
    assert!(!destination.ask(&["XLEN", "stream"]).starts_with(":1"));
}
