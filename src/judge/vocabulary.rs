//! Words in the code of expressions that lead to nothing: settings, releases, eras, filters and tests.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind};

use crate::model::check::RemedyUse;
use crate::model::knowledge::Knowledge;
use crate::model::release::{Releases, Version};
use crate::parse::nearest::did_you_mean;

/// What is wrong with the name of a recipe, and with the names of what it is told.
pub fn use_faults(one: &RemedyUse, knowledge: &Knowledge) -> Vec<String> {
    let name = one.recipe.text.as_str();
    let Some(recipe) = knowledge.recipes.get(name) else {
        let nearest = did_you_mean(name, knowledge.recipes.keys().map(String::as_str));
        return vec![format!("there is no recipe `{name}`{nearest}")];
    };
    let mut faults = Vec::new();
    for (given, _) in &one.with {
        if recipe.parameter(given).is_none() {
            let known = recipe.parameters.iter().map(|(name, _)| name.as_str());
            faults.push(format!("`{name}` has no parameter `{given}`{}", did_you_mean(given, known)));
        }
    }
    for (needed, parameter) in &recipe.parameters {
        if !parameter.optional && one.with.iter().all(|(given, _)| given != needed) {
            faults.push(format!("`{name}` needs `{needed}`"));
        }
    }
    faults
}

/// Names of settings in `config['…']` that are not asked for.
pub fn settings_in(code: &str, knowledge: &Knowledge) -> Vec<String> {
    let names = code.split("config[").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        rest[1..].split(quote).next()
    });
    names.filter_map(|name| unknown_setting(name, knowledge)).collect()
}

pub fn unknown_setting(name: &str, knowledge: &Knowledge) -> Option<String> {
    let names = || knowledge.settings().map(|setting| setting.name);
    if names().any(|known| known == name) {
        return None;
    }
    Some(format!("the setting `{name}` is not asked for{}", did_you_mean(name, names())))
}

/// Sets of releases in `in_releases('…')` that cannot be read, or name a release that never was.
pub fn releases_in(code: &str, knowledge: &Knowledge) -> Vec<String> {
    let known = |version: &Version| knowledge.releases.iter().any(|tag| tag.version == *version);
    let wrong = |text: &str| match text.parse::<Releases>() {
        Err(error) => Some(error.to_string()),
        Ok(releases) => {
            let missing = releases.ends().find(|version| !known(version))?;
            Some(format!("`{text}`: there is no release {missing}"))
        }
    };
    argument_of(code, "in_releases(").filter_map(wrong).collect()
}

/// Names of eras in `in_era('…')` that are none.
pub fn eras_in(code: &str, knowledge: &Knowledge) -> Vec<String> {
    let names = || knowledge.eras.iter().map(|era| era.name.as_str());
    let unknown = argument_of(code, "in_era(").filter(|name| names().all(|known| known != *name));
    unknown.map(|name| format!("there is no era `{name}`{}", did_you_mean(name, names()))).collect()
}

/// The texts that `call` is given, wherever it stands in the code.
fn argument_of<'c>(code: &'c str, call: &'c str) -> impl Iterator<Item = &'c str> {
    code.split(call).skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        rest[1..].split(quote).next()
    })
}

/// Filters and tests that do not exist. Compiling does not find them: they are looked up when used.
pub fn words_in(code: &str, env: &Environment<'_>) -> Vec<String> {
    let bare = without_strings(code);
    let mut state = env.empty_state();
    let mut unknown = BTreeSet::new();
    for rest in bare.split('|').skip(1) {
        let name = first_word(rest);
        if !name.is_empty()
            && state.apply_filter(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
        {
            unknown.insert(format!("there is no filter `{name}`"));
        }
    }
    for rest in bare.split(" is ").skip(1) {
        let name = first_word(rest.trim_start().strip_prefix("not ").unwrap_or(rest));
        if !name.is_empty()
            && state.perform_test(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownTest)
        {
            unknown.insert(format!("there is no test `{name}`"));
        }
    }
    unknown.into_iter().collect()
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The code with the contents of its strings taken out.
fn without_strings(code: &str) -> String {
    let mut bare = String::with_capacity(code.len());
    let mut quote = None;
    for c in code.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => continue,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => {}
        }
        bare.push(c);
    }
    bare
}
