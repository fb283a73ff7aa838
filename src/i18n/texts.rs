//! The words of reports, progress and plans: one for each id of `texts.yaml`.

use std::fmt::Display;

use crate::model::text::{Language, Words};

include!(concat!(env!("OUT_DIR"), "/texts.rs"));
