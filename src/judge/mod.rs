//! Says what the facts mean: evaluates the checks over them. Pure.

pub mod baseline;
pub mod evaluate;
pub mod examples;
pub mod expressions;
pub mod fingerprint;
pub mod names;
pub mod policy;
pub mod requirements;
mod subjects;
pub mod template;
pub mod thresholds;
pub mod verdict;
pub mod waivers;
