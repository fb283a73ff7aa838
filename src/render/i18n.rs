//! Texts in the language of the output.

use crate::model::text::Language;

/// Picks one of two words.
pub fn pick(language: Language, en: &'static str, zh: &'static str) -> &'static str {
    match language {
        Language::En => en,
        Language::Zh => zh,
    }
}
