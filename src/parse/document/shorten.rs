//! Bounds the texts of a value. One is quoted by every check that looks at it, in each format again, so that a megabyte
//! that a server says of itself becomes dozens.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Error;

use super::rewrite::rewrite_texts;
use crate::model::limits::MAX_FACT_CHARACTERS;

/// A text that is longer than texts are, cut; `None`: it is not.
pub fn shortened(text: &str) -> Option<String> {
    let (end, _) = text.char_indices().nth(MAX_FACT_CHARACTERS)?;
    Some(format!("{}…", &text[..end]))
}

/// The value with each of its texts cut to what is kept of one.
///
/// # Errors
/// When a type cannot read a text that was cut.
pub fn shorten_texts<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, Error> {
    rewrite_texts(value, &shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let longest = "错".repeat(MAX_FACT_CHARACTERS);
        assert_eq!(shortened(&longest), None);
        assert_eq!(shortened(&format!("{longest}误")), Some(format!("{longest}…")));
        assert_eq!(shortened(""), None);
    }
}
