//! Packs the built-in catalogue below `checks/` and embeds it in a form that is read by need.
//!
//! Reading all the YAML takes many milliseconds at every start; the packed form does not. Here YAML alone is read: a
//! file that is none stops the build with its place. What a check or a table of the knowledge has to be is not known
//! here, for then the model and all that it stands on would be compiled a second time, for the build; a file that is
//! not what it has to be fails the tests, with its place.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

// The very reader that the program uses. What the build does not need of it is dead code here and alive there.
#[allow(dead_code)]
#[path = "src/model"]
mod model {
    pub mod limits;
}
#[allow(dead_code)]
#[path = "src/parse/document"]
mod document {
    pub mod pack;
    pub mod value;
    pub mod yaml;
}

/// Writes Rust for the texts below `checks/knowledge/`.
#[path = "src/i18n/generate.rs"]
mod generate;

use document::pack::pack;
use document::value::{DocumentNode, DocumentValue};
use document::yaml::read_yaml;

fn main() {
    if let Err(error) = pack_catalogue().and_then(|()| list_scenarios()) {
        // The build shows the message of a panic; its own wrapping of an error would hide the place.
        panic!("{error}");
    }
}

fn pack_catalogue() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from("checks");
    // Tests that need real servers are reported as ignored where these are not set, never as passed.
    for (variable, cfg) in [
        ("PIKADOCTOR_PIKA_HOME", "real_pika"),
        ("PIKADOCTOR_CODIS_HOME", "real_codis"),
        ("PIKADOCTOR_NEIGHBOURS", "real_neighbours"),
    ] {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        println!("cargo::rerun-if-env-changed={variable}");
        if env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    println!("cargo::rerun-if-changed=checks");
    println!("cargo::rerun-if-changed=src/parse/document");
    println!("cargo::rerun-if-changed=src/model/limits.rs");
    println!("cargo::rerun-if-changed=src/i18n/generate.rs");

    let mut files = Vec::new();
    collect(&root, &mut files)?;
    let mut texts = BTreeMap::new();
    for path in files {
        let name = path.strip_prefix(&root)?.with_extension("").to_string_lossy().replace('\\', "/");
        texts.insert(name, (fs::read_to_string(&path)?, path));
    }
    let mut documents = BTreeMap::new();
    for (name, (text, path)) in &texts {
        let mut document = read_yaml(text).map_err(|error| {
            format!("{}:{}:{}: {}", path.display(), error.place.line, error.place.column, error.message)
        })?;
        // Examples are tests; the binary does not need them.
        if let (false, DocumentValue::Map(members)) = (name.starts_with("knowledge/"), &mut document.value) {
            members.retain(|member| member.key != "examples");
        }
        documents.insert(name.clone(), document);
    }
    // These become code: the catalogue has no need of them.
    for (name, generate) in [("reasons", generate::reasons as Generate), ("texts", generate::texts)] {
        let document = documents.remove(&format!("knowledge/{name}"));
        write_texts(
            name,
            &document.ok_or_else(|| format!("checks/knowledge/{name}.yaml is missing"))?,
            generate,
        )?;
    }
    let lines = documents.remove("knowledge/lines").ok_or("checks/knowledge/lines.yaml is missing")?;
    write_lines(&lines)?;
    write_eras(documents.get("knowledge/eras").ok_or("checks/knowledge/eras.yaml is missing")?)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("catalogue.packed"), pack(&documents))?;
    Ok(())
}

/// Makes Rust of the texts of a file.
type Generate = fn(&generate::Texts) -> Result<String, String>;

/// Writes the constructors of a file of texts as Rust, `reasons.rs` for `reasons.yaml`.
fn write_texts(name: &str, document: &DocumentNode<'_>, generate: Generate) -> Result<(), Box<dyn Error>> {
    let wrong = |line: u32, what: &str| format!("checks/knowledge/{name}.yaml:{line}: {what}");
    let DocumentValue::Map(members) = &document.value else { return Err(wrong(1, "not a map").into()) };
    let mut texts = generate::Texts::new();
    for member in members {
        let text = |key: &str| match member.node.get(key).map(|node| &node.value) {
            Some(DocumentValue::Text(text) | DocumentValue::Plain(text)) => Ok(text.as_ref().to_owned()),
            _ => Err(wrong(member.place.line, &format!("`{}` has no `{key}`", member.key))),
        };
        let knowledge = member.node.get("knowledge").is_some();
        let pair = generate::TextPair { en: text("en")?, zh: text("zh")?, knowledge };
        if texts.insert(member.key.clone().into_owned(), pair).is_some() {
            return Err(wrong(member.place.line, &format!("`{}` is there twice", member.key)).into());
        }
    }
    let rust = generate(&texts).map_err(|error| wrong(1, &error))?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(name).with_extension("rs"), rust)?;
    Ok(())
}

