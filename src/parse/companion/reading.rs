//! A file that is being read.

use crate::model::conf::Place;
use crate::model::knowledge::Knowledge;
use crate::model::network::AddressKind;
use crate::parse::secret::Tokens;

/// What is needed to read a file.
pub(super) struct ServiceConfText<'r> {
    pub(super) name: &'r str,
    pub(super) text: &'r str,
    pub(super) knowledge: &'r Knowledge,
    pub(super) tokens: &'r Tokens,
}

impl ServiceConfText<'_> {
    /// The place of a byte.
    pub(super) fn place(&self, at: usize) -> Place {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line = before.matches('\n').count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
        Place { file: self.name.to_owned(), line: number(line), column: number(column) }
    }
}

/// The kind of the host of an address.
pub(super) fn host_kind(host: &str) -> AddressKind {
    if host.is_empty() {
        // `:19000` is every address, as Go reads it.
        return AddressKind::Unspecified;
    }
    AddressKind::of(host.trim_start_matches('[').trim_end_matches(']'))
}
