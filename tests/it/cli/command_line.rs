//! Wrong usage is exit code 3 and a sentence that names the value and the place.

use std::fs;
use std::process::Command;

use pikadoctor::catalog::built_in;
use pikadoctor::model::text::Language;
use pikadoctor::render::catalogue::Page;
use pikadoctor::render::options::RenderOptions;

use crate::support::{Run, pikadoctor, recording, run, serve};

#[track_caller]
fn assert_refused(arguments: &[&str], sentence: &str) {
    let run = run(arguments);
    assert_eq!(run.code, 3, "{arguments:?}: {run:?}");
    assert_eq!(run.stdout, "", "{arguments:?}");
    let text = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(sentence), "{arguments:?}: `{sentence}` is not in:\n{}", run.stderr);
}

#[test]
fn wrong_usage() {
    assert_refused(&[], "Usage: pikadoctor");
    assert_refused(&["check"], "<HOST:PORT>");
    assert_refused(&["check", "nonsense:port"], "`port` is not a port from 1 to 65535");
    assert_refused(&["check", "10.0.0.1:99999"], "`99999` is not a port");
    assert_refused(&["check", "http://10.0.0.1:9221"], "a host name has no '/'");
    assert_refused(&["check", "[::1"], "the bracket `[` is not closed");
    assert_refused(&["check", "a:1", "a:1"], "a:1 is named twice");
    assert_refused(&["check", "a:1", "-t", "soon"], "`soon` is not a duration");
    assert_refused(&["check", "a:1", "-t", "0"], "between");
    assert_refused(&["check", "a:1", "--format", "xml"], "'xml'");
    assert_refused(&["check", "a:1", "--lang", "fr"], "en and zh");
    assert_refused(&["check", "a:1", "--password", "secret"], "--password");
    assert_refused(&["check", "a:1", "--password-file", "no/such/file"], "no/such/file");
    assert_refused(&["check", "a:1", "--ask-password"], "needs a terminal");
    assert_refused(&["check", "a:1", "--checks", "no/such/directory"], "no/such/directory");
    assert_refused(&["check", "a:1", "--set", "nothing"], "CHECK.NAME=VALUE");
    assert_refused(&["check", "a:1", "--set", "node/client.x=1"], "did you mean `node/clients`?");
    assert_refused(
        &["check", "a:1", "--set", "node/clients.x=1"],
        "it has critical_percent, warning_percent",
    );
    assert_refused(&["check", "a:1", "--set", "node/clients.warning_percent=many"], "`many` is not a number");
    assert_refused(&["check", "a:1", "--master", "a:1"], "a:1 cannot be its own master");
    assert_refused(&["check", "a:1", "--peer", "a:1"], "a:1 cannot be its own peer");
    assert_refused(&["check", "a:1", "--peer", "b:1", "--master", "c:1"], "cannot be used with");
    assert_refused(&["check", "a:1", "b:1", "--peer", "c:1"], "--peer makes a pair with one server");
    assert_refused(&["check", "a:1", "--master", "b:0"], "`0` is not a port");
    assert_refused(
        &["check", "a:1", "--master", "b:1", "--canary-timeout", "never"],
        "`never` is not a duration",
    );
    assert_refused(
        &["check", "a:1", "--master", "b:1", "--master-password-file", "no/such/file"],
        "no/such/file",
    );
    assert_refused(&["forecast", "a:1"], "<MASTER>");
    assert_refused(&["forecast", "a:1", "a:1"], "a:1 cannot be its own master");
    assert_refused(&["forecast", "a:1", "b:x"], "`x` is not a port");
    assert_refused(&["explain", "node/known-defect"], "did you mean `node/known-defects`?");
    assert_refused(&["explain", "writable-x"], "did you mean `node/writable`?");
    assert_refused(&["explain", "node/known-defects", "--release", "newest"], "newest");
    assert_refused(&["test-checks", "no/such/directory"], "no/such/directory");
    assert_refused(&["schema", "everything"], "everything");
    assert_refused(&["operate"], "operate");
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["--version"], &["check", "--help"], &["demo", "-h"]] {
        let run = run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}");
        assert!(!run.stdout.is_empty());
    }
    assert!(run(&["--help"]).stdout.contains("Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown"));
}

