//! The rules of `deny.toml` about licences, bans and sources, the stated minimum of Rust, and that each dependency is
//! used: from `cargo metadata`, so that they hold where cargo-deny is not installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is built on this platform, with tests.
fn metadata() -> Json {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let text = cargo(&["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host]);
    serde_json::from_str(&text).unwrap()
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().unwrap().iter()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or("")
}

/// The packages by id that the program and its build script consist of.
fn shipped(metadata: &Json) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Json> =
        list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let mut found = BTreeSet::new();
    let mut next = vec![text(&metadata["resolve"]["root"])];
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(
                list(&nodes[id]["deps"])
                    .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
                    .map(|dep| text(&dep["pkg"])),
            );
        }
    }
    found
}

/// What `deny.toml` lists below a table: texts, or tables with a crate.
fn rules(table: &str, key: &str) -> Vec<String> {
    let source = fs::read_to_string(Path::new(ROOT).join("deny.toml")).unwrap();
    let deny = DeTable::parse(&source).unwrap();
    let DeValue::Table(table) = deny.get_ref()[table].get_ref() else { panic!("{table} is a table") };
    let DeValue::Array(rules) = table[key].get_ref() else { panic!("{key} is a list") };
    let word = |value: &DeValue<'_>| match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Table(rule) => match rule["crate"].get_ref() {
            DeValue::String(text) => text.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    rules.iter().map(|rule| word(rule.get_ref())).collect()
}

/// Whether a licence expression can be met by the licences in `allowed`. Cargo still takes `/` for `OR`.
fn may_be_used(expression: &str, allowed: &[String]) -> bool {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).unwrap();
    parsed.evaluate(|wanted| allowed.iter().any(|known| *known == wanted.to_string()))
}

#[test]
fn a_licence_is_met_by_one_of_its_alternatives_and_by_all_of_its_parts() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR ISC", true),
        ("(MIT OR Apache-2.0) AND ISC", true),
        ("MIT AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", false),
    ] {
        assert_eq!(may_be_used(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let (allowed, metadata) = (rules("licenses", "allow"), metadata());
    for package in list(&metadata["packages"]) {
        let licence = text(&package["license"]);
        assert!(may_be_used(licence, &allowed), "{}: {licence:?}", text(&package["name"]));
    }
}

#[test]
fn every_package_comes_from_the_one_registry() {
    let metadata = metadata();
    let sources: BTreeSet<&str> =
        list(&metadata["packages"]).map(|package| text(&package["source"])).collect();
    // This package has no source.
    let (own, others): (Vec<&str>, Vec<&str>) = sources.into_iter().partition(|source| source.is_empty());
    assert_eq!((own.len(), others.len()), (1, 1), "{others:?}");
    assert!(others[0].starts_with("registry+"), "{others:?}");
}

#[test]
fn nothing_that_deny_toml_bans_is_shipped_and_nothing_twice() {
    let (metadata, banned, allowed_twice) = (metadata(), rules("bans", "deny"), rules("bans", "skip"));
    let shipped = shipped(&metadata);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in list(&metadata["packages"]).filter(|package| shipped.contains(text(&package["id"]))) {
        versions.entry(text(&package["name"])).or_default().insert(text(&package["version"]));
    }
    assert!(
        versions.contains_key("redis") && !versions.contains_key("proptest"),
        "the program, not its tests"
    );
    for name in banned {
        assert!(!versions.contains_key(name.as_str()), "{name} is banned");
    }
    let mut idle = allowed_twice.clone();
    for (name, versions) in versions {
        let counted = versions.iter().filter(|version| {
            let skip = allowed_twice.iter().find(|skip| {
                skip.split_once('@')
                    .is_some_and(|(skip, begin)| skip == name && version.starts_with(&format!("{begin}.")))
            });
            idle.retain(|known| Some(known) != skip);
            skip.is_none()
        });
        assert!(counted.count() <= 1, "{name} is there more than once: {versions:?}");
    }
    assert!(idle.is_empty(), "skipped and not there: {idle:?}");
}

/// `1.89` or `1.89.0`
fn rust(version: &str) -> (u32, u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// The stated minimum cannot be tried without that compiler. What can be held: no dependency wants more, and clippy
/// (`incompatible_msrv`) finds what the standard library did not have then.
#[test]
fn no_dependency_needs_a_newer_rust_than_is_stated() {
    let metadata = metadata();
    let root = text(&metadata["resolve"]["root"]);
    let stated = list(&metadata["packages"]).find(|package| package["id"] == root).unwrap();
    let stated = text(&stated["rust_version"]);
    for package in list(&metadata["packages"]) {
        let needed = text(&package["rust_version"]);
        if !needed.is_empty() {
            assert!(rust(needed) <= rust(stated), "{} needs {needed}", text(&package["name"]));
        }
    }
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust ({stated} or later)")), "the README says {stated}");
}

fn sources(directory: &Path, found: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *found += &fs::read_to_string(&path).unwrap();
        }
    }
}

#[test]
fn every_dependency_is_used() {
    let metadata = metadata();
    let root = text(&metadata["resolve"]["root"]);
    let own = list(&metadata["packages"]).find(|package| package["id"] == root).unwrap();
    let (mut program, mut tests, mut build) = (String::new(), String::new(), String::new());
    sources(&Path::new(ROOT).join("src"), &mut program);
    sources(&Path::new(ROOT).join("tests"), &mut tests);
    if let Ok(script) = fs::read_to_string(Path::new(ROOT).join("build.rs")) {
        // What it mounts by `#[path]` counts, too.
        build = if script.contains("#[path") { script + &program } else { script };
    }
    for dependency in list(&own["dependencies"]) {
        let name = dependency["rename"].as_str().unwrap_or(text(&dependency["name"])).replace('-', "_");
        let code = match dependency["kind"].as_str() {
            None => program.clone(),
            Some("build") => build.clone(),
            Some(_) => format!("{program}{tests}"),
        };
        let used = code.match_indices(&name).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            let after = &code[at + name.len()..];
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                && (after.starts_with("::") || after.starts_with(" as ") || after.starts_with(';'))
        });
        assert!(used, "nothing uses {name}");
    }
}
