//! Runs the examples of checks.

use std::fmt;

use super::evaluate::Judge;
use crate::model::catalogue::Catalogue;
use crate::model::check::Check;
use crate::model::finding::State;
use crate::model::text::Language;

/// What is wrong with a check's examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortcoming {
    /// An example does not come to the state that it names.
    State { example: String, expected: State, found: State, note: String },
    /// The finding does not say what the example wants it to say.
    Words { example: String, words: String, text: String },
    /// A text of the finding could not be filled in.
    Text { example: String, text: String },
    /// No example leads to this case.
    UntestedCase(String),
    /// No example at all.
    NoExample,
}

impl fmt::Display for Shortcoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { example, expected, found, note } => {
                write!(f, "example `{example}`: expected {expected:?}, found {found:?}: {note}")
            }
            Self::Words { example, words, text } => write!(f, "example `{example}`: `{words}` is not in: {text}"),
            Self::Text { example, text } => write!(f, "example `{example}`: a text could not be filled in: {text}"),
            Self::UntestedCase(condition) => write!(f, "no example leads to the case `if: {condition}`"),
            Self::NoExample => f.write_str("there is no example"),
        }
    }
}

/// Everything that is wrong with the examples of the check `id`.
pub fn shortcomings(catalogue: &Catalogue, id: &str) -> Vec<Shortcoming> {
    let judges = [Judge::new(catalogue, Language::En), Judge::new(catalogue, Language::Zh)];
    let Some(check) = catalogue.checks.iter().find(|check| check.id == id) else { return Vec::new() };
    let mut found = Vec::new();
    if check.file.examples.is_empty() {
        found.push(Shortcoming::NoExample);
    }
    for example in &check.file.examples {
        for judge in &judges {
            let finding = judge.try_example(check, example);
            if finding.state != example.state {
                let texts: Vec<&str> = finding.problems.iter().map(|problem| problem.found.as_str()).collect();
                found.push(Shortcoming::State {
                    example: example.name.clone(),
                    expected: example.state,
                    found: finding.state,
                    note: format!("{}{}", finding.note, texts.join("; ")),
                });
                break;
            }
            let mut texts = vec![finding.note.as_str()];
            for problem in &finding.problems {
                texts.push(&problem.found);
                texts.extend(problem.needed.as_deref());
                texts.extend(problem.fix.as_deref());
            }
            // A text that needs an absent fact is replaced by the reason in parentheses.
            if let Some(text) = texts.iter().find(|text| text.starts_with("(node.") || text.starts_with("(undefined")) {
                found.push(Shortcoming::Text { example: example.name.clone(), text: (*text).to_owned() });
            }
        }
        let english = judges[0].try_example(check, example);
        let text = all_texts(&english);
        for words in &example.says {
            if !text.contains(words.as_str()) {
                found.push(Shortcoming::Words {
                    example: example.name.clone(),
                    words: words.clone(),
                    text: text.clone(),
                });
            }
        }
    }
    found.extend(untested_cases(&judges[0], check));
    found
}

fn all_texts(finding: &crate::model::finding::Finding) -> String {
    let mut text = finding.note.clone();
    for problem in &finding.problems {
        for part in [Some(&problem.found), problem.needed.as_ref(), problem.fix.as_ref()].into_iter().flatten() {
            text.push('\n');
            text.push_str(part);
        }
    }
    text
}

/// Cases that no example leads to. Cases that look at the knowledge (through `for_each` over one of the
/// functions) are tested with the knowledge.
fn untested_cases(judge: &Judge<'_>, check: &Check) -> Vec<Shortcoming> {
    let over_knowledge = check.file.for_each.as_ref().is_some_and(|source| source.text.contains('(')) && check.file.appendix.is_some();
    if over_knowledge {
        return Vec::new();
    }
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
        .map(|(case, _)| Shortcoming::UntestedCase(case.condition.text.clone()))
        .collect()
}
