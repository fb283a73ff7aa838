//! The page of limits is that of the program, and the table of limits is all of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use pikadoctor::model::limits::{Amount, SECTIONS};

/// Where the page stands.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/limits.md");

const INTRODUCTION: &str = "\
# Limits

<!-- Made from src/model/limits.rs: UPDATE_DOCS=1 cargo test --test it docs::limits -->

Everything that pikadoctor reads, waits for or follows is bounded. This page is the whole table. A check that needs what
was beyond a bound is *unknown* or *skipped*, and says which bound it was.

The time for a run, a connection and a reply can be set (`--timeout`, `--connect-timeout`, `--reply-timeout`); the others
are fixed.
";

fn time(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) if seconds > 0 && seconds % (24 * 3600) == 0 => match seconds / (24 * 3600) {
            1 => "24 h".to_owned(),
            days => format!("{days} days"),
        },
        (seconds, 0) if seconds > 0 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        (seconds, 0) => format!("{seconds} s"),
        _ => format!("{} ms", time.as_millis()),
    }
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Count(count) => count.to_string(),
        Amount::Bytes(bytes) if bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        Amount::Bytes(bytes) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        Amount::Bytes(bytes) if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        Amount::Bytes(bytes) => format!("{bytes} bytes"),
        Amount::Characters(characters) => format!("{characters} characters"),
        Amount::Time(one) => time(one),
        Amount::Times(several) => several.iter().map(|one| time(*one)).collect::<Vec<_>>().join(", "),
    }
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for section in SECTIONS {
        let _ = write!(page, "\n## {}\n\n| limit | value | what it bounds |\n|---|---|---|\n", section.title);
        for limit in section.limits {
            let lines: Vec<&str> = limit.documentation.iter().map(|line| line.trim()).collect();
            let meaning = lines.join(" ").replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {} | {meaning} |", limit.name, amount(limit.amount));
        }
    }
    page
}

#[test]
fn the_page_of_limits_is_that_of_the_program() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, page()).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap();
    assert_eq!(written, page(), "write it anew: UPDATE_DOCS=1 cargo test --test it docs::limits");
}

#[test]
fn every_limit_has_a_name_of_its_own() {
    let mut names: Vec<&str> =
        SECTIONS.iter().flat_map(|section| section.limits).map(|limit| limit.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// The names of constants in a source file that say that they are limits.
fn limits_in(file: &Path, found: &mut Vec<String>) {
    for line in fs::read_to_string(file).unwrap().lines() {
        let Some((_, rest)) = line.split_once("const ") else { continue };
        let name = rest.split(':').next().unwrap_or_default();
        let starts = ["MAX_", "MIN_", "MOST_", "LONGEST", "PATIENCE", "PARALLEL"];
        let ends = ["_TIMEOUT", "_INTERVAL"];
        if starts.iter().any(|start| name.starts_with(start)) || ends.iter().any(|end| name.ends_with(end)) {
            found.push(format!("{}: {name}", file.display()));
        }
    }
}

fn sources(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("model/limits.rs")
        {
            limits_in(&path, found);
        }
    }
}

#[test]
fn no_limit_stands_outside_of_the_table() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "these belong in src/model/limits.rs: {found:#?}");
}
