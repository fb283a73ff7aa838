//! `docs/reference/remedies-tried.md`: which remedies were tried, on which releases, and why the others were not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use pikadoctor::catalog::built_in;
use pikadoctor::parse::document::decode::from_yaml;

const PAGE: &str = "docs/reference/remedies-tried.md";

const HEAD: &str = "# Remedies that were tried

A remedy was tried on a release when a test brought a fault about, did the steps that the report advised first to the letter
(a shell with redis-cli, edits of the configuration file, restarts, waiting), looked again, and saw that the cause and what
followed from it was gone, that nothing new had come, that the master had lost no key, and the replica as many as the remedy
announces. What is a part of other remedies counts where all steps of such a one were done. Of `save-copy`, which mends nothing,
it was demanded that a server which is started on the copy has all keys.

*Simulated* are the servers of the laboratory, which answer as recorded servers do. On *real* servers the same was done with the
programs of those releases. The tests are `tests/it/lab/trials.rs` and, in `tests/live/`, `trials.rs` and the files whose names
end in `_trials.rs`; they keep what they did beside them, and this page is made from that.

| remedy | simulated | real |
|---|---|---|
";

const LOOKS: &str = "
## Looks

None of their steps changes anything, so they cannot make a cause go away. One was tried when each of its commands was run
to the letter while the fault was there, answered what is announced, printed the check that names the fault, or, where it is
not this program that looks, who or what is at fault, and left the keys, settings and files of all servers, and whom they follow,
as they were.

| look | simulated | real |
|---|---|---|
";

#[derive(Default)]
struct Count {
    all: usize,
    tried: usize,
    real: usize,
}

/// The releases on which each recipe did what it says, from lines of recipe, release and scenario.
fn tried(lines: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut tried = BTreeMap::<String, BTreeSet<String>>::new();
    for line in lines.lines() {
        let mut words = line.split('\t').map(str::to_owned);
        if let (Some(recipe), Some(release)) = (words.next(), words.next()) {
            tried.entry(recipe).or_default().insert(release);
        }
    }
    tried
}

fn page() -> String {
    let simulated = tried(include_str!("../data/lab/remedies-tried.txt"));
    let real = tried(include_str!("../../live/data/remedies-tried.txt"));
    let untried: BTreeMap<String, String> =
        from_yaml(include_str!("../data/lab/untried.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let recipes = built_in().knowledge.recipes;
    let mut text = String::from(HEAD);
    let mut left = String::new();
    let mut looked = String::new();
    let (mut mends, mut looks) = (Count::default(), Count::default());
    for (name, recipe) in &recipes {
        // That is seen from the recipe: none of its steps changes anything.
        let (text, count) =
            if recipe.only_looks() { (&mut looked, &mut looks) } else { (&mut text, &mut mends) };
        count.all += 1;
        let list = |of: &BTreeMap<String, BTreeSet<String>>| {
            of.get(name).map(|releases| releases.iter().cloned().collect::<Vec<_>>().join(", "))
        };
        match (list(&simulated), list(&real)) {
            (None, None) => {
                let why = untried
                    .get(name)
                    .map_or("no fault that a test brings about is mended by it first", |why| why);
                let _ = writeln!(left, "| `{name}` | {why} |");
            }
            (one, other) => {
                count.tried += 1;
                count.real += usize::from(other.is_some());
                let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
                let _ = writeln!(text, "| `{name}` | {one} | {other} |");
            }
        }
    }
    let Count { all, tried, real } = mends;
    let _ = writeln!(text, "\n{tried} of {all} remedies were tried, {real} of them on real servers.");
    let Count { all, tried, real } = looks;
    let _ =
        write!(text, "{LOOKS}{looked}\n{tried} of {all} looks were tried, {real} of them on real servers.\n");
    if !left.is_empty() {
        let _ = write!(text, "\n## Not tried\n\n| remedy | why |\n|---|---|\n{left}");
    }
    text
}

#[test]
fn the_page_says_what_was_tried() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "{PAGE} is not up to date: UPDATE_DOCS=1 cargo test --test it docs::");
}

#[test]
fn reasons_are_given_of_recipes_that_exist() {
    let recipes = built_in().knowledge.recipes;
    let untried: BTreeMap<String, String> = from_yaml(include_str!("../data/lab/untried.yaml")).unwrap();
    let unknown: Vec<_> = untried.keys().filter(|name| !recipes.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "there are no such recipes: {unknown:?}");
}
