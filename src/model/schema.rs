//! The JSON Schemas of the documents.
//!
//! They are files and no code: a test makes them from the types (`cli::schema`), and fails when a file is not what
//! the types say. `UPDATE_SCHEMAS=1 cargo test --lib schema` writes them anew.

/// Of [`Facts`](super::facts::Facts).
pub const FACTS: &str = include_str!("schemas/facts.json");
/// Of [`Report`](super::finding::Report).
pub const REPORT: &str = include_str!("schemas/report.json");
/// Of [`CheckFile`](super::check::CheckFile).
pub const CHECK: &str = include_str!("schemas/check.json");
/// Of [`Recipe`](super::recipe::Recipe) as it is written.
pub const RECIPE: &str = include_str!("schemas/recipe.json");
/// Of [`Bundle`](super::bundle::Bundle).
pub const BUNDLE: &str = include_str!("schemas/bundle.json");
/// Of the difference between two reports.
pub const DIFFERENCE: &str = include_str!("schemas/difference.json");
/// Of a plan.
pub const PLAN: &str = include_str!("schemas/plan.json");
