//! Reads the nodes of one product, and writes down what cannot be understood.

use serde_json::Value;

use super::tree::Tree;
use crate::i18n::reasons;
use crate::model::codis::coordinator::{Oddity, OddityKind, Product};
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailability;

/// Reads the nodes of one product.
pub struct Reader<'t> {
    /// What was read.
    pub tree: &'t Tree,
    /// What cannot be understood.
    pub oddities: Vec<Oddity>,
    /// What is known so far.
    pub product: Product,
}

impl Reader<'_> {
    /// A list, or the reason why it is not known.
    pub fn known<T>(&mut self, path: &str, found: Result<T, Unavailability>) -> Option<T> {
        match found {
            Ok(found) => Some(found),
            Err(gap) => {
                self.product.unavailable.push(gap.at(path));
                None
            }
        }
    }

    /// Writes down that a node cannot be understood.
    pub fn odd(&mut self, path: &str, what: OddityKind, detail: Reason) {
        self.oddities.push(Oddity { path: path.to_owned(), what, detail });
    }

    /// The JSON object of a node. `None`: it does not exist, or it holds something else, which is written down.
    pub fn object(&mut self, path: &str) -> Result<Option<Value>, Unavailability> {
        let Some(data) = self.tree.data(path)? else { return Ok(None) };
        match serde_json::from_slice::<Value>(data) {
            Ok(value) if value.is_object() => Ok(Some(value)),
            Ok(_) => {
                self.odd(path, OddityKind::Malformed, reasons::json_no_object());
                Ok(None)
            }
            Err(error) => {
                // What stands there is not repeated: it may be anything.
                let detail = if data.is_empty() {
                    reasons::it_is_empty()
                } else {
                    reasons::not_json_at(error.line(), error.column())
                };
                self.odd(path, OddityKind::Malformed, detail);
                Ok(None)
            }
        }
    }
}
