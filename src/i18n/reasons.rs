//! The constructors of [`Reason`]: one for each id of `reasons.yaml`.

use crate::model::reason::{Argument, Reason, Sentence};
use crate::model::text::Words;

include!(concat!(env!("OUT_DIR"), "/reasons.rs"));
