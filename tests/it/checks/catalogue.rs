//! The catalogue is right in itself: what `build.rs` embeds, what `explain` shows, what is judged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pikadoctor::catalog::built_in;
use pikadoctor::catalog::check_file::read_check;
use pikadoctor::catalog::recipe_file::read_recipe;
use pikadoctor::collect::files::check_directory::read_check_directory;
use pikadoctor::judge::evaluate::Judge;
use pikadoctor::judge::examples::shortcomings;
use pikadoctor::judge::names::{condition_faults, faults};
use pikadoctor::judge::recipe_names::recipe_faults;
use pikadoctor::judge::relations;
use pikadoctor::model::catalogue::Catalogue;
use pikadoctor::model::finding::{Problem, State};
use pikadoctor::model::knowledge::{Fault, KeyKind, Knowledge};
use pikadoctor::model::node::Evidence;
use pikadoctor::model::release::Releases;
use pikadoctor::model::text::{Bilingual, Language};
use unicode_width::UnicodeWidthChar;

/// The catalogue as its files say it, examples included.
fn from_files() -> Catalogue {
    let mut catalogue = built_in();
    catalogue.checks = check_files()
        .iter()
        .map(|(id, path)| {
            read_check(id, &path.to_string_lossy(), &fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect();
    let read = |name: String| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("checks/knowledge/remedies/{name}.yaml"));
        let text = fs::read_to_string(&path).unwrap();
        let recipe = read_recipe(&path.to_string_lossy(), &text).unwrap_or_else(|error| panic!("{error}"));
        (name, recipe.into())
    };
    catalogue.knowledge.recipes = recipe_names().into_iter().map(read).collect();
    catalogue
}

fn recipe_names() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/knowledge/remedies");
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn check_files() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let mut files = Vec::new();
    for group in fs::read_dir(&root).unwrap() {
        let group = group.unwrap().path();
        if group.file_name().unwrap() == "knowledge" {
            continue;
        }
        for file in fs::read_dir(&group).unwrap() {
            let file = file.unwrap().path();
            let id = file.strip_prefix(&root).unwrap().with_extension("").to_string_lossy().into_owned();
            files.push((id, file));
        }
    }
    files.sort();
    files
}

#[test]
fn what_is_embedded_is_what_the_files_say() {
    let (embedded, read) = (built_in(), from_files());
    let ids: Vec<_> = embedded.checks.iter().map(|check| &check.id).collect();
    assert_eq!(ids, read.checks.iter().map(|check| &check.id).collect::<Vec<_>>());
    for (embedded, read) in embedded.checks.iter().zip(&read.checks) {
        let mut file = (*read.file).clone();
        file.examples.clear();
        assert_eq!(*embedded.file, file, "{}", read.id);
    }
}

