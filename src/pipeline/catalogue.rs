//! The catalogue of a run: the built-in one, and the checks that the user adds.

use std::path::PathBuf;

use crate::catalog;
use crate::catalog::check_file::{CatalogueError, read_check};
use crate::catalog::recipe_file::read_recipe;
use crate::collect::files::check_directory::{DirectoryError, read_check_directory};
use crate::judge::recipe_names::recipe_faults;
use crate::judge::{names, relations};
use crate::model::catalogue::Catalogue;

/// Why the checks of a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddedChecksError {
    /// The directory cannot be read.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// One of its files is no check.
    #[error(transparent)]
    Check(#[from] CatalogueError),
}

/// The built-in catalogue with the checks of the given directories.
pub fn catalogue_with(directories: &[PathBuf]) -> Result<Catalogue, AddedChecksError> {
    let mut catalogue = catalog::built_in();
    add_directories(&mut catalogue, directories)?;
    Ok(catalogue)
}

/// Adds the checks of directories; returns their ids in the order in which they were read.
pub fn add_directories(
    catalogue: &mut Catalogue,
    directories: &[PathBuf],
) -> Result<Vec<String>, AddedChecksError> {
    let mut ids = Vec::new();
    for directory in directories {
        let texts = read_check_directory(directory)?;
        // The checks name the recipes.
        let (recipes, checks): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|text| text.id.starts_with(RECIPES));
        for recipe in recipes {
            add_recipe(catalogue, &recipe.id, &recipe.file, &recipe.text)?;
        }
        for check in checks {
            add(catalogue, &check.id, &check.file, &check.text)?;
            ids.push(check.id);
        }
    }
    // A check may explain one that was read after it.
    for check in catalogue.checks.iter().filter(|check| ids.contains(&check.id)) {
        if let Some(error) = relations::faults(check, &catalogue.checks).into_iter().next() {
            return Err(error.into());
        }
    }
    Ok(ids)
}

/// Where a directory has recipes.
const RECIPES: &str = "knowledge/remedies/";

fn add_recipe(catalogue: &mut Catalogue, id: &str, file: &str, text: &str) -> Result<(), CatalogueError> {
    let recipe = read_recipe(file, text)?;
    let name = id.trim_start_matches(RECIPES);
    let place = |message: String| CatalogueError::Wrong {
        file: file.to_owned(),
        line: recipe.title.en.line,
        column: recipe.title.en.column,
        message,
    };
    if catalogue.knowledge.recipes.contains_key(name) {
        return Err(place(format!("there is a recipe `{name}` already; choose another file name")));
    }
    if let Some(fault) = recipe_faults(name, &recipe, &catalogue.knowledge).into_iter().next() {
        return Err(CatalogueError::Malformed { message: fault.replacen(&format!("{id}.yaml"), file, 1) });
    }
    catalogue.knowledge.recipes.insert(name.to_owned(), recipe.into());
    Ok(())
}

/// Adds a check that was read from a directory of the user: `id`, the file for error messages, and
/// its text. Its expressions are compiled and its names compared with the facts here, so a mistake in
/// it ends the run before anything is sent.
pub fn add(catalogue: &mut Catalogue, id: &str, file: &str, text: &str) -> Result<(), CatalogueError> {
    let check = read_check(id, file, text)?;
    let place = |message: String| CatalogueError::Wrong {
        file: file.to_owned(),
        line: check.file.title.en.line,
        column: check.file.title.en.column,
        message,
    };
    if let Some(other) = catalogue.checks.iter().find(|other| other.id == id) {
        return Err(place(format!("the id `{id}` is taken by {}; choose another file name", other.origin)));
    }
    if let Some(error) = names::faults(&check, &catalogue.knowledge).into_iter().next() {
        return Err(error);
    }
    let place = catalogue.checks.partition_point(|other| other.id.as_str() < id);
    catalogue.checks.insert(place, check);
    Ok(())
}
