//! Runs the examples of checks.

use std::collections::BTreeSet;

use super::evaluate::Judge;
use crate::model::catalogue::Catalogue;
use crate::model::check::Check;
use crate::model::diagnosis::Possibility;
use crate::model::finding::Finding;
use crate::model::text::Language;

/// Everything that is wrong with the examples of the check `id`.
pub fn shortcomings(catalogue: &Catalogue, id: &str) -> Vec<String> {
    let judges = [Judge::new(catalogue, Language::En), Judge::new(catalogue, Language::Zh)];
    let Some(check) = catalogue.checks.iter().find(|check| check.id == id) else { return Vec::new() };
    let mut found = Vec::new();
    if check.file.examples.is_empty() {
        found.push("there is no example".to_owned());
    }
    for example in &check.file.examples {
        for judge in &judges {
            let finding = judge.try_example(check, example);
            if finding.state != example.state {
                let texts: Vec<&str> =
                    finding.problems.iter().map(|problem| problem.found.as_str()).collect();
                found.push(format!(
                    "example `{}`: expected {:?}, found {:?}: {}{}",
                    example.name,
                    example.state,
                    finding.state,
                    finding.note,
                    texts.join("; ")
                ));
                break;
            }
            let mut texts = vec![finding.note.as_str()];
            for problem in &finding.problems {
                texts.push(&problem.found);
                texts.extend(problem.needed.as_deref());
                texts.extend(problem.fix.as_deref());
                texts.extend(problem.possible.iter().flat_map(words_of));
            }
            // A text that needs an absent fact is replaced by the reason in parentheses.
            let roots = check.target.roots().iter().map(|root| format!("({root}."));
            let starts: Vec<String> = roots.chain(["(item.", "(undefined"].map(str::to_owned)).collect();
            if let Some(text) =
                texts.iter().find(|text| starts.iter().any(|start| text.starts_with(start.as_str())))
            {
                found.push(format!("example `{}`: a text could not be filled in: {text}", example.name));
            }
        }
        for judge in &judges {
            let failed = judge.failed_remedies_of_example(check, example);
            let name = &example.name;
            found.extend(failed.iter().map(|error| format!("example `{name}`: a remedy failed: {error}")));
        }
        let english = judges[0].try_example(check, example);
        let text = all_texts(&english);
        for words in &example.expect_text {
            if !text.contains(words.as_str()) {
                found.push(format!("example `{}`: `{words}` is not in: {text}", example.name));
            }
        }
        if let Some(expected) = &example.explains {
            let claims = english.problems.iter().flat_map(|problem| &problem.claims);
            let explained: BTreeSet<&String> = claims.flat_map(|claim| &claim.checks).collect();
            if explained != expected.iter().collect() {
                found.push(format!("example `{}`: it explains {explained:?}", example.name));
            }
        }
    }
    found.extend(untested_cases(&judges[0], check));
    found
}

fn all_texts(finding: &Finding) -> String {
    let mut text = finding.note.clone();
    for problem in &finding.problems {
        for part in
            [Some(&problem.found), problem.needed.as_ref(), problem.fix.as_ref()].into_iter().flatten()
        {
            text.push('\n');
            text.push_str(part);
        }
        for words in problem.possible.iter().flat_map(words_of) {
            text.push('\n');
            text.push_str(words);
        }
        for remedy in problem.remedies.iter().take(1) {
            text.push('\n');
            text.push_str(&remedy.to_string());
        }
    }
    text
}

/// The texts of a possible cause.
fn words_of(possible: &Possibility) -> impl Iterator<Item = &str> {
    let words = [Some(&possible.cause), possible.speaks_for.as_ref(), Some(&possible.look.on)];
    words.into_iter().flatten().chain([&possible.look.run]).map(String::as_str)
}

/// Cases that no example leads to.
fn untested_cases(judge: &Judge<'_>, check: &Check) -> Vec<String> {
    let mut tested = vec![false; check.file.cases.len()];
    for example in &check.file.examples {
        for index in judge.cases_of_example(check, example) {
            tested[index] = true;
        }
    }
    check
        .file
        .cases
        .iter()
        .zip(tested)
        .filter(|(_, tested)| !tested)
        .map(|(case, _)| format!("no example leads to the case `if: {}`", case.title()))
        .collect()
}
