//! Causes and consequences: what is folded below what, what stays visible, and which claims are refused.

use std::time::{Duration, Instant};

use pikadoctor::catalog::check_file::read_check;
use pikadoctor::judge::relations::faults;
use pikadoctor::judge::verdict::report;
use pikadoctor::model::check::Check;
use pikadoctor::model::diagnosis::{Claim, FindingRef, Subjects};
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::{Finding, Problem, Report, State};
use pikadoctor::model::host::{Host, Instance};
use pikadoctor::model::link::Link;
use pikadoctor::model::node::Node;
use pikadoctor::model::text::Language;

/// A check of `target` with these lines.
fn check(id: &str, target: &str, lines: &str) -> Check {
    let text = format!(
        "title: t\ntarget: {target}\nwhy: w\nok: o\nexamples: []\ncases:\n  - {{name: seen, if: 'true', state: critical, \
         found: f, fix: x}}\n  - {{state: critical, found: f, fix: x}}\n{lines}"
    );
    read_check(id, &format!("{id}.yaml"), &text).unwrap_or_else(|error| panic!("{error}"))
}

/// Two servers and a link, and checks of them.
fn facts() -> Facts {
    let node = |name: &str| Node { name: name.into(), ..Node::default() };
    let link = |replica: &str, master: &str| Link {
        name: format!("{replica} <- {master}"),
        replica: replica.into(),
        master: master.into(),
        ..Link::default()
    };
    Facts {
        nodes: ["m", "r", "s"].map(node).to_vec(),
        links: vec![link("r", "m"), link("s", "m")],
        ..Facts::default()
    }
}

fn checks() -> Vec<Check> {
    [("link/a", "link"), ("link/b", "link"), ("link/c", "link"), ("node/x", "node"), ("node/y", "node")]
        .map(|(id, target)| check(id, target, ""))
        .to_vec()
}

fn claim(checks: &[&str], at: Subjects) -> Claim {
    Claim { checks: checks.iter().map(|id| (*id).to_owned()).collect(), at, ..Claim::default() }
}

fn problem(case: &str, claims: Vec<Claim>) -> Problem {
    Problem { case: Some(case.into()), claims, ..Problem::new(State::Critical, case.into()) }
}

fn finding(check: &str, target: &str, problems: Vec<Problem>) -> Finding {
    Finding {
        check: check.into(),
        target: target.into(),
        state: State::Critical,
        title: String::new(),
        problems,
        note: String::new(),
        metrics: Vec::new(),
        missing: None,
        accepted: None,
        explained_by: Vec::new(),
    }
}

fn unknown(check: &str, target: &str, missing: &str) -> Finding {
    let note = format!("{missing}: not reached");
    Finding {
        state: State::Unknown,
        note,
        missing: Some(missing.into()),
        ..finding(check, target, Vec::new())
    }
}

fn diagnosed(findings: Vec<Finding>) -> Report {
    report(findings, facts(), &checks(), Language::En)
}

/// `cause <- consequence, consequence`, a line for each.
fn lines(report: &Report) -> Vec<String> {
    let name = |check: &str, target: &str| format!("{check} {target}");
    let line = |one: &pikadoctor::model::diagnosis::Diagnosis| {
        let explained: Vec<String> = one.explains.iter().map(|it| name(&it.check, &it.target)).collect();
        format!("{}: {}", name(&one.check, &one.target), explained.join(", ")).trim_end().to_owned()
    };
    report.diagnosis.iter().map(line).collect()
}

#[test]
fn what_follows_is_below_the_cause_at_the_end_of_the_chain() {
    let report = diagnosed(vec![
        finding("link/a", "r <- m", vec![problem("seen", vec![])]),
        finding("link/b", "r <- m", vec![problem("seen", vec![claim(&["link/a"], Subjects::Same)])]),
        finding("link/c", "r <- m", vec![problem("seen", vec![claim(&["link/b"], Subjects::Same)])]),
    ]);
    assert_eq!(lines(&report), ["link/c r <- m: link/a r <- m, link/b r <- m"]);
    // What explains it at once is noted, the state and the counts stay.
    let a = &report.findings[0];
    assert_eq!(a.explained_by, [FindingRef { check: "link/b".into(), target: "r <- m".into() }]);
    assert_eq!((a.state, report.counts.critical, report.exit_code), (State::Critical, 3, 2));
}

