//! Says what the facts mean: evaluates the checks over them. Pure.

pub mod baseline;
pub mod diagnosis;
pub mod evaluate;
pub mod examples;
pub mod expressions;
pub mod fingerprint;
mod kinship;
pub mod names;
pub mod policy;
pub mod recipe_names;
pub mod relations;
pub mod remedies;
pub mod requirements;
mod subjects;
pub mod template;
pub mod thresholds;
pub mod verdict;
mod vocabulary;
pub mod waivers;
