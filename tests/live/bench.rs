//! Does what is advised first, to the letter, and looks again: commands in a shell, lines in files, and what a person does by
//! hand. With `UPDATE_TRIALS=1` what was tried is added to `data/remedies-tried.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use pikadoctor::model::remedy::{Action, Remedy, RemedyStep, Where, Word};
use serde_json::Value;

use crate::support::hosts::{Judged, Surroundings};
use crate::support::trial::with_line;

const TRIED: &str = "tests/live/data/remedies-tried.txt";

/// From the last step until a server has opened all of its files and ports.
const REST: Duration = Duration::from_secs(2);

/// How long a step waits for what it should see.
const PATIENCE: Duration = Duration::from_secs(40);

/// A fault, and what a person there knows.
pub struct Bench<'b> {
    check: &'b str,
    target: String,
    release: &'b str,
    fault: &'b str,
    look: &'b dyn Fn() -> Judged,
    /// Where commands are run.
    pub around: Surroundings,
    /// What a person puts in, by the name of the placeholder.
    pub fill: Vec<(&'b str, String)>,
    /// What is below /etc on that host.
    pub etc: Option<PathBuf>,
    /// Files that a remedy names without a path.
    pub files: Vec<(&'b str, PathBuf)>,
    /// Where more programs are.
    pub search: String,
    /// Which checks must find nothing new.
    pub family: &'b str,
    /// Where its shell is, where that matters.
    pub directory: Option<PathBuf>,
}

impl<'b> Bench<'b> {
    pub fn new(
        check: &'b str,
        target: String,
        release: &'b str,
        fault: &'b str,
        look: &'b dyn Fn() -> Judged,
    ) -> Self {
        let (around, fill, etc, files) = (Surroundings::default(), Vec::new(), None, Vec::new());
        let (search, family, directory) = (String::new(), "host/", None);
        Self { check, target, release, fault, look, around, fill, etc, files, search, family, directory }
    }

    pub fn remedy(&self, judged: &Judged) -> Remedy {
        let findings = judged.0["findings"].as_array().unwrap();
        let of_it = |finding: &&Value| {
            finding["check"] == self.check && (self.target.is_empty() || finding["target"] == self.target)
        };
        let finding = findings.iter().find(of_it).unwrap_or_else(|| panic!("{} says nothing", self.check));
        let problems = finding["problems"].as_array().unwrap().iter();
        let mut remedies = problems.filter_map(|problem| problem["remedies"].get(0));
        let first = remedies.next().unwrap_or_else(|| panic!("no remedy: {finding}"));
        serde_json::from_value(first.clone()).unwrap()
    }

    /// Does what is advised first. `hands` does what a person does or a service manager, and says whether it was done.
    pub fn try_it(&self, hands: &mut dyn FnMut(&RemedyStep) -> bool) {
        let before = (self.look)();
        let remedy = self.remedy(&before);
        self.steps(&remedy, hands);
        thread::sleep(REST);
        let after = (self.look)();
        if remedy.steps.iter().any(|step| step.changes.is_some()) {
            self.is_gone(&remedy.recipe, &after);
            let (had, has) = (self.troubles(&before), self.troubles(&after));
            let new: Vec<_> = has.difference(&had).collect();
            assert!(new.is_empty(), "{} brings {new:?}", remedy.recipe);
        }
        let parts = remedy.steps.iter().filter_map(|step| step.recipe.as_deref());
        let recipes: BTreeSet<&str> = std::iter::once(&*remedy.recipe).chain(parts).collect();
        for recipe in recipes {
            note(recipe, self.release, self.fault);
        }
    }

    /// Does what is advised first and changes nothing: it must show all of `shows`, be the recipe that is named, and leave
    /// what is found and what `kept` gives as they were.
    pub fn try_look(&self, recipe: &str, shows: &[&str], kept: &dyn Fn() -> String) {
        let before = (self.look)();
        let remedy = self.remedy(&before);
        assert_eq!(remedy.recipe, recipe, "{remedy:?}");
        assert!(remedy.only_looks(), "{remedy:?}");
        let had = kept();
        let mut said = String::new();
        for step in &remedy.steps {
            let Action::Run { argv, reply: None, .. } = &step.action else { panic!("{step:?}") };
            let (text, code) = self.shell(argv);
            assert!(!matches!(code, Some(126 | 127)), "{recipe}: {text}");
            said += &text;
        }
        for words in shows {
            assert!(said.contains(words), "{recipe} does not show {words}: {said}");
        }
        assert_eq!(kept(), had, "{recipe} changed something");
        let (had, has) = (self.troubles(&before), self.troubles(&(self.look)()));
        assert_eq!(has, had, "after {recipe}");
        note(recipe, self.release, self.fault);
    }

    /// What the commands of a remedy print.
    pub fn said(&self, remedy: &Remedy) -> String {
        remedy.steps.iter().filter_map(|step| step.action.argv()).map(|argv| self.shell(argv).0).collect()
    }

    /// Does what is advised first, which takes its time. Returns the recipe.
    pub fn do_it(&self, hands: &mut dyn FnMut(&RemedyStep) -> bool) -> String {
        let remedy = self.remedy(&(self.look)());
        self.steps(&remedy, hands);
        remedy.recipe
    }

    /// After [`Self::do_it`]: the fault is gone.
    pub fn is_mended(&self, recipe: &str) {
        self.is_gone(recipe, &(self.look)());
        note(recipe, self.release, self.fault);
    }

    /// After [`Self::do_it`], when whoever did it has seen that the fault is gone.
    pub fn keep(&self, recipe: &str) {
        note(recipe, self.release, self.fault);
    }

    fn is_gone(&self, recipe: &str, after: &Judged) {
        let (has, cause) = (self.troubles(after), format!("{} {}", self.check, self.target));
        assert!(!has.iter().any(|it| it.starts_with(&cause)), "{recipe}: {has:?}");
    }

    fn steps(&self, remedy: &Remedy, hands: &mut dyn FnMut(&RemedyStep) -> bool) {
        for (number, step) in remedy.steps.iter().enumerate() {
            let place = format!("{} of {}, step {}, {}", remedy.recipe, self.check, number + 1, step.says);
            self.carry_out(step, &place, hands);
        }
    }

    fn troubles(&self, judged: &Judged) -> BTreeSet<String> {
        let findings = judged.0["findings"].as_array().unwrap().iter();
        let matters = |finding: &&Value| {
            ["warning", "critical"].contains(&finding["state"].as_str().unwrap_or_default())
                && finding["check"].as_str().unwrap_or_default().starts_with(self.family)
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        findings.filter(matters).map(|it| format!("{} {}", text(&it["check"]), text(&it["target"]))).collect()
    }

    fn word(&self, word: &Word) -> String {
        match word {
            Word::Text(text) => text.clone(),
            Word::Placeholder(blank) => {
                let known = self.fill.iter().find(|(name, _)| *name == blank.placeholder);
                known.unwrap_or_else(|| panic!("nobody knows <{}>", blank.text)).1.clone()
            }
        }
    }

    fn shell(&self, argv: &[Word]) -> (String, Option<i32>) {
        self.shell_into(argv, None)
    }

    fn shell_into(&self, argv: &[Word], into: Option<&str>) -> (String, Option<i32>) {
        let filled = argv.iter().map(|it| Word::Text(self.word(it))).collect();
        let typed =
            Action::Run { place: Where::default(), argv: filled, reply: None, into: into.map(str::to_owned) };
        let line = typed.command().unwrap();
        let own = PathBuf::from(env!("CARGO_BIN_EXE_pikadoctor"));
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]);
        let search =
            format!("{}:{}:/usr/sbin:/usr/bin:/sbin:/bin", own.parent().unwrap().display(), self.search);
        let around = self.around.clone().and_path(&search);
        let mut inside = around.around(&command);
        assert!(into.is_none() || self.directory.is_some(), "{line} writes where this test runs");
        inside.current_dir(self.directory.as_deref().unwrap_or(Path::new(".")));
        let output = inside.stdin(Stdio::null()).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (said, output.status.code())
    }

    pub fn carry_out(&self, step: &RemedyStep, place: &str, hands: &mut dyn FnMut(&RemedyStep) -> bool) {
        match &step.action {
            // A person may do it in another way: install a program, for example.
            Action::Run { argv, reply, into, .. } => {
                if step.changes.is_some() && hands(step) {
                    return;
                }
                let (said, code) = self.shell_into(argv, into.as_deref());
                assert!(!matches!(code, Some(126 | 127)), "{place}: {said}");
                // What ends processes has found none, which is well, too.
                let is_done = code == Some(0) || argv[0].to_string() == "pkill" && code == Some(1);
                assert!(step.changes.is_none() || is_done, "{place}: {code:?} {said}");
                if let Some(reply) = reply {
                    assert!(said.lines().any(|line| line.contains(reply)), "{place}: {said}");
                }
            }
            Action::Wait { argv, shows, lacks, .. } => {
                // Somebody may have to do what is waited for.
                let _ = hands(step);
                let ends = Instant::now() + PATIENCE;
                loop {
                    let (said, _) = self.shell(argv);
                    let has = |text: &String| said.lines().any(|line| line.contains(text.as_str()));
                    if !said.is_empty() && shows.as_ref().is_none_or(has) && !lacks.as_ref().is_some_and(has)
                    {
                        return;
                    }
                    assert!(Instant::now() < ends, "{place}: not after {PATIENCE:?}: {said}");
                    thread::sleep(Duration::from_millis(300));
                }
            }
            Action::Edit { file, format, key, value, .. } => {
                let file = match (&self.etc, file.strip_prefix("/etc/")) {
                    (Some(etc), Some(name)) => etc.join(name),
                    (None, Some(_)) => panic!("{place}: a file of this machine"),
                    _ => match self.files.iter().find(|(name, _)| name == file) {
                        Some((_, place)) => place.clone(),
                        None => PathBuf::from(file),
                    },
                };
                let value = value.as_ref().map(|value| self.word(value));
                let text = fs::read_to_string(&file).unwrap_or_default();
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, with_line(&text, *format, key, value.as_deref())).unwrap();
            }
            Action::Service { .. } | Action::Decide => assert!(hands(step), "{place}: nobody does it"),
        }
    }
}

/// Keeps that a recipe did what it says.
pub fn note(recipe: &str, release: &str, fault: &str) {
    static FILE: Mutex<()> = Mutex::new(());
    eprintln!("{fault} on {release}: {recipe} did what it says");
    if std::env::var_os("UPDATE_TRIALS").is_some() {
        let _alone = FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut lines: BTreeSet<String> =
            fs::read_to_string(TRIED).unwrap().lines().map(str::to_owned).collect();
        lines.insert(format!("{recipe}\t{release}\t{fault}"));
        fs::write(TRIED, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
}
