//! What counts in a run, beside the checks themselves.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Values of `params` that were set for a run: by check id, then by name.
pub type Parameters = BTreeMap<String, BTreeMap<String, Json>>;
