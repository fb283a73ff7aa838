//! What `lint` advises first about a file is written into it, and the file is looked at again: the fault must be gone,
//! and nothing new have come. With `UPDATE_TRIALS=1` what was tried is added to `data/lab/remedies-tried.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pikadoctor::model::remedy::{Action, Remedy, Word};
use pikadoctor::parse::document::decode::from_yaml;
use serde::Deserialize;
use serde_json::Value;

use crate::support::trial::with_line;
use crate::support::{Run, pikadoctor};

const TRIED: &str = "tests/it/data/lab/remedies-tried.txt";

/// How often a file is mended until the check is content: each time by one remedy.
const AT_MOST: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faulty {
    check: String,
    file: String,
    #[serde(default)]
    text: String,
    /// A file of `data/services` to which `lines` are written.
    base: Option<String>,
    #[serde(default)]
    lines: Vec<String>,
    version: Option<String>,
    #[serde(default)]
    fill: BTreeMap<String, String>,
}

impl Faulty {
    fn text(&self) -> String {
        let Some(base) = &self.base else { return self.text.clone() };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/services").join(base);
        let key = |line: &str| line.split_once('=').map(|(key, _)| key.trim().to_owned());
        let is_kept = |line: &&str| {
            key(line).is_none_or(|it| self.lines.iter().all(|own| key(own) != Some(it.clone())))
        };
        let text = fs::read_to_string(path).unwrap();
        text.lines()
            .filter(is_kept)
            .chain(self.lines.iter().map(|line| &**line))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    fn lint(&self, directory: &Path) -> Value {
        let mut command = pikadoctor();
        command.current_dir(directory).args(["lint", "--format", "json", &self.file]);
        command.args(self.version.iter().flat_map(|version| ["--pika-version", version]));
        let run = Run::of(&mut command);
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    fn word(&self, word: &Word) -> String {
        match word {
            Word::Text(text) => text.clone(),
            Word::Placeholder(blank) => {
                let known = self.fill.get(&blank.placeholder);
                known.unwrap_or_else(|| panic!("{}: nobody knows <{}>", self.check, blank.text)).clone()
            }
        }
    }

    /// Does the steps of a remedy.
    fn mend(&self, directory: &Path, remedy: &Remedy) {
        for step in &remedy.steps {
            match &step.action {
                Action::Edit { file, format, key, value, .. } => {
                    let path = directory.join(file);
                    let value = value.as_ref().map(|value| self.word(value));
                    let text = fs::read_to_string(&path).unwrap();
                    fs::write(path, with_line(&text, *format, key, value.as_deref())).unwrap();
                }
                Action::Run { argv, .. } => {
                    let words: Vec<String> = argv.iter().map(|it| self.word(it)).collect();
                    assert_eq!(words[0], "pikadoctor", "{words:?}");
                    let run = Run::of(pikadoctor().current_dir(directory).args(&words[1..]));
                    assert!(run.stderr.is_empty(), "{words:?}: {run:?}");
                }
                // What runs is no part of a file.
                Action::Decide => {}
                other => panic!("{}: {other:?}", self.check),
            }
        }
    }
}

/// Problems of a report, as `check: found`, and of one check what is advised first.
fn problems(report: &Value, check: &str) -> (BTreeSet<String>, Option<(String, Remedy)>) {
    let (mut all, mut first) = (BTreeSet::new(), None);
    for finding in report["findings"].as_array().unwrap() {
        for problem in finding["problems"].as_array().unwrap() {
            let said =
                format!("{}: {}", finding["check"].as_str().unwrap(), problem["found"].as_str().unwrap());
            all.insert(said.clone());
            let remedy = problem["remedies"].get(0).filter(|_| finding["check"] == check);
            if let (None, Some(remedy)) = (&first, remedy) {
                first = Some((said, serde_json::from_value(remedy.clone()).unwrap()));
            }
        }
    }
    (all, first)
}

#[test]
fn what_is_advised_first_about_a_file_mends_it() {
    let faulty: Vec<Faulty> = from_yaml(include_str!("../data/lint/faulty.yaml")).unwrap();
    let mut tried = BTreeSet::new();
    let mut wrong = Vec::new();
    for one in &faulty {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(&one.file), one.text()).unwrap();
        let mut times = 0;
        loop {
            let (before, first) = problems(&one.lint(directory.path()), &one.check);
            let Some((problem, remedy)) = first else { break };
            times += 1;
            one.mend(directory.path(), &remedy);
            let (after, _) = problems(&one.lint(directory.path()), &one.check);
            let new: Vec<_> = after.difference(&before).collect();
            if after.contains(&problem) || !new.is_empty() || times > AT_MOST {
                wrong.push(format!("{} by {}: new {new:?}", problem, remedy.recipe));
                break;
            }
            let release = one.version.as_deref().or(one.base.as_deref()).unwrap_or("redis-sentinel");
            let release =
                release.trim_end_matches(".toml").replace("dashboard-", "Codis ").replace("proxy-", "Codis ");
            tried.insert(format!("{}\t{release}\t{}", remedy.recipe, one.check));
        }
        if times == 0 {
            wrong.push(format!("{} {}: nothing is advised: {:?}", one.check, one.file, one.lines));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    if std::env::var_os("UPDATE_TRIALS").is_some() {
        tried.extend(fs::read_to_string(TRIED).unwrap().lines().map(str::to_owned));
        fs::write(TRIED, tried.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
}
