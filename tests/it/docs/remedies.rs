//! The page of remedies is made from the recipes and the checks that name them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use pikadoctor::catalog::built_in;
use pikadoctor::model::check::RemedyChoice;
use pikadoctor::model::recipe::{ActionRule, Recipe};
use pikadoctor::model::remedy::Loses;
use pikadoctor::model::text::Source;
use regex::Regex;

/// Where the page stands.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/remedies.md");

const INTRODUCTION: &str = "\
# All remedies

<!-- Made from checks/knowledge/remedies/: UPDATE_DOCS=1 cargo test --test it docs::remedies -->

What a report prints below `fix`, step by step, and JSON has in `remedies[]`. A check names recipes, the best first; the first
one whose conditions hold is advised. [How to write one](../authors/remedies.md).
";

/// A text for the page: what stands between braces is named, not evaluated.
fn plain(source: &Source) -> String {
    let braces = Regex::new(r"\{\{ *(?:(?:address|host_port|host_of|port_of)\()?([a-z_]+)\)? *\}\}").unwrap();
    let text = braces.replace_all(source.text.trim(), "*$1*");
    let rest = Regex::new(r"\{\{.*?\}\}").unwrap();
    rest.replace_all(&text, "…").replace('|', "\\|").replace('\n', " ")
}

fn loses(loses: Loses) -> &'static str {
    match loses {
        Loses::Nothing => "nothing",
        Loses::ReplicaData => "all data of the replica; it gets that of the master",
        Loses::OwnWrites => "writes that one server alone took",
        Loses::Bookkeeping => "bookkeeping; no key of a client",
        Loses::AllData => "all data of the server",
    }
}

fn recipe(name: &str, recipe: &Recipe, used_by: &BTreeSet<String>) -> String {
    let mut page = format!("\n## {name}\n\n{}  \n{}\n\n", plain(&recipe.title.en), plain(&recipe.title.zh));
    let _ = writeln!(page, "- loses: {}", loses(recipe.loses));
    let _ = writeln!(page, "- clients: {}", plain(&recipe.clients.en));
    if let Some(when) = &recipe.when {
        let _ = writeln!(page, "- only when: `{}`", when.text);
    }
    for before in &recipe.before {
        let _ = writeln!(page, "- before: {}", plain(&before.en));
    }
    if !used_by.is_empty() {
        let checks: Vec<String> = used_by.iter().map(|check| format!("`{check}`")).collect();
        let _ = writeln!(page, "- named by: {}", checks.join(", "));
    }
    page.push('\n');
    for (index, step) in recipe.steps.iter().enumerate() {
        let says = step.says.as_ref().map(|says| plain(&says.en));
        let words = match (&step.action, says) {
            (ActionRule::Use(one), _) => format!("the steps of [{0}](#{0})", one.recipe.text),
            (ActionRule::Edit { key, value, .. }, None) => {
                let key = key.text.trim_matches('\'');
                let what = if value.is_some() { "Write" } else { "Take out" };
                format!("{what} the line `{key}` of the configuration file")
            }
            (ActionRule::Service { what, .. }, None) => format!("{what:?} the server"),
            (_, says) => says.unwrap_or_default(),
        };
        let _ = writeln!(page, "{}. {words}", index + 1);
    }
    for reference in &recipe.references {
        page.push('\n');
        let _ = writeln!(page, "Known from: {reference}");
    }
    page
}

fn page() -> String {
    let catalogue = built_in();
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for check in &catalogue.checks {
        for case in &check.file.cases {
            if let RemedyChoice::Named(uses) = &case.remedies {
                for one in uses {
                    used.entry(&one.recipe.text).or_default().insert(check.id.clone());
                }
            }
        }
    }
    let mut page = INTRODUCTION.to_owned();
    for (name, of) in &catalogue.knowledge.recipes {
        page.push_str(&recipe(name, of, used.get(name.as_str()).unwrap_or(&BTreeSet::new())));
    }
    page
}

#[test]
fn the_page_of_remedies_is_that_of_the_catalogue() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, page()).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "write it anew: UPDATE_DOCS=1 cargo test --test it docs::remedies");
}

#[test]
fn every_recipe_is_named_by_a_check_or_used_by_another_one() {
    let catalogue = built_in();
    let mut used = BTreeSet::new();
    for case in catalogue.checks.iter().flat_map(|check| &check.file.cases) {
        if let RemedyChoice::Named(uses) = &case.remedies {
            used.extend(uses.iter().map(|one| one.recipe.text.clone()));
        }
    }
    let steps = catalogue.knowledge.recipes.values().flat_map(|recipe| &recipe.steps);
    used.extend(steps.filter_map(|step| match &step.action {
        ActionRule::Use(one) => Some(one.recipe.text.clone()),
        _ => None,
    }));
    let idle: Vec<&String> =
        catalogue.knowledge.recipes.keys().filter(|name| !used.contains(*name)).collect();
    assert!(idle.is_empty(), "nothing names {idle:?}");
}