#[test]
fn every_expression_compiles_and_every_name_exists() {
    let catalogue = from_files();
    let wrong: Vec<String> = catalogue
        .checks
        .iter()
        .flat_map(|check| faults(check, &catalogue.knowledge))
        .map(|fault| fault.to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_check_explains_exists_and_there_is_no_circle() {
    let catalogue = from_files();
    let wrong: Vec<String> = catalogue
        .checks
        .iter()
        .flat_map(|check| relations::faults(check, &catalogue.checks))
        .map(|fault| fault.to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expression_of_a_recipe_compiles_and_every_name_exists() {
    let knowledge = from_files().knowledge;
    let wrong: Vec<String> =
        knowledge.recipes.iter().flat_map(|(name, recipe)| recipe_faults(name, recipe, &knowledge)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_condition_of_the_knowledge_compiles_and_names_what_exists() {
    let knowledge = built_in().knowledge;
    let mut wrong = Vec::new();
    for defect in &knowledge.defects {
        if let Some(when) = &defect.when {
            wrong.extend(condition_faults(&format!("defect {}", defect.id), when, &["node"], &knowledge));
        }
    }
    for key in &knowledge.config_keys {
        for stand_in in &key.stands_for {
            let origin = format!("key {}", key.name);
            wrong.extend(condition_faults(&origin, &stand_in.condition, &["number", "value"], &knowledge));
        }
        for rule in &key.rules {
            let origin = format!("key {}", key.name);
            let mut look = |condition: Option<&_>, names: &[&str]| {
                let faults =
                    condition.map(|condition| condition_faults(&origin, condition, names, &knowledge));
                wrong.extend(faults.into_iter().flatten());
            };
            look(rule.in_file(), &["number", "others", "value"]);
            look(rule.in_answers(), &["node", "number", "others", "value"]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_comes_to_its_state_and_every_case_has_one() {
    let catalogue = from_files();
    let mut wrong = Vec::new();
    for check in &catalogue.checks {
        for shortcoming in shortcomings(&catalogue, &check.id) {
            wrong.push(format!("{}: {shortcoming}", check.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Also where a text has loops and conditions, which can leave nothing of it.
#[test]
fn everything_bad_in_an_example_comes_with_what_mends_it() {
    let catalogue = from_files();
    let mut wrong = Vec::new();
    for language in [Language::En, Language::Zh] {
        let judge = Judge::new(&catalogue, language);
        for check in &catalogue.checks {
            for example in &check.file.examples {
                let finding = judge.try_example(check, example);
                let is_bad = matches!(finding.state, State::Warning | State::Critical);
                let mends = |problem: &Problem| {
                    let fix = problem.fix.as_deref().unwrap_or_default().trim();
                    fix.chars().count() > 3 || !problem.remedies.is_empty()
                };
                if is_bad && (finding.problems.is_empty() || !finding.problems.iter().all(mends)) {
                    wrong.push(format!("{}, example `{}`, {language:?}", check.id, example.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "nothing is said that mends it: {wrong:#?}");
}

fn words_outside_of_jinja(text: &str) -> String {
    let mut words = text.to_owned();
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        while let Some((before, after)) = words.split_once(open) {
            words = before.to_owned() + after.split_once(close).map_or("", |(_, after)| after);
        }
    }
    words
}

/// Whether a text looks like the language that it should be in.
fn languages_are_right(origin: &str, text: &Bilingual) -> Option<String> {
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    if chinese(&text.en) {
        return Some(format!("{origin}: Chinese in the English text: {}", text.en));
    }
    // A line that is folded leaves a blank, which Chinese does not have between its characters.
    let wide = |c: char| c.width() == Some(2);
    let characters: Vec<char> = text.zh.chars().collect();
    if characters.windows(3).any(|three| wide(three[0]) && three[1] == ' ' && wide(three[2])) {
        return Some(format!("{origin}: a blank between Chinese characters: {}", text.zh));
    }
    // A text of names and commands alone is the same in both languages, and one of values alone has no
    // words of its own.
    let has_words = words_outside_of_jinja(&text.zh).chars().any(char::is_alphabetic);
    if !chinese(&text.zh) && text.zh != text.en && has_words {
        return Some(format!("{origin}: no Chinese in the Chinese text: {}", text.zh));
    }
    None
}

#[test]
fn both_languages_are_there() {
    let catalogue = from_files();
    let mut wrong = Vec::new();
    for check in &catalogue.checks {
        let file = &check.file;
        let texts = [Some(&file.title), Some(&file.why), Some(&file.ok), file.not_applicable.as_ref()];
        let cases =
            file.cases.iter().flat_map(|case| [case.found.as_ref(), case.needed.as_ref(), case.fix.as_ref()]);
        for template in texts.into_iter().chain(cases).flatten() {
            let text = Bilingual { en: template.en.text.clone(), zh: template.zh.text.clone() };
            wrong.extend(languages_are_right(&check.id, &text));
        }
    }
    let Knowledge { generations, link_states, defects, upgrades, config_keys, messages, .. } =
        &catalogue.knowledge;
    for fault in &messages.faults {
        for text in [&fault.cause, &fault.needed, &fault.fix] {
            wrong.extend(languages_are_right(&fault.id, text));
        }
    }
    for exit in &messages.rsync_exits {
        wrong.extend(languages_are_right("rsync_exits", &exit.meaning));
    }
    for path in &upgrades.paths {
        wrong.extend(languages_are_right("upgrades", &path.way));
    }
    for entry in &upgrades.contradictions {
        wrong.extend(languages_are_right(&entry.r#where, &entry.says));
        wrong.extend(languages_are_right(&entry.r#where, &entry.code));
    }
    for key in config_keys {
        let rules = key.rules.iter().map(|rule| [&rule.found, &rule.needed, &rule.fix]);
        let missing = key.missing.iter().map(|rule| [&rule.found, &rule.needed, &rule.fix]);
        for text in rules.chain(missing).flatten() {
            wrong.extend(languages_are_right(&key.name, text));
        }
    }
    for entry in generations {
        wrong.extend(languages_are_right("generations", &entry.title));
        for rule in &entry.ports {
            wrong.extend(languages_are_right("ports", &rule.purpose));
            wrong.extend(languages_are_right("ports", &rule.dialled_by));
        }
    }
    for word in link_states {
        wrong.extend(languages_are_right(&word.raw, &word.meaning));
        wrong.extend(word.fix.iter().filter_map(|fix| languages_are_right(&word.raw, fix)));
    }
    for defect in defects {
        let workaround = defect.workaround.as_ref();
        for text in [Some(&defect.title), Some(&defect.effect), Some(&defect.matters), workaround]
            .into_iter()
            .flatten()
        {
            wrong.extend(languages_are_right(&defect.id, text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn defects_are_told_once_and_not_of_releases_that_mended_them() {
    let knowledge = built_in().knowledge;
    let mut ids = BTreeSet::new();
    for defect in &knowledge.defects {
        assert!(ids.insert(&defect.id), "defect {} twice", defect.id);
        assert!(
            defect.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            defect.id
        );
        for version in &defect.fixed_in {
            assert!(
                !defect.releases.contains(*version),
                "{}: mended in {version}, which is listed as affected",
                defect.id
            );
            assert!(
                knowledge.releases.iter().any(|tag| tag.version == *version),
                "{}: there is no {version}",
                defect.id
            );
        }
        assert!(!defect.source.is_empty(), "{}: no source", defect.id);
        assert_eq!(
            defect.when.is_some(),
            defect.state.is_some(),
            "{}: `when` and `state` go together",
            defect.id
        );
        assert!(
            matches!(defect.state, None | Some(State::Warning | State::Critical)),
            "{}: a defect is a warning or critical",
            defect.id
        );
        assert!(
            knowledge.releases.iter().any(|tag| defect.releases.contains(tag.version)),
            "{}: no release has it",
            defect.id
        );
    }
    assert_eq!(ids.len(), entries_of("defects.yaml", "- id: "), "each of the file is embedded");
}

#[test]
fn every_release_has_one_generation_and_a_commit() {
    let knowledge = built_in().knowledge;
    assert_eq!(
        knowledge.releases.len(),
        entries_of("releases.yaml", "- {version: "),
        "each of the file is embedded"
    );
    let versions: Vec<_> = knowledge.releases.iter().map(|tag| tag.version).collect();
    assert!(
        versions.is_sorted_by(|one, other| one < other),
        "each is there once, the oldest first: {versions:?}"
    );
    for tag in &knowledge.releases {
        let generations =
            knowledge.generations.iter().filter(|entry| entry.releases.contains(tag.version)).count();
        assert_eq!(generations, 1, "{}", tag.version);
        assert!(tag.version.line().is_some(), "{}", tag.version);
        // What was read file by file has no tag here; all others have one.
        let has_tag = tag.evidence != Evidence::Files;
        assert_eq!(tag.commit.as_ref().map(String::len), has_tag.then_some(40), "{}", tag.version);
        let day = tag.tagged.as_ref().map(|day| day.parse::<jiff::civil::Date>().is_ok());
        assert_eq!(day, has_tag.then_some(true), "{}", tag.version);
    }
}

#[test]
fn the_releases_that_were_run_are_those_that_were_run_with_each_other() {
    let knowledge = built_in().knowledge;
    let of = |evidence: Evidence| {
        let tags = knowledge.releases.iter().filter(move |tag| tag.evidence == evidence);
        tags.map(|tag| tag.version).collect::<Vec<_>>()
    };
    assert_eq!(of(Evidence::Run), knowledge.dialects.measured);
    // What was only read replicates as nobody measured, and no protocol of a measured one stands for it.
    for version in of(Evidence::Files) {
        let protocols = &knowledge.dialects.protocols;
        assert!(!protocols.iter().any(|protocol| protocol.releases.contains(version)), "{version}");
    }
}

#[test]
fn the_readme_names_the_first_and_the_newest_release_that_are_known() {
    let knowledge = built_in().knowledge;
    let (first, last) = (knowledge.releases.first().unwrap(), knowledge.releases.last().unwrap());
    for (file, and) in [("README.md", "to"), ("README.zh-CN.md", "至")] {
        let text = fs::read_to_string(file).unwrap();
        let range = format!("{} {and} {}", first.version, last.version);
        assert!(text.contains(&range), "{file} does not say `{range}`");
    }
}

#[test]
fn no_port_that_believes_every_connection_has_a_probe() {
    let knowledge = built_in().knowledge;
    for tag in &knowledge.releases {
        let entry = knowledge.generations.iter().find(|entry| entry.releases.contains(tag.version)).unwrap();
        for rule in &entry.ports {
            let probes = rule.probes.iter().filter(|probe| probe.releases.contains(tag.version)).count();
            assert!(probes <= 1, "{}: two probes for +{}", tag.version, rule.offset);
            assert!(
                probes == 1 || rule.untouched.is_some(),
                "{}: +{} is not touched, and nobody says why",
                tag.version,
                rule.offset
            );
        }
    }
    let dangerous: Releases = "2.3.3-2.3.8, 3.0.0-3.0.5".parse().unwrap();
    for tag in knowledge.releases.iter().filter(|tag| dangerous.contains(tag.version)) {
        let entry = knowledge.generations.iter().find(|entry| entry.releases.contains(tag.version)).unwrap();
        let binlog = entry.ports.iter().find(|rule| rule.offset == 1000).unwrap();
        assert!(!binlog.probes.iter().any(|probe| probe.releases.contains(tag.version)), "{}", tag.version);
    }
}

#[test]
fn no_word_for_a_state_is_defined_twice() {
    let knowledge = built_in().knowledge;
    for tag in &knowledge.releases {
        let mut seen = BTreeSet::new();
        for word in knowledge.link_states.iter().filter(|word| word.releases.contains(tag.version)) {
            let key = (word.field.clone(), word.raw.to_lowercase());
            assert!(seen.insert(key.clone()), "{key:?} twice on {}", tag.version);
        }
    }
}

#[test]
fn settings_are_asked_for_once_and_passwords_are_secret() {
    let knowledge = built_in().knowledge;
    let mut names = BTreeSet::new();
    for setting in knowledge.settings() {
        assert!(names.insert(setting.name), "{} twice", setting.name);
        let is_password = setting.name.ends_with("pass") || setting.name.ends_with("auth");
        assert_eq!(setting.key.secret, is_password, "{}", setting.name);
    }
    for password in ["requirepass", "masterauth", "userpass"] {
        assert!(names.contains(password));
    }
}

#[test]
fn a_fault_is_found_in_the_file_and_on_the_server_wherever_it_can_be_seen() {
    let knowledge = built_in().knowledge;
    let mut wrong = Vec::new();
    for key in &knowledge.config_keys {
        for rule in &key.rules {
            let what = format!("{} {} {:?}", key.name, rule.releases, rule.kind);
            let is_seen = rule.in_file().is_some() || rule.in_answers().is_some();
            if !is_seen || (rule.condition.is_some() && (rule.file.is_some() || rule.live.is_some())) {
                wrong.push(format!("{what}: either `if`, or `file` or `live` or both"));
            }
            let readable = key.readable.as_ref().is_some_and(|readable| {
                knowledge
                    .releases
                    .iter()
                    .any(|tag| readable.contains(tag.version) && rule.releases.contains(tag.version))
            });
            // CONFIG GET prints a number after it was brought into its range, a word as yes or no, and a path that is
            // empty as one that is not. What is taken as it is and does harm is in its answer as it is in the file.
            let as_it_is =
                matches!(key.kind, KeyKind::Integer | KeyKind::List | KeyKind::Text | KeyKind::Size);
            let harms = matches!(rule.kind, Fault::Harmful | Fault::Ignored) && as_it_is;
            if harms && readable && rule.in_answers().is_none() {
                wrong.push(format!("{what}: not looked for on the server"));
            }
            // The state of the server is in no file; anything else is.
            let needs_state = rule.in_answers().is_some_and(|condition| condition.text.contains("node."));
            if rule.in_file().is_none() && !needs_state && key.name != "masterauth" {
                wrong.push(format!("{what}: not looked for in the file"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keys_are_told_once_and_their_rules_concern_releases_that_read_them() {
    let knowledge = built_in().knowledge;
    let mut names = BTreeSet::new();
    for key in &knowledge.config_keys {
        assert!(names.insert(key.name.as_str()), "{} twice", key.name);
        assert_ne!(key.parsed.is_some(), key.stock_only, "{}: read, or in stock files only", key.name);
        let is_password = key.name.ends_with("pass") || key.name.ends_with("auth");
        assert!(key.secret || !is_password, "{} is a password", key.name);
        let states = key.rules.iter().map(|rule| (rule.state, &rule.releases));
        for (state, releases) in states.chain(key.missing.iter().map(|rule| (rule.state, &rule.releases))) {
            assert!(matches!(state, State::Warning | State::Critical), "{}", key.name);
            let concerned: Vec<_> =
                knowledge.releases.iter().filter(|tag| releases.contains(tag.version)).collect();
            assert!(!concerned.is_empty(), "{}: {releases} are no releases", key.name);
            for tag in concerned {
                let read = key.parsed.as_ref().is_some_and(|parsed| parsed.contains(tag.version));
                assert!(read, "{}: a rule for {}, which does not read it", key.name, tag.version);
            }
        }
    }
}

#[test]
fn the_ids_of_the_checks() {
    let ids: Vec<String> = built_in().checks.into_iter().map(|check| check.id).collect();
    insta::assert_snapshot!(ids.join("\n"));
}

#[test]
fn a_directory_of_checks_is_read_whole_and_by_path() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let mut read = read_check_directory(&root).unwrap();
    // Whoever adds checks has no knowledge beside them.
    read.retain(|check| !check.id.starts_with("knowledge/"));
    let read: Vec<_> = read.into_iter().map(|check| (check.id, PathBuf::from(check.file))).collect();
    assert_eq!(read, check_files());
}

/// How many entries a file of the knowledge has: lines that begin as an entry does.
fn entries_of(file: &str, beginning: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/knowledge").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| line.starts_with(beginning)).count()
}
