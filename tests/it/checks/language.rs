//! The language of check files: what may be written, what it comes to, and how it is refused.

use std::collections::BTreeSet;
use std::fs;

use pikadoctor::catalog::check_file::read_check;
use pikadoctor::catalog::{built_in, era};
use pikadoctor::judge::evaluate::Judge;
use pikadoctor::judge::examples::shortcomings;
use pikadoctor::judge::expressions::expressions;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::finding::{Finding, State};
use pikadoctor::model::release::Releases;
use pikadoctor::model::text::Language;
use pikadoctor::parse::document::decode::from_yaml;
use pikadoctor::pipeline::catalogue::add;
use serde_json::{Value as Json, json};

/// Characters that an expression may have; a longer one is given names (`let`).
const MAX_LENGTH: usize = 120;

#[test]
fn no_expression_is_longer_than_a_line() {
    let mut long = Vec::new();
    let catalogue = built_in();
    for check in &catalogue.checks {
        for (source, text) in expressions(&check.file) {
            let length = text.chars().count();
            if length > MAX_LENGTH {
                let place = format!("{}:{}:{}", check.origin, source.line, source.column);
                long.push(format!("{place}: {length} characters: {text}"));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_range_names_releases_that_exist() {
    let catalogue = built_in();
    let known = |text: &str| catalogue.knowledge.releases.iter().any(|tag| tag.version.to_string() == text);
    let mut wrong = Vec::new();
    let below = |directory: &str| fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let files = below("checks/knowledge").chain(below("checks/knowledge/remedies"));
    for path in files.filter(|path| path.is_file()) {
        let knowledge: Json = from_yaml(&fs::read_to_string(&path).unwrap()).unwrap();
        walk(&knowledge, &mut |text| {
            if let Ok(releases) = text.parse::<Releases>() {
                let unknown = releases.ends().filter(|end| !known(&end.to_string()));
                wrong.extend(unknown.map(|end| format!("{}: {text}: {end}", path.display())));
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn walk(value: &Json, see: &mut impl FnMut(&str)) {
    match value {
        Json::String(text) => see(text),
        Json::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Json::Object(map) => map.values().for_each(|item| walk(item, see)),
        _ => {}
    }
}

#[test]
fn every_release_has_slots_or_not_and_one_way_to_copy() {
    for tag in &built_in().knowledge.releases {
        let slots = [era::SLOTS, era::SHARDING, era::WITHOUT_SLOTS];
        assert_eq!(slots.iter().filter(|era| tag.version.is_of(era)).count(), 1, "{}", tag.version);
        let copies = [era::RSYNCD, era::OWN_RSYNC];
        assert_eq!(copies.iter().filter(|era| tag.version.is_of(era)).count(), 1, "{}", tag.version);
        let asks = [era::RESP_TRYSYNC, era::PROTOBUF];
        assert_eq!(asks.iter().filter(|era| tag.version.is_of(era)).count(), 1, "{}", tag.version);
    }
}

#[test]
fn lint_and_check_agree_on_the_releases_that_have_slots() {
    let catalogue = built_in();
    let judge = Judge::new(&catalogue, Language::En);
    let finding = |id: &str, facts: &Json| {
        let check = catalogue.checks.iter().find(|check| check.id == id).unwrap();
        let example = json!({"name": id, "facts": facts, "state": "ok"}).to_string();
        judge.try_example(check, &from_yaml(&example).unwrap())
    };
    let mut without = BTreeSet::new();
    for tag in &catalogue.knowledge.releases {
        let version = tag.version.to_string();
        for method in ["sync", "semi-async"] {
            let checked = finding(
                "codis/migration-method",
                &json!({
                    "server": {"name": "a", "node": "a", "position": "master", "version": version},
                    "codis": {"migration": {"method": method, "setting": method, "expected": true}},
                    "node": {"config": {"instance-mode": "sharding"}},
                }),
            );
            let setting =
                json!({"key": "migration_method", "value": method, "stated": true, "releases": ["3.2.2"]});
            let linted = finding(
                "companion/codis-migration-method",
                &json!({"file": {
                    "kind": "dashboard", "name": "dashboard.toml", "version": version,
                    "content": {"likely": ["3.2.2"], "values": [setting]},
                }}),
            );
            // How bad it is differs: of a file alone nobody knows whether slots will be moved.
            let troubles = [&checked, &linted].map(|finding| {
                assert!(
                    [State::Ok, State::Warning, State::Critical].contains(&finding.state),
                    "{version} {method}: {finding:?}"
                );
                finding.state != State::Ok
            });
            assert_eq!(troubles[0], troubles[1], "{version} {method}: {checked:?} {linted:?}");
            let refused = [(&checked, "cannot be moved"), (&linted, "has no slots")]
                .map(|(finding, words)| finding.problems.iter().any(|problem| problem.found.contains(words)));
            assert_eq!(refused, [tag.version.is_of(&era::WITHOUT_SLOTS); 2], "{version} {method}");
            if refused[0] {
                without.insert(version.clone());
            }
        }
    }
    assert!(without.contains("2.1.4") && without.contains("3.0.16") && !without.contains("2.2.0"));
}

#[test]
fn a_constant_of_the_code_and_the_word_of_a_check_mean_the_same() {
    let knowledge = built_in().knowledge;
    for (era, constant) in [("slots", era::SLOTS), ("acl", era::ACL), ("rsyncd", era::RSYNCD)] {
        let rule = knowledge.eras.iter().find(|rule| rule.name == era).unwrap();
        for tag in &knowledge.releases {
            assert_eq!(
                rule.releases.contains(tag.version),
                tag.version.is_of(&constant),
                "{era} {}",
                tag.version
            );
        }
    }
}

/// A catalogue with one check more.
fn with(text: &str) -> Catalogue {
    let mut catalogue = built_in();
    add(&mut catalogue, "house/tried", "house/tried.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    catalogue
}

/// What the check `text` says of its example `index`, in both languages.
fn said(text: &str, index: usize) -> [Finding; 2] {
    let catalogue = with(text);
    let check = catalogue.checks.iter().find(|check| check.id == "house/tried").unwrap();
    // What is embedded has no examples; what a directory holds has.
    let example = &check.file.examples[index];
    [Language::En, Language::Zh].map(|language| Judge::new(&catalogue, language).try_example(check, example))
}

/// Why the check `text` is refused.
fn refused(text: &str) -> String {
    let mut catalogue = built_in();
    match add(&mut catalogue, "house/tried", "house/tried.yaml", text) {
        Ok(()) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

const WHOLE: &str = include_str!("language.yaml");

#[test]
fn every_form_comes_to_what_it_says() {
    let catalogue = with(WHOLE);
    assert_eq!(shortcomings(&catalogue, "house/tried"), Vec::<String>::new());

    let [en, zh] = said(WHOLE, 0);
    assert_eq!(en.state, State::Critical);
    let problem = &en.problems[0];
    assert_eq!(problem.found, "10.0.0.1:9221 (3.3.6, in sharding mode) is far behind: db0 1:5, db1 0:7");
    assert_eq!(
        problem.fix.as_deref(),
        Some(
            "1. redis-cli -h 10.0.0.1 -p 9221 slaveof no one\n\
             2. Wait until nobody lists 10.0.0.1:9221.\n\
             3. redis-cli -h 10.0.0.1 -p 9221 slaveof 10.0.0.2 9221"
        )
    );
    let problem = &zh.problems[0];
    assert_eq!(problem.found, "10.0.0.1:9221（3.3.6，sharding 模式）落后很多：db0 1:5、db1 0:7");
    assert!(problem.fix.as_deref().unwrap().contains("2. 等待不再有主库列出 10.0.0.1:9221。\n3. redis-cli"));

    let [en, _] = said(WHOLE, 1);
    assert_eq!(en.state, State::Warning);
    assert!(en.problems[0].fix.as_deref().unwrap().starts_with("redis-cli -h 10.0.0.1 -p 9221 info"));
}

#[test]
fn an_absent_fact_behind_a_name_ends_the_evaluation_with_its_reason() {
    let [en, _] = said(WHOLE, 4);
    assert_eq!(en.state, State::Skipped, "{en:?}");
    assert_eq!(en.note, "node.binlog: INFO is blacklisted");
    // A name that nothing reads raises nothing: the first case decides without it.
    let [en, _] = said(WHOLE, 5);
    assert_eq!(en.state, State::NotApplicable, "{en:?}");
}

#[test]
fn what_a_server_says_stays_escaped_in_the_text_of_a_name() {
    let [en, _] = said(WHOLE, 6);
    assert!(en.problems[0].found.contains(r"evil\n\u{1b}[31m"), "{}", en.problems[0].found);
}

#[test]
fn mistakes_are_refused_with_their_place() {
    for (from, to, message) in [
        ("in_era('sharding')", "in_era('shading')", "there is no era `shading`; did you mean `sharding`?"),
        ("mode:\n", "params:\n", "the name `params` is taken"),
        ("  far: params.far", "  far: lines", "`far` needs `lines`, which must stand before it"),
        ("    rows:\n      classic:", "    rowz:\n      classic:", "unknown field `rowz`"),
        (
            "      else: {text: \"{{ node.version }}\"}",
            "      classic: {text: twice}",
            "duplicate mapping key: classic",
        ),
        (
            "    - if: node.version is in_era",
            "    - {text: always}\n    - if: node.version is in_era",
            "is never reached",
        ),
        ("  far: params.far", "  far: params.far\n  unused: params.far", "nothing reads `unused`"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let error = refused(&text);
        assert!(error.contains(message), "{from} -> {to}: {error}");
        assert!(error.starts_with("house/tried.yaml:"), "{error}");
    }
    let without_fix = WHOLE.replacen("    fix: \"{{ steps(", "    needed: \"{{ steps(", 1);
    assert!(
        read_check("house/tried", "t.yaml", &without_fix).unwrap_err().to_string().contains("needs a `fix`")
    );
}
