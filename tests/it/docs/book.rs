//! The book and the READMEs hang together: every page is in the table of contents, and every link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Markdown file below `directory`, relative to the repository.
fn pages(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(directory)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{directory}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(pages(&path));
        } else if Path::new(&path).extension().is_some_and(|end| end == "md") {
            found.push(path.into());
        }
    }
    found
}

/// The targets of the links of a text, without code.
fn links(text: &str) -> Vec<&str> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let targets = prose.into_iter().flat_map(|text| text.split("](").skip(1));
    targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                assert!(normal.pop(), "{} leaves the repository", path.display());
            }
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let summary = fs::read_to_string(Path::new(ROOT).join("docs/SUMMARY.md")).unwrap();
    let listed = links(&summary);
    let set: BTreeSet<PathBuf> = listed.iter().map(|page| Path::new("docs").join(page)).collect();
    assert_eq!(set.len(), listed.len(), "a page is listed twice");
    let written: BTreeSet<PathBuf> =
        pages("docs").into_iter().filter(|page| page != Path::new("docs/SUMMARY.md")).collect();
    assert_eq!(written, set);
}

#[test]
fn every_link_leads_to_a_file_of_this_repository() {
    let mut files = pages("docs");
    let at_the_top = fs::read_dir(ROOT).unwrap().map(|entry| entry.unwrap().file_name());
    files
        .extend(at_the_top.map(PathBuf::from).filter(|file| file.extension().is_some_and(|end| end == "md")));
    assert!(files.len() > 30, "only {} pages were found", files.len());
    let mut broken = Vec::new();
    for file in files {
        let text = fs::read_to_string(Path::new(ROOT).join(&file)).unwrap();
        for target in links(&text).into_iter().filter(|target| !target.contains("://")) {
            let path = target.split('#').next().unwrap();
            let page = file.parent().unwrap().join(path);
            if !path.is_empty() && !Path::new(ROOT).join(normal(&page)).exists() {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_readmes_are_short() {
    for readme in ["README.md", "README.zh-CN.md"] {
        let lines = fs::read_to_string(Path::new(ROOT).join(readme)).unwrap().lines().count();
        assert!(lines <= 150, "{readme} has {lines} lines; what is more than a first look belongs to docs/");
    }
}
