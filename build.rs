//! Reads the built-in catalogue below `checks/` and embeds it in a form that loads at once.
//!
//! Parsing a hundred YAML files costs several milliseconds at every start; the packed form does not.
//! A file that is wrong stops the build with its place.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

// The very types and the very reader that the program uses. What the build does not need of them is
// dead code here and alive there.
#[allow(dead_code)]
#[path = "src/model/mod.rs"]
mod model;
#[path = "src/catalog"]
mod catalog {
    #[allow(dead_code)]
    pub mod check_file;
    mod check_syntax;
}

use catalog::check_file::{KNOWLEDGE_FILES, read_check, read_knowledge};
use model::catalogue::Catalogue;
use model::knowledge::{EraRule, Knowledge};

fn main() {
    if let Err(error) = pack() {
        // The build shows the message of a panic; its own wrapping of an error would hide the place.
        panic!("{error}");
    }
}

fn pack() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from("checks");
    // Tests that need real servers are reported as ignored where these are not set, never as passed.
    for (variable, cfg) in
        [("PIKADOCTOR_PIKA_HOME", "real_pika"), ("PIKADOCTOR_NEIGHBOURS", "real_neighbours")]
    {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        println!("cargo::rerun-if-env-changed={variable}");
        if env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    println!("cargo::rerun-if-changed=checks");
    println!("cargo::rerun-if-changed=src/model");
    println!("cargo::rerun-if-changed=src/catalog/check_file.rs");
    println!("cargo::rerun-if-changed=src/catalog/check_syntax.rs");

    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut checks = Vec::new();
    for path in files {
        let id = path.strip_prefix(&root)?.with_extension("").to_string_lossy().replace('\\', "/");
        let mut check = read_check(&id, &path.to_string_lossy(), &fs::read_to_string(&path)?)?;
        // Examples are tests; the binary does not need them.
        check.file.examples.clear();
        checks.push(check);
    }

    let mut texts = Vec::new();
    for name in KNOWLEDGE_FILES {
        let path = root.join("knowledge").join(name);
        texts.push((path.to_string_lossy().into_owned(), fs::read_to_string(&path)?));
    }
    let texts: [(String, String); KNOWLEDGE_FILES.len()] =
        texts.try_into().map_err(|_| "a knowledge file is missing")?;

    let knowledge = read_knowledge(&texts)?;
    write_eras(&knowledge)?;
    let catalogue = Catalogue { checks, knowledge };
    let out = PathBuf::from(env::var("OUT_DIR")?).join("catalogue.msgpack");
    fs::write(out, rmp_serde::to_vec(&catalogue)?)?;
    list_scenarios()
}

/// Writes a constant for each era, for the code.
fn write_eras(knowledge: &Knowledge) -> Result<(), Box<dyn Error>> {
    let mut constants = String::new();
    for EraRule { name, releases, meaning, .. } in &knowledge.eras {
        let constant = name.to_uppercase().replace(['-', '.'], "_");
        constants.push_str(&format!(
            "/// {releases}: {meaning}.\npub const {constant}: Era = Era {{ name: {name:?}, ranges: {} }};\n",
            releases.constant()
        ));
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("eras.rs"), constants)?;
    Ok(())
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

/// Every `.yaml` below `directory`, except for the knowledge.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "knowledge") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
