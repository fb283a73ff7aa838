//! `init` writes a plan from what is there, and `check` reads it.

use std::fs;

use crate::support::codis::serve_recorded;
use crate::support::sentinel::RecordedSet;
use crate::support::site::{Site, check_plan, findings, has};
use crate::support::{Run, pikadoctor};

#[test]
fn init_writes_a_plan_that_check_reads() {
    let site = Site::of("healthy-pair-3.5.5");
    let plan = site.directory.path().join("written.yaml");
    let init =
        |arguments: &[&str]| Run::of(pikadoctor().args(["init", &site.address("replica")]).args(arguments));
    for language in ["en", "zh"] {
        let run = init(&["-o", plan.to_str().unwrap(), "--force", "--lang", language]);
        assert_eq!(run.code, 0, "{}", run.text());
        let text = fs::read_to_string(&plan).unwrap();
        for part in [
            format!("addr: \"{}\"", site.address("replica")),
            format!("addr: \"{}\"", site.address("master")),
            "release: \"3.5.5\"".into(),
            "role: replica".into(),
            "- from: pika-2\n    to: pika-1".into(),
        ] {
            assert!(text.contains(&part), "{part}:\n{text}");
        }
        let run = check_plan(&plan, &["--format", "json"]);
        assert!(has(&run, "ok", "plan/link") && has(&run, "ok", "plan/lag"), "{:?}", findings(&run));
        assert!(init(&[]).stdout.contains("nodes:"));
    }
    let again = init(&["-o", plan.to_str().unwrap()]);
    assert!(
        again.code == 3 && again.stderr.contains("is there already; --force replaces it"),
        "{}",
        again.stderr
    );
    let nobody = Run::of(pikadoctor().args(["init", "127.0.0.1:1"]));
    assert!(
        nobody.code == 3 && nobody.stderr.contains("no Pika answered at 127.0.0.1:1"),
        "{}",
        nobody.stderr
    );
}

#[test]
fn what_is_commented_out_in_a_written_plan_is_right_when_it_is_not() {
    let site = Site::of("healthy-pair-3.5.5");
    let text = Run::of(pikadoctor().args(["init", &site.address("replica")])).stdout;
    let keys = ["# thresholds", "#   node/", "# waivers", "#   - check", "#     ", "# require"];
    let complete: String = text
        .lines()
        .map(|line| if keys.iter().any(|key| line.starts_with(key)) { &line[2..] } else { line })
        .map(|line| format!("{line}\n"))
        .collect();
    let run = check_plan(&site.write("complete.yaml", &complete), &["--format", "json"]);
    assert!(run.code < 3, "{complete}\n{}", run.stderr);
    let schema: serde_json::Value =
        serde_json::from_str(&Run::of(pikadoctor().args(["schema", "plan"])).stdout).unwrap();
    let value: serde_json::Value = serde_yaml::from_str(&complete).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!validator.is_valid(&serde_json::json!({"nodes": {"a": {"adr": "x"}}})));
}

#[test]
fn a_plan_names_sentinels_and_a_codis_too_and_init_writes_them() {
    let site = Site::empty();
    let set = RecordedSet::load("three-over-pika-3.5.5");
    let _served = set.serve();
    let (_place, codis) = serve_recorded("07-zk-online");
    let sentinels = set.sentinels();
    let written = site.directory.path().join("written.yaml");
    let mut init = pikadoctor();
    init.args(["init", "--codis", &codis, "-o"]).arg(&written);
    for sentinel in &sentinels {
        init.args(["--sentinel", sentinel]);
    }
    let run = Run::of(&mut init);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let text = fs::read_to_string(&written).unwrap();
    assert!(text.contains(&format!("codis: [\"{codis}\"]")), "{text}");
    assert!(sentinels.iter().all(|sentinel| text.contains(&format!("\"{sentinel}\""))), "{text}");
    assert!(text.contains("role: master") && text.contains("role: replica"), "{text}");
    let run = check_plan(&written, &["--no-ports", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["facts"]["sentinels"].as_array().unwrap().len(), sentinels.len());
    assert_eq!(report["facts"]["codis"].as_array().unwrap().len(), 1);
    assert!(has(&run, "ok", "sentinel/quorum"), "{:?}", findings(&run));
    // Without a server of its own a plan is one, too; a wrong address is an error with its place.
    let alone = format!("sentinels: [\"{}\"]\n", sentinels[0]);
    let run = check_plan(&site.write("alone.yaml", &alone), &["--no-ports", "--format", "json"]);
    assert!(has(&run, "ok", "node/reachable"), "{:?}", findings(&run));
    for (text, sentence) in [
        ("sentinels: [\"a b\"]\n", "plan.yaml:1:13: a host name has no ' '"),
        ("codis: [\"ftp://x\"]\n", "plan.yaml:1:9: "),
        ("zookeeper: [\"h,,i\"]\n", "plan.yaml:1:13: "),
        ("etcd: [\"http://u:p@h\"]\n", "plan.yaml:1:8: credentials do not belong"),
        ("sentinels: [h]\nproduct: \"-x\"\n", "plan.yaml:2:10: a product has letters"),
    ] {
        let run = check_plan(&site.write("plan.yaml", text), &[]);
        assert_eq!(run.code, 3, "{text}");
        assert!(run.stderr.contains(sentence), "{text}: {}", run.stderr);
    }
}
