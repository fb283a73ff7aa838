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
mod examine_codis;
mod examine_hosts;
mod follow;
pub mod inquiry;
pub mod judge;
pub mod lab;
pub mod model;
pub mod plan;
pub mod render;

use collect::clock;
use collect::conf_file::{self, ConfText};
use collect::secret::Tokens;
pub use examine::{LinkRequest, Scope, Target, Trial, examine, examine_links};
pub use examine_codis::CodisTrial;
pub use examine_hosts::{HereRequest, HostRequest, examine_hosts, examine_this_host};
pub use follow::Watch;
pub use inquiry::Inquiry;
use judge::evaluate::{Judge, Parameters};
use judge::policy::Policy;
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
    let policy = Policy { parameters: parameters.clone(), ..Policy::default() };
    judge_by(facts, catalogue, &policy, language)
}

/// Judges facts by what counts in this run: the same facts and the same policy give the same report.
pub fn judge_by(facts: Facts, catalogue: &Catalogue, policy: &Policy, language: Language) -> Report {
    let mut findings = Judge::new(catalogue, language).judge(&facts, &policy.parameters);
    let remarks = policy.apply(&mut findings, &facts, language);
    Report { remarks, ..verdict::report(findings, facts, language) }
}
