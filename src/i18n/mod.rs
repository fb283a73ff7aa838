//! The sentences and words of this program, in the languages that it speaks.
//!
//! They are data: `checks/knowledge/reasons.yaml` has what facts say (why one could not be had, what came in its place),
//! `checks/knowledge/texts.yaml` the words of reports, progress and plans. The build writes a constructor or a constant
//! for each, so that a text that is not there does not compile, and one that nothing says is reported as dead code.

// What the build writes the constructors with. Here it is compiled for its unit tests alone, which do not use all of it.
#[cfg(test)]
#[allow(dead_code)]
mod generate;
pub(crate) mod reasons;
mod system;
pub(crate) mod texts;

pub use system::io_error;

use std::borrow::Cow;

use crate::model::reason::{Argument, Reason, Sentence};
use crate::model::text::{Language, fill};

/// The reason with an id that a file of the knowledge names. A test holds that there is one.
pub fn of_knowledge(id: &str) -> Reason {
    sentence(id).map_or_else(|| Reason::verbatim(id), |sentence| Reason::new(sentence, []))
}

fn sentence(id: &str) -> Option<&'static Sentence> {
    let index = reasons::SENTENCES.binary_search_by(|sentence| sentence.id.cmp(id)).ok()?;
    reasons::SENTENCES.get(index)
}

/// The sentence of a reason in `language`. What others said, and what only a later version can say, stays as it is.
pub fn localized(reason: &Reason, language: Language) -> Cow<'_, str> {
    if language == Language::En {
        return Cow::Borrowed(reason.as_str());
    }
    let Some(sentence) = reason.id().and_then(sentence) else { return Cow::Borrowed(reason.as_str()) };
    let template = sentence.words.get(language);
    let mut known = true;
    let text = fill(template, |name| {
        let argument = reason.arg(name);
        known &= argument.is_some();
        argument.map(|argument| match argument {
            Argument::Text(text) => text.clone(),
            Argument::Number(number) => number.to_string(),
            Argument::Reason(inner) => localized(inner, language).into_owned(),
        })
    });
    if known { Cow::Owned(text) } else { Cow::Borrowed(reason.as_str()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::built_in;

    #[test]
    fn a_reason_is_read_in_both_languages_and_so_is_what_it_holds() {
        let inner = reasons::address_not_reached("10.0.0.1:9221");
        let reason = reasons::about("master.config", inner);
        assert_eq!(reason.as_str(), "master.config: 10.0.0.1:9221 was not reached");
        assert_eq!(localized(&reason, Language::En), "master.config: 10.0.0.1:9221 was not reached");
        assert_eq!(localized(&reason, Language::Zh), "master.config: 未能连接 10.0.0.1:9221");
        let said = Reason::verbatim("ERR {address} of a server");
        assert_eq!(localized(&said, Language::Zh), "ERR {address} of a server");
    }

    #[test]
    fn what_a_later_version_says_is_read_in_english() {
        for json in [
            serde_json::json!({"id": "not-yet", "args": {"what": "a"}, "text": "a is new"}),
            serde_json::json!({"id": "address-not-reached", "args": {"host": "a"}, "text": "a is new"}),
        ] {
            let reason: Reason = serde_json::from_value(json).unwrap();
            assert_eq!(localized(&reason, Language::Zh), "a is new");
        }
    }

    /// What a person reads belongs into the files of texts, where translators find it.
    #[test]
    fn no_chinese_stands_in_the_code() {
        fn files(directory: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files(&path, found);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push(path);
                }
            }
        }
        let chinese = |c: char| matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
        let mut found = Vec::new();
        files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 100);
        for path in found {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                assert!(!line.contains(chinese), "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }

    #[test]
    fn every_sentence_that_the_knowledge_names_is_there_and_no_other() {
        let knowledge = built_in().knowledge;
        let of_ports = knowledge.generations.iter().flat_map(|generation| &generation.ports);
        let mut named: BTreeSet<String> = of_ports.filter_map(|port| port.untouched.clone()).collect();
        named.extend(knowledge.dialects.no_canary.iter().map(|rule| rule.why.clone()));
        let known: generate::Texts =
            serde_yaml::from_str(include_str!("../../checks/knowledge/reasons.yaml")).unwrap();
        let known = known.into_iter().filter(|(_, pair)| pair.knowledge).map(|(id, _)| id);
        assert_eq!(named, known.collect());
    }
}
