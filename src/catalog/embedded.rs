//! The catalogue that is built into the program.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::check_syntax::CheckSyntax;
use super::recipe_file::RecipeSyntax;
use crate::model::catalogue::Catalogue;
use crate::model::check::{Check, CheckFile, Target};
use crate::model::knowledge::Knowledge;
use crate::model::lazy::Lazy;
use crate::model::recipe::Recipe;
use crate::model::text::Template;
use crate::parse::document::decode::decode;
use crate::parse::document::pack::Packed;
use crate::parse::document::value::DocumentNode;

/// The files below `checks/`, packed by `build.rs`: a document each, named by its path without `.yaml`.
static PACKED: Packed = Packed::new(include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.packed")));

/// Where the recipes are.
const REMEDIES: &str = "knowledge/remedies/";

/// The catalogue that is built into the binary. A check and a table of the knowledge are read when they are first used.
///
/// # Panics
/// Using what is not what its type says panics. No program is: a test reads all of it.
pub fn built_in() -> Catalogue {
    let ids = PACKED.names().filter(|name| !name.starts_with("knowledge/"));
    Catalogue { checks: ids.map(check).collect(), knowledge: knowledge() }
}

fn check(id: &'static str) -> Check {
    Check {
        id: id.to_owned(),
        origin: format!("checks/{id}.yaml"),
        target: typed::<Target>(id, PACKED.member(id, "target")),
        title: Lazy::by_need(id, |id| typed::<Template>(id, PACKED.member(id, "title"))),
        file: Lazy::by_need(id, check_file),
    }
}

fn check_file(id: &'static str) -> CheckFile {
    let syntax = typed::<CheckSyntax>(id, PACKED.document(id));
    syntax.resolve().unwrap_or_else(|(at, error)| panic!("{id}:{}:{}: {error}", at.line, at.column))
}

fn knowledge() -> Knowledge {
    Knowledge {
        releases: table("knowledge/releases"),
        eras: table("knowledge/eras"),
        generations: table("knowledge/generations"),
        commands: table("knowledge/commands"),
        info_fields: table("knowledge/info-fields"),
        dialects: table("knowledge/dialects"),
        forecasts: table("knowledge/forecasts"),
        link_states: table("knowledge/link-states"),
        defects: table("knowledge/defects"),
        upgrades: table("knowledge/upgrades"),
        config_keys: table("knowledge/config-keys"),
        messages: table("knowledge/messages"),
        companion_keys: table("knowledge/companion-keys"),
        full_copies: table("knowledge/full-copies"),
        topics: table("knowledge/topics"),
        recipes: recipes(),
    }
}

/// The recipes, by name.
fn recipes() -> BTreeMap<String, Lazy<Recipe>> {
    let names = PACKED.names().filter_map(|name| Some((name.strip_prefix(REMEDIES)?, name)));
    names.map(|(short, name)| (short.to_owned(), Lazy::by_need(name, recipe))).collect()
}

fn recipe(name: &'static str) -> Recipe {
    let syntax = typed::<RecipeSyntax>(name, PACKED.document(name));
    syntax.resolve().unwrap_or_else(|(at, error)| panic!("{name}:{}:{}: {error}", at.line, at.column))
}

fn table<T: DeserializeOwned>(name: &'static str) -> Lazy<T> {
    Lazy::by_need(name, |name| typed(name, PACKED.document(name)))
}

fn typed<T: DeserializeOwned>(name: &str, node: Option<DocumentNode<'static>>) -> T {
    let node = node.unwrap_or_else(|| panic!("{name} is not embedded"));
    decode(&node).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::check_file::{read, read_check};
    use crate::catalog::recipe_file::read_recipe;

    fn text_of(name: &str) -> (String, String) {
        let path = format!("checks/{name}.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    }

    /// What is not what it has to be is told with its place here, which what is embedded does not have.
    fn of_file<T: DeserializeOwned>(name: &str) -> Lazy<T> {
        let (path, text) = text_of(name);
        read::<T>(&path, &text).unwrap_or_else(|error| panic!("{error}")).into()
    }

    fn recipe_of_file(name: String) -> (String, Lazy<Recipe>) {
        let (path, text) = text_of(&format!("{REMEDIES}{name}"));
        let recipe = read_recipe(&path, &text).unwrap_or_else(|error| panic!("{error}"));
        (name, recipe.into())
    }

    #[test]
    fn the_embedded_knowledge_is_what_its_files_say() {
        let files = Knowledge {
            releases: of_file("knowledge/releases"),
            eras: of_file("knowledge/eras"),
            generations: of_file("knowledge/generations"),
            commands: of_file("knowledge/commands"),
            info_fields: of_file("knowledge/info-fields"),
            dialects: of_file("knowledge/dialects"),
            forecasts: of_file("knowledge/forecasts"),
            link_states: of_file("knowledge/link-states"),
            defects: of_file("knowledge/defects"),
            upgrades: of_file("knowledge/upgrades"),
            config_keys: of_file("knowledge/config-keys"),
            messages: of_file("knowledge/messages"),
            companion_keys: of_file("knowledge/companion-keys"),
            full_copies: of_file("knowledge/full-copies"),
            topics: of_file("knowledge/topics"),
            recipes: built_in().knowledge.recipes.into_keys().map(recipe_of_file).collect(),
        };
        assert_eq!(built_in().knowledge, files);
    }

    #[test]
    fn what_is_embedded_of_a_check_is_what_its_file_says() {
        for check in built_in().checks {
            let (path, text) = text_of(&check.id);
            let read = read_check(&check.id, &path, &text).unwrap_or_else(|error| panic!("{error}"));
            let mut file = (*read.file).clone();
            // Examples are tests; they are not embedded.
            file.examples.clear();
            assert_eq!(*check.file, file, "{}", check.id);
            assert_eq!((check.target, &*check.title), (file.target, &file.title), "{}", check.id);
        }
    }

    #[test]
    fn an_era_has_a_name_of_its_own_and_names_releases_that_were() {
        let knowledge = built_in().knowledge;
        for (index, era) in knowledge.eras.iter().enumerate() {
            for end in era.releases.ends() {
                let is_known = knowledge.releases.iter().any(|tag| tag.version == end);
                assert!(is_known, "era `{}`: there is no release {end}", era.name);
            }
            assert!(knowledge.eras[..index].iter().all(|other| other.name != era.name), "`{}`", era.name);
        }
    }
}