#[test]
fn the_password_is_not_shown_anywhere() {
    let server = serve(recording("v2.3.6/auth/standalone-requirepass"));
    for format in ["human", "json", "nagios"] {
        let run = Run::of(
            pikadoctor()
                .args(["check", "--no-ports", &server.address, "-v", "--format", format])
                .env("PIKADOCTOR_PASSWORD", "secret-root"),
        );
        assert!(!run.stdout.contains("secret-root") && !run.stderr.contains("secret-root"), "{format}");
        assert_eq!(run.code, 0, "{format}: {}", run.stdout);
    }
}

#[test]
fn a_parameter_can_be_set() {
    let server = serve(recording("v2.3.6/standalone/standalone"));
    let run = run(&["check", "--no-ports", &server.address, "--set", "node/slotmigrate.expected=on"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(
        run.text().contains("slotmigrate is off; on 2.3.6 a slot migration reports success"),
        "{}",
        run.stdout
    );
}

#[test]
fn list_names_every_check_and_explain_has_a_page_for_each() {
    let list = run(&["list"]);
    assert_eq!(list.code, 0);
    let json: serde_json::Value = serde_json::from_str(&run(&["list", "--json"]).stdout).unwrap();
    let listed: Vec<&str> =
        json.as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    let catalogue = built_in();
    assert_eq!(listed, catalogue.checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>());
    let look = RenderOptions {
        color: false,
        width: 80,
        least: RenderOptions::PROBLEMS,
        fail_on: None,
        always: None,
    };
    for check in &catalogue.checks {
        let id = &check.id;
        assert!(list.stdout.contains(id.as_str()), "{id}");
        for language in [Language::En, Language::Zh] {
            let page = Page { knowledge: &catalogue.knowledge, language, look }.explain(check, None);
            assert!(page.starts_with(id.as_str()), "{id}");
            assert!(!page.contains("{{") && !page.contains("{%"), "{id}: Jinja shows:\n{page}");
        }
    }
    for language in ["en", "zh"] {
        let page = run(&["explain", "node/known-defects", "--lang", language]);
        assert_eq!(page.code, 0, "{}", page.stderr);
        assert!(page.stdout.starts_with("node/known-defects"), "{}", page.stdout);
    }
}

#[test]
fn explain_can_keep_to_one_release() {
    let all = run(&["explain", "node/known-defects"]).stdout;
    let one = run(&["explain", "node/known-defects", "--release", "2.3.0"]).stdout;
    assert!(one.len() < all.len());
    assert!(one.contains("Known defects of 2.3.0"));
    assert!(one.contains("CONFIG GET *"), "{one}");
    assert!(
        !run(&["explain", "node/known-defects", "--release", "2.3.6"]).stdout.contains("config-get-star")
    );
}

#[test]
fn demo_needs_no_server() {
    for language in ["en", "zh"] {
        let run = run(&["demo", "--lang", language]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let (from, to) = (run.stdout.find("link/forecast"), run.stdout.find("link/canary"));
        assert!(from.is_some() && from < to, "first the forecast, then the check");
        assert!(run.stdout.contains("2.3.0") && run.stdout.contains("2.3.6"));
        let simulated = if language == "en" { "not real ones" } else { "并非真实运行" };
        assert!(run.stdout.contains(simulated));
        // Two scenes find what is wrong; the last one, the healthy pair, shows the key that arrived and no more.
        let last = &run.stdout[run.stdout.rfind("pikadoctor check 127.").unwrap()..];
        assert_eq!(last.matches("link/").count(), 1, "{}", run.stdout);
        assert!(last.contains("ok        link/canary") || last.contains("正常"), "{}", run.stdout);
    }
}

#[test]
fn the_laboratory_lists_its_scenarios_and_refuses_unknown_ones() {
    let list = run(&["lab", "list", "--lang", "en"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(list.stdout.lines().count() >= 60);
    assert!(list.stdout.contains("mix-2.3.0-2.3.6-joined"));
    let family = list.stdout.lines().find(|line| line.starts_with("silent ")).unwrap();
    assert!(family.contains("[2.3.0 2.3.6 3.0.16 3.1.0 3.3.6 3.5.5 4.0.1]"), "{family}");
    let some = run(&["lab", "list", "silent", "--lang", "en"]).stdout;
    assert!(some.lines().count() == 7 && some.contains("silent-3.0.16"), "{some}");
    assert_eq!(run(&["lab", "list", "no-such-thing"]).code, 3);
    let unknown = run(&["lab", "run", "mix-2.3.0-2.3.6-joint"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.stderr.contains("did you mean `mix-2.3.0-2.3.6-joined`"), "{}", unknown.stderr);
}

#[test]
fn the_servers_of_a_scenario_answer_until_it_is_ended() {
    use std::io::{BufRead as _, BufReader};
    let mut lab = crate::support::pikadoctor()
        .args(["lab", "run", "heartbeat-port-closed-2.3.6"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(lab.stdout.take().unwrap()).lines().map(Result::unwrap);
    let command = lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("pikadoctor check "));
    let address = command.unwrap().rsplit(' ').next().unwrap().to_owned();
    let found = run(&["check", &address]);
    lab.kill().unwrap();
    lab.wait().unwrap();
    assert_eq!(found.code, 1, "{}", found.stdout);
    assert!(found.stdout.contains("node/ports"), "{}", found.stdout);
    assert_eq!(run(&["check", &address]).code, 2, "the servers end with the command");
}

/// A directory with one check in it.
fn checks(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("house")).unwrap();
    fs::write(directory.path().join("house/rule.yaml"), text).unwrap();
    directory
}

const RULE: &str = r#"
title: {en: The log is kept for long, zh: 日志保留很久}
target: node
why: {en: Our auditors want it., zh: 审计要求。}
params:
  days: {default: 30, meaning: {en: days, zh: 天数}}
cases:
  - if: node.config['expire-logs-days']|int < params.days
    state: warning
    found: {en: "{{ node.config['expire-logs-days'] }} days", zh: "{{ node.config['expire-logs-days'] }} 天"}
    fix: {en: "config set expire-logs-days {{ params.days }}", zh: "config set expire-logs-days {{ params.days }}"}
ok: {en: long enough, zh: 足够长}
examples:
  - {name: a week, facts: {node: {config: {expire-logs-days: "7"}}}, state: warning, expect_text: [7 days]}
  - {name: a year, facts: {node: {config: {expire-logs-days: "365"}}}, state: ok}
"#;

#[test]
fn a_check_of_the_house_works_without_compiling() {
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let directory = checks(RULE);
    let path = directory.path().to_str().unwrap();
    let checked = run(&["check", "--no-ports", &server.address, "--checks", path]);
    assert_eq!(checked.code, 1, "{}", checked.stdout);
    assert!(checked.stdout.contains("house/rule") && checked.stdout.contains("7 days"), "{}", checked.stdout);
    assert!(run(&["explain", "house/rule", "--checks", path]).stdout.contains("Our auditors want it."));
    let tested = run(&["test-checks", path]);
    assert_eq!((tested.code, tested.stdout.as_str()), (0, "ok      house/rule\n1 passed, 0 failed\n"));
    let set = run(&["check", "--no-ports", &server.address, "--checks", path, "--set", "house/rule.days=3"]);
    assert_eq!(set.code, 0, "{}", set.stdout);
}

#[test]
fn a_typo_in_a_check_is_reported_with_its_place() {
    for (from, to, sentence) in [
        ("cases:", "case:", "unknown field"),
        ("    state: warning", "    state: bad", "rule.yaml:9:12"),
        (
            "node.config['expire-logs-days']|int < params.days\n",
            "node.confg|int < params.days\n",
            "there is no `confg` in `node`; did you mean `config`?",
        ),
        (
            "node.config['expire-logs-days']|int < params.days\n",
            "node.config['expire-log-days']|int < params.days\n",
            "did you mean `expire-logs-days`?",
        ),
        ("|int < params.days\n", "|integer < params.days\n", "there is no filter `integer`"),
        ("|int < params.days\n", "|int < params.weeks\n", "there is no `weeks` under `params`"),
        ("|int < params.days\n", "|int < \n", "syntax error"),
        (
            "node.config['expire-logs-days']|int < params.days\n",
            "nodes.version is in_releases('2.3.6')\n",
            "`nodes` is not a name here",
        ),
        (
            "node.config['expire-logs-days']|int < params.days\n",
            "node.version is in_releases('2.3.0-3.0.5')\n",
            "leaves its release line",
        ),
        (
            "node.config['expire-logs-days']|int < params.days\n",
            "node.version is newer('2.3.0')\n",
            "there is no test `newer`",
        ),
        (
            "    fix: {en: \"config set expire-logs-days {{ params.days }}\", zh: \"config set expire-logs-days {{ params.days }}\"}\n",
            "",
            "needs a `fix`",
        ),
        ("ok: {en: long enough, zh: 足够长}", "ok: {en: long enough}", "missing field `zh`"),
        ("title:", "title: [", "rule.yaml:"),
    ] {
        assert!(RULE.contains(from), "{from}");
        let directory = checks(&RULE.replacen(from, to, 1));
        let path = directory.path().to_str().unwrap();
        for command in [
            &["check", "127.0.0.1:1", "--checks", path][..],
            &["test-checks", path],
            &["list", "--checks", path],
        ] {
            let run = run(command);
            assert_eq!(run.code, 3, "{to}: {run:?}");
            assert_eq!(run.stdout, "", "{to}");
            assert!(run.stderr.contains(sentence), "{to}: `{sentence}` is not in: {}", run.stderr);
            // file:line:column
            let place = run
                .stderr
                .split("rule.yaml:")
                .nth(1)
                .unwrap_or_else(|| panic!("{to}: no place in {}", run.stderr));
            let mut numbers = place.split(':');
            assert!(numbers.next().unwrap().parse::<u32>().unwrap() > 0, "{}", run.stderr);
            assert!(numbers.next().unwrap().parse::<u32>().unwrap() > 0, "{}", run.stderr);
        }
    }
}

#[test]
fn a_check_without_examples_or_with_wrong_ones_does_not_pass_its_test() {
    for (from, to, sentence) in [
        ("state: warning, expect_text", "state: critical, expect_text", "expected Critical, found Warning"),
        ("expect_text: [7 days]", "expect_text: [8 days]", "`8 days` is not in"),
        (
            "  - {name: a week, facts: {node: {config: {expire-logs-days: \"7\"}}}, state: warning, expect_text: [7 days]}\n",
            "",
            "no example leads to the case",
        ),
        (
            "{config: {expire-logs-days: \"365\"}}",
            "{config: {}}",
            "the example reads this fact and does not state it",
        ),
    ] {
        assert!(RULE.contains(from), "{from}");
        let directory = checks(&RULE.replacen(from, to, 1));
        let run = run(&["test-checks", directory.path().to_str().unwrap()]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stdout.contains(sentence), "`{sentence}` is not in: {}", run.stdout);
        assert!(run.stdout.ends_with("0 passed, 1 failed\n"), "{}", run.stdout);
    }
}

#[test]
fn a_check_cannot_take_the_id_of_another() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("node")).unwrap();
    fs::write(directory.path().join("node/clients.yaml"), RULE).unwrap();
    let run = run(&["list", "--checks", directory.path().to_str().unwrap()]);
    assert_eq!(run.code, 3);
    assert!(
        run.stderr.contains("the id `node/clients` is taken by checks/node/clients.yaml"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = pikadoctor()
        .args(["explain", "node/known-defects"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_demo_on_real_servers_says_what_it_lacks() {
    let directory = tempfile::tempdir().unwrap();
    let run = run(&["demo", "--pika", directory.path().to_str().unwrap()]);
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stderr.contains("2.3.0/pika"), "{}", run.stderr);
    let run = Run::of(pikadoctor().args(["demo", "--pika"]).env("PATH", directory.path()));
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stderr.contains("there is no pika-2.3.0 in PATH"), "{}", run.stderr);
}

#[test]
fn there_are_completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Run::of(pikadoctor().args(["completions", shell]));
        assert!(run.code == 0 && run.stdout.contains("test-checks"), "{shell}");
    }
    let bash = Run::of(pikadoctor().args(["completions", "bash"])).stdout;
    let checked = Command::new("bash").arg("-n").arg("-c").arg(&bash).status().unwrap();
    assert!(checked.success());
    let directory = tempfile::tempdir().unwrap();
    let run = Run::of(pikadoctor().arg("man").arg("-o").arg(directory.path()));
    assert_eq!(run.code, 0, "{}", run.text());
    let page = fs::read_to_string(directory.path().join("pikadoctor-check.1")).unwrap();
    assert!(page.contains("\\-\\-wait"), "{page}");
}
