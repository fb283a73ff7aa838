//! A plan says what must be true before traffic moves: it is read strictly and judged wholly.

use std::fs;
use std::path::PathBuf;

use crate::support::site::{LOOPBACK, Site, check_plan, findings, has};
use crate::support::{Run, pikadoctor, recording, serve};

#[test]
fn a_plan_that_makes_no_sense_is_refused_with_the_place_and_the_nearest_word() {
    let site = Site::empty();
    let mut wrong = Vec::new();
    let two = "nodes:\n  a: {addr: \"127.0.0.1:1\"}\n  b: {addr: \"127.0.0.1:2\"}\n";
    for (text, sentence) in [
        ("nodes: {}\n", "plan.yaml: `nodes` names no server"),
        ("", "plan.yaml"),
        ("noodes: {}\n", "plan.yaml:1:1: `noodes` is not a key here; did you mean `nodes`?"),
        ("nodes:\n  a: {adr: x}\n", "plan.yaml:2:7: `adr` is not a key here; did you mean `addr`?"),
        ("nodes:\n  a: {addr: \"x y:1\"}\n", "plan.yaml:2:13: a host name has no ' '; write HOST:PORT"),
        ("nodes:\n  a: {addr: \"h:99999\"}\n", "plan.yaml:2:13: `99999` is not a port from 1 to 65535"),
        ("nodes:\n  \"a b\": {addr: h}\n", "plan.yaml:2:17: `a b` is not a name of a server"),
        (
            "nodes:\n  a: {addr: h, role: slave}\n",
            "`slave` is not a word here; there are master, replica, double-master",
        ),
        ("nodes:\n  a: {addr: h, release: new}\n", "plan.yaml:2:25: "),
        ("nodes:\n  a: {addr: h}\n  b: {addr: \"h:9221\"}\n", "plan.yaml:3:13: h:9221 is `a` already"),
        ("nodes:\n  a: {addr: h}\n  a: {addr: i}\n", "plan.yaml:3:3"),
        (
            "schema: pikadoctor.plan/9\nnodes:\n  a: {addr: h}\n",
            "plan.yaml:1:9: the schema is `pikadoctor.plan/9`",
        ),
        (
            "nodes:\n  a: {addr: \"${NOT_SET_ANYWHERE}\"}\n",
            "plan.yaml:2:13: the environment variable NOT_SET_ANYWHERE is not set",
        ),
        ("nodes:\n  a: {addr: \"$HOME\"}\n", "plan.yaml:2:13: `$HOME`: write ${NAME}, or $$ for a `$`"),
        (
            "nodes:\n  a: {addr: h, password: {env: NOT_SET_ANYWHERE}}\n",
            "plan.yaml:2:32: the environment variable NOT_SET_ANYWHERE is not set",
        ),
        ("nodes:\n  a: {addr: h, password: {file: no-such}}\n", "no password file of the name"),
        ("nodes:\n  a: {addr: h, password: secret}\n", "plan.yaml:2:26"),
        (&format!("{two}links: [{{from: a, to: bb}}]\n"), "`bb` is not one of `nodes`; did you mean `b`?"),
        (&format!("{two}links: [{{from: a, to: a}}]\n"), "`a` cannot be its own master"),
        (&format!("{two}links: [{{from: a, to: b}}, {{from: a, to: b}}]\n"), "`b` and `a` are named twice"),
        (&format!("{two}double_masters: [{{a: a, b: b}}, {{a: b, b: a}}]\n"), "`b` and `a` are named twice"),
        (&format!("{two}links: [{{from: a, to: b, mode: replicate}}]\n"), "`replicate` is not a word here"),
        (
            &format!("{two}links: [{{from: a, to: b, max_lag: {{bytes: many}}}}]\n"),
            "`many` is not a size such as 1048576 or 64MiB",
        ),
        (&format!("{two}links: [{{from: a, to: b, max_lag: {{time: soon}}}}]\n"), "`soon` is not a duration"),
        (
            &format!("{two}thresholds: {{node/client: {{warning_percent: 7}}}}\n"),
            "there is no check `node/client`; did you mean `node/clients`?",
        ),
        (
            &format!("{two}thresholds: {{node/clients: {{percent: 7}}}}\n"),
            "plan.yaml:4:29: node/clients.percent: `node/clients` has no parameter `percent`",
        ),
        (
            &format!("{two}thresholds: {{node/clients: {{warning_percent: many}}}}\n"),
            "`many` is not a number",
        ),
        (
            &format!(
                "{two}waivers: [{{check: node/clients, target: a, reason: r, owner: o, expires: soon}}]\n"
            ),
            "`soon` is not a day, YYYY-MM-DD",
        ),
        (
            &format!("{two}waivers: [{{check: node/clients, target: a, reason: r, expires: 2999-01-01}}]\n"),
            "owner",
        ),
        (
            &format!(
                "{two}waivers: [{{check: node/clients, target: a, reason: \"\", owner: o, expires: 2999-01-01}}]\n"
            ),
            "a waiver needs a target, a reason and an owner",
        ),
        (&format!("{two}require: [hosts]\n"), "`hosts` is not a word here; did you mean `host`?"),
        (&format!("{two}nodes: {{}}\n"), "nodes"),
        ("nodes: [1, 2]\n", "plan.yaml:1:8"),
        ("nodes: \"\u{0}\"\n", "plan.yaml"),
    ] {
        let plan = site.write("plan.yaml", text);
        let run = check_plan(&plan, &[]);
        assert_eq!(run.code, 3, "{text}\n{}", run.text());
        assert_eq!(run.stdout, "", "{text}");
        assert!(!run.stderr.contains('\u{0}'), "{text}");
        if !run.stderr.contains(sentence) {
            wrong.push(format!("{text}says: {}not:  {sentence}\n", run.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing = check_plan(&site.directory.path().join("nothing.yaml"), &[]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("nothing.yaml"), "{}", missing.stderr);
    let large = site.write("large.yaml", &format!("# {}\n", "x".repeat(1 << 20)));
    assert!(check_plan(&large, &[]).stderr.contains("larger than 1 MiB"));
}

#[test]
fn a_healthy_pair_is_a_go() {
    let site = Site::of("healthy-pair-3.5.5");
    let more = format!("waivers:\n{LOOPBACK}");
    let plan = site.pair_plan(", release: 3.5.5, role: replica", ", max_lag: {bytes: 1MiB, time: 2s}", &more);
    let run = check_plan(&plan, &[]);
    assert_eq!(run.code, 0, "{}", run.text());
    let ends = run.stdout.trim_end().ends_with("OK  exit code 0") && run.stdout.contains("\nGO  1 look\n");
    assert!(ends, "{}", run.stdout);
    assert!(run.stdout.contains(&format!("new-a ({})", site.address("replica"))), "{}", run.stdout);
    assert!(run.text().contains("waived by tests until 2999-12-31: simulated"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    let json = check_plan(&plan, &["--format", "json"]);
    for check in ["plan/release", "plan/role", "plan/link", "plan/lag", "plan/delay"] {
        assert!(has(&json, "ok", check), "{check}: {:?}", findings(&json));
    }
}

#[test]
fn what_differs_from_the_plan_is_critical() {
    let site = Site::of("healthy-pair-3.5.5");
    for (node, link, check) in [
        (", release: 3.5.4", "", "plan/release"),
        (", role: master", "", "plan/role"),
        ("", ", max_lag: {time: 0.000001}", "plan/delay"),
    ] {
        let run = check_plan(&site.pair_plan(node, link, ""), &["--format", "json"]);
        assert_eq!(run.code, 2, "{check}: {}", run.text());
        assert!(has(&run, "critical", check), "{check}: {:?}", findings(&run));
    }
    let single = Site::of("healthy-3.5.5");
    let (a, b) = (site.address("master"), single.stage.as_ref().unwrap().addresses.values().next().unwrap());
    let text =
        format!("nodes:\n  a: {{addr: \"{a}\"}}\n  b: {{addr: \"{b}\"}}\nlinks:\n  - {{from: a, to: b}}\n");
    let run = check_plan(&site.write("apart.yaml", &text), &["--format", "json"]);
    assert!(has(&run, "critical", "plan/link"), "{:?}", findings(&run));
    let planned = text.replace("to: b", "to: b, mode: planned");
    let run = check_plan(&site.write("apart.yaml", &planned), &["--format", "json"]);
    assert!(has(&run, "not-applicable", "plan/link"), "{:?}", findings(&run));
}

#[test]
fn a_link_that_stands_still_is_further_behind_than_a_plan_allows() {
    let site = Site::of("behind-3.5.5");
    let run = check_plan(&site.pair_plan("", ", max_lag: {bytes: 10}", ""), &["--format", "json"]);
    assert!(has(&run, "critical", "plan/lag"), "{:?}", findings(&run));
}

#[test]
fn waivers_accept_for_a_time() {
    let site = Site::empty();
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let nodes = format!("nodes:\n  old: {{addr: \"{}\"}}\n", server.address);
    let waiver = |check: &str, target: &str, expires: &str| {
        format!(
            "  - {{check: {check}, target: \"{target}\", reason: known, owner: ops, expires: {expires}}}\n"
        )
    };
    let plain = check_plan(&site.write("plain.yaml", &nodes), &["--no-ports", "--format", "json"]);
    assert_eq!(plain.code, 2, "{}", plain.text());
    let bad: Vec<_> = findings(&plain)
        .into_iter()
        .filter(|finding| ["critical", "warning", "unknown"].contains(&finding.0.as_str()))
        .collect();
    assert!(bad.iter().any(|finding| finding.1 == "node/writable"), "{bad:?}");
    let with = |expires: &str, more: &str| {
        let waivers: String = bad.iter().map(|finding| waiver(&finding.1, "o?d", expires)).collect();
        site.write("waived.yaml", &format!("{nodes}waivers:\n{waivers}{more}"))
    };
    for format in
        ["human", "short", "json", "nagios", "junit", "sarif", "github", "prometheus", "tap", "markdown"]
    {
        let run = check_plan(&with("2999-12-31", ""), &["--no-ports", "--format", format]);
        assert_eq!(run.code, 0, "{format}: {}", run.text());
        assert_eq!(run.stderr, "", "{format}");
    }
    let json = check_plan(&with("2999-12-31", ""), &["--no-ports", "--format", "json"]);
    assert!(has(&json, "waived", "node/writable"));
    // Its last day is over.
    let expired = check_plan(&with("2020-01-01", ""), &["--no-ports"]);
    assert_eq!(expired.code, 2);
    assert!(
        expired.stderr.contains("by ops expired on 2020-01-01; what it accepted counts again"),
        "{}",
        expired.stderr
    );
    assert!(expired.stdout.contains("which is over, so it counts again"), "{}", expired.stdout);
    // What nothing needs, and what does not exist, is said and fails nothing.
    let more = waiver("node/clients", "*", "2999-12-31") + &waiver("node/client", "*", "2999-12-31");
    let unused = check_plan(&with("2999-12-31", &more), &["--no-ports"]);
    assert_eq!(unused.code, 0, "{}", unused.text());
    assert!(
        unused.stderr.contains("nothing needs the waiver of node/clients for `*`; remove it"),
        "{}",
        unused.stderr
    );
    assert!(
        unused.stderr.contains("there is no such check; did you mean `node/clients`?"),
        "{}",
        unused.stderr
    );
    // A waiver of one server is not one of another.
    let other = format!("{nodes}waivers:\n{}", waiver("node/writable", "new", "2999-12-31"));
    assert_eq!(check_plan(&site.write("other.yaml", &other), &["--no-ports"]).code, 2);
}

#[test]
fn thresholds_of_a_plan_count_and_those_of_the_command_line_count_more() {
    let site = Site::empty();
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let text = format!(
        "nodes:\n  a: {{addr: \"{}\"}}\nthresholds:\n  node/clients: {{warning_percent: 0, critical_percent: 99}}\n",
        server.address
    );
    let plan = site.write("plan.yaml", &text);
    let json = ["--no-ports", "--format", "json"];
    assert!(has(&check_plan(&plan, &json), "warning", "node/clients"));
    let set = [&json[..], &["--set", "node/clients.warning_percent=90"]].concat();
    assert!(has(&check_plan(&plan, &set), "ok", "node/clients"));
}

#[test]
fn what_is_required_and_not_visible_is_unknown() {
    let site = Site::of("healthy-pair-3.5.5");
    let waivers = format!("waivers:\n{LOOPBACK}");
    for (option, require, check) in
        [("--no-ports", "ports", "node/ports"), ("--read-only", "writes", "link/canary")]
    {
        let without = site.pair_plan("", "", &waivers);
        let run = check_plan(&without, &[option, "--format", "json"]);
        assert_eq!(run.code, 0, "{}", run.text());
        assert!(has(&run, "skipped", check), "{option}: {:?}", findings(&run));
        for require in [require, "everything"] {
            let plan = site.pair_plan("", "", &format!("{waivers}require: [{require}]\n"));
            let run = check_plan(&plan, &[option, "--format", "json"]);
            assert_eq!(run.code, 3, "{option}: {}", run.text());
            assert!(has(&run, "unknown", check), "{option}: {:?}", findings(&run));
            assert!(run.stdout.contains(&format!("the plan requires `{require}`")));
        }
        let seen = site.pair_plan("", "", &format!("{waivers}require: [{require}]\n"));
        assert_eq!(check_plan(&seen, &[]).code, 0, "what is visible is not missed");
    }
}

#[test]
fn a_baseline_leaves_what_is_new() {
    let site = Site::empty();
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let report = site.directory.path().join("report.json");
    let checked = |arguments: &[&str]| {
        Run::of(pikadoctor().args(["check", "--no-ports", &server.address]).args(arguments))
    };
    let first = checked(&["--format", "json"]);
    assert_eq!(first.code, 2);
    fs::write(&report, &first.stdout).unwrap();
    let path = report.to_str().unwrap();
    let again = checked(&["--baseline", path]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{}", again.text());
    assert!(again.stdout.contains("report.json already"), "{}", again.stdout);
    // A threshold that was not exceeded then is something new.
    let new = checked(&["--baseline", path, "--set", "node/clients.critical_percent=0"]);
    assert_eq!(new.code, 2, "{}", new.text());
    // What is no longer found is said.
    let mut earlier: serde_json::Value = serde_json::from_str(&first.stdout).unwrap();
    for finding in earlier["findings"].as_array_mut().unwrap() {
        if finding["check"] == "node/is-pika" {
            finding["state"] = "critical".into();
        }
    }
    fs::write(&report, earlier.to_string()).unwrap();
    let over = checked(&["--baseline", path]);
    assert!(over.stderr.contains("is over: 1"), "{}", over.stderr);
    // Another problem of the same check is new, and so is one that is worse.
    for finding in earlier["findings"].as_array_mut().unwrap() {
        if finding["check"] == "node/writable" {
            finding["problems"][0]["identity"] = "another".into();
        }
    }
    fs::write(&report, earlier.to_string()).unwrap();
    assert_eq!(checked(&["--baseline", path]).code, 2);
    for (text, sentence) in [
        ("{\"schema\": \"pikadoctor.bundle/1\"}", "a baseline is a report of --format json"),
        ("{}", "not a report of --format json"),
        ("no", "not a report of --format json"),
    ] {
        fs::write(&report, text).unwrap();
        let run = checked(&["--baseline", path]);
        assert!(run.code == 3 && run.stderr.contains(sentence), "{}", run.text());
    }
}

#[test]
fn a_bundle_is_judged_by_a_plan_and_must_hold_what_it_names() {
    let site = Site::of("healthy-pair-3.5.5");
    let plan = site.pair_plan("", ", max_lag: {bytes: 1MiB}", &format!("waivers:\n{LOOPBACK}"));
    let bundle = site.directory.path().join("b.gz");
    let capture = Run::of(pikadoctor().arg("capture").arg("-f").arg(&plan).arg("-o").arg(&bundle));
    assert_eq!(capture.code, 0, "{}", capture.text());
    let judged =
        |plan: &PathBuf| Run::of(pikadoctor().arg("check").arg("-f").arg(plan).arg("--from").arg(&bundle));
    let (first, second) = (judged(&plan), judged(&plan));
    assert_eq!(first.code, 0, "{}", first.text());
    assert_eq!(first.stdout, second.stdout, "byte for byte");
    let text = fs::read_to_string(&plan).unwrap();
    let more = text.replace("links:", "  other: {addr: \"127.0.0.1:9\"}\nlinks:");
    let run = judged(&site.write("more.yaml", &more));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("says nothing about `other` (127.0.0.1:9)"), "{}", run.stderr);
    let turned = text.replace("from: old-a, to: new-a", "from: new-a, to: old-a");
    let run = judged(&site.write("turned.yaml", &turned));
    assert!(run.code == 3 && run.stderr.contains("says nothing about the replication of"), "{}", run.stderr);
}

#[test]
fn passwords_come_from_the_environment_or_a_file_and_variables_are_replaced_in_addresses_only() {
    let site = Site::empty();
    let server = serve(recording("v3.5.5/auth-requirepass-only/standalone-requirepass"));
    let (host, port) = server.address.rsplit_once(':').unwrap();
    site.write("secret", "secret-root\n");
    for (name, password, variable) in [
        ("a", ", password: {env: SOME_VARIABLE}", "SOME_VARIABLE"),
        ("a", ", password: {file: secret}", "UNUSED"),
        ("a", ", password: {file: \"${DIR}/secret\"}", "UNUSED"),
        ("old-a.1", "", "PIKADOCTOR_PASSWORD_OLD_A_1"),
        ("a", "", "PIKADOCTOR_PASSWORD"),
    ] {
        let text = format!("nodes:\n  {name}: {{addr: \"${{HOST_OF_PIKA}}:{port}\"{password}}}\n");
        let plan = site.write("plan.yaml", &text);
        let run = Run::of(
            pikadoctor()
                .args(["check", "--no-ports", "--format", "json", "-f"])
                .arg(&plan)
                .env("HOST_OF_PIKA", host)
                .env("DIR", site.directory.path())
                .env(variable, "secret-root"),
        );
        assert!(has(&run, "ok", "node/reachable"), "{text}{}", run.text());
        assert!(run.stdout.contains("\"outcome\": \"accepted\""), "{text}");
        assert!(!run.text().contains("secret-root"), "{text}");
    }
    let waiver = format!(
        "nodes:\n  a: {{addr: \"{}\"}}\nwaivers:\n  - {{check: node/clients, target: a, reason: \"${{HOME}}\", owner: o, expires: 2999-01-01}}\n",
        server.address
    );
    let run = check_plan(&site.write("plan.yaml", &waiver), &["--no-ports"]);
    assert!(!run.text().contains("environment variable"), "{}", run.text());
}

#[test]
fn the_host_of_a_server_can_be_required() {
    let site = Site::of("healthy-pair-3.5.5");
    let plan = site.pair_plan("", "", &format!("waivers:\n{LOOPBACK}require: [host]\n"));
    let run = check_plan(&plan, &["--no-host", "--format", "json"]);
    assert_eq!(run.code, 3, "{}", run.text());
    assert!(has(&run, "unknown", "require/host"), "{:?}", findings(&run));
    let both = check_plan(&site.pair_plan(", ssh: nobody@127.0.0.1", "", ""), &["--ssh", "x@y"]);
    assert!(both.code == 3 && both.stderr.contains("says how hosts are reached"), "{}", both.stderr);
}
