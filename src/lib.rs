//! pikadoctor tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
//!
//! The whole way is on this page: **collect → derive → judge → render**. Data flows one way. Only
//! [`collect`] touches the world, so the same judgement runs on a live server, on a recording in a
//! test, and on a simulated server of the [`lab`].

#![forbid(unsafe_code)]

pub mod catalog;
pub mod cli;
pub mod collect;
pub mod derive;
pub mod difference;
pub mod judge;
pub mod lab;
pub mod model;
pub mod parse;
pub mod pipeline;
pub mod plan;
pub mod render;

use collect::clock;
use collect::files::conf_file::{self, ConfText};
use collect::logs::{LogRequest, Window};
use collect::secret::Tokens;
use judge::evaluate::{Judge, Parameters};
use judge::policy::Policy;
use judge::verdict;
use model::catalogue::Catalogue;
use model::companion::CompanionKind;
use model::facts::{self, Facts};
use model::finding::Report;
use model::knowledge::Knowledge;
use model::logs::LogView;
use model::release::Version;
use model::text::Language;
pub use pipeline::codis::CodisTrial;
pub use pipeline::conf_files::compare_conf_files;
pub use pipeline::hosts::{HostRequest, examine_hosts};
pub use pipeline::inquiry::Inquiry;
pub use pipeline::one_host::{HereRequest, ThereRequest, examine_that_host, examine_this_host};
pub use pipeline::sentinels::Watch;
pub use pipeline::servers::{LinkRequest, Scope, Target, Trial, examine, examine_links};

/// Reads configuration files, as `version` would or as every release would. No server is asked. `kind`: what all
/// of them are for, where it is not to be told by what is in them; `Some(None)` is a pika.conf.
pub fn read_conf_files(
    names: &[String],
    knowledge: &Knowledge,
    version: Option<Version>,
    kind: Option<Option<CompanionKind>>,
) -> Facts {
    let tokens = Tokens::of_this_run();
    let (mut pikas, mut companions) = (Vec::new(), Vec::new());
    for text in names.iter().map(|name| conf_file::read_conf(name)) {
        let told = || {
            let content = text.text.as_ref().ok()?;
            parse::companion::kind_of(&text.name, content, knowledge)
        };
        match kind.unwrap_or_else(told) {
            Some(kind) => companions.push((kind, text)),
            None => pikas.push(text),
        }
    }
    let conf_files = parse::conf::read(&pikas, knowledge, tokens, version);
    let companions: Vec<(CompanionKind, &ConfText)> =
        companions.iter().map(|(kind, text)| (*kind, text)).collect();
    Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        companion_files: parse::companion::read(&companions, &conf_files, knowledge, tokens, version),
        conf_files,
        ..Facts::default()
    }
}

/// Reads logs that are judged together, and puts their messages together. No server is asked.
pub fn read_logs(name: &str, requests: &[LogRequest], window: Window, knowledge: &Knowledge) -> LogView {
    let mut view = collect::logs::read(name, requests, window, knowledge);
    derive::logs::complete(&mut view, knowledge);
    view
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
