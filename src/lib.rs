//! pikadoctor tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
//!
//! The whole way is on this page: **collect → derive → judge → render**. Data flows one way. Only
//! [`collect`] touches the world, so the same judgement runs on a live server, on a recording in a
//! test, and on a simulated server of the [`lab`].

#![forbid(unsafe_code)]

pub mod cli;
pub mod collect;
pub mod derive;
mod examine;
mod follow;
pub mod judge;
pub mod lab;
pub mod model;
pub mod render;

use collect::clock;
use collect::conf_file::{self, ConfText};
use collect::secret::Tokens;
pub use examine::{LinkRequest, Scope, Target, Trial, examine, examine_links};
pub use follow::{Watch, examine_watched};
use judge::evaluate::{Judge, Parameters};
use judge::verdict;
use model::catalogue::Catalogue;
use model::companion::CompanionKind;
use model::facts::{self, Facts};
use model::finding::Report;
use model::knowledge::Knowledge;
use model::release::Version;
use model::text::Language;

/// Reads configuration files, as `version` would or as every release would. No server is asked. `kind`: what all
/// of them are for, where it is not to be told by what is in them; `Some(None)` is a pika.conf.
pub fn read_conf_files(
    names: &[String],
    knowledge: &Knowledge,
    version: Option<Version>,
    kind: Option<Option<CompanionKind>>,
) -> Facts {
    let tokens = Tokens::new();
    let (mut pikas, mut companions) = (Vec::new(), Vec::new());
    for text in names.iter().map(|name| conf_file::read_conf(name)) {
        let told = || {
            let content = text.text.as_ref().ok()?;
            derive::companion::kind_of(&text.name, content, knowledge)
        };
        match kind.unwrap_or_else(told) {
            Some(kind) => companions.push((kind, text)),
            None => pikas.push(text),
        }
    }
    let conf_files = derive::conf::read(&pikas, knowledge, &tokens, version);
    let companions: Vec<(CompanionKind, &ConfText)> =
        companions.iter().map(|(kind, text)| (*kind, text)).collect();
    Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        companion_files: derive::companion::read(&companions, &conf_files, knowledge, &tokens, version),
        conf_files,
        ..Facts::default()
    }
}

/// Judges facts. The same facts give the same report.
pub fn judge(facts: Facts, catalogue: &Catalogue, parameters: &Parameters, language: Language) -> Report {
    let findings = Judge::new(catalogue, language).judge(&facts, parameters);
    verdict::report(findings, facts, language)
}
