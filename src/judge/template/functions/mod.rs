//! The functions that check expressions have, a file a subject.

use std::sync::Arc;

use minijinja::Environment;

use crate::model::knowledge::Knowledge;
use crate::model::text::Language;

mod command;
mod conf;
mod drift;
mod host;
mod link;
mod log;
mod node;
pub mod remedy;

/// The names of all functions, for the checker of names.
pub fn names() -> impl Iterator<Item = &'static str> {
    node::FUNCTIONS
        .into_iter()
        .chain(command::FUNCTIONS)
        .chain(conf::FUNCTIONS)
        .chain(link::FUNCTIONS)
        .chain(log::FUNCTIONS)
        .chain(drift::FUNCTIONS)
        .chain(host::FUNCTIONS)
        .chain(remedy::FUNCTIONS)
}

/// Adds all functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    command::add(env);
    node::add(env, knowledge, language);
    conf::add(env, knowledge, language);
    link::add(env, knowledge, language);
    log::add(env, knowledge, language);
    drift::add(env, knowledge);
    host::add(env);
    remedy::add(env, knowledge, language);
}