#[test]
fn only_the_same_link_and_its_servers_are_meant() {
    let claims = vec![claim(&["link/a"], Subjects::Same), claim(&["node/x"], Subjects::Replica)];
    let report = diagnosed(vec![
        finding("link/a", "r <- m", vec![problem("seen", vec![])]),
        finding("link/a", "s <- m", vec![problem("seen", vec![])]),
        finding("link/b", "r <- m", vec![problem("seen", claims)]),
        finding("node/x", "m", vec![problem("seen", vec![])]),
        finding("node/x", "r", vec![problem("seen", vec![])]),
        finding("node/y", "r", vec![problem("seen", vec![])]),
    ]);
    assert_eq!(
        lines(&report),
        ["link/b r <- m: node/x r, link/a r <- m", "node/x m:", "node/y r:", "link/a s <- m:"]
    );
}

#[test]
fn what_is_unknown_of_the_parts_is_explained_by_the_whole_and_what_is_unknown_of_a_server_is_not() {
    let unknown_parts = Claim { unknown: true, at: Subjects::Parts, ..Claim::default() };
    let unknown_same = Claim { unknown: true, ..Claim::default() };
    let instance = Instance { name: "s:9221".into(), node: Some("s".into()), ..Instance::default() };
    let host =
        Host { name: "here".into(), nodes: vec!["s".into()], instances: vec![instance], ..Host::default() };
    let facts = Facts { hosts: vec![host], ..facts() };
    let of_host = [("host/a", "host"), ("host/b", "host"), ("host/c", "instance"), ("host/d", "instance")];
    let checks: Vec<Check> = of_host.map(|(id, target)| check(id, target, "")).into();
    let findings = vec![
        finding("host/a", "here", vec![problem("seen", vec![unknown_same, unknown_parts])]),
        unknown("host/b", "here", "host.clock"),
        unknown("host/c", "s:9221", "instance.rsync"),
        unknown("host/d", "s:9221", "node.config"),
        unknown("node/x", "s", "node.config"),
    ];
    let report = report(findings, facts, &checks, Language::En);
    assert_eq!(lines(&report), ["host/a here: host/b here, host/c s:9221", "host/d s:9221:", "node/x s:"]);
}

#[test]
fn a_finding_with_a_problem_that_nothing_explains_stays_visible() {
    let cases = Claim { cases: vec!["seen".into()], ..claim(&["link/a"], Subjects::Same) };
    let report = diagnosed(vec![
        finding("link/a", "r <- m", vec![problem("seen", vec![]), problem("another", vec![])]),
        finding("link/b", "r <- m", vec![problem("seen", vec![cases])]),
    ]);
    assert_eq!(lines(&report), ["link/a r <- m:", "link/b r <- m:"]);
    let a = &report.findings[0];
    assert_eq!((a.explained_by.len(), a.problems[0].explained_by.len()), (0, 1));
    assert!(a.problems[1].explained_by.is_empty());
}

#[test]
fn what_is_unknown_for_want_of_a_server_is_below_that_server() {
    let unknown_of = |at| Claim { at, unknown: true, ..Claim::default() };
    let claims = vec![unknown_of(Subjects::Same), unknown_of(Subjects::Links)];
    let report = diagnosed(vec![
        finding("node/x", "r", vec![problem("seen", claims)]),
        unknown("node/y", "r", "node.config"),
        unknown("node/y", "m", "node.config"),
        unknown("link/a", "r <- m", "link.auth"),
        unknown("link/b", "r <- m", "replica.config"),
        // That is a fact of the other one, which was reached.
        unknown("link/c", "r <- m", "master.config"),
        unknown("link/a", "s <- m", "link.auth"),
    ]);
    assert_eq!(
        lines(&report),
        ["node/x r: node/y r, link/a r <- m, link/b r <- m", "node/y m:", "link/c r <- m:", "link/a s <- m:"]
    );
}

#[test]
fn a_waived_cause_explains_nothing() {
    let mut waived =
        finding("link/b", "r <- m", vec![problem("seen", vec![claim(&["link/a"], Subjects::Same)])]);
    waived.state = State::Waived;
    let report = diagnosed(vec![waived, finding("link/a", "r <- m", vec![problem("seen", vec![])])]);
    assert_eq!(lines(&report), ["link/a r <- m:"]);
}

