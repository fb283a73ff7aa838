//! Says what the facts mean: evaluates the checks over them. Pure.

pub mod baseline;
mod drift_words;
pub mod evaluate;
pub mod examples;
mod host_words;
pub mod language;
mod link_words;
mod log_words;
pub mod names;
pub mod phrases;
pub mod policy;
pub mod requirements;
mod subjects;
pub mod thresholds;
pub mod tree;
pub mod verdict;
pub mod waivers;
