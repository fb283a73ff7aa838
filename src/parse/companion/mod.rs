//! Reads the configuration of the programs around Pika: dashboard.toml and proxy.toml of Codis, sentinel.conf.

mod detect;
mod sentinel_conf;
mod together;
mod toml_file;

pub use detect::kind_of;

use crate::model::absence::{Absence, AbsenceKind};
use crate::model::companion::{CompanionContent, CompanionFile, CompanionKind};
use crate::model::conf::{ConfFile, Place};
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::parse::conf_text::ConfText;
use crate::parse::secret::Tokens;

/// What is needed to read a file.
struct Reading<'r> {
    name: &'r str,
    text: &'r str,
    knowledge: &'r Knowledge,
    tokens: &'r Tokens,
}

impl Reading<'_> {
    /// The place of a byte.
    fn place(&self, at: usize) -> Place {
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

/// Reads all files of a run, each with its kind. Passwords become tokens; `pikas` are the pika.conf files that were
/// named beside them, read with the same tokens.
pub fn read(
    texts: &[(CompanionKind, &ConfText)],
    pikas: &[ConfFile],
    knowledge: &Knowledge,
    tokens: &Tokens,
    version: Option<Version>,
) -> Vec<CompanionFile> {
    let mut files: Vec<CompanionFile> = Vec::new();
    for (kind, ConfText { name, text }) in texts {
        let mut file =
            CompanionFile { name: name.clone(), kind: Some(*kind), version, ..CompanionFile::default() };
        match text {
            Ok(text) => {
                let reading = Reading { name, text, knowledge, tokens };
                file.content = Some(content(&reading, *kind));
            }
            Err(error) => file.errors.push(Absence {
                path: "content".into(),
                kind: AbsenceKind::Failed,
                reason: error.to_string(),
            }),
        }
        if let Some(content) = &mut file.content {
            content.pairings = together::pairings(*kind, content, &files, pikas, tokens);
        }
        files.push(file);
    }
    files
}

fn content(reading: &Reading<'_>, kind: CompanionKind) -> CompanionContent {
    match kind {
        CompanionKind::Dashboard | CompanionKind::Proxy => toml_file::read(reading, kind),
        CompanionKind::Sentinel => sentinel_conf::read(reading),
    }
}

/// What the host of an address is, for the checks.
fn host_kind(host: &str) -> &'static str {
    use crate::model::network::AddressKind;
    if host.is_empty() {
        // `:19000` is every address, as Go reads it.
        return "unspecified";
    }
    match AddressKind::of(host.trim_start_matches('[').trim_end_matches(']')) {
        AddressKind::Loopback => "loopback",
        AddressKind::Unspecified => "unspecified",
        AddressKind::Name => "name",
        _ => "address",
    }
}
