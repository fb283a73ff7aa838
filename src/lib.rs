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
use model::facts::{self, Facts};
use model::finding::Report;
use model::knowledge::Knowledge;
use model::release::Version;
use model::text::Language;

/// Reads configuration files, as `version` would or as every release would. No server is asked.
pub fn read_conf_files(names: &[String], knowledge: &Knowledge, version: Option<Version>) -> Facts {
    let texts: Vec<ConfText> = names.iter().map(|name| conf_file::read_conf(name)).collect();
    Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        conf_files: derive::conf::read(&texts, knowledge, &Tokens::new(), version),
        ..Facts::default()
    }
}

/// Judges facts. The same facts give the same report.
pub fn judge(facts: Facts, catalogue: &Catalogue, parameters: &Parameters, language: Language) -> Report {
    let findings = Judge::new(catalogue, language).judge(&facts, parameters);
    verdict::report(findings, facts, language)
}
