//! Reads the configuration of the programs around Pika: dashboard.toml and proxy.toml of Codis, sentinel.conf.

mod detect;
mod reading;
mod sentinel_conf;
mod together;
mod toml_file;

pub use detect::kind_of;

use self::reading::ServiceConfText;
use crate::model::companion::{CompanionContent, CompanionFile, CompanionKind};
use crate::model::conf::ConfFile;
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::model::unavailable::Unavailable;
use crate::parse::conf_text::ConfText;
use crate::parse::secret::Tokens;

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
                let reading = ServiceConfText { name, text, knowledge, tokens };
                file.content = Some(content(&reading, *kind));
            }
            Err(error) => file.unavailable.push(Unavailable::failed("content", error)),
        }
        if let Some(content) = &mut file.content {
            content.pairings = together::pairings(*kind, content, &files, pikas, tokens);
        }
        files.push(file);
    }
    files
}

fn content(reading: &ServiceConfText<'_>, kind: CompanionKind) -> CompanionContent {
    match kind {
        CompanionKind::Dashboard | CompanionKind::Proxy => toml_file::read(reading, kind),
        CompanionKind::Sentinel => sentinel_conf::read(reading),
    }
}
