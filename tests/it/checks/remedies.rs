//! Whatever a server says of itself, it is one word in the commands that are printed.

use std::fs;
use std::path::Path;
use std::process::Command;

use pikadoctor::catalog::built_in;
use pikadoctor::catalog::check_file::read_check;
use pikadoctor::catalog::recipe_file::read_recipe;
use pikadoctor::judge::evaluate::Judge;
use pikadoctor::judge::recipe_names::recipe_faults;
use pikadoctor::model::check::{Check, Example};
use pikadoctor::model::finding::Finding;
use pikadoctor::model::remedy::command_line;
use pikadoctor::model::text::{Language, escape_control};
use serde_json::Value as Json;
use tempfile::tempdir;

/// What a harmless server says.
const HARMLESS: &str = "zqzq";

/// What others say.
const HOSTILE: [&str; 5] =
    ["$(touch F)", "`touch F`", "a'b\"c\\d", "x;touch F&touch F|cat>F", "* ?\n~ {a,b} #c"];

/// The checks of the catalogue, with their examples.
fn checks() -> Vec<Check> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks");
    let ids = built_in().checks.into_iter().map(|check| check.id);
    let read = |id: String| {
        let text = fs::read_to_string(root.join(format!("{id}.yaml"))).unwrap();
        read_check(&id, &id, &text).unwrap()
    };
    ids.map(read).collect()
}

/// Every text of the facts of an example, by its path.
fn texts_of(value: &Json, path: &str, found: &mut Vec<String>) {
    match value {
        Json::String(_) => found.push(path.to_owned()),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| texts_of(item, &format!("{path}/{i}"), found));
        }
        Json::Object(map) => {
            map.iter().for_each(|(key, item)| {
                texts_of(item, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            });
        }
        _ => {}
    }
}

fn with_text(example: &Example, root: &str, path: &str, text: &str) -> Example {
    let mut example = example.clone();
    *example.facts.get_mut(root).unwrap().pointer_mut(path).unwrap() = Json::from(text);
    example
}

/// The commands of the remedies of a finding.
fn commands(finding: &Finding) -> Vec<Vec<String>> {
    let steps = finding.problems.iter().flat_map(|p| &p.remedies).flat_map(|remedy| &remedy.steps);
    let argvs = steps.filter_map(|step| step.action.argv());
    argvs.map(|argv| argv.iter().map(ToString::to_string).collect()).collect()
}

