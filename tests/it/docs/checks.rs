//! The page of checks is made from the catalogue.

use std::fmt::Write as _;
use std::fs;

use pikadoctor::catalog::built_in;

/// Where the page stands.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/checks.md");

const INTRODUCTION: &str = "\
# All checks

<!-- Made from checks/: UPDATE_DOCS=1 cargo test --test it docs::checks -->

What is true when a check is ok. `pikadoctor explain ID` says why it matters, what it looks at, what it says in each case,
and where the knowledge comes from.
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut group = "";
    let catalogue = built_in();
    for check in &catalogue.checks {
        let (of, _) = check.id.split_once('/').expect("an id is GROUP/NAME");
        if of != group {
            group = of;
            let _ = write!(page, "\n## {group}\n\n| check | ok means | 正常时的含义 |\n|---|---|---|\n");
        }
        let title = |text: &str| text.replace('|', "\\|");
        let (english, chinese) = (title(&check.file.title.en.text), title(&check.file.title.zh.text));
        let _ = writeln!(page, "| `{}` | {english} | {chinese} |", check.id);
    }
    page
}

#[test]
fn the_page_of_checks_is_that_of_the_catalogue() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, page()).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "write it anew: UPDATE_DOCS=1 cargo test --test it docs::checks");
}
