//! Reports in Chinese say in Chinese why something is not known.

use std::sync::LazyLock;

use pikadoctor::catalog::built_in;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::finding::State;
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::Language;
use pikadoctor::pipeline::judgement::judge;
use regex::Regex;
use serde_json::Value;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(built_in);

/// Three words of a sentence. Names, values and commands of a server are not Chinese in a Chinese report either.
static SENTENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[ (])[a-zA-Z]?[a-z']+ [a-z']+ [a-z']+(?:[ .,;:)]|$)").unwrap());

/// What others say: what is quoted, states and answers of Pika, Codis and coordinators, errors of libraries.
static OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    let others = [
        "`[^`]*`",
        "“[^”]*”",
        "wait meta sync response",
        "topom is not online",
        "unknown or unsupported command",
        "usable Sentinels. Not enough available Sentinels to reach the majority",
        "(expected value|EOF while parsing a value) at line",
    ];
    Regex::new(&others.join("|")).unwrap()
});

/// Asserts that no reason and no problem of a report about `facts` has an English sentence.
pub fn is_all_chinese(facts: &Facts) {
    let report = judge(facts.clone(), &CATALOGUE, &Parameters::new(), Language::Zh);
    let english = |text: &str| SENTENCE.is_match(&OF_OTHERS.replace_all(text, "``"));
    let mut said = Vec::new();
    for finding in &report.findings {
        let unsaid = matches!(finding.state, State::Unknown | State::Skipped | State::NotApplicable);
        let notes = (unsaid && finding.missing.is_some()).then_some(&finding.note);
        // The table of measured pairs quotes logs; it is read with the other texts of the catalogue.
        let told = finding.problems.iter().filter(|_| finding.check != "link/dialect");
        let found = told.map(|problem| &problem.found);
        for text in found.chain(notes).filter(|text| english(text)) {
            said.push(format!("{} {}: {text}", finding.check, finding.target));
        }
    }
    assert!(said.is_empty(), "{}", said.join("\n"));
}

/// The same for the facts of a report in JSON.
pub fn report_is_all_chinese(report: &Value) {
    is_all_chinese(&serde_json::from_value(report["facts"].clone()).unwrap());
}