/// Writes a constant for each era, for the code. That they say what the releases of the eras say is a test.
fn write_eras(eras: &DocumentNode<'_>) -> Result<(), Box<dyn Error>> {
    let DocumentValue::List(eras) = &eras.value else {
        return Err("checks/knowledge/eras.yaml: not a list".into());
    };
    let (mut constants, mut names) = (String::new(), Vec::new());
    for era in eras {
        let text = |key: &str| match era.get(key).map(|node| &node.value) {
            Some(DocumentValue::Text(text) | DocumentValue::Plain(text)) => Ok(text.as_ref()),
            _ => Err(format!("checks/knowledge/eras.yaml:{}: an era without `{key}`", era.place.line)),
        };
        let (name, releases, meaning) = (text("name")?, text("releases")?, text("meaning")?);
        let ranges: Option<Vec<String>> = releases.split(',').map(|part| range(part.trim())).collect();
        let ranges =
            ranges.ok_or_else(|| format!("checks/knowledge/eras.yaml: `{releases}` are no releases"))?;
        let constant = name.to_uppercase().replace(['-', '.'], "_");
        constants.push_str(&format!(
            "/// {releases}: {meaning}.\npub const {constant}: Era = Era {{ name: {name:?}, ranges: &[{}] }};\n",
            ranges.join(", ")
        ));
        names.push(constant);
    }
    let all = names.join(", ");
    constants.push_str(&format!("#[cfg(test)]\nconst ALL: &[Era] = &[{all}];\n"));
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("eras.rs"), constants)?;
    Ok(())
}

/// Writes the lines of releases as a table, for every version number is read by it.
fn write_lines(lines: &DocumentNode<'_>) -> Result<(), Box<dyn Error>> {
    let DocumentValue::List(lines) = &lines.value else {
        return Err("checks/knowledge/lines.yaml: not a list".into());
    };
    let mut table = String::from("&[\n");
    for line in lines {
        let text = |key: &str| match line.get(key).map(|node| &node.value) {
            Some(DocumentValue::Text(text) | DocumentValue::Plain(text)) => Ok(text.as_ref()),
            _ => Err(format!("checks/knowledge/lines.yaml:{}: a line without `{key}`", line.place.line)),
        };
        let numbers = |key: &str| -> Result<String, String> {
            let (major, minor) = text(key)?.split_once('.').unwrap_or_default();
            let number = |text: &str| text.parse::<u32>().ok();
            number(major).zip(number(minor)).map(|(major, minor)| format!("({major}, {minor})")).ok_or_else(
                || {
                    format!(
                        "checks/knowledge/lines.yaml:{}: `{key}` is no number such as 3.5",
                        line.place.line
                    )
                },
            )
        };
        let (name, first, last) = (text("name")?, numbers("first")?, numbers("last")?);
        table.push_str(&format!("    LineRule {{ name: {name:?}, first: {first}, last: {last} }},\n"));
    }
    table.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("lines.rs"), table)?;
    Ok(())
}

/// The expression that makes a range of an era of `2.3.3-2.3.8`, `3.5.0-alpha-3.5.0` or `3.5.3+`.
fn range(text: &str) -> Option<String> {
    let (text, is_open) = text.strip_suffix('+').map_or((text, false), |text| (text, true));
    let mut versions: Vec<String> = Vec::new();
    for word in text.split('-') {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            versions.push(format!("Version::new({})", word.replace('.', ", ")));
            continue;
        }
        let number = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let stage = match &word[..word.len() - number.len()] {
            "alpha" => "alpha",
            "beta" => "beta",
            "rc" => "candidate",
            _ => return None,
        };
        let number = if number.is_empty() { "0" } else { number };
        versions.last_mut()?.push_str(&format!(".{stage}({number})"));
    }
    match (versions.as_slice(), is_open) {
        ([first], true) => Some(format!("({first}, None)")),
        ([first], false) => Some(format!("({first}, Some({first}))")),
        ([first, last], false) => Some(format!("({first}, Some({last}))")),
        _ => None,
    }
}

/// Writes a list of the scenarios of the laboratory, with their texts, as a Rust expression.
fn list_scenarios() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/lab/data/scenarios");
    let directory = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src/lab/data/scenarios");
    let mut files = Vec::new();
    collect(&directory, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        list.push_str(&format!("    ({name:?}, include_str!({:?})),\n", path.to_string_lossy()));
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("scenarios.rs"), list)?;
    Ok(())
}

/// Every `.yaml` below `directory`.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