#[test]
fn what_explains_more_comes_first_among_equals() {
    let report = diagnosed(vec![
        finding("link/a", "r <- m", vec![problem("seen", vec![])]),
        finding("link/c", "r <- m", vec![problem("seen", vec![claim(&["link/b"], Subjects::Same)])]),
        finding("link/b", "r <- m", vec![problem("seen", vec![])]),
    ]);
    assert_eq!(lines(&report), ["link/c r <- m: link/b r <- m", "link/a r <- m:"]);
}

#[test]
fn a_circle_that_no_rule_saw_still_leaves_something_visible() {
    let report = diagnosed(vec![
        finding("link/a", "r <- m", vec![problem("seen", vec![claim(&["link/b"], Subjects::Same)])]),
        finding("link/b", "r <- m", vec![problem("seen", vec![claim(&["link/a"], Subjects::Same)])]),
    ]);
    assert_eq!(lines(&report), ["link/a r <- m: link/b r <- m"]);
}

#[test]
fn claims_that_can_mean_nothing_are_refused_with_their_place() {
    for (target, claim, message) in [
        ("link", "{checks: [link/aa]}", "there is no check `link/aa`; did you mean `link/a`?"),
        ("link", "{at: replica}", "`explains` needs `checks`, or `unknown: true`"),
        ("link", "{checks: [link/a], at: replica}", "`link/a` is never evaluated for what `at` says"),
        ("link", "{checks: [node/x], at: links}", "`node/x` is never evaluated for what `at` says"),
        ("link", "{checks: [link/a], at: links-as-master}", "this check is between servers"),
        ("node", "{checks: [node/x], at: master}", "only a check of links has a `master` and a `replica`"),
        ("link", "{checks: [link/a], cases: [sen]}", "no case of these checks has the name `sen`"),
        ("link", "{checks: [house/tried]}", "a circle: house/tried explains house/tried"),
        ("link", "{checks: [link/round]}", "a circle: house/tried explains link/round explains house/tried"),
    ] {
        let tried = check("house/tried", target, &format!("explains:\n  - {claim}\n"));
        let mut checks = checks();
        checks.push(check("link/round", "link", "explains:\n  - checks: [house/tried]\n"));
        checks.push(tried.clone());
        let found: Vec<String> = faults(&tried, &checks).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{claim}: {found:?}");
        assert!(found[0].contains(message), "{claim}: {}", found[0]);
        assert!(found[0].starts_with("house/tried.yaml:"), "{}", found[0]);
    }
    let fine = "explains:\n  - {checks: [link/a], cases: [seen]}\n  - {checks: [node/x], at: replica}\n  - {unknown: true}\n";
    let fine = check("house/tried", "link", fine);
    assert!(faults(&fine, &checks()).is_empty());
}

/// Each of thousands of servers is down, and much is unknown of each. The bound is wide: to compare everything with
/// everything takes a build for tests minutes.
#[test]
fn thousands_of_servers_that_are_down_are_told_in_seconds() {
    const SERVERS: usize = 4000;
    let names: Vec<String> = (0..SERVERS).map(|number| format!("s{number}")).collect();
    let nodes = names.iter().map(|name| Node { name: name.clone(), ..Node::default() }).collect();
    let facts = Facts { nodes, ..Facts::default() };
    let down = || problem("down", vec![Claim { unknown: true, ..claim(&[], Subjects::Same) }]);
    let about = |name: &String| {
        let unknown = (0..10).map(|_| unknown("node/y", name, "node.config"));
        unknown.chain([finding("node/x", name, vec![down()])]).collect::<Vec<_>>()
    };
    let findings: Vec<Finding> = names.iter().flat_map(about).collect();
    let begun = Instant::now();
    let report = report(findings, facts, &checks(), Language::En);
    let took = begun.elapsed();
    assert_eq!(report.diagnosis.len(), SERVERS);
    assert!(report.findings.iter().all(|it| it.check == "node/x" || !it.explained_by.is_empty()));
    assert!(took < Duration::from_secs(20), "{took:?}");
    println!("{took:?}");
}