/// The lines of what a finding says that mends it, and of the looks that it advises.
fn lines(finding: &Finding) -> Vec<String> {
    let fixes = finding.problems.iter().filter_map(|problem| problem.fix.clone());
    let looks = finding.problems.iter().flat_map(|p| &p.possible).map(|possible| possible.look.run.clone());
    fixes.chain(looks).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Where a line of a text is not what it is with a harmless value, but for that value as a word.
fn differs(harmless: &str, hostile: &str, value: &str) -> bool {
    let quoted = shlex::try_quote(value).unwrap();
    if harmless.replace(HARMLESS, &quoted) == hostile {
        return false;
    }
    // Values that are put together are quoted as one.
    let (Some(wanted), Some(words)) = (shlex::split(harmless), shlex::split(hostile)) else { return true };
    let wanted: Vec<String> = wanted.iter().map(|word| word.replace(HARMLESS, value)).collect();
    wanted != words
}

#[test]
fn a_value_of_a_server_is_one_word_of_whatever_command_it_stands_in() {
    let catalogue = built_in();
    let mut wrong = Vec::new();
    let mut argvs: Vec<Vec<String>> = Vec::new();
    let judge = Judge::new(&catalogue, Language::En);
    for check in checks() {
        for example in &check.file.examples {
            if judge.try_example(&check, example).problems.is_empty() {
                continue;
            }
            for (root, facts) in &example.facts {
                let mut paths = Vec::new();
                texts_of(facts, "", &mut paths);
                for path in paths {
                    let tried =
                        |text: &str| judge.try_example(&check, &with_text(example, root, &path, text));
                    let harmless = tried(HARMLESS);
                    for value in HOSTILE {
                        let hostile = tried(value);
                        let value = escape_control(value);
                        let cases = |finding: &Finding| {
                            finding.problems.iter().map(|p| p.identity[..8].to_owned()).collect::<Vec<_>>()
                        };
                        // Another value can be another problem.
                        if cases(&harmless) != cases(&hostile) {
                            continue;
                        }
                        let place = || format!("{} `{}` {root}{path}", check.id, example.name);
                        let (wanted, words) = (commands(&harmless), commands(&hostile));
                        if wanted.len() == words.len() {
                            for (wanted, words) in wanted.iter().zip(&words) {
                                let wanted: Vec<String> =
                                    wanted.iter().map(|word| word.replace(HARMLESS, &value)).collect();
                                if wanted != *words {
                                    wrong.push(format!("{}: {words:?} is not {wanted:?}", place()));
                                }
                            }
                        }
                        argvs
                            .extend(words.into_iter().filter(|argv| argv.iter().any(|w| w.contains(&value))));
                        for (wanted, line) in lines(&harmless).iter().zip(lines(&hostile)) {
                            if differs(wanted, &line, &value) {
                                wrong.push(format!("{}: {line}\n    is not {wanted}", place()));
                            }
                        }
                    }
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} are not safe:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    assert!(argvs.len() > 50, "only {} commands hold a value", argvs.len());
    a_shell_takes_them_as_they_are(&argvs);
}

/// A real shell reads the printed lines, and hands over the very words.
fn a_shell_takes_them_as_they_are(argvs: &[Vec<String>]) {
    let directory = tempdir().unwrap();
    let line = |argv: &Vec<String>| {
        let words: Vec<_> =
            argv.iter().map(|word| pikadoctor::model::remedy::Word::Text(word.clone())).collect();
        format!("show {}\n", command_line(&words))
    };
    let script =
        format!("show() {{ printf '%s\\0' \"$#\" \"$@\"; }}\n{}", argvs.iter().map(line).collect::<String>());
    let file = directory.path().join("commands");
    fs::write(&file, script).unwrap();
    let sh = |options: &[&str]| {
        Command::new("sh").args(options).arg(&file).current_dir(directory.path()).output().unwrap()
    };
    assert!(sh(&["-n"]).status.success());
    let output = String::from_utf8(sh(&[]).stdout).unwrap();
    let mut read = output.split_terminator('\0');
    for argv in argvs {
        let count: usize = read.next().unwrap().parse().unwrap();
        assert_eq!(read.by_ref().take(count).collect::<Vec<_>>(), *argv);
    }
    assert_eq!(read.next(), None);
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 1, "a command was run by what it names");
}

/// A recipe with one step more.
fn with_step(step: &str) -> String {
    format!(
        "title: t\nparameters:\n  node: {{kind: node}}\nloses: nothing\nclients: none\nsteps:\n  - says: s\n{step}"
    )
}

#[test]
fn mistakes_in_a_recipe_are_told_with_their_place() {
    for (step, message) in [
        ("    run: [a]\n    changes: c\n", "`changes` and `undo` go together"),
        ("    wait: [a]\n", "`wait` needs one of `shows` and `lacks`"),
        ("    run: [a]\n    shows: b\n", "`shows` and `lacks` belong to `wait`"),
        ("    run: [a, 1]\n", "a number in quotes"),
        ("    run: []\n", "a command needs words"),
        ("    redis: node\n    host: node\n    run: [a]\n", "not both"),
        ("    edit: {key: \"'a'\"}\n    changes: c\n    undo: u\n", "an `edit` needs a `host`"),
        ("    run: [a]\n    wait: [b]\n    shows: c\n", "one of `run`, `wait`, `edit` and `service`"),
        ("    use: restart\n", "beside `use` stand"),
        ("    rum: [a]\n", "did you mean"),
    ] {
        let error = read_recipe("r.yaml", &with_step(step)).unwrap_err().to_string();
        assert!(error.contains(message), "{step}: {error}");
        assert!(error.starts_with("r.yaml:"), "{error}");
    }
    assert!(read_recipe("r.yaml", &with_step("    redis: node\n    run: [ping]\n")).is_ok());
}

#[test]
fn a_recipe_that_uses_what_is_not_there_is_found_out() {
    let mut knowledge = built_in().knowledge;
    for (step, message) in [
        ("    redis: other\n    run: [ping]\n", "`other` is not a name here"),
        ("    redis: node\n    run: [\"{{ node.addres }}\"]\n", "there is no `addres` in `node`"),
        ("    redis: node\n    run: [\"{{ node.config['masterauht'] }}\"]\n", "masterauht"),
        (
            "    redis: node\n    run: [\"{{ 1 if node.version is in_era('slotz') else 2 }}\"]\n",
            "no era `slotz`",
        ),
    ] {
        let recipe = read_recipe("r.yaml", &with_step(step)).unwrap();
        knowledge.recipes.insert("tried".to_owned(), recipe.clone().into());
        let faults = recipe_faults("tried", &recipe, &knowledge).join("\n");
        assert!(faults.contains(message), "{step}: {faults}");
    }
}
